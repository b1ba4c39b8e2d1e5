"""The web page of the workspace: its files, its state, and what its buttons do. No rules of Slack live here."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from jinja2 import Environment, StrictUndefined
from werkzeug.utils import redirect
from werkzeug.wrappers import Request
from werkzeug.wrappers import Response as HttpResponse
from werkzeug.wrappers.response import Response

from bot.sandbox.errors import CantDo, SlackError
from bot.sandbox.kinds import Json
from bot.sandbox.page_clock import Mover, PageClock, Player
from bot.sandbox.page_search import search
from bot.sandbox.page_state import PageState
from bot.sandbox.payloads import escaped
from bot.sandbox.requests import json_response

if TYPE_CHECKING:
    from bot.sandbox.person import Person, Target
    from bot.sandbox.welcome import Welcome
    from bot.sandbox.workspace import Workspace

_FOLDER = resources.files("templates").joinpath("sandbox")
_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".woff2": "font/woff2",
}
_STYLES = (
    "fonts",
    "base",
    "layout",
    "strip",
    "messages",
    "blocks",
    "popups",
    "forms",
    "inspector",
    "search",
    "guide",
)
"""The style sheets, in the order in which later ones may overrule earlier ones."""
_FONT_SECONDS = 86_400
"""How long a browser keeps a font; everything else is asked for each time."""
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; font-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; "
    "form-action 'none'; frame-ancestors 'none'; base-uri 'none'"
)


class Page:
    """Answers the page's requests.

    Args:
        workspace: what is shown.
        on_move: moves the clock; without it the page sets the clock itself and knows no next event.
        on_play: lets example people act; without it the page doesn't offer that.
        welcome: how it receives somebody who opens it for the first time.
    """

    def __init__(
        self,
        workspace: "Workspace",
        on_move: Mover | None = None,
        on_play: Player | None = None,
        welcome: "Welcome | None" = None,
    ) -> None:
        self._workspace = workspace
        self._state = PageState(workspace, welcome)
        self.clock = PageClock(workspace, on_move, on_play)
        self._environment = Environment(autoescape=True, undefined=StrictUndefined)

    def answer(self, request: Request, rest: str) -> Response:
        """The page itself, its files, its state, and what it does."""
        path = "" if request.path == "/" else rest
        if request.method == "POST":
            response = self._post(request, path)
        elif path == "":
            text = self._environment.from_string(_template("page.html")).render(
                workspace=self._workspace.name, styles=_STYLES
            )
            response = HttpResponse(text, content_type="text/html; charset=utf-8")
        elif path == "state":
            response = json_response(self._state.state(request.args, self.clock.going_on()))
        elif path == "words":
            response = json_response({"words": self._workspace.vocabulary(str(request.args.get("as")))})
        elif path == "search":
            person = self._workspace.person(str(request.args.get("as")))
            found = search(self._workspace, person, request.args.get("q", ""))
            response = json_response({"messages": found})
        elif path == "clock":
            response = json_response({"now": self._workspace.clock.now().isoformat()})
        else:
            response = _file(path)
        response.headers["Content-Security-Policy"] = _POLICY
        response.headers["X-Content-Type-Options"] = "nosniff"
        response.headers["Referrer-Policy"] = "no-referrer"
        response.headers.setdefault("Cache-Control", "no-store")
        return response

    def permalink(self, _request: Request, rest: str) -> Response:
        """A message's link leads to it on the page."""
        room, _, message = rest.partition("/")
        digits = message.removeprefix("p")
        ts = f"/{digits[:-6]}.{digits[-6:]}" if digits.isdecimal() and len(digits) > 6 else ""
        try:
            return redirect(f"/#{self._workspace.channel(room).id}{ts}")
        except SlackError:
            return HttpResponse("not found", status=404)

    def _post(self, request: Request, path: str) -> Response:
        """Only JSON is taken: a page of another site can't send that without being asked first."""
        body = request.get_json(silent=True) if request.mimetype == "application/json" else None
        deeds = {"act": self._act, "clock": self.clock.move}
        if not isinstance(body, dict) or path not in deeds:
            return HttpResponse("not found", status=404)
        try:
            return json_response({"ok": True} | deeds[path](body))
        except (CantDo, SlackError) as impossible:
            return json_response({"ok": False, "problem": str(impossible)})
        except (KeyError, ValueError) as error:
            return json_response({"ok": False, "problem": str(error)}, 400)

    def _act(self, body: Json) -> Json:
        person = self._workspace.person(str(body["as"]))
        match body.get("do"):
            case "type":
                return self._type(person, body)
            case "click":
                with _if_still_there():
                    answer = person.clicks(
                        self._target(body),
                        block_id=body["block_id"],
                        action_id=body["action_id"],
                        value=body.get("value"),
                    )
                return {"failure": answer.failure}
            case "choose":
                with _if_still_there():
                    chosen = person.chooses(
                        self._target(body), body["action_id"], body["value"], block_id=body["block_id"]
                    )
                return {"failure": chosen.failure}
            case "fill":
                person.fills(self._workspace.views.find(str(body["view_id"])), body["values"])
            case "submit":
                result = person.submits(body["values"])
                return {"errors": result.errors, "failure": result.failure, "closed": result.closed}
            case "close":
                _close(person, body.get("view_id"))
            case "home":
                person.opens_home()
            case "messages":
                person.opens_messages()
            case "shortcut":
                message = (
                    self._workspace.messages.get(body["channel"], body["ts"]) if body.get("ts") else None
                )
                return {"failure": person.shortcut(str(body["callback_id"]), message).failure}
            case other:
                raise ValueError(f"the page can't do {other!r}")
        return {}

    def _type(self, person: "Person", body: Json) -> Json:
        text, channel = str(body["text"]).strip(), str(body["channel"])
        if text.split(" ")[0] in ("/invite", "/remove"):
            return self._move_app(person, channel, into=text.startswith("/invite"))
        if text.startswith("/"):
            return {"failure": person.types(text, channel=channel).failure}
        if text:
            person.says(escaped(self._workspace, text), channel, thread_ts=body.get("thread_ts"))
        return {}

    def _move_app(self, person: "Person", channel: str, *, into: bool) -> Json:
        """Slack's own `/invite` and `/remove`; here the app is the only one they move."""
        person.sees(channel)
        room = self._workspace.channel(channel)
        if room.kind == "im":
            raise CantDo("Only a channel has members to invite or remove.")
        app = self._workspace.app.user
        if (app in room.members) is into:
            raise CantDo("The app is in this channel already." if into else "The app isn't in this channel.")
        (self._workspace.invite if into else self._workspace.remove)(room.id, app)
        return {}

    def _target(self, body: Json) -> "Target":
        if body.get("view_id"):
            return self._workspace.views.find(str(body["view_id"]))
        return self._workspace.messages.get(str(body["channel"]), str(body["ts"]))


