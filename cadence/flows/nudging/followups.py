"""Answers to alerts: say what changes, nudge missing members once more."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from typing import Final

from cadence.flows.checkins import nudged_again
from cadence.flows.core import (
    LONGEST_WISH,
    AdoptionView,
    MessageKind,
    adoption_by_id,
    cycle_of_week,
    expected_members,
    is_asked_for,
    once,
    require_owner_or_curator,
    require_sight,
    rewrite_digest,
)
from cadence.flows.exceptions import counted_exceptions
from cadence.flows.people import set_away
from cadence.flows.standards import assumed_why, rewrite_alerts
from cadence.mrkdwn import Mrkdwn, code, mention, say
from cadence.refusals import Refusal
from cadence.rules.sight import Fact
from cadence.rules.verdicts import Decision
from cadence.typed import one_line
from storage.outbox.queueing import NewMessage
from storage.queries import adoptions, checkins, people, playbooks, standards, trail
from storage.tables import OutboxMessage, StepVerdict, TrailEntry
from storage.work import UnitOfWork
from templates.contexts.answers import Done
from templates.contexts.nudging import WatchAnswerForm
from templates.contexts.people import AwaySet

ASKED: Final = "asked"
"""The kind of message in which somebody asks an owner or a curator to do something."""
_ASKS_A_DAY: Final = 5
"""Messages: enough for a member's real requests, too few to flood somebody's DMs."""


def watch_form(uow: UnitOfWork, *, adoption_id: int, step: str) -> WatchAnswerForm:
    """The form in which the owner says what will change about a step over its cap."""
    counted = counted_exceptions(uow, adoption_id=adoption_id, step=step)
    with uow.read():
        view = adoption_by_id(uow, adoption_id=adoption_id)
        require_owner_or_curator(uow, playbook=view.playbook, to="add a plan for a step")
        last = standards.last_verdicts(uow, adoption_id=view.id, step=step, limit=1)
        watch = standards.first_watch(uow, row=last[0]) if last else None
        said = _answers(uow, view, step, watch=watch) if watch else []
        restarted, missing = assumed_why(uow, view, last[0]) if last else (False, True)
    return WatchAnswerForm(
        playbook=counted.playbook,
        team=counted.team,
        step=counted.step,
        evidence=replace(counted.evidence, restarted=restarted, missing=missing),
        answer=str(said[-1].after) if said else "",
    )


def _answers(
    uow: UnitOfWork, view: AdoptionView, step: str, *, watch: StepVerdict | None = None
) -> list[TrailEntry]:
    """The answer about a step, since the beginning of a watch if given."""
    return trail.entries(
        uow,
        action="watch-answered",
        subject=f"adoption:{view.id}/{step}",
        after=trail.last_id(uow, subject=f"verdict:{watch.id}") if watch else 0,
    )


@once
def answer_watch(uow: UnitOfWork, *, adoption_id: int, step: str, text: str) -> Done:
    """Record what the owner will change, in the trail, and show it on the alerts.

    Raises:
        Refusal: the text is empty. NotAllowed: the caller is neither the owner nor a curator.
    """
    if not text.strip():
        raise Refusal("Add a sentence on what you'll change.", field="note")
    with uow.write():
        view = adoption_by_id(uow, adoption_id=adoption_id)
        require_owner_or_curator(uow, playbook=view.playbook, to="add a plan for a step")
        adoptions.lock_adoption(uow, adoption_id=view.id)
        declared = view.step(step)
        before = _answers(uow, view, step)
        noted = Done(
            text=say(
                "Saved: the alert of “{step}” in {title} now shows the plan.",
                step=declared.title,
                title=view.playbook.title,
            )
        )
        uow.record(
            action="watch-answered",
            subject=f"adoption:{view.id}/{step}",
            before=before[-1].after if before else None,
            after=text.strip(),
        )
        watches = standards.last_verdicts(
            uow, adoption_id=view.id, step=step, limit=1, decision=Decision.WATCH
        )
        for row in watches:
            rewrite_alerts(uow, row, mark=uow.correlation_id)
        rewrite_digest(uow, mark=f"plan:{uow.correlation_id}")
        return noted


@once
def nudge_again(uow: UnitOfWork, *, adoption_id: int, week_start: date) -> Done:
    """Send every missing member one more DM; at most once per week and playbook, however often it is pressed.

    Raises:
        Refusal: the week is too long ago to answer, or its cycle is closed.
        NotAllowed: the caller is neither the owner nor a curator.
    """
    with uow.write():
        view = adoption_by_id(uow, adoption_id=adoption_id)
        require_owner_or_curator(uow, playbook=view.playbook, to="nudge the team again")
        cycle = cycle_of_week(uow, view, week_start)
        ended = cycle is None or not is_asked_for(view, cycle)
        if ended or week_start < view.week_start - timedelta(weeks=1):
            raise Refusal("That week is closed, so nobody can check in for it anymore.")
        if view.is_paused:
            raise Refusal(
                say(
                    "{title} is paused in {team}, so nobody is asked to check in.{next}",
                    title=view.playbook.title,
                    team=view.team.title,
                    next=say(" To end the pause, type {command}.", command=code(view.ends_pause))
                    if view.ends_pause
                    else "",
                )
            )
        missing = _others_missing(uow, view, week_start=week_start)
        subject = f"adoption:{view.id}/week:{week_start}"
        if nudged_again(uow, view, week_start=week_start):
            return Done(text=say("They've already had their last reminder for this week."))
        uow.send(
            [
                NewMessage(
                    "checkin-again",
                    member,
                    {"member": member, "week": week_start.isoformat()},
                    about=(member, week_start, view.id),
                    useful=timedelta(hours=30),
                )
                for member in missing
            ]
        )
        uow.record(action="nudged-again", subject=subject, after=missing)
        _rewrite_missing(uow, adoption_id=view.id)
        names = Mrkdwn(", ".join(mention(member) for member in missing[:20]))
        return Done(
            text=say("We'll send one more reminder in working hours to {names}.", names=names)
            if missing
            else say("Everyone has checked in since. No reminders sent.")
        )


def _rewrite_missing(uow: UnitOfWork, *, adoption_id: int) -> None:
    mine = uow.messages("who-is-missing", adoption_id, uow.actor.member)
    uow.rewrite_messages(mine[-1:], mark=uow.correlation_id)


@once
def set_missing_away(
    uow: UnitOfWork, *, adoption_id: int, members: Sequence[str], first: date, last: date
) -> AwaySet:
    """`people.set_away`, from the message that names missing members, which is rewritten."""
    with uow.write():
        done = set_away(uow, members=members, first=first, last=last)
        _rewrite_missing(uow, adoption_id=adoption_id)
        return done


def missing_members(uow: UnitOfWork, view: AdoptionView, *, week_start: date) -> list[str]:
    """Expected members of a week who haven't answered."""
    answered = checkins.answered_members(uow, adoption_id=view.id, week_start=week_start)
    asked = expected_members(uow, view, week_start=week_start)
    return [member for member in asked if member not in answered]


