"""Several Slack workspaces behind one Web API: the token selects one, and `oauth.v2.access` issues tokens."""

import json
import time
from base64 import b64decode
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import lru_cache
from itertools import count
from pathlib import Path
from threading import Thread
from typing import Any, TypeVar
from urllib.parse import parse_qs, urlparse

from werkzeug.test import Client, TestResponse
from werkzeug.wrappers import Request, Response

from bot.app import Bot
from bot.rehearsal.harness import GRANTED, PATIENCE_SECONDS, people_of
from bot.sandbox import AppIdentity
from bot.sandbox.clock import SandboxClock
from bot.sandbox.delivery import InProcess
from bot.sandbox.faults import FaultPlan
from bot.sandbox.server import QuietRequests, SandboxServer, ThreadedServer
from bot.sandbox.tickets import Tickets
from bot.sandbox.workspace import Workspace, build_workspace
from bot.web import Web, dispatch
from cadence.documents import WorkspaceSpec, read_workspace
from tests.harnesses import check_scopes

CLIENT_ID, CLIENT_SECRET, SIGNING_SECRET = "12.34", "client-secret", "signing-secret"
HERE = "https://cadence.example.com"
Plan = TypeVar("Plan", bound=FaultPlan)


class Slacks:
    """Slack's side of installing: one API for all workspaces. `grant` is what an installer agrees to."""

    def __init__(self, file: Path, clock: SandboxClock, team_ids: Iterable[str]) -> None:
        self.workspaces = {team: _workspace(file, clock, team) for team in team_ids}
        self._served = {team: SandboxServer(one) for team, one in self.workspaces.items()}
        self.codes: dict[str, dict[str, Any]] = {}
        self.tokens: dict[str, str] = {}
        self.revoked: set[str] = set()
        self.refresh_tokens: dict[str, str] = {}
        self.refreshed = 0
        self._numbers = count(1)
        self._server = ThreadedServer("127.0.0.1", 0, self._wsgi, QuietRequests)
        self.url = f"http://127.0.0.1:{self._server.port}"
        self._thread = Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)

    @property
    def api_url(self) -> str:
        return f"{self.url}/api/"

    def start(self) -> None:
        for team, one in self.workspaces.items():
            one.base_url = f"{self.url}/{team}"
        self._thread.start()

    def stop(self) -> None:
        self._server.shutdown()
        self._thread.join(5)
        self._server.server_close()

    def refuse(self, team: str, faults: Plan) -> Plan:
        """From now on calls of a workspace fail as planned."""
        self._served[team].faults = faults
        return faults

    def connect(self, bot: Bot) -> None:
        for one in self.workspaces.values():
            one.connect(
                InProcess(
                    lambda body, headers: dispatch(bot.app, body, headers)[:2],
                    SIGNING_SECRET,
                    seconds=PATIENCE_SECONDS,
                )
            )

    # --- installing ---------------------------------------------------------------------------------------------

    def grant(self, team: str, *, by: str = "U01LEAD", expires_in: int | None = None, **other: Any) -> str:
        """Somebody presses Allow; returns the code that Slack sends back."""
        code = f"code-{next(self._numbers)}"
        self.codes[code] = {"team": team, "by": by, "expires_in": expires_in} | other
        return code

    def uninstall(self, team: str, *, tell: Iterable[str] = ("tokens_revoked", "app_uninstalled")) -> None:
        """The workspace uninstalls the app: its tokens are revoked, and the app is told."""
        self.revoked |= {token for token, one in self.tokens.items() if one == team}
        self.tokens = {token: one for token, one in self.tokens.items() if one != team}
        for kind in tell:
            assert self.event(team, {"type": kind, "tokens": {"bot": ["U0BOT"], "oauth": []}}) == 200

    def event(self, team: str, event: dict[str, Any], *, at: float | None = None) -> int:
        body = {
            "type": "event_callback",
            "team_id": team,
            "event": event,
            "event_time": int(time.time() + 1 if at is None else at),
        }
        return self.workspaces[team].deliver("events_api", body).status

    def _access(self, request: Request) -> dict[str, Any]:
        if not _is_the_client(request):
            return {"ok": False, "error": "bad_client_secret"}
        if request.form.get("grant_type") == "refresh_token":
            team = self.refresh_tokens.pop(request.form["refresh_token"], None)
            if team is None:
                return {"ok": False, "error": "invalid_refresh_token"}
            self.refreshed += 1
            return {"ok": True, "token_type": "bot"} | self._token(team, 43_200)
        given = self.codes.pop(request.form.get("code", ""), None)
        if given is None:
            return {"ok": False, "error": "invalid_code"}
        team, expires_in = given["team"], given["expires_in"]
        return {
            "ok": True,
            "app_id": "A0BOT",
            "token_type": "bot",
            "scope": ",".join(sorted(self.workspaces[team].scopes)),
            "bot_user_id": "U0BOT",
            "team": {"id": team, "name": given.get("name", self.workspaces[team].name)},
            "enterprise": given.get("enterprise"),
            "is_enterprise_install": given.get("org", False),
            "authed_user": {"id": given["by"]},
        } | self._token(team, expires_in)

    def _token(self, team: str, expires_in: int | None) -> dict[str, Any]:
        number = next(self._numbers)
        token = f"xoxb-{team}-{number}"
        self.tokens[token] = team
        if expires_in is None:
            return {"access_token": token}
        self.refresh_tokens[f"xoxe-{number}"] = team
        return {"access_token": token, "refresh_token": f"xoxe-{number}", "expires_in": expires_in}

    # --- the one API --------------------------------------------------------------------------------------------

    def _wsgi(self, environ: Any, start_response: Any) -> Any:
        request = Request(environ)
        head = request.path.split("/")[1]
        if head in self._served:
            environ["PATH_INFO"] = request.path.removeprefix(f"/{head}")
            return self._served[head].wsgi(environ, start_response)
        if request.path == "/api/oauth.v2.access":
            return _json(self._access(request))(environ, start_response)
        token = request.headers.get("Authorization", "").removeprefix("Bearer ")
        team = self.tokens.get(token)
        if team is None:
            error = "token_revoked" if token in self.revoked else "invalid_auth"
            return _json({"ok": False, "error": error})(environ, start_response)
        environ["HTTP_AUTHORIZATION"] = f"Bearer {self.workspaces[team].app.token}"
        return self._served[team].wsgi(environ, start_response)


