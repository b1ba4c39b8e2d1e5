"""What the page is given to show: the places of one member, what is new in them, and what is going on."""

from dataclasses import asdict
from typing import TYPE_CHECKING

from bot.sandbox.kinds import Json
from bot.sandbox.payloads import show_message, show_view
from bot.sandbox.unread import Looks

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bot.sandbox.identity import Exchange
    from bot.sandbox.messages import Message
    from bot.sandbox.people import Channel
    from bot.sandbox.person import Person
    from bot.sandbox.welcome import Welcome
    from bot.sandbox.workspace import Workspace

SHOWN_MESSAGES = 200


class PageState:
    """Everything that is shown to one member in one place.

    Args:
        workspace: what is shown.
        welcome: where somebody begins who asks for no member and no place.
    """

    def __init__(self, workspace: "Workspace", welcome: "Welcome | None" = None) -> None:
        self._workspace = workspace
        self._welcome = welcome
        self._looks = Looks(workspace)

    def state(self, asked: "Mapping[str, str]", going_on: Json) -> Json:
        """The state for a query; short when nothing changed since `since`.

        Args:
            asked: `as`, `place`, `since`; `seen` when the member looks at the place; `inspect` to have the requests.
            going_on: what the clock is doing.
        """
        workspace = self._workspace
        with workspace.pulse.lock:
            member = self._member(asked.get("as"))
            place = self._place(member, asked.get("place")) if member else ""
            if member and asked.get("seen") and place != "home":
                self._looks.look(member.id, place)
            version = workspace.pulse.version
            state: Json = {"version": version, "now": workspace.clock.now().isoformat(timespec="seconds")}
            if asked.get("since") == str(version):
                return state | {"changed": False} | going_on
            state |= {"changed": True} | going_on | self._for_all(inspect=bool(asked.get("inspect")))
            return state | (self._for_member(member, place) if member else {})

    def _member(self, asked: str | None) -> "Person | None":
        """The member asked for, or the first; their DM is opened, as it always is in Slack's client."""
        members = {user.id: user for user in self._workspace.members()}
        first = self._welcome.member if self._welcome else ""
        found = members.get(asked or first) or next(iter(members.values()), None)
        if found is None:
            return None
        self._workspace.dm_with(found.id)
        return self._workspace.person(found.id)

    def _rooms(self, person: "Person") -> "list[Channel]":
        rooms = [r for r in self._workspace.channels() if r.kind != "im" and person.id in r.members]
        return sorted((r for r in rooms if not r.archived), key=lambda room: room.name)

    def _place(self, person: "Person", asked: str | None) -> str:
        known = {room.id for room in self._rooms(person)} | {"home"}
        first = self._welcome.channel if self._welcome and not asked else asked
        return first if first in known else person.dm_channel.id

    def _for_all(self, *, inspect: bool) -> Json:
        workspace = self._workspace
        rooms, unread = workspace.channels(), self._looks.unread_dms()
        return {
            "workspace": workspace.name,
            "base_url": workspace.base_url,
            "members": [
                {
                    "id": user.id,
                    "name": user.name,
                    "shown": user.shown,
                    "title": user.title,
                    "tz": user.tz,
                    "unread": unread.get(user.id, 0),
                }
                for user in workspace.members()
            ],
            "channels": [
                {"id": room.id, "name": room.name}
                for room in rooms
                if room.kind == "public" and not room.archived
            ],
            "names": {user.id: user.shown for user in workspace.users()}
            | {room.id: room.name for room in rooms},
            "bot": workspace.user(workspace.app.user).shown,
            "commands": workspace.commands,
            "guide": [asdict(step) for step in self._welcome.guide] if self._welcome else [],
            "shortcuts": [asdict(shortcut) for shortcut in workspace.shortcuts],
            "exchanges": [self._exchange(exchange) for exchange in workspace.exchanges()] if inspect else [],
        }

    def _for_member(self, person: "Person", place: str) -> Json:
        workspace = self._workspace
        home = workspace.views.home(person.id)
        rooms = [self._room(room, person) for room in [*self._rooms(person), person.dm_channel]]
        return {
            "as": person.id,
            "tz": person.user.tz,
            "place": place,
            "places": rooms,
            "messages": []
            if place == "home"
            else [self._message(message) for message in person.sees(place)[-SHOWN_MESSAGES:]],
            "home": show_view(workspace, home) if home else None,
            "forms": [show_view(workspace, view) for view in workspace.views.stack(person.id)],
        }

    def _room(self, room: "Channel", person: "Person") -> Json:
        dm = room.kind == "im"
        name = self._workspace.user(self._workspace.app.user).shown if dm else f"#{room.name}"
        return {
            "id": room.id,
            "name": name,
            "dm": dm,
            "private": room.kind == "private",
            "members": len(room.members - {self._workspace.app.user}),
            "unread": self._looks.unread(person.id, room.id),
            "last_read": self._looks.last_read(person.id, room.id),
        }

    def _message(self, message: "Message") -> Json:
        shown = show_message(self._workspace, message)
        return shown | {"ephemeral": message.ephemeral, "at": message.posted_at.isoformat(timespec="seconds")}

    def _exchange(self, exchange: "Exchange") -> Json:
        return asdict(exchange) | {"at": exchange.at.isoformat(timespec="seconds")}
