"""What each member has read, so that the page can mark new messages."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bot.sandbox.messages import Message
    from bot.sandbox.workspace import Workspace


class Looks:
    """The last message each member has read in each place. A restart counts everything as read.

    Args:
        workspace: the owner of the messages; existing ones count as read.
    """

    def __init__(self, workspace: "Workspace") -> None:
        self._workspace = workspace
        self._read: dict[tuple[str, str], str] = {}
        self._from = max((message.ts for message in workspace.messages.everywhere()), default="0")

    def look(self, member: str, place: str) -> None:
        """The member reads a place to its end."""
        seen = self._workspace.messages.all_in(place, member)
        if seen:
            self._read[member, place] = seen[-1].ts

    def last_read(self, member: str, place: str) -> str:
        """The `ts` up to which the member has read."""
        return self._read.get((member, place), self._from)

    def unread(self, member: str, place: str) -> int:
        """How many messages of others are new to the member there."""
        after = self.last_read(member, place)
        return sum(
            1
            for message in self._workspace.messages.all_in(place, member)
            if message.ts > after and message.user != member
        )

    def unread_dms(self) -> dict[str, int]:
        """New messages in each member's direct message, for the list of members."""
        found: dict[str, int] = {}
        for message in self._workspace.messages.everywhere():
            member = self._member_of(message)
            if member and message.user != member and message.ts > self.last_read(member, message.channel):
                found[member] = found.get(member, 0) + 1
        return found

    def _member_of(self, message: "Message") -> str:
        return self._workspace.channel(message.channel).user
