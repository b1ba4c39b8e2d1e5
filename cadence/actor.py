"""Who acts, in which workspace, and the request they came with."""

from dataclasses import dataclass
from typing import Self


@dataclass(frozen=True, slots=True)
class Actor:
    """A person in a workspace, or the bot itself, and their request.

    Args:
        workspace_id: the Slack workspace.
        member: their Slack ID; "" for the bot itself.
        surface: where it came from: `command`, `form`, `button`, `shortcut`, `api`, `cli`, `rule`.
        channel: the channel they were in, when Slack says so.
        request: unique for the request, the same when it is sent again; "" when nothing can send it again.
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
        """Whether the same request may come again: what is typed on the command line can't."""
        return bool(self.request) and self.surface != "cli"

    @classmethod
    def system(cls, workspace_id: str, *, request: str = "") -> Self:
        """The bot itself, when a rule or the clock acts in a workspace."""
        return cls(workspace_id, "", "rule", request=request)
