"""The actor: who acts in which workspace, and their request."""

from dataclasses import dataclass
from typing import Self


@dataclass(frozen=True, slots=True)
class Actor:
    """A person in a workspace, or the bot itself, and their request.

    Args:
        workspace_id: the Slack workspace.
        member: their Slack ID; "" for the bot itself.
        surface: the origin: `command`, `form`, `button`, `shortcut`, `api`, `cli`, `rule`.
        channel: the channel of the request, if Slack sends it.
        request: unique for the request, the same if it is sent again; "" if it can't be repeated.
        from_elsewhere: Slack says that they belong to another workspace.
    """

    workspace_id: str
    member: str
    surface: str
    channel: str | None = None
    request: str = ""
    from_elsewhere: bool = False

    @property
    def is_repeatable(self) -> bool:
        """Whether the same request can arrive again; commands of the command line can't."""
        return bool(self.request) and self.surface != "cli"

    @classmethod
    def system(cls, workspace_id: str, *, request: str = "") -> Self:
        """The bot itself, acting on a rule or on schedule."""
        return cls(workspace_id, "", "rule", request=request)
