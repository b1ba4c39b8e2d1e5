"""What a member sees in Slack's client: their DM, a channel, the form on top, the Home."""

from typing import TYPE_CHECKING

from bot.sandbox.errors import CantDo
from bot.sandbox.messages import Message
from bot.sandbox.views import View

if TYPE_CHECKING:
    from bot.sandbox.people import Channel, User
    from bot.sandbox.workspace import Workspace


class Onlooker:
    """A member who only reads; the app isn't notified. Anything missing raises `CantDo`.

    Args:
        workspace: where they are.
        user_id: who they are.
    """

    def __init__(self, workspace: "Workspace", user_id: str) -> None:
        self._workspace = workspace
        self.id = user_id

    @property
    def user(self) -> "User":
        """The member as they are now."""
        return self._workspace.user(self.id)

    @property
    def dm_channel(self) -> "Channel":
        """Their DM with the bot, opened when it wasn't yet."""
        return self._workspace.dm_with(self.id)

    def dm(self) -> list[Message]:
        """The messages of their DM with the bot, oldest first, without ephemeral ones."""
        return self._workspace.dm(self.id)

    def last_dm(self) -> Message:
        """The newest message from the bot in their DM."""
        found = [message for message in self.dm() if message.bot_id]
        if not found:
            raise CantDo(f"{self.user.shown} has no message from the bot")
        return found[-1]

    def sees(self, channel: str) -> list[Message]:
        """Everything they see in a channel, oldest first, ephemeral messages to them too."""
        return self._workspace.messages.all_in(self._room(channel).id, self.id)

    def ephemerals(self) -> list[Message]:
        """Messages only they see, in every channel, oldest first."""
        return [message for message in self._workspace.messages.everywhere() if message.only_to == self.id]

    def view(self) -> View | None:
        """The form on top, or None."""
        stack = self._workspace.views.stack(self.id)
        return stack[-1] if stack else None

    def form(self) -> View:
        """The form on top; CantDo when none is open."""
        found = self.view()
        if found is None:
            raise CantDo(f"{self.user.shown} has no form open")
        return found

    def home(self) -> View:
        """The Home the app published for them; CantDo when it published none."""
        found = self._workspace.views.home(self.id)
        if found is None:
            raise CantDo(f"no Home was published for {self.user.shown}")
        return found

    def _room(self, channel: str) -> "Channel":
        room = self.dm_channel if channel == f"D{self.id[1:]}" else self._workspace.channel(channel)
        if room.kind != "public" and self.id not in room.members:
            raise CantDo(f"{self.user.shown} doesn't see this channel")
        return room
