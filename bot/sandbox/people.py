"""Members and channels, and how the Web API shows them."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from bot.sandbox.kinds import Json

CHANNEL_PREFIX = {"public": "channels", "private": "groups", "im": "im"}
"""How scopes call each kind of channel."""


@dataclass(frozen=True, slots=True)
class User:
    """A member of the workspace, or the bot.

    Args:
        id: such as `U01AGENT1`.
        name: the handle, without @.
        real_name: what people are called; the handle when left out.
        tz: IANA name of their zone.
        is_admin: workspace admin.
        deleted: deactivated.
        is_bot: the app's own user, or another app's.
        is_restricted: a guest in several channels.
        is_ultra_restricted: a guest in one channel.
        team: the workspace they belong to, when it is another one: they share a Slack Connect channel.
        is_stranger: they belong to another workspace and share no channel with the bot.
        status_text: what their Slack status says.
        status_emoji: such as `:palm_tree:`.
        status_expiration: unix time at which the status ends, 0 for never.
        email: made from the handle when left out.
        title: what they do, such as "Support EMEA · Team lead".
    """

    id: str
    name: str
    real_name: str = ""
    tz: str = "UTC"
    is_admin: bool = False
    deleted: bool = False
    is_bot: bool = False
    is_restricted: bool = False
    is_ultra_restricted: bool = False
    team: str = ""
    is_stranger: bool = False
    status_text: str = ""
    status_emoji: str = ""
    status_expiration: int = 0
    email: str = ""
    title: str = ""

    @property
    def shown(self) -> str:
        """The name people read."""
        return self.real_name or self.name

    def profile(self) -> Json:
        """The `profile` of `users.info` and `users.profile.get`."""
        profile: Json = {
            "real_name": self.shown,
            "display_name": self.shown,
            "title": self.title,
            "status_text": self.status_text,
            "status_emoji": self.status_emoji,
            "status_expiration": self.status_expiration,
        }
        if not self.is_bot:
            profile["email"] = self.email or f"{self.name}@example.com"
        return profile

    def as_slack(self, team: str, now: datetime, *, time_zones: bool = True) -> Json:
        """The user object of `users.info`; without the zone when the server doesn't know it."""
        user: Json = {
            "id": self.id,
            "team_id": self.team or team,
            "name": self.name,
            "real_name": self.shown,
            "deleted": self.deleted,
            "is_admin": self.is_admin,
            "is_owner": False,
            "is_bot": self.is_bot,
            "is_app_user": False,
            "is_restricted": self.is_restricted or self.is_ultra_restricted,
            "is_ultra_restricted": self.is_ultra_restricted,
            **({"is_stranger": True} if self.is_stranger else {}),
            "updated": 0,
            "profile": self.profile(),
        }
        if time_zones:
            local = now.astimezone(ZoneInfo(self.tz))
            offset = local.utcoffset()
            user |= {
                "tz": self.tz,
                "tz_label": local.tzname(),
                "tz_offset": int(offset.total_seconds()) if offset else 0,
            }
        return user


@dataclass(frozen=True, slots=True)
class Channel:
    """A channel, or (`kind` "im") a direct message between one member and the bot.

    Args:
        id: `C…`, or `D…` for a direct message.
        name: without #; empty for a direct message.
        kind: "public", "private" or "im".
        members: user IDs, the bot's among them when it is in.
        archived: nothing can be posted any more.
        user: the member of a direct message.
        created: unix time.
    """

    id: str
    name: str = ""
    kind: str = "public"
    members: frozenset[str] = frozenset()
    archived: bool = False
    user: str = ""
    created: int = 0

    def as_slack(self, bot_user: str) -> Json:
        """The channel object of `conversations.info`, as the bot sees it."""
        channel: Json = {
            "id": self.id,
            "created": self.created,
            "is_im": self.kind == "im",
            "is_private": self.kind != "public",
            "is_archived": self.archived,
        }
        if self.kind == "im":
            return channel | {"user": self.user, "is_open": True}
        return channel | {
            "name": self.name,
            "name_normalized": self.name,
            "is_channel": self.kind == "public",
            "is_group": self.kind == "private",
            "is_member": bot_user in self.members,
            "num_members": len(self.members),
        }

    def as_row(self) -> Json:
        """Plain values, for the store."""
        return {key: getattr(self, key) for key in self.__slots__} | {"members": sorted(self.members)}

    @classmethod
    def from_row(cls, row: Json) -> "Channel":
        """The channel `as_row` was called on."""
        return cls(**(row | {"members": frozenset(row["members"])}))


@dataclass(frozen=True, slots=True)
class Usergroup:
    """A user group such as @support."""

    id: str
    handle: str
    name: str
    users: tuple[str, ...] = field(default=())

    def as_slack(self, team: str, *, users: bool) -> Json:
        """The object of `usergroups.list`."""
        group: Json = {
            "id": self.id,
            "team_id": team,
            "is_usergroup": True,
            "handle": self.handle,
            "name": self.name,
        }
        return group | ({"users": list(self.users)} if users else {}) | {"user_count": len(self.users)}


def channel_from(entry: Channel | Json, *, bot_user: str) -> Channel:
    """A channel from plain data: `{id, name?, members?, private?, archived?, bot?}`; the bot is in by default."""
    if isinstance(entry, Channel):
        return entry
    members: Iterable[str] = entry.get("members", ())
    inside = frozenset(members) | ({bot_user} if entry.get("bot", True) else frozenset())
    kind = "private" if entry.get("private") else "public"
    return Channel(
        entry["id"], entry.get("name") or entry["id"].lower(), kind, inside, bool(entry.get("archived"))
    )


def user_from(entry: User | dict[str, Any]) -> User:
    """A member from plain data: `{id, name?, real_name?, tz?, is_admin?, …}`."""
    if isinstance(entry, User):
        return entry
    return User(**({"name": entry["id"].lower()} | entry))