def _close(person: "Person", view_id: str | None) -> None:
    """Close a form; nothing happens if another Esc has closed it already."""
    form = person.view()
    if form is not None and form.id == view_id:
        person.closes()


@contextmanager
def _if_still_there() -> Iterator[None]:
    """Say in plain words that a message or form changed before a click on it arrived."""
    try:
        yield
    except (CantDo, SlackError) as gone:
        raise CantDo("This changed just before you clicked. Take another look.") from gone


def _template(name: str) -> str:
    return _FOLDER.joinpath(name).read_text(encoding="utf-8")


@cache
def _files() -> dict[str, Traversable]:
    """The page's own styles, scripts and fonts, by the path they are served at."""
    found = {f"static/{one.name}": one for one in _FOLDER.iterdir()}
    found |= {f"static/fonts/{one.name}": one for one in _FOLDER.joinpath("fonts").iterdir()}
    return {path: one for path, one in found.items() if PurePosixPath(path).suffix in _TYPES}


def _file(path: str) -> HttpResponse:
    if path not in _files():
        return HttpResponse("not found", status=404)
    kind = PurePosixPath(path).suffix
    response = HttpResponse(_files()[path].read_bytes(), content_type=_TYPES[kind])
    if kind == ".woff2":
        response.headers["Cache-Control"] = f"max-age={_FONT_SECONDS}"
    return response
