"""The months of a team: `/cadence trend` and [Show the months]."""

from dataclasses import dataclass
from typing import Final

from cadence.flows.trends import ask_months
from handlers.context import RequestContext
from handlers.feature import Feature
from handlers.grammar import AboutPlaybook, Entry, Request
from handlers.payloads import OLD_BUTTON, Body, known_row
from templates.ids import Action


@dataclass(frozen=True, slots=True, kw_only=True)
class ShowMonths(AboutPlaybook):
    """`/cadence trend`."""


def read_trend(request: Request) -> ShowMonths:
    """`/cadence trend [playbook]`."""
    return ShowMonths(playbook=request.only_playbook(), team=request.team)


def trend(context: RequestContext, command: ShowMonths) -> None:
    """`/cadence trend`: the months, or a choice."""
    context.say(ask_months(context.uow, playbook=command.playbook, team=command.team))


def months_by_button(context: RequestContext, value: str, _body: Body) -> None:
    """[Show the months]."""
    context.say(ask_months(context.uow, adoption_id=known_row(value, OLD_BUTTON)))


FEATURE: Final = Feature(
    commands=(
        Entry(
            name="trend",
            task="This week",
            usage="[playbook] [team=slug]",
            summary="See a team's months: KPI, runs, check-ins, exceptions",
            examples=("/cadence trend support-reply",),
            read=read_trend,
            bare=ShowMonths,
            run=trend,
            options=("team",),
        ),
    ),
    buttons={Action.SHOW_MONTHS: months_by_button},
)
