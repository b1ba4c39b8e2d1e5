"""Contracts of the Web API's methods: arguments, bot scopes, errors, rate tier.

`methods.json` is extracted from the slack-ruby-client project's API reference (MIT, see
`LICENSE-methods.md`); a few methods that are missing there are added here from Slack's documentation.
"""

import json
from dataclasses import dataclass
from importlib import resources


@dataclass(frozen=True, slots=True)
class Method:
    """What Slack says about one method.

    Args:
        name: such as `chat.postMessage`.
        required: arguments without which it answers `invalid_arguments`; the token is not among them.
        scopes: bot scopes; any one of them opens the method, the kind of channel decides which.
        tier: `t1` to `t4`, `t5` for special limits, empty for none.
        errors: documented error codes.
    """

    name: str
    required: tuple[str, ...]
    scopes: tuple[str, ...]
    tier: str
    errors: frozenset[str]


_CHANNEL_READ = ("channels:read", "groups:read", "im:read", "mpim:read")
_STEP_ERRORS = frozenset({"function_execution_not_found", "function_execution_not_in_progress"})
_ADDED = (
    Method("api.test", (), (), "", frozenset()),
    Method("conversations.list", (), _CHANNEL_READ, "t2", frozenset({"invalid_cursor", "invalid_types"})),
    Method("functions.completeSuccess", ("function_execution_id", "outputs"), (), "t3", _STEP_ERRORS),
    Method("functions.completeError", ("function_execution_id", "error"), (), "t3", _STEP_ERRORS),
    Method("users.profile.get", (), ("users.profile:read",), "t4", frozenset({"user_not_found"})),
)


def _load() -> dict[str, Method]:
    raw = json.loads(resources.files(__package__).joinpath("methods.json").read_text(encoding="utf-8"))
    found = {
        name: Method(name, tuple(m["required"]), tuple(m["scopes"]), m["tier"], frozenset(m["errors"]))
        for name, m in raw.items()
    }
    return found | {method.name: method for method in _ADDED}


METHODS = _load()
"""Every method the workspace speaks, by name."""

DEFAULT_SCOPES = frozenset(scope for method in METHODS.values() for scope in method.scopes) | {"commands"}
"""All that the methods ask for; `chat:write.public` must be granted by name."""
