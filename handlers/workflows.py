"""Steps for Workflow Builder: "Log an exception" and "Report runs".

A step acts for the person it names, with exactly their rights. They are told, so that nobody reports in another
one's name unnoticed, and a critical exception, which demotes at once, can't be logged by a workflow.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

from slack_bolt import App

from cadence.flows.exceptions import ExceptionGiven, log_for
from cadence.flows.machines import report_runs
from cadence.refusals import Refusal
from cadence.typed import visible
from handlers.context import RequestContext, Services
from handlers.listeners import register_step
from templates.contexts.base import MessageContext

Inputs = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Input:
    """A field of a step in Workflow Builder; `type` is Slack's."""

    name: str
    type: Literal["string", "integer", "slack#/types/user_id"]
    title: str
    description: str
    required: bool = False


@dataclass(frozen=True, slots=True)
class Step:
    """A step for workflows: its fields, and what it does."""

    callback_id: str
    title: str
    description: str
    inputs: tuple[Input, ...]
    run: Callable[[RequestContext, Inputs], MessageContext]


_PERSON: Final = Input(
    "person",
    "slack#/types/user_id",
    "Person",
    "The person it acts for. They need to be in the team.",
    required=True,
)
_PLAYBOOK: Final = Input(
    "playbook", "string", "Playbook", "Its short name, such as support-reply.", required=True
)
_TEAM: Final = Input(
    "team", "string", "Team", "Its short name. Needed if several of their teams run the playbook."
)


def _log_exception(context: RequestContext, inputs: Inputs) -> MessageContext:
    given = ExceptionGiven(
        step=_text(inputs, "step"),
        reason=_text(inputs, "reason"),
        playbook=_text(inputs, "playbook") or None,
        team=_text(inputs, "team") or None,
        link=_text(inputs, "link") or None,
        ask=False,
    )
    return log_for(context.uow, given)


def _report_runs(context: RequestContext, inputs: Inputs) -> MessageContext:
    words = {name: _text(inputs, name) or None for name in ("playbook", "team", "step")}
    return report_runs(context.uow, words | {"runs": inputs.get("runs")})


def _text(inputs: Inputs, name: str) -> str:
    """What was filled in: a short text.

    Raises:
        Refusal: it is longer than any of the bot's own forms accepts.
    """
    text = visible(str(inputs.get(name) or "")).strip()
    if len(text) > _LONGEST:
        raise Refusal(f"The field “{name}” is too long: {len(text):,} characters, at most {_LONGEST:,}.")
    return text


_LONGEST: Final = 2_000
STEPS: Final = (
    Step(
        "log_exception",
        "Log an exception",
        "Logs one run in which a step of a playbook went wrong",
        (
            _PERSON,
            _PLAYBOOK,
            Input("step", "string", "Step", "Its short name, such as draft.", required=True),
            Input("reason", "string", "What happened", "A few words.", required=True),
            _TEAM,
            Input("link", "string", "Link", "Where it can be seen."),
        ),
        _log_exception,
    ),
    Step(
        "report_runs",
        "Report runs",
        "Counts runs of a playbook, in addition to those reported before",
        (
            _PERSON,
            _PLAYBOOK,
            Input("runs", "integer", "Runs", "How many.", required=True),
            Input(
                "step", "string", "Step", "Its short name. Leave it out if each run goes through every step."
            ),
            _TEAM,
        ),
        _report_runs,
    ),
)


def register(app: App, services: Services) -> None:
    """Listen for the steps; workspaces whose manifest doesn't have them never send any."""
    for step in STEPS:
        register_step(app, services, step.callback_id, step.run, person=_PERSON.name)
