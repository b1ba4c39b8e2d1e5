"""The evidence window of a step: what starts it again, and the changes of mode that do."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from cadence.documents import Step
from cadence.flows.core import TeamRun, current_modes, lapse_open, mode_of, note_rule, reopen, rewrite_modes
from cadence.flows.standards.drifts import settle_drift
from cadence.flows.standards.watch_ends import close_watch
from cadence.rules.drift import DriftEvent
from cadence.rules.modes import Mode
from storage import trail
from storage.queries import reports
from storage.tables import AdoptionStep, ModeChange, StepVerdict, TrailEntry
from storage.work import UnitOfWork

WINDOW_OPENED = "window-opened"
"""The trail's word for an evidence window that starts again."""
VERSION_CHANGED = "the playbook version changed"
TAKEN_BACK = "the demotion was taken back"


def mode_changed(mode: Mode) -> str:
    """Why a window starts again when a step's mode changes."""
    return f"the step's mode was changed to {mode}"


def restart_window(
    uow: UnitOfWork, run: TeamRun, step: Step, *, revised: bool = False, because: str = VERSION_CHANGED
) -> AdoptionStep:
    """Evidence on a step counts from now on: its mode, its rubric or the playbook version changed (SPEC §5).

    With `revised` the next rubric revision comes into force. The caller records what happened in the trail;
    here it only says from where evidence counts.
    A proposal to promote the step rests on what was counted before, so it lapses; `because` says why.
    """
    because = "the rubric was revised" if revised else because
    lapse_open(uow, run, step=step.key, why=because)
    close_watch(uow, run.adoption, step=step.key, mark=f"restarted:{uow.now.timestamp():.0f}")
    row = current_modes(uow, run).get(step.key)
    was = None if row is None else _as_data(row)
    if row is None:
        row = AdoptionStep(
            workspace_id=run.workspace.id,
            adoption_id=run.id,
            step=step.key,
            mode=Mode(step.mode),
            since=uow.now,
        )
    row.since = uow.now
    row.rubric += int(revised)
    _mark(uow, row)
    uow.session.add(row)
    uow.session.flush()
    note_rule(
        uow,
        action=WINDOW_OPENED,
        subject=f"adoption:{run.id}/{step.key}",
        before=was,
        after={
            "because": because,
            "after_exception": row.after_exception,
            "after_check_in": row.after_check_in,
        },
    )
    return row


_MARKS: Final = ("after_exception", "after_check_in", "after_result", "after_audit", "after_cycle")


def _as_data(row: AdoptionStep) -> dict[str, Any]:
    """A step's window as the trail keeps it."""
    return {"since": row.since.isoformat(), **{name: getattr(row, name) for name in _MARKS}}


def last_opened(uow: UnitOfWork, run: TeamRun, step: Step) -> TrailEntry | None:
    """The trail's entry on when the step's evidence window was opened; a demotion taken back opened none."""
    standing: list[TrailEntry] = []
    for entry in trail.entries(uow, action=WINDOW_OPENED, subject=f"adoption:{run.id}/{step.key}"):
        if entry.after["because"] == TAKEN_BACK:
            standing = standing[:-1]
        else:
            standing.append(entry)
    return standing[-1] if standing else None


def go_back(row: AdoptionStep, verdict: StepVerdict, before: Mapping[str, Any] | None) -> None:
    """Put a step's mode and window back to how they were at the verdict that demoted it.

    `before` is what the trail kept of the window then; None when it was the step's first.
    """
    row.mode, row.since = verdict.mode, verdict.window_from
    for name in _MARKS:
        setattr(row, name, 0)
    if before is not None:
        row.since = datetime.fromisoformat(before["since"])
        for name in _MARKS:
            setattr(row, name, before[name])


def _mark(uow: UnitOfWork, row: AdoptionStep) -> None:
    """Keep what is there by now: evidence is what comes after it, whatever any clock says."""
    found = reports.marks(uow, adoption_id=row.adoption_id)
    row.after_exception, row.after_check_in = found.exception, found.check_in
    row.after_result, row.after_audit, row.after_cycle = found.result, found.audit, found.cycle


def set_mode(
    uow: UnitOfWork,
    run: TeamRun,
    step: Step,
    *,
    mode: Mode,
    kind: str,
    reason: str,
    verdict_id: int | None,
    member: str | None,
    promotion_id: int | None = None,
    surface: str = "",
) -> ModeChange:
    """Change who leads a step from now on; its evidence window starts again, and an open drift is settled.

    `kind` is `demotion`, `promotion` or `declaration`; `member` is None when the rule decided.
    """
    before = mode_of(current_modes(uow, run), step)
    row = restart_window(uow, run, step, because=mode_changed(mode))
    row.mode = mode
    change = ModeChange(
        workspace_id=run.workspace.id,
        adoption_id=run.id,
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
        changed_at=uow.now,
    )
    uow.session.add(change)
    uow.session.flush()
    _record(uow, run, change, surface=surface)
    settle_drift(
        uow,
        run,
        step,
        event=DriftEvent.DECLARED,
        declared=mode,
        member=member,
        reason=reason,
        cause=f"mode-change:{change.id}",
    )
    return change


def take_back(
    uow: UnitOfWork, run: TeamRun, step: Step, change: ModeChange, *, verdict_id: int | None
) -> ModeChange:
    """Keep that a demotion was taken back, and open the proposal again that lapsed with it.

    The caller has put the step's mode and window back.
    """
    row = current_modes(uow, run)[step.key]
    note_rule(
        uow,
        action=WINDOW_OPENED,
        subject=f"adoption:{run.id}/{step.key}",
        after={"because": TAKEN_BACK, **_as_data(row)},
    )
    back = ModeChange(
        workspace_id=run.workspace.id,
        adoption_id=run.id,
        step=step.key,
        kind="taken-back",
        before=change.after,
        after=change.before or change.after,
        verdict_id=verdict_id,
        takes_back=change.id,
        rubric=change.rubric,
        reason="An exception behind the demotion was taken back",
        member=uow.actor.member,
        changed_at=uow.now,
    )
    uow.session.add(back)
    uow.session.flush()
    _record(uow, run, back, surface=uow.actor.surface)
    reopen(uow, run, step=step.key, lapsed_at=change.changed_at)
    return back


def _record(uow: UnitOfWork, run: TeamRun, change: ModeChange, *, surface: str) -> None:
    """Keep a change in the trail, and bring what shows the mode up to date."""
    declared = change.kind == "declaration"
    trail.record(
        uow,
        at=change.changed_at,
        member=change.member,
        action=change.kind,
        subject=f"adoption:{change.adoption_id}/{change.step}",
        surface=surface or ("rule" if change.member is None else "command"),
        before=change.before,
        after={"mode": change.after, "reason": change.reason} if declared else change.after,
    )
    rewrite_modes(uow.at(change.changed_at), run, mark=f"mode:{change.id}")
