"""The installed app as the workspace knows it, and the log of their requests."""

from dataclasses import dataclass
from datetime import datetime

from bot.sandbox.kinds import Json


@dataclass(frozen=True, slots=True)
class AppIdentity:
    """The app as installed: its IDs and secrets. The secrets work only in this workspace.

    Args:
        name: what its messages are signed with.
        user: the bot user's ID.
        bot_id: `B…`, in every message it posts.
        app_id: `A…`.
        token: the bot token.
        app_token: the app-level token for Socket Mode.
        signing_secret: signs what the workspace sends.
        client_id: names the app to `oauth.v2.access`; `client_secret` stands beside it.
    """

    name: str = "bot"
    user: str = "U0BOT"
    bot_id: str = "B0BOT"
    app_id: str = "A0BOT"
    token: str = "xoxb-sandbox"  # noqa: S105
    app_token: str = "xapp-sandbox"  # noqa: S105
    signing_secret: str = "sandbox-signing-secret"  # noqa: S105
    client_id: str = "1.2"
    client_secret: str = "sandbox-client-secret"  # noqa: S105


@dataclass(frozen=True, slots=True)
class Shortcut:
    """A shortcut of the app's manifest, so that the page can offer it.

    Args:
        name: what people read.
        callback_id: what the app listens for.
        on_message: a message shortcut; otherwise a global one.
    """

    name: str
    callback_id: str
    on_message: bool = False


@dataclass(frozen=True, slots=True)
class Exchange:
    """One request and its answer, for the page's inspector.

    Args:
        at: when, by the workspace's clock.
        direction: who asked whom.
        what: the method, command, event or interaction.
        status: HTTP status of the answer; 0 when none came.
        request: without secrets.
        answer: as read from JSON, or as text.
        took_ms: real milliseconds until the answer.
        number: counts up.
    """

    at: datetime
    direction: str
    what: str
    status: int
    request: Json
    answer: Json | str
    took_ms: int = 0
    number: int = 0