def _others_missing(uow: UnitOfWork, view: AdoptionView, *, week_start: date) -> list[str]:
    """The missing members without the caller: nobody nudges themselves."""
    return [
        member for member in missing_members(uow, view, week_start=week_start) if member != uow.actor.member
    ]


def still_missing(uow: UnitOfWork, *, adoption_id: int, week_start: date) -> tuple[str, ...]:
    """The other missing members, if the caller can know them.

    Raises:
        NotAllowed: the caller is neither the owner nor a curator.
    """
    with uow.read():
        view = adoption_by_id(uow, adoption_id=adoption_id)
        require_sight(uow, view, Fact.CHECK_INS)
        return tuple(_others_missing(uow, view, week_start=week_start))


@once
def ask(uow: UnitOfWork, *, member: str, what: str) -> Done:
    """Ask an owner or a curator, by DM, to do what only they can.

    The same thing is asked once a day, and nobody asks more than `_ASKS_A_DAY` times a day.

    Raises:
        Refusal: that person can't decide in this workspace anymore, or the caller has asked too often today.
    """
    with uow.write():
        owners = {row.owner for row in playbooks.playbooks(uow)}
        reporters = {team.reporter for team in people.teams(uow)}  # who answers for what a team receives
        curators = set(people.curators(uow))
        if member not in owners | reporters | curators:
            raise Refusal(
                "They aren't an owner or curator here anymore. See who is with `/cadence playbook list`."
            )
        me, today, what = uow.actor.member, uow.now.date(), one_line(what)[:LONGEST_WISH]
        about = me, str(today), member, what
        earlier = uow.messages(ASKED, me, str(today))
        if len(earlier) >= _ASKS_A_DAY and not uow.messages(ASKED, *about):
            raise Refusal(
                "You've asked for several things today. Ask again tomorrow, or message them yourself."
            )
        subject = {"by": me, "what": what, "curator": member in curators}
        if not uow.send_new(NewMessage(ASKED, member, subject, about=about)):
            return Done(text=say("You've already asked {who} about this today.", who=mention(member)))
        return Done(text=say("Asked {who}.", who=mention(member)))


def _asked(_uow: UnitOfWork, message: OutboxMessage) -> Done:
    return Done(
        text=say(
            "{who} would like to {what}. {you} can do that.",
            you="As a curator, you" if message.subject.get("curator") else "Only you or a curator",
            who=mention(str(message.subject["by"])),
            what=str(message.subject["what"]),
        )
    )


KINDS = (MessageKind(ASKED, _asked),)
