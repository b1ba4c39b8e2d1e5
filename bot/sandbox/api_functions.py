"""functions.*: how a custom step of a workflow ends."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from bot.sandbox.errors import SlackError
from bot.sandbox.kinds import Json

if TYPE_CHECKING:
    from bot.sandbox.workspace import Workspace


def _complete(workspace: "Workspace", args: Json) -> Json:
    outputs = args["outputs"]
    if not isinstance(outputs, dict):
        raise SlackError("invalid_arguments", ["[ERROR] outputs must be an object"])
    workspace.steps.finish(args["function_execution_id"], outputs=outputs)
    return {}


def _fail(workspace: "Workspace", args: Json) -> Json:
    workspace.steps.finish(args["function_execution_id"], error=str(args["error"]))
    return {}


METHODS: Mapping[str, Callable[["Workspace", Json], Json]] = {
    "functions.completeSuccess": _complete,
    "functions.completeError": _fail,
}
