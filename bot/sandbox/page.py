"""The web page of the workspace: what it is sent, and what its buttons do. No rules of Slack live here."""

from collections.abc import Callable
from dataclasses import asdict
from datetime import datetime, timedelta
from importlib import resources
from threading import Lock
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from jinja2 import Environment, StrictUndefined
from werkzeug.utils import redirect
from werkzeug.wrappers import Request
from werkzeug.wrappers import Response as HttpResponse
from werkzeug.wrappers.response import Response

from bot.sandbox.errors import CantDo, SlackError
from bot.sandbox.kinds import Json
from bot.sandbox.payloads import show_message, show_view
from bot.sandbox.requests import json_response

if TYPE_CHECKING:
    from bot.sandbox.identity import Exchange
    from bot.sandbox.messages import Message
    from bot.sandbox.person import Person, Target
    from bot.sandbox.workspace import Workspace

SHOWN_MESSAGES = 200
_STATIC = {"page.css": "text/css; charset=utf-8"} | dict.fromkeys(
    ("page.js", "blocks.js", "forms.js", "mrkdwn.js"), "text/javascript; charset=utf-8"
)
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "form-action 'none'; frame-ancestors 'none'; base-uri 'none'"
)
Mover = Callable[[datetime | None], datetime]
"""Moves the clock to an instant, or (None) to the next thing that is due; returns the time reached."""