class Browser:
    """A browser on its way to Slack and back."""

    def __init__(self, web: Web) -> None:
        self.web = web
        self._client = Client(web)

    def begins(self, query: str = "") -> str:
        """The state that Slack will send back."""
        answer = self._client.get(f"/slack/install{query}", base_url=HERE)
        assert answer.status_code == 302, answer.text
        return parse_qs(urlparse(answer.headers["Location"]).query)["state"][0]

    def leads_to(self, query: str = "") -> str:
        """Where `/slack/install` leads."""
        return self._client.get(f"/slack/install{query}", base_url=HERE).headers["Location"]

    def comes_back(self, **query: str) -> TestResponse:
        return self._client.get("/slack/oauth_redirect", query_string=query, base_url=HERE)

    def comes_back_with(self, cookie: str, **query: str) -> TestResponse:
        """Back from Slack, with a forged cookie."""
        client = Client(self.web, use_cookies=False)
        return client.get("/slack/oauth_redirect", query_string=query, headers={"Cookie": cookie})

    def installs(self, code: str) -> TestResponse:
        return self.comes_back(code=code, state=self.begins())


@contextmanager
def slacks(file: Path, clock: SandboxClock, *team_ids: str) -> Iterator[Slacks]:
    """Workspaces with the same people and channels in each, from one workspace file."""
    running = Slacks(file, clock, team_ids)
    running.start()
    try:
        yield running
    finally:
        running.stop()
    for one in running.workspaces.values():
        check_scopes(one)


@lru_cache(maxsize=4)
def _read(file: Path) -> WorkspaceSpec:
    return read_workspace(file.read_text(encoding="utf-8"))


def _workspace(file: Path, clock: SandboxClock, team: str) -> Workspace:
    spec = _read(file)
    members = [
        {"id": member, "real_name": f"{member} of {team}", "tz": zone, "is_admin": member in spec.curators}
        for member, zone in people_of(spec).items()
    ]
    channels: list[dict[str, Any]] = [
        {"id": one.channel, "members": [*one.members, *spec.curators]} for one in spec.teams
    ]
    channels.append({"id": spec.curator_channel, "members": list(spec.curators)})
    app = AppIdentity(name="Rollout Cadence", token=f"xoxb-own-{team}", signing_secret=SIGNING_SECRET)
    return build_workspace(
        team_id=team,
        name=f"Team {team}",
        clock=clock,
        app=app,
        capabilities=GRANTED,
        members=members,
        channels=channels,
        tickets=Tickets(lambda: clock.now().timestamp()) if clock.frozen else None,
    )


def _is_the_client(request: Request) -> bool:
    scheme, _, sent = request.headers.get("Authorization", "").partition(" ")
    return scheme == "Basic" and b64decode(sent).decode() == f"{CLIENT_ID}:{CLIENT_SECRET}"


def _json(body: dict[str, Any]) -> Response:
    return Response(json.dumps(body), content_type="application/json")
