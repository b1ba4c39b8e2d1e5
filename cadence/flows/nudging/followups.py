"""What people do about an alert: say what changes, nudge the missing once more."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta

from cadence.flows.checkins import cycle_of_week, nudged_again
from cadence.flows.core import (
    TeamRun,
    expected_members,
    is_asked_for,
    key,
    note,
    once,
    require_owner_or_curator,
    require_sight,
    run_by_id,
)
from cadence.flows.exceptions import counted_exceptions
from cadence.flows.people import set_away
from cadence.flows.standards import alert_copies, assumed_why
from cadence.mrkdwn import Mrkdwn, mention, say
from cadence.refusals import Refusal
from cadence.rules.sight import Fact
from cadence.rules.verdicts import Decision
from storage import trail
from storage.outbox import ledger
from storage.outbox.ledger import Owed
from storage.queries import decisions, people, playbooks, reports
from storage.tables import OwedMessage, StepVerdict, TrailEntry
from storage.work import UnitOfWork
from templates.contexts.answers import AwaySet, Done
from templates.contexts.forms import WatchAnswerForm


def watch_form(uow: UnitOfWork, *, adoption_id: int, step: str) -> WatchAnswerForm:
    """The form in which the owner says what will change about a step over its cap."""
    counted = counted_exceptions(uow, adoption_id=adoption_id, step=step)
    with uow.read():
        run = run_by_id(uow, adoption_id=adoption_id)
        require_owner_or_curator(uow, owner=run.playbook.owner, to="say what changes about a step")
        last = decisions.last_verdicts(uow, adoption_id=run.id, step=step, limit=1)
        watch = decisions.first_watch(uow, row=last[0]) if last else None
        said = _answers(uow, run, step, watch=watch) if watch else []
        restarted, missing = assumed_why(uow, run, last[0]) if last else (False, True)
    return WatchAnswerForm(
        playbook=counted.playbook,
        team=counted.team,
        step=counted.step,
        evidence=replace(counted.evidence, restarted=restarted, missing=missing),
        answer=str(said[-1].after) if said else "",
    )


def _answers(
    uow: UnitOfWork, run: TeamRun, step: str, *, watch: StepVerdict | None = None
) -> list[TrailEntry]:
    """What was said about a step, since a watch began when it is given."""
    return trail.entries(
        uow,
        action="watch-answered",
        subject=f"adoption:{run.id}/{step}",
        after=trail.last_id(uow, subject=f"verdict:{watch.id}") if watch else 0,
    )


@once
def answer_watch(uow: UnitOfWork, *, adoption_id: int, step: str, text: str) -> Done:
    """Keep what the owner will change, in the trail, and show it on the alerts.

    Raises:
        Refusal: nothing was said.
        NotAllowed: the caller is neither the owner nor a curator.
    """
    if not text.strip():
        raise Refusal("Say in a sentence what will change.", field="note")
    with uow.write():
        run = run_by_id(uow, adoption_id=adoption_id)
        require_owner_or_curator(uow, owner=run.playbook.owner, to="say what changes about a step")
        playbooks.lock_adoption(uow, adoption_id=run.id)
        declared = run.step(step)
        before = _answers(uow, run, step)
        noted = Done(
            text=say(
                "Noted for {step} of {title}. The alert now says so.",
                step=declared.title,
                title=run.playbook.title,
            )
        )
        note(
            uow,
            action="watch-answered",
            subject=f"adoption:{run.id}/{step}",
            before=before[-1].after if before else None,
            after=text.strip(),
        )
        watches = decisions.last_verdicts(
            uow, adoption_id=run.id, step=step, limit=1, decision=Decision.WATCH
        )
        _rewrite(uow, [copy for row in watches for copy in alert_copies(uow, row)])
        return noted


def _rewrite(uow: UnitOfWork, sent: list[OwedMessage]) -> None:
    ledger.owe_rewrites(uow, messages=sent, mark=uow.actor.request)


@once
def nudge_again(uow: UnitOfWork, *, adoption_id: int, week_start: date) -> Done:
    """Owe everyone who is still missing one more DM; once a week and playbook, however often it is pressed.

    Raises:
        Refusal: the week is too long ago to answer, or its cycle is closed.
        NotAllowed: the caller is neither the owner nor a curator.
    """
    with uow.write():
        run = run_by_id(uow, adoption_id=adoption_id)
        require_owner_or_curator(uow, owner=run.playbook.owner, to="nudge the team once more")
        cycle = cycle_of_week(uow, run, week_start)
        ended = cycle is None or not is_asked_for(run, cycle)
        if ended or week_start < run.week_start - timedelta(weeks=1):
            raise Refusal("That week is closed; its check-in can't be answered any more.")
        missing = _others_missing(uow, run, week_start=week_start)
        subject = f"adoption:{run.id}/week:{week_start}"
        if nudged_again(uow, run, week_start=week_start):
            return Done(text=say("They have been nudged once more already; that was the last time."))
        owed = [
            Owed(
                key=f"{key('checkin-again', run.workspace.id, member, week_start)}:{run.id}",
                kind="checkin-again",
                recipient=member,
                subject={"member": member, "week": week_start.isoformat()},
                due_at=uow.now,
                useful_until=uow.now + timedelta(hours=30),
            )
            for member in missing
        ]
        ledger.owe(uow, owed=owed, correlation_id=uow.actor.request)
        note(uow, action="nudged-again", subject=subject, after=missing)
        _rewrite_missing(uow, adoption_id=run.id)
        names = Mrkdwn(", ".join(mention(member) for member in missing[:20]))
        return Done(
            text=say("Each gets one more DM, in their own working hours: {names}.", names=names)
            if missing
            else say("Everyone has answered meanwhile; nobody was nudged.")
        )


def _rewrite_missing(uow: UnitOfWork, *, adoption_id: int) -> None:
    mine = ledger.by_prefix(
        uow, prefix=f"who-is-missing:{uow.actor.workspace_id}:{adoption_id}:{uow.actor.member}"
    )
    _rewrite(uow, mine[-1:])


@once
def set_missing_away(
    uow: UnitOfWork, *, adoption_id: int, members: Sequence[str], first: date, last: date
) -> AwaySet:
    """`people.set_away`, from the message that names who is missing: it is written again."""
    with uow.write():
        done = set_away(uow, members=members, first=first, last=last)
        _rewrite_missing(uow, adoption_id=adoption_id)
        return done


def missing_members(uow: UnitOfWork, run: TeamRun, *, week_start: date) -> list[str]:
    """Who was asked for a week and hasn't answered."""
    answered = reports.answered_members(uow, adoption_id=run.id, week_start=week_start)
    asked = expected_members(uow, run, week_start=week_start)
    return [member for member in asked if member not in answered]


