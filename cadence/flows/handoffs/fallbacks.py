"""The automatic fallback: while a handoff is failed, its receiving step runs in the contract's fallback mode."""

from collections.abc import Sequence
from typing import Final, NamedTuple

from cadence.documents import Step
from cadence.flows.core import (
    AdoptionView,
    MessageKind,
    Skip,
    Urgency,
    adoption_by_id,
    adoption_views,
    announce,
    current_modes,
    mode_of,
    once,
    require_owner_or_curator,
    step_title,
)
from cadence.flows.handoffs.contracts import HandedOver, handed_over
from cadence.flows.standards import set_mode
from cadence.mrkdwn import say
from cadence.nudges import Unless
from cadence.refusals import Refusal
from cadence.rules.modes import Mode, rank
from storage.queries import adoptions, handoffs, standards
from storage.queries.standards import StepChange
from storage.tables import AdoptionState, Handoff, ModeChange, OutboxMessage, PlaybookState
from storage.work import UnitOfWork
from templates.contexts.answers import Done
from templates.contexts.handoffs import HandoffFallback
from templates.filters import mode as mode_word

APPLIED, ENDED = "fallback", "fallback-ended"
"""Kinds of mode changes, and actions in the trail."""
FALLBACK: Final = "handoff-fallback"
NOTHING_HELD: Final = "No step is held back by this handoff anymore. Nothing changed."


class ReceivingStep(NamedTuple):
    """The step to which a contract's fallback applies, and the adoption that runs it."""

    view: AdoptionView
    step: Step


def receiving_step(uow: UnitOfWork, handed: HandedOver) -> ReceivingStep | None:
    """The step that receives a handoff: the contract's `step`, in a playbook that the receiving team runs, else
    in the sending team's. Without `step`, the sending team's only step above the fallback.

    None if no adoption in use has that step.
    """
    key, sender = handed.terms.step, handed.view
    if key is not None:
        theirs = adoption_views(uow, team_ids=[handed.row.team_id])
        for view in (*(one for one in theirs if one.id != sender.id), sender):
            step = view.spec.step(key)
            if step is not None and _in_use(view):
                return ReceivingStep(view, step)
        return None
    above = steps_above(uow, handed)
    return ReceivingStep(sender, above[0]) if len(above) == 1 and _in_use(sender) else None


def _in_use(view: AdoptionView) -> bool:
    return view.adoption.state is not AdoptionState.ENDED and view.playbook.state is not PlaybookState.RETIRED


def steps_above(uow: UnitOfWork, handed: HandedOver) -> list[Step]:
    """The sending team's steps whose mode is above the contract's fallback."""
    modes = current_modes(uow, handed.view)
    return [
        step
        for step in handed.view.spec.steps
        if rank(mode_of(modes, step)) > rank(Mode(handed.terms.fallback))
    ]


def apply_fallback(uow: UnitOfWork, handed: HandedOver) -> None:
    """Switch the receiving step to the fallback mode, if the contract says so and the step is above it.

    If another failed handoff already switched it, this one holds it as well.
    """
    if not handed.terms.automatic:
        return
    found = receiving_step(uow, handed)
    if found is None:
        return
    view, step = found
    if view.id != handed.view.id:
        adoptions.lock_adoption(uow, adoption_id=view.id)
    fallback, row = Mode(handed.terms.fallback), handed.row
    if rank(mode_of(current_modes(uow, view), step)) > rank(fallback):
        change = set_mode(
            uow,
            view,
            step,
            mode=fallback,
            kind=APPLIED,
            reason=f"{handed.team.title} sent back {row.what}: {row.reason}",
            on="rule",
        )
        row.fallback_id = change.id
        _announce(uow, view, change, row)
    else:
        last = _last_change(uow, view, step.key)
        if last is not None and last.kind == APPLIED:
            row.fallback_id = last.id
    uow.session.add(row)
    uow.session.flush()


def end_fallbacks(uow: UnitOfWork, handed: HandedOver) -> None:
    """Take back the fallbacks of earlier handoffs under the same contract: this one was accepted."""
    rows = handoffs.holding_fallbacks(
        uow, adoption_id=handed.row.adoption_id, team_id=handed.row.team_id, before=handed.row.id or 0
    )
    _release(uow, rows, reason=f"{handed.team.title} accepted {handed.row.what}", on="rule")


