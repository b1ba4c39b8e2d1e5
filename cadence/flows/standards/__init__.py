"""Evidence, verdicts, modes, watches and drift."""

from cadence.flows.standards.current import StepState, check_line, step_states, steps_at_close, steps_now
from cadence.flows.standards.declaring import ModeGiven, change_back, declare_mode, mode_form
from cadence.flows.standards.drifts import (
    back_to_plan_form,
    drift_evidence,
    drift_open,
    go_back_to_plan,
    judge_drifts,
    latest_window,
    see_drift,
    settle_drift,
)
from cadence.flows.standards.evidence import (
    assumed_why,
    cycle_start,
    explained_evidence,
    gather,
    top_reason,
    verdict_evidence,
    window_runs,
)
from cadence.flows.standards.judging import (
    CLOSE,
    Demotion,
    VerdictLine,
    judge,
    judge_all,
    judge_measured,
    policy_for,
    restore,
    verdicts_after,
)
from cadence.flows.standards.mode_changes import (
    WINDOW_OPENED,
    last_opened,
    mode_changed,
    restart_window,
    set_mode,
)
from cadence.flows.standards.posts import KINDS, drift_counts, drift_history
from cadence.flows.standards.watch_ends import close_watch, rewrite_alerts

__all__ = [
    "CLOSE",
    "KINDS",
    "WINDOW_OPENED",
    "Demotion",
    "ModeGiven",
    "StepState",
    "VerdictLine",
    "assumed_why",
    "back_to_plan_form",
    "change_back",
    "check_line",
    "close_watch",
    "cycle_start",
    "declare_mode",
    "drift_counts",
    "drift_evidence",
    "drift_history",
    "drift_open",
    "explained_evidence",
    "gather",
    "go_back_to_plan",
    "judge",
    "judge_all",
    "judge_drifts",
    "judge_measured",
    "last_opened",
    "latest_window",
    "mode_changed",
    "mode_form",
    "policy_for",
    "restart_window",
    "restore",
    "rewrite_alerts",
    "see_drift",
    "set_mode",
    "settle_drift",
    "step_states",
    "steps_at_close",
    "steps_now",
    "top_reason",
    "verdict_evidence",
    "verdicts_after",
    "window_runs",
]