def _others_missing(uow: UnitOfWork, run: TeamRun, *, week_start: date) -> list[str]:
    """The missing without the one who asks: nobody nudges themselves."""
    return [
        member for member in missing_members(uow, run, week_start=week_start) if member != uow.actor.member
    ]


def still_missing(uow: UnitOfWork, *, adoption_id: int, week_start: date) -> tuple[str, ...]:
    """Which others haven't answered, for those who may know.

    Raises:
        NotAllowed: the caller is neither the owner nor a curator.
    """
    with uow.read():
        run = run_by_id(uow, adoption_id=adoption_id)
        require_sight(uow, run, Fact.CHECK_INS)
        return tuple(_others_missing(uow, run, week_start=week_start))


@once
def ask(uow: UnitOfWork, *, member: str, what: str) -> Done:
    """Owe somebody who may a DM that says who would like what done; once a day and person.

    Raises:
        Refusal: that person has no say in this workspace any more.
    """
    with uow.write():
        owners = {row.owner for row in playbooks.playbooks(uow)}
        if member not in owners | set(people.curators(uow)):
            raise Refusal(
                "They are no owner or curator here any more. `/cadence playbook list` names the owners."
            )
        ledger.owe(
            uow,
            owed=[
                Owed(
                    key=f"asked:{uow.actor.workspace_id}:{uow.actor.member}:{member}:{what[:60]}:{uow.now.date()}",
                    kind="asked",
                    recipient=member,
                    subject={"by": uow.actor.member, "what": what[:120]},
                    due_at=uow.now,
                )
            ],
            correlation_id=uow.actor.request,
        )
        return Done(
            text=say("{who} gets a DM that you would like to {what}.", who=mention(member), what=what)
        )
