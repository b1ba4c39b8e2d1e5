"""Undo an exception, and judge again what depended on it (SPEC §5)."""

from datetime import timedelta
from typing import Final

from cadence.documents import Step
from cadence.flows.core import AdoptionView, adoption_by_id, once, rewrite_cycle_posts, step_title, zone_of
from cadence.flows.exceptions.for_others import KIND as LOGGED_FOR_YOU
from cadence.flows.promotions import look_again
from cadence.flows.standards import Demotion, judge, judge_drifts, last_opened, mode_changed, restore
from cadence.mrkdwn import mention, say
from cadence.refusals import NotAllowed, Refusal
from storage.queries import adoptions, cycles, exceptions, standards
from storage.tables import CycleState, LoggedException, ModeChange
from storage.work import UnitOfWork
from templates.contexts.answers import Done
from templates.filters import clock
from templates.filters import mode as mode_word

WITHIN: Final = timedelta(minutes=10)
"""How long an exception can be undone."""


@once
def undo_exception(uow: UnitOfWork, *, exception_id: int | None = None) -> Done:
    """Undo an exception, by default the newest that the caller logged; the step is judged again.

    It stays in the trail. A demotion that doesn't hold without it is reversed, and its alerts say so.

    Raises:
        Refusal: there's no exception, or it was logged more than ten minutes ago. NotAllowed: somebody else logged
        it.
    """
    with uow.write():
        row = (
            exceptions.last_exception_by(uow, member=uow.actor.member)
            if exception_id is None
            else exceptions.exception(uow, exception_id=exception_id)
        )
        if row is None:
            raise Refusal("You haven't logged an exception you can undo.")
        if row.member != uow.actor.member:
            raise NotAllowed(say("Only {who}, who logged it, can undo it.", who=mention(row.member)))
        adoptions.lock_adoption(uow, adoption_id=row.adoption_id)
        uow.session.refresh(row)
        view = adoption_by_id(uow, adoption_id=row.adoption_id)
        if row.withdrawn_after is not None:
            return _done(view, row, restored=None)
        if uow.now - row.logged_at > WITHIN:
            raise Refusal(
                say(
                    "You can undo an exception for 10 minutes. This one was logged at {time}.",
                    time=clock(row.logged_at.astimezone(zone_of(uow, view.workspace, uow.actor.member))),
                )
            )
        last = standards.last_verdicts(uow, adoption_id=row.adoption_id, step=row.step, limit=1)
        row.withdrawn_at, row.withdrawn_after = uow.now, (last[0].id or 0) if last else 0
        uow.session.add(row)
        uow.session.flush()
        uow.record(
            action="exception-withdrawn",
            subject=f"adoption:{view.id}/{row.step}",
            before={"id": row.id, "critical": row.critical, "reason": row.reason, "link": row.link},
        )
        uow.rewrite(LOGGED_FOR_YOU, row.id, mark="undone")
        step = view.spec.step(row.step)
        restored = _judge_again(uow, view, step, row) if step else None
        return _done(view, row, restored=restored)


def _judge_again(uow: UnitOfWork, view: AdoptionView, step: Step, row: LoggedException) -> ModeChange | None:
    """Judge the step without the exception; returns the change that reversed a demotion, or None.

    A demotion before the last one may also have counted an undone exception: it is reversed next.
    """
    cycle = cycles.cycle(uow, cycle_id=row.cycle_id)
    cause, change = f"undo:{row.id}", None
    found = _shaken(uow, view, step)
    if found is None:
        judge(uow, view, cycle, step, cause=cause)
    while found is not None:
        back = restore(uow, view, cycle, step, found, cause=cause)
        change, found = back or change, _shaken(uow, view, step) if back else None
    if cycle.state is CycleState.CLOSED:
        if change is not None:
            look_again(uow, view, cycle, step)
        rewrite_cycle_posts(uow, view, cycle, mark=cause)
    elif change is not None:
        judge_drifts(uow, view, cycle, cause=cause)
    return change


def _shaken(uow: UnitOfWork, view: AdoptionView, step: Step) -> Demotion | None:
    """The step's demotion, if it counted an exception undone since and nothing else has changed on the
    step."""
    history = standards.standing(standards.mode_history(uow, adoption_id=view.id, step=step.key))
    if not history or history[-1].kind != "demotion":
        return None
    change = history[-1]
    verdict = standards.verdict(uow, verdict_id=change.verdict_id or 0)
    opened = last_opened(uow, view, step)
    if verdict is None or opened is None or opened.after["because"] != mode_changed(change.after):
        return None
    ids = [verdict.id or 0]
    if not standards.overtaken(uow, verdict_ids=ids):
        return None
    return Demotion(change, verdict, opened.before) if view.version.id == verdict.version_id else None


def _done(view: AdoptionView, row: LoggedException, *, restored: ModeChange | None) -> Done:
    title = step_title(view, row.step)
    taken = say("Undone: “{reason}” no longer counts against “{step}”.", reason=row.reason[:300], step=title)
    if restored is None:
        return Done(text=taken)
    back = say("“{step}” is {mode} again, and its alerts say so.", step=title, mode=mode_word(restored.after))
    return Done(text=say("{taken} {back}", taken=taken, back=back))
