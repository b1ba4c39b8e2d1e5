"""KPIs and guardrails."""

from cadence.flows.numbers.forms import kpi_form
from cadence.flows.numbers.guardrails import (
    asked,
    given_by,
    latest,
    of_member,
    of_week,
    read_guardrails,
    save_guardrails,
    shown,
)
from cadence.flows.numbers.kpis import (
    NumberGiven,
    amount,
    latest_reading,
    pick_adoption,
    record_number,
    require_team_member,
)
from cadence.flows.numbers.readings import keep_reading
from cadence.flows.numbers.results import judge_again, set_result
from cadence.flows.numbers.shown_kpis import kpi_context
from cadence.flows.numbers.targets import KINDS, tell_target_reached

__all__ = [
    "KINDS",
    "NumberGiven",
    "amount",
    "asked",
    "given_by",
    "judge_again",
    "keep_reading",
    "kpi_context",
    "kpi_form",
    "latest",
    "latest_reading",
    "of_member",
    "of_week",
    "pick_adoption",
    "read_guardrails",
    "record_number",
    "require_team_member",
    "save_guardrails",
    "set_result",
    "shown",
    "tell_target_reached",
]
