"""Log an exception and judge its step in the same transaction."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from cadence.documents import Step
from cadence.flows.core import (
    AdoptionView,
    is_message,
    once,
    rewrite_cycle_posts,
    this_week,
    zone_of,
)
from cadence.flows.exceptions.effects import critical_effect
from cadence.flows.numbers import pick_adoption, require_team_member
from cadence.flows.standards import explained_evidence, judge
from cadence.links import kept_link
from cadence.mrkdwn import Mrkdwn, code, say
from cadence.refusals import Refusal
from cadence.rules.verdicts import Line
from storage.inserts import insert_rows
from storage.queries import adoptions, cycles, exceptions, standards, tokens
from storage.tables import Cycle, CycleState, LoggedException, StepVerdict
from storage.work import Entry, UnitOfWork
from templates.contexts.exceptions import ExceptionLogged

REPEAT_WITHIN: Final = timedelta(minutes=1)
"""The same words on the same step within this time need confirmation."""


@dataclass(frozen=True, slots=True)
class ExceptionGiven:
    """A request to log an exception; `link` is the message kept as evidence.

    `agreed` is what was already confirmed; `ask` is False if nobody can be asked.
    """

    step: str
    reason: str
    critical: bool = False
    playbook: str | None = None
    team: str | None = None
    adoption_id: int | None = None
    link: str | None = None
    agreed: frozenset[str] = frozenset()
    ask: bool = True


class NeedsConfirming(Refusal):
    """It needs a second click: the text says what will happen. The next request carries `agreed`."""

    def __init__(self, text: Mrkdwn, *, agreed: frozenset[str], adoption_id: int) -> None:
        self.agreed = agreed
        self.adoption_id = adoption_id
        super().__init__(text)


@once
def log_exception(uow: UnitOfWork, given: ExceptionGiven) -> ExceptionLogged:
    """Log an exception; the step is judged and, if need be, demoted in the same transaction.

    One message isn't counted twice on a step. The same words of one person on the same step within a minute
    need confirmation, and so does a critical exception.

    Raises:
        NeedsConfirming: it takes a second click.
        Refusal: no such step, no reason, no running cycle, several runs fit, not their team.
    """
    with uow.write():
        view = pick_adoption(uow, adoption_id=given.adoption_id, playbook=given.playbook, team=given.team)
        adoptions.lock_adoption(uow, adoption_id=view.id)  # first: what is read before it is read again
        require_team_member(uow, view, to="log its exceptions")
        step = view.step(given.step)
        if not given.reason.strip():
            raise Refusal(
                say(
                    "Add a few words about what happened, like {example}.",
                    example=code(f"/exception {view.playbook.slug} {step.key} tone was off"),
                ),
                field="reason",
            )
        known = known_exception(uow, view, step.key, link=given.link, critical=given.critical)
        if known is not None:
            verdicts = standards.last_verdicts(uow, adoption_id=view.id, step=step.key, limit=1)
            answer = _logged(uow, view, known, verdicts[0], duplicate=True)
            zone = zone_of(uow, view.workspace, uow.actor.member)
            if known.member != uow.actor.member:
                answer = replace(answer, undo=None)
            return replace(answer, logged_by=known.member, logged_at=known.logged_at.astimezone(zone))
        if given.ask:
            _confirm(uow, view, step, given)
        cycle = this_week(view).cycle
        cycles.refresh(uow, cycle=cycle)  # it may have closed while this waited
        happened = Happened(given.reason, critical=given.critical, link=given.link, source=uow.actor.request)
        (row,), verdict = log_all(uow, view, cycle, step, [happened])
        return _logged(uow, view, row, verdict, duplicate=False)


@dataclass(frozen=True, slots=True)
class Happened:
    """An exception to save.

    Args:
        source: unique for ever, so that a retry logs nothing twice; also its correlation id in the trail.
        token_id: the token of the tool that reported it, with the time at which it `happened`.
    """

    reason: str
    source: str
    critical: bool = False
    link: str | None = None
    token_id: int | None = None
    at: datetime | None = None


class Logged(NamedTuple):
    """The saved exceptions, and the verdict on their step."""

    rows: list[LoggedException]
    verdict: StepVerdict


def log_all(
    uow: UnitOfWork, view: AdoptionView, cycle: Cycle, step: Step, given: Sequence[Happened]
) -> Logged:
    """Save exceptions of one step, at least one, and then judge it once. The adoption is locked already."""
    rows = keep_all(uow, view, cycle, step.key, given)
    cause = f"exception:{rows[-1].id}"
    verdict = judge(uow, view, cycle, step, cause=cause)
    if cycle.state is CycleState.CLOSED:
        rewrite_cycle_posts(uow, view, cycle, mark=cause)
    return Logged(rows, verdict)


def _confirm(uow: UnitOfWork, view: AdoptionView, step: Step, given: ExceptionGiven) -> None:
    """Ask before something counts twice, or demotes a step.

    Raises:
        NeedsConfirming: says what it will do, unless that was confirmed.
    """
    questions = {}
    just_now = exceptions.exceptions_by(
        uow, member=uow.actor.member, adoption_id=view.id, step=step.key, since=uow.now - REPEAT_WITHIN
    )
    if any(
        one.source != uow.actor.request
        and (one.critical or not given.critical)
        and _words(one.reason) == _words(given.reason)
        for one in just_now
    ):
        questions[f"again:{view.id}:{step.key}"] = say("You just logged this. Log it again?")
    if given.critical:
        questions[f"critical:{view.id}:{step.key}"] = say("{effect}", effect=critical_effect(uow, view, step))
    if not questions.keys() <= given.agreed:
        raise NeedsConfirming(
            Mrkdwn(" ".join(questions.values())), agreed=frozenset(questions), adoption_id=view.id
        )


def _words(reason: str) -> str:
    return " ".join(reason.lower().split())


def known_exception(
    uow: UnitOfWork, view: AdoptionView, step: str, *, link: str | None, critical: bool
) -> LoggedException | None:
    """The exception that another one would duplicate: the same message logged on the same step.

    Logging a message again as critical, which was logged as ordinary, is no duplicate.
    """
    if link is None or not is_message(link):
        return None
    same = exceptions.exceptions_by_link(uow, adoption_id=view.id, step=step, link=link)
    return next((one for one in same if one.critical or not critical), None)


def keep_all(
    uow: UnitOfWork, view: AdoptionView, cycle: Cycle, step: str, given: Sequence[Happened]
) -> list[LoggedException]:
    """Save exceptions of one step and their trail, in this order; nothing is judged."""
    rows = [
        LoggedException(
            workspace_id=view.workspace.id,
            adoption_id=view.id,
            cycle_id=cycle.id or 0,
            step=step,
            critical=one.critical,
            reason=one.reason.strip(),
            link=kept_link(one.link),
            member=uow.actor.member,
            surface=uow.actor.surface,
            token_id=one.token_id,
            source=one.source,
            happened_at=one.at,
            logged_at=uow.now,
        )
        for one in given
    ]
    insert_rows(uow.session, rows)
    names = tokens.names(uow, token_ids=sorted({one.token_id for one in given if one.token_id}))
    uow.record_all(
        [
            Entry(
                "exception",
                f"adoption:{view.id}/{step}",
                after={
                    "id": row.id,
                    "critical": row.critical,
                    "reason": row.reason,
                    "link": row.link,
                    **({"via": names[row.token_id]} if row.token_id else {}),
                },
            )
            for row in rows
        ]
    )
    return rows


def _logged(
    uow: UnitOfWork, view: AdoptionView, row: LoggedException, verdict: StepVerdict, *, duplicate: bool
) -> ExceptionLogged:
    return ExceptionLogged(
        playbook=view.playbook.title,
        team=view.team.title,
        step=view.step(row.step).title,
        step_ref=f"{view.id}:{row.step}",
        mode=verdict.mode,
        critical=row.critical,
        reason=row.reason,
        evidence=explained_evidence(uow, view, verdict),
        decision=verdict.decision,
        demote_at=verdict.demote_at if verdict.line is Line.NONE else None,
        severe=verdict.line is Line.CRITICAL,
        after=verdict.lands_on,
        link=row.link,
        duplicate=duplicate,
        undo=str(row.id) if row.withdrawn_after is None else None,
    )
