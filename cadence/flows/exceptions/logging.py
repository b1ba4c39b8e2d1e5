"""Log an exception and judge its step in the same transaction."""

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Final

from cadence.documents import Step
from cadence.flows.core import (
    TeamRun,
    current_modes,
    is_message,
    mode_of,
    note,
    once,
    rewrite_cycle_posts,
    this_week,
    zone_of,
)
from cadence.flows.numbers import pick_run, require_team_member
from cadence.flows.standards import explained_evidence, judge
from cadence.links import kept_link
from cadence.mrkdwn import Mrkdwn, code, say
from cadence.refusals import Refusal
from cadence.rules.modes import Mode, landing
from cadence.rules.verdicts import Line
from storage.queries import decisions, reports
from storage.queries import playbooks as playbook_rows
from storage.tables import Cycle, CycleState, LoggedException, StepVerdict
from storage.work import UnitOfWork
from templates.contexts.answers import ExceptionLogged
from templates.filters import mode as mode_word

REPEAT_WITHIN: Final = timedelta(minutes=1)
"""The same words on the same step within this time are asked about."""


@dataclass(frozen=True, slots=True)
class ExceptionGiven:
    """An exception as someone gave it; `link` is the message kept as evidence.

    `agreed` is what was confirmed already; `ask` is False where nobody can be asked.
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
    """It waits for a second click: the text says what it will do. `agreed` goes with the exception then."""

    def __init__(self, text: Mrkdwn, *, agreed: frozenset[str], adoption_id: int) -> None:
        self.agreed = agreed
        self.adoption_id = adoption_id
        super().__init__(text)


@once
def log_exception(uow: UnitOfWork, given: ExceptionGiven) -> ExceptionLogged:
    """Log an exception; the step is judged and, if need be, demoted before this returns.

    One message isn't counted twice on a step. The same words of one person on the same step within a minute
    are asked about, and so is a critical exception.

    Raises:
        NeedsConfirming: it takes a second click.
        Refusal: no such step, no reason, no running cycle, several runs fit, not their team.
    """
    with uow.write():
        run = pick_run(uow, adoption_id=given.adoption_id, playbook=given.playbook, team=given.team)
        require_team_member(uow, run, to="log its exceptions")
        step = run.step(given.step)
        if not given.reason.strip():
            raise Refusal(
                say(
                    "Say in a few words what happened, for example {example}.",
                    example=code(f"/exception {run.playbook.slug} {step.key} tone was off"),
                ),
                field="reason",
            )
        playbook_rows.lock_adoption(uow, adoption_id=run.id)
        known = _known(uow, run, step.key, given)
        if known is not None:
            verdicts = decisions.last_verdicts(uow, adoption_id=run.id, step=step.key, limit=1)
            answer = _logged(uow, run, known, verdicts[0], duplicate=True)
            zone = zone_of(uow, run.workspace, uow.actor.member)
            if known.member != uow.actor.member:
                answer = replace(answer, undo=None)
            return replace(answer, logged_by=known.member, logged_at=known.logged_at.astimezone(zone))
        if given.ask:
            _confirm(uow, run, step, given)
        cycle = this_week(run).cycle
        uow.session.refresh(cycle)  # it may have closed while this waited
        row = _save(uow, run, cycle, step.key, given)
        verdict = judge(uow, run, cycle, step, cause=f"exception:{row.id}")
        if cycle.state is CycleState.CLOSED:
            rewrite_cycle_posts(uow, run, cycle, mark=f"exception:{row.id}")
        return _logged(uow, run, row, verdict, duplicate=False)


def _confirm(uow: UnitOfWork, run: TeamRun, step: Step, given: ExceptionGiven) -> None:
    """Ask before something counts twice, or demotes a step.

    Raises:
        NeedsConfirming: with what it will do, unless that was agreed to.
    """
    questions = {}
    just_now = reports.exceptions_by(
        uow, member=uow.actor.member, adoption_id=run.id, step=step.key, since=uow.now - REPEAT_WITHIN
    )
    if any(
        one.source != uow.actor.request
        and (one.critical or not given.critical)
        and _words(one.reason) == _words(given.reason)
        for one in just_now
    ):
        questions[f"again:{run.id}:{step.key}"] = say("You just logged this. Log it again?")
    if given.critical:
        questions[f"critical:{run.id}:{step.key}"] = _effect(uow, run, step)
    if not questions.keys() <= given.agreed:
        raise NeedsConfirming(
            Mrkdwn(" ".join(questions.values())), agreed=frozenset(questions), adoption_id=run.id
        )


def _words(reason: str) -> str:
    return " ".join(reason.lower().split())


def _effect(uow: UnitOfWork, run: TeamRun, step: Step) -> Mrkdwn:
    """What a critical exception does to a step now."""
    mode = mode_of(current_modes(uow, run), step)
    lands_on = landing(mode, Mode(step.fallback))
    if lands_on is None:
        return say(
            "People lead “{step}” already, so its mode stays. The team and the curators are told right away.",
            step=step.title,
        )
    return say(
        "This will demote “{step}” to {mode} right away. The team and the curators are told.",
        step=step.title,
        mode=mode_word(lands_on),
    )


def _known(uow: UnitOfWork, run: TeamRun, step: str, given: ExceptionGiven) -> LoggedException | None:
    """The exception this would be once more: the same message logged on the same step.

    Who says that a message logged as an ordinary exception is a critical one says something new.
    """
    if given.link is None or not is_message(given.link):
        return None
    same = reports.exceptions_by_link(uow, adoption_id=run.id, step=step, link=given.link)
    return next((one for one in same if one.critical or not given.critical), None)


def _save(uow: UnitOfWork, run: TeamRun, cycle: Cycle, step: str, given: ExceptionGiven) -> LoggedException:
    row = LoggedException(
        workspace_id=run.workspace.id,
        adoption_id=run.id,
        cycle_id=cycle.id or 0,
        step=step,
        critical=given.critical,
        reason=given.reason.strip(),
        link=kept_link(given.link),
        member=uow.actor.member,
        surface=uow.actor.surface,
        source=uow.actor.request,
        logged_at=uow.now,
    )
    uow.session.add(row)
    uow.session.flush()
    note(
        uow,
        action="exception",
        subject=f"adoption:{run.id}/{step}",
        after={"id": row.id, "critical": row.critical, "reason": row.reason, "link": row.link},
    )
    return row


def _logged(
    uow: UnitOfWork, run: TeamRun, row: LoggedException, verdict: StepVerdict, *, duplicate: bool
) -> ExceptionLogged:
    return ExceptionLogged(
        playbook=run.playbook.title,
        team=run.team.title,
        step=run.step(row.step).title,
        mode=verdict.mode,
        critical=row.critical,
        reason=row.reason,
        evidence=explained_evidence(uow, run, verdict),
        decision=verdict.decision,
        demote_at=verdict.demote_at if verdict.line is Line.NONE else None,
        severe=verdict.line is Line.CRITICAL,
        after=verdict.lands_on,
        link=row.link,
        duplicate=duplicate,
        undo=str(row.id) if row.withdrawn_after is None else None,
    )
