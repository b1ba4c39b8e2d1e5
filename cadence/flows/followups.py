"""What people do about an alert: say what changes, nudge the missing once more."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta

from sqlmodel import Session

from cadence.flows.asked_members import expected_members
from cadence.flows.callers import Caller, require_owner_or_curator
from cadence.flows.checkin_rows import cycle_of_week, key
from cadence.flows.exception_forms import counted_exceptions
from cadence.flows.gathering import assumed_why
from cadence.flows.noting import note
from cadence.flows.people import set_away
from cadence.flows.repeats import once
from cadence.flows.runs import TeamRun, run_by_id
from cadence.flows.sight import require_sight
from cadence.flows.watch_ends import alert_copies
from cadence.flows.weeks import is_asked_for
from cadence.mrkdwn import Mrkdwn, mention, say
from cadence.refusals import Refusal
from cadence.rules.sight import Fact
from cadence.rules.verdicts import Decision
from storage import decisions, ledger, people, playbooks, reports, trail
from storage.engine import Database
from storage.ledger import Owed
from storage.tables import OwedMessage, StepVerdict, TrailEntry
from templates.contexts.answers import AwaySet, Done
from templates.contexts.forms import WatchAnswerForm


def watch_form(
    db: Database, caller: Caller, *, adoption_id: int, step: str, now: datetime
) -> WatchAnswerForm:
    """The form in which the owner says what will change about a step over its cap."""
    counted = counted_exceptions(db, caller, adoption_id=adoption_id, step=step, now=now)
    with db.read() as session:
        run = run_by_id(session, workspace_id=caller.workspace_id, adoption_id=adoption_id, now=now)
        require_owner_or_curator(
            session, caller, owner=run.playbook.owner, to="say what changes about a step"
        )
        last = decisions.last_verdicts(
            session, workspace_id=run.workspace.id, adoption_id=run.id, step=step, limit=1
        )
        watch = (
            decisions.first_watch(session, workspace_id=last[0].workspace_id, row=last[0]) if last else None
        )
        said = _answers(session, run, step, watch=watch) if watch else []
        restarted, missing = assumed_why(session, run, last[0]) if last else (False, True)
    return WatchAnswerForm(
        playbook=counted.playbook,
        team=counted.team,
        step=counted.step,
        evidence=replace(counted.evidence, restarted=restarted, missing=missing),
        answer=str(said[-1].after) if said else "",
    )


def _answers(
    session: Session, run: TeamRun, step: str, *, watch: StepVerdict | None = None
) -> list[TrailEntry]:
    """What was said about a step, since a watch began when it is given."""
    where = run.workspace.id
    return trail.entries(
        session,
        workspace_id=where,
        action="watch-answered",
        subject=f"adoption:{run.id}/{step}",
        after=trail.last_id(session, workspace_id=where, subject=f"verdict:{watch.id}") if watch else 0,
    )


@once
def answer_watch(
    db: Database, caller: Caller, *, adoption_id: int, step: str, text: str, now: datetime
) -> Done:
    """Keep what the owner will change, in the trail, and show it on the alerts.

    Raises:
        Refusal: nothing was said.
        NotAllowed: the caller is neither the owner nor a curator.
    """
    if not text.strip():
        raise Refusal("Say in a sentence what will change.", field="note")
    with db.write() as session:
        run = run_by_id(session, workspace_id=caller.workspace_id, adoption_id=adoption_id, now=now)
        require_owner_or_curator(
            session, caller, owner=run.playbook.owner, to="say what changes about a step"
        )
        playbooks.lock_adoption(session, workspace_id=run.workspace.id, adoption_id=run.id)
        declared = run.step(step)
        before = _answers(session, run, step)
        noted = Done(
            text=say(
                "Noted for {step} of {title}. The alert now says so.",
                step=declared.title,
                title=run.playbook.title,
            )
        )
        note(
            session,
            caller,
            action="watch-answered",
            subject=f"adoption:{run.id}/{step}",
            before=before[-1].after if before else None,
            after=text.strip(),
            now=now,
        )
        watches = decisions.last_verdicts(
            session,
            workspace_id=run.workspace.id,
            adoption_id=run.id,
            step=step,
            limit=1,
            decision=Decision.WATCH,
        )
        _rewrite(session, caller, [copy for row in watches for copy in alert_copies(session, row)], now=now)
        return noted


def _rewrite(session: Session, caller: Caller, sent: list[OwedMessage], *, now: datetime) -> None:
    ledger.owe_rewrites(
        session,
        workspace_id=caller.workspace_id,
        messages=sent,
        mark=caller.request,
        now=now,
        correlation_id=caller.request,
    )


@once
def nudge_again(db: Database, caller: Caller, *, adoption_id: int, week_start: date, now: datetime) -> Done:
    """Owe everyone who is still missing one more DM; once a week and playbook, however often it is pressed.

    Raises:
        Refusal: the week is too long ago to answer, or its cycle is closed.
        NotAllowed: the caller is neither the owner nor a curator.
    """
    with db.write() as session:
        run = run_by_id(session, workspace_id=caller.workspace_id, adoption_id=adoption_id, now=now)
        require_owner_or_curator(session, caller, owner=run.playbook.owner, to="nudge the team once more")
        cycle = cycle_of_week(session, run, week_start)
        ended = cycle is None or not is_asked_for(run, cycle)
        if ended or week_start < run.week_start - timedelta(weeks=1):
            raise Refusal("That week is closed; its check-in can't be answered any more.")
        missing = _others_missing(session, caller, run, week_start=week_start)
        subject = f"adoption:{run.id}/week:{week_start}"
        if nudged_again(session, run, week_start=week_start):
            return Done(text=say("They have been nudged once more already; that was the last time."))
        owed = [
            Owed(
                key=f"{key('checkin-again', run.workspace.id, member, week_start)}:{run.id}",
                kind="checkin-again",
                recipient=member,
                subject={"member": member, "week": week_start.isoformat()},
                due_at=now,
                useful_until=now + timedelta(hours=30),
            )
            for member in missing
        ]
        ledger.owe(session, workspace_id=run.workspace.id, owed=owed, now=now, correlation_id=caller.request)
        note(
            session,
            caller,
            action="nudged-again",
            subject=subject,
            after=missing,
            now=now,
        )
        _rewrite_missing(session, caller, adoption_id=run.id, now=now)
        names = Mrkdwn(", ".join(mention(member) for member in missing[:20]))
        return Done(
            text=say("Each gets one more DM, in their own working hours: {names}.", names=names)
            if missing
            else say("Everyone has answered meanwhile; nobody was nudged.")
        )


def _rewrite_missing(session: Session, caller: Caller, *, adoption_id: int, now: datetime) -> None:
    mine = ledger.by_prefix(
        session,
        workspace_id=caller.workspace_id,
        prefix=f"who-is-missing:{caller.workspace_id}:{adoption_id}:{caller.member}",
    )
    _rewrite(session, caller, mine[-1:], now=now)


@once
def set_missing_away(
    db: Database,
    caller: Caller,
    *,
    adoption_id: int,
    members: Sequence[str],
    first: date,
    last: date,
    now: datetime,
) -> AwaySet:
    """`people.set_away`, from the message that names who is missing: it is written again."""
    with db.write() as session:
        done = set_away(db, caller, members=members, first=first, last=last, now=now)
        _rewrite_missing(session, caller, adoption_id=adoption_id, now=now)
        return done


def nudged_again(session: Session, run: TeamRun, *, week_start: date) -> list[TrailEntry]:
    """Whether, and when, the missing of a week were nudged once more."""
    return trail.entries(
        session,
        workspace_id=run.workspace.id,
        action="nudged-again",
        subject=f"adoption:{run.id}/week:{week_start}",
    )


def missing_members(session: Session, run: TeamRun, *, week_start: date) -> list[str]:
    """Who was asked for a week and hasn't answered."""
    answered = reports.answered_members(
        session, workspace_id=run.workspace.id, adoption_id=run.id, week_start=week_start
    )
    asked = expected_members(session, run, week_start=week_start)
    return [member for member in asked if member not in answered]


