"""KPIs and guardrails."""

from cadence.flows.numbers.forms import kpi_form
from cadence.flows.numbers.guardrails import asked, latest, of_week, read_guardrails, save_guardrails, shown
from cadence.flows.numbers.kpis import (
    NumberGiven,
    amount,
    kpi_context,
    latest_value,
    pick_adoption,
    record_number,
    require_team_member,
)
from cadence.flows.numbers.readings import keep_reading
from cadence.flows.numbers.results import judge_again, set_result

__all__ = [
    "NumberGiven",
    "amount",
    "asked",
    "judge_again",
    "keep_reading",
    "kpi_context",
    "kpi_form",
    "latest",
    "latest_value",
    "of_week",
    "pick_adoption",
    "read_guardrails",
    "record_number",
    "require_team_member",
    "save_guardrails",
    "set_result",
    "shown",
]
