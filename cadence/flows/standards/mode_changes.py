"""The evidence window of a step: what restarts it, and the mode changes that do."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from cadence.documents import Step
from cadence.flows.core import AdoptionView, current_modes, lapse_open, mode_of, reopen, rewrite_modes
from cadence.flows.standards.drifts import settle_drift
from cadence.flows.standards.watch_ends import close_watch
from cadence.rules.drift import DriftEvent
from cadence.rules.modes import Mode
from storage.queries import adoptions, standards, trail
from storage.queries.adoptions import StepWindow
from storage.queries.standards import StepChange
from storage.tables import AdoptionStep, ModeChange, StepVerdict, TrailEntry
from storage.work import UnitOfWork

WINDOW_OPENED = "window-opened"
"""The trail's action for a restarted evidence window."""
VERSION_CHANGED = "the playbook version changed"
TAKEN_BACK = "the demotion was undone"


def mode_changed(mode: Mode) -> str:
    """The reason for restarting a window when a step's mode changes."""
    return f"the step's mode was changed to {mode}"


def restart_window(
    uow: UnitOfWork, view: AdoptionView, step: Step, *, revised: bool = False, because: str = VERSION_CHANGED
) -> AdoptionStep:
    """Restart a step's evidence because its mode, its rubric or the playbook version changed (SPEC §5).

    With `revised` the next rubric revision comes into force. The caller records the action in the trail; this
    function records only from where evidence counts. A proposal to promote the step lapses, because it rests
    on earlier evidence; `because` says why.
    """
    because = "the rubric was revised" if revised else because
    lapse_open(uow, view, step=step.key, why=because)
    close_watch(uow, view.adoption, step=step.key, mark=f"restarted:{uow.now.timestamp():.0f}")
    row = adoptions.step_row(uow, adoption_id=view.id, step=step.key)
    was = None if row is None else _as_data(row)
    if row is None:
        row = AdoptionStep(
            workspace_id=view.workspace.id,
            adoption_id=view.id,
            step=step.key,
            mode=Mode(step.mode),
            since=uow.now,
        )
    row.since = uow.now
    row.rubric += int(revised)
    _mark(uow, row)
    uow.session.add(row)
    uow.session.flush()
    uow.record(
        surface="rule",
        action=WINDOW_OPENED,
        subject=f"adoption:{view.id}/{step.key}",
        before=was,
        after={
            "because": because,
            "after_exception": row.after_exception,
            "after_check_in": row.after_check_in,
            "after_measured": row.after_measured,
        },
    )
    return row


_MARKS: Final = (
    *("after_exception", "after_check_in", "after_measured"),
    *("after_result", "after_audit", "after_cycle"),
)


def _as_data(row: AdoptionStep | StepWindow) -> dict[str, Any]:
    """A step's window as stored in the trail."""
    return {"since": row.since.isoformat(), **{name: getattr(row, name) for name in _MARKS}}


def last_opened(uow: UnitOfWork, view: AdoptionView, step: Step) -> TrailEntry | None:
    """The trail's entry that opened the step's evidence window; a reversed demotion opened none."""
    standing: list[TrailEntry] = []
    for entry in trail.entries(uow, action=WINDOW_OPENED, subject=f"adoption:{view.id}/{step.key}"):
        if entry.after["because"] == TAKEN_BACK:
            standing = standing[:-1]
        else:
            standing.append(entry)
    return standing[-1] if standing else None


def go_back(row: AdoptionStep, verdict: StepVerdict, before: Mapping[str, Any] | None) -> None:
    """Restore a step's mode and window as of the verdict that demoted it.

    `before` is the window from the trail; None if it was the step's first.
    """
    row.mode, row.since = verdict.mode, verdict.window_from
    for name in _MARKS:
        setattr(row, name, 0)
    if before is not None:
        row.since = datetime.fromisoformat(before["since"])
        for name in _MARKS:
            setattr(row, name, before.get(name, 0))  # entries of earlier versions have fewer


def _mark(uow: UnitOfWork, row: AdoptionStep) -> None:
    """Store the newest ids: evidence is what comes after them, whatever the clocks say."""
    found = standards.marks(uow, adoption_id=row.adoption_id)
    row.after_exception, row.after_check_in = found.exception, found.check_in
    row.after_measured = found.measured
    row.after_result, row.after_audit, row.after_cycle = found.result, found.audit, found.cycle


def set_mode(
    uow: UnitOfWork,
    view: AdoptionView,
    step: Step,
    *,
    mode: Mode,
    kind: str,
    reason: str,
    verdict_id: int | None = None,
    promotion_id: int | None = None,
    on: str | None = None,
) -> ModeChange:
    """Change a step's mode, which restarts its evidence window and settles an open drift.

    Args:
        kind: `demotion`, `promotion` or `declaration`.
        on: what triggered the bot: `rule` or `clock`; None for the actor's own action.
    """
    member = uow.actor.member if on is None else None
    before = mode_of(current_modes(uow, view), step)
    row = restart_window(uow, view, step, because=mode_changed(mode))
    row.mode = mode
    change = ModeChange(
        workspace_id=view.workspace.id,
        adoption_id=view.id,
        step=step.key,
        kind=kind,
        before=before,
        after=mode,
        verdict_id=verdict_id,
        promotion_id=promotion_id,
        rubric=row.rubric,
        reason=reason,
        member=member,
        after_check_in=row.after_check_in,
        after_measured=row.after_measured,
        changed_at=uow.now,
    )
    uow.session.add(change)
    uow.session.flush()
    _record(uow, view, change, on=on)
    settle_drift(
        uow,
        view,
        step,
        event=DriftEvent.DECLARED,
        declared=mode,
        member=member,
        reason=reason,
        cause=f"mode-change:{change.id}",
    )
    return change


def take_back(
    uow: UnitOfWork, view: AdoptionView, step: Step, change: StepChange, *, verdict_id: int | None
) -> ModeChange:
    """Record that a demotion was reversed, and reopen the proposal that lapsed with it.

    The caller has restored the step's mode and window.
    """
    row = current_modes(uow, view)[step.key]
    uow.record(
        surface="rule",
        action=WINDOW_OPENED,
        subject=f"adoption:{view.id}/{step.key}",
        after={"because": TAKEN_BACK, **_as_data(row)},
    )
    back = ModeChange(
        workspace_id=view.workspace.id,
        adoption_id=view.id,
        step=step.key,
        kind="taken-back",
        before=change.after,
        after=change.before or change.after,
        verdict_id=verdict_id,
        takes_back=change.id,
        rubric=change.rubric,
        reason="An exception behind the demotion was undone",
        member=uow.actor.member,
        changed_at=uow.now,
    )
    uow.session.add(back)
    uow.session.flush()
    _record(uow, view, back)
    reopen(uow, view, step=step.key, lapsed_at=change.changed_at)
    return back


def _record(uow: UnitOfWork, view: AdoptionView, change: ModeChange, *, on: str | None = None) -> None:
    """Record a change in the trail, and rewrite the messages that show the mode."""
    declared = change.kind == "declaration"
    uow.record(
        action=change.kind,
        subject=f"adoption:{change.adoption_id}/{change.step}",
        before=change.before,
        after={"mode": change.after, "reason": change.reason} if declared else change.after,
        surface=on,
    )
    rewrite_modes(uow, view, mark=f"mode:{change.id}")