@once
def settle(uow: UnitOfWork, *, handoff_id: int) -> Done:
    """Say that handoffs under a contract work again: the step goes back to its mode.

    Raises:
        Refusal: no such handoff. NotAllowed: neither the owner nor a curator.
    """
    with uow.write():
        row = handoffs.get(uow, handoff_id=handoff_id)
        if row is None:
            raise Refusal("That handoff doesn't exist. See open ones with `/cadence handoff show`.")
        adoptions.lock_adoption(uow, adoption_id=row.adoption_id)
        uow.session.refresh(row)
        handed = handed_over(uow, row)
        require_owner_or_curator(uow, playbook=handed.view.playbook, to="settle a failed handoff")
        if row.fallback_id is None:
            return Done(text=say(NOTHING_HELD))
        change = standards.mode_change(uow, change_id=row.fallback_id)
        rows = handoffs.holding_fallbacks(uow, adoption_id=row.adoption_id, team_id=row.team_id)
        reason = f"handoffs to {handed.team.title} work again"
        back = _release(uow, rows, reason=reason, on=None)
        if change is None or not back:
            return Done(
                text=say("Settled: {what}. The step's mode was changed since, so it stays.", what=row.what)
            )
        view = adoption_by_id(uow, adoption_id=change.adoption_id)
        return Done(
            text=say(
                "Settled: {what}. “{step}” is {mode} again. We've told the team and the curators.",
                what=row.what,
                step=step_title(view, change.step),
                mode=mode_word(change.before or change.after),
            )
        )


def _release(uow: UnitOfWork, rows: Sequence[Handoff], *, reason: str, on: str | None) -> bool:
    """Release steps from these handoffs; those that no other one holds go back. Returns whether one did."""
    back = False
    for row in rows:
        change_id, row.fallback_id = row.fallback_id, None
        uow.session.add(row)
        uow.session.flush()
        change = standards.mode_change(uow, change_id=change_id) if change_id is not None else None
        if change is None or handoffs.is_held(uow, change_id=change.id or 0):
            continue
        back = _go_back(uow, change, row, reason=reason, on=on) or back
    return back


def _go_back(uow: UnitOfWork, change: ModeChange, row: Handoff, *, reason: str, on: str | None) -> bool:
    """Undo a fallback, unless the step's mode was changed since."""
    view = adoption_by_id(uow, adoption_id=change.adoption_id)
    adoptions.lock_adoption(uow, adoption_id=view.id)
    step, last = view.spec.step(change.step), _last_change(uow, view, change.step)
    uow.rewrite(FALLBACK, change.id, mark="settled")
    if step is None or last is None or last.id != change.id:
        return False
    ended = set_mode(uow, view, step, mode=change.before or change.after, kind=ENDED, reason=reason, on=on)
    _announce(uow, view, ended, row)
    return True


def _last_change(uow: UnitOfWork, view: AdoptionView, step: str) -> StepChange | None:
    history = standards.mode_history(uow, adoption_id=view.id, step=step)
    return history[-1] if history else None


def _announce(uow: UnitOfWork, view: AdoptionView, change: ModeChange, row: Handoff) -> None:
    subject = {"change": change.id, "handoff": row.id}
    announce(uow, view.workspace, [view.team], kind=FALLBACK, slot=change.id, subject=subject)


def _fallback(uow: UnitOfWork, message: OutboxMessage) -> HandoffFallback:
    """A step that a failed handoff switched, or that is back in its mode.

    Raises:
        Refusal: the handoff or the mode change no longer exists.
    """
    change = standards.mode_change(uow, change_id=int(message.subject["change"]))
    row = handoffs.get(uow, handoff_id=int(message.subject["handoff"]))
    if change is None or row is None:
        raise Refusal("the handoff no longer exists")
    handed, view = handed_over(uow, row), adoption_by_id(uow, adoption_id=change.adoption_id)
    return HandoffFallback(
        number=row.id or 0,
        adoption_id=view.id,
        step_key=change.step,
        step=step_title(view, change.step),
        before=change.before or change.after,
        after=change.after,
        playbook=view.playbook.title,
        team=view.team.title,
        to=handed.team.title,
        what=row.what,
        reason=row.reason if change.kind == APPLIED else change.reason,
        member=change.member,
        ended=change.kind == ENDED,
        held=change.kind == APPLIED and handoffs.is_held(uow, change_id=change.id or 0),
        again=str(handed.view.id),
    )


def _sent(uow: UnitOfWork, message: OutboxMessage) -> HandoffFallback | Skip:
    """The message, unless the fallback ended before it was sent."""
    context = _fallback(uow, message)
    return context if context.ended or context.held else Skip(Unless.NEWER_SAID)


KIND: Final = MessageKind(
    FALLBACK, _sent, rewrite=_fallback, urgency=Urgency.ALERT, unless=(Unless.NEWER_SAID,)
)