class Page:
    """Answers the page's requests.

    Args:
        workspace: what is shown.
        on_move: moves the clock; without it the page sets the clock itself and knows no next event.
    """

    def __init__(self, workspace: "Workspace", on_move: Mover | None = None) -> None:
        self._workspace = workspace
        self._on_move = on_move or self._set_clock
        self._moving = Lock()
        self._environment = Environment(autoescape=True, undefined=StrictUndefined)

    def answer(self, request: Request, rest: str) -> Response:
        """The page itself, its files, its state, and what it does."""
        path = "" if request.path == "/" else rest
        if request.method == "POST":
            response = self._post(request, path)
        elif path == "":
            text = self._environment.from_string(_template("page.html")).render(
                workspace=self._workspace.name
            )
            response = HttpResponse(text, content_type="text/html; charset=utf-8")
        elif path == "state":
            response = json_response(self._state(request))
        elif path.removeprefix("static/") in _STATIC:
            name = path.removeprefix("static/")
            response = HttpResponse(_template(name), content_type=_STATIC[name])
        else:
            response = HttpResponse("not found", status=404)
        response.headers["Content-Security-Policy"] = _POLICY
        response.headers["X-Content-Type-Options"] = "nosniff"
        response.headers["Referrer-Policy"] = "no-referrer"
        response.headers["Cache-Control"] = "no-store"
        return response

    def permalink(self, _request: Request, rest: str) -> Response:
        """A message's link leads to its channel on the page."""
        try:
            return redirect(f"/#{self._workspace.channel(rest.partition('/')[0]).id}")
        except SlackError:
            return HttpResponse("not found", status=404)

    # --- reading --------------------------------------------------------------------------------------------

    def _state(self, request: Request) -> Json:
        """All that is shown to one member in one place; short when nothing changed since `since`."""
        workspace = self._workspace
        with workspace.pulse.lock:
            member = self._member(request.args.get("as"))
            version = workspace.pulse.version
            state: Json = {"version": version, "now": workspace.clock.now().isoformat(timespec="seconds")}
            if request.args.get("since") == str(version):
                return state | {"changed": False}
            state |= {"changed": True} | self._for_all()
            return state | (self._for_member(member, request.args.get("place")) if member else {})

    def _member(self, asked: str | None) -> "Person | None":
        """The member asked for, or the first; their DM is opened, as it always is in Slack's client."""
        members = self._workspace.members()
        found = next((user for user in members if user.id == asked), members[0] if members else None)
        if found is None:
            return None
        self._workspace.dm_with(found.id)
        return self._workspace.person(found.id)

    def _for_all(self) -> Json:
        workspace = self._workspace
        members, rooms = workspace.members(), workspace.channels()
        return {
            "members": [
                {"id": user.id, "name": user.name, "shown": user.shown, "tz": user.tz} for user in members
            ],
            "names": {user.id: user.name for user in workspace.users()}
            | {room.id: room.name for room in rooms},
            "bot": workspace.user(workspace.app.user).shown,
            "commands": workspace.commands,
            "shortcuts": [asdict(shortcut) for shortcut in workspace.shortcuts],
            "exchanges": [self._exchange(exchange) for exchange in workspace.exchanges()],
        }

    def _for_member(self, person: "Person", place: str | None) -> Json:
        workspace = self._workspace
        dm = person.dm_channel
        rooms = [room for room in workspace.channels() if room.kind != "im" and person.id in room.members]
        names = {room.id: f"#{room.name}" for room in rooms} | {
            dm.id: workspace.user(workspace.app.user).shown
        }
        here = place if place in names or place == "home" else dm.id
        home = workspace.views.home(person.id)
        return {
            "as": person.id,
            "tz": person.user.tz,
            "place": here,
            "places": [{"id": key, "name": name, "dm": key == dm.id} for key, name in names.items()],
            "messages": []
            if here == "home"
            else [self._message(m) for m in person.sees(str(here))[-SHOWN_MESSAGES:]],
            "home": show_view(workspace, home) if home else None,
            "forms": [show_view(workspace, view) for view in workspace.views.stack(person.id)],
        }

    def _message(self, message: "Message") -> Json:
        shown = show_message(self._workspace, message)
        return shown | {"ephemeral": message.ephemeral, "at": message.posted_at.isoformat(timespec="seconds")}

    def _exchange(self, exchange: "Exchange") -> Json:
        return asdict(exchange) | {"at": exchange.at.isoformat(timespec="seconds")}

    # --- doing ----------------------------------------------------------------------------------------------

    def _post(self, request: Request, path: str) -> Response:
        """Only JSON is taken: a page of another site can't send that without being asked first."""
        body = request.get_json(silent=True) if request.mimetype == "application/json" else None
        deeds = {"act": self._act, "clock": self._clock}
        if not isinstance(body, dict) or path not in deeds:
            return HttpResponse("not found", status=404)
        try:
            return json_response({"ok": True} | deeds[path](body))
        except (CantDo, SlackError, KeyError, ValueError) as error:
            return json_response({"ok": False, "problem": str(error)}, 400)

    def _act(self, body: Json) -> Json:
        person = self._workspace.person(str(body["as"]))
        match body.get("do"):
            case "type":
                return self._type(person, str(body["text"]).strip(), str(body["channel"]))
            case "click":
                target = self._target(body)
                answer = person.clicks(target, block_id=body["block_id"], action_id=body["action_id"])
                return {"failure": answer.failure}
            case "choose":
                return {
                    "failure": person.chooses(self._target(body), body["block_id"], body["value"]).failure
                }
            case "fill":
                person.fills(self._workspace.views.find(str(body["view_id"])), body["values"])
            case "submit":
                result = person.submits(body["values"])
                return {"errors": result.errors, "failure": result.failure, "closed": result.closed}
            case "close":
                person.closes()
            case "home":
                person.opens_home()
            case "shortcut":
                message = (
                    self._workspace.messages.get(body["channel"], body["ts"]) if body.get("ts") else None
                )
                return {"failure": person.shortcut(str(body["callback_id"]), message).failure}
            case other:
                raise CantDo(f"the page can't do {other!r}")
        return {}

    def _type(self, person: "Person", text: str, channel: str) -> Json:
        if text.startswith("/"):
            return {"failure": person.types(text, channel=channel).failure}
        if text:
            person.says(text, channel)
        return {}

    def _target(self, body: Json) -> "Target":
        if body.get("view_id"):
            return self._workspace.views.find(str(body["view_id"]))
        return self._workspace.messages.get(str(body["channel"]), str(body["ts"]))

    def _clock(self, body: Json) -> Json:
        """One move at a time: the bot does what is due on the way."""
        with self._moving:
            now = self._workspace.clock.now()
            target = self._target_time(now, body)
            reached = self._on_move(target)
            self._workspace.pulse.bump()
            return {"now": reached.isoformat(timespec="seconds")}

    def _target_time(self, now: datetime, body: Json) -> datetime | None:
        match body.get("move"):
            case "next":
                return None
            case "hour":
                return now + timedelta(hours=1)
            case "day":
                return now + timedelta(days=1)
            case "monday":
                local = now.astimezone(ZoneInfo(self._workspace.user(body["as"]).tz))
                day = local.date() + timedelta(days=7 - local.weekday())
                return datetime(day.year, day.month, day.day, 9, tzinfo=local.tzinfo)
            case other:
                raise CantDo(f"the clock can't be moved by {other!r}")

    def _set_clock(self, target: datetime | None) -> datetime:
        if target is not None:
            self._workspace.clock.set(target)
        return self._workspace.clock.now()


def _template(name: str) -> str:
    return resources.files("templates").joinpath("sandbox", name).read_text(encoding="utf-8")