def _others_missing(session: Session, caller: Caller, run: TeamRun, *, week_start: date) -> list[str]:
    """The missing without the one who asks: nobody nudges themselves."""
    return [
        member for member in missing_members(session, run, week_start=week_start) if member != caller.member
    ]


def still_missing(
    db: Database, caller: Caller, *, adoption_id: int, week_start: date, now: datetime
) -> tuple[str, ...]:
    """Which others haven't answered, for those who may know.

    Raises:
        NotAllowed: the caller is neither the owner nor a curator.
    """
    with db.read() as session:
        run = run_by_id(session, workspace_id=caller.workspace_id, adoption_id=adoption_id, now=now)
        require_sight(session, caller, run, Fact.CHECK_INS)
        return tuple(_others_missing(session, caller, run, week_start=week_start))


@once
def ask(db: Database, caller: Caller, *, member: str, what: str, now: datetime) -> Done:
    """Owe somebody who may a DM that says who would like what done; once a day and person.

    Raises:
        Refusal: that person has no say in this workspace any more.
    """
    with db.write() as session:
        owners = {row.owner for row in playbooks.playbooks(session, workspace_id=caller.workspace_id)}
        if member not in owners | set(people.curators(session, workspace_id=caller.workspace_id)):
            raise Refusal(
                "They are no owner or curator here any more. `/cadence playbook list` names the owners."
            )
        ledger.owe(
            session,
            workspace_id=caller.workspace_id,
            owed=[
                Owed(
                    key=f"asked:{caller.workspace_id}:{caller.member}:{member}:{what[:60]}:{now.date()}",
                    kind="asked",
                    recipient=member,
                    subject={"by": caller.member, "what": what[:120]},
                    due_at=now,
                )
            ],
            now=now,
            correlation_id=caller.request,
        )
        return Done(
            text=say("{who} gets a DM that you would like to {what}.", who=mention(member), what=what)
        )
