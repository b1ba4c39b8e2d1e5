"""Mutated requests, signed, over HTTP and Socket Mode: none is a 5xx, and one that is refused writes nothing."""

import json
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from queue import Empty, SimpleQueue
from random import Random
from typing import Any
from urllib.parse import urlsplit

import pytest
from slack_sdk import WebClient
from slack_sdk.socket_mode.request import SocketModeRequest
from sqlalchemy import select
from sqlmodel import SQLModel

from bot.ops.commands import BUILT_IN_TEAM
from bot.request_validation import LARGEST_BODY
from bot.runtime import socket_mode as bot_sockets
from bot.runtime.http_server import serving
from bot.runtime.socket_mode import SlackSocket
from bot.sandbox.delivery import encode, signed_headers
from bot.sandbox.limits import problems_of_message, problems_of_view
from bot.sandbox.server import SandboxServer
from bot.web import Web
from storage.engine import Database
from tests.fuzz.arena import Arena, Json, opened
from tests.fuzz.corpus import Sample, corpus
from tests.fuzz.mutate import cut, mutated

SEED = 20_261_122
FRESH_EVERY = 100
"""Requests after which the database is restored: this many must be repeated to reproduce a failure."""
CUT, SOCKET, SELDOM = 0.06, 0.25, 0.15
"""Shares of requests whose text is cut, that go over Socket Mode, and that are an event or a shortcut for sure."""
NOTED = frozenset({"member", "request", "home_change"})
"""Tables that record requests and answers in any case; Home changes follow the trail."""
PATIENCE_SECONDS = 30
"""For an answer, on a machine that does other things too."""
TAKEN = frozenset({200})
REFUSED = frozenset({400, 401, 404, 413})


@dataclass(frozen=True, slots=True)
class Failure:
    """A request that wasn't answered as it must be; its number and the seed repeat it."""

    number: int
    sample: str
    way: str
    wrong: str

    def __str__(self) -> str:
        return f"request {self.number}, {self.sample} over {self.way}: {self.wrong}"


@dataclass(slots=True)
class Figures:
    """The results of the requests on one database."""

    database: str
    seed: int
    statuses: Counter[str] = field(default_factory=Counter)
    failures: list[Failure] = field(default_factory=list)
    passed: int = 0
    samples: int = 0
    written: int = 0

    def lines(self) -> Iterator[str]:
        """The figures, then each failure."""
        sorts = ", ".join(f"{count} × {name}" for name, count in sorted(self.statuses.items()))
        yield (
            f"{self.database}, seed {self.seed}: {self.passed} passed, {len(self.failures)} failed "
            f"({self.samples} payloads mutated; {sorts}; {self.written} wrote something)"
        )
        for one in self.failures[:20]:
            yield f"  {one}"


class _Http:
    """A connection to the bot's own server."""

    name = "HTTP"

    def __init__(self, url: str, secret: str) -> None:
        self._secret = secret
        self._connection = HTTPConnection(urlsplit(url).netloc, timeout=PATIENCE_SECONDS)

    def close(self) -> None:
        """Hang up."""
        self._connection.close()

    def send(self, sample: Sample, text: str) -> tuple[int, str]:
        """The status and the body of the answer."""
        data = text.encode("utf-8", "surrogatepass")
        headers = signed_headers(sample.kind, data.decode("utf-8", "replace"), self._secret, None)
        try:
            self._connection.request("POST", "/slack/events", data, headers)
            answer = self._connection.getresponse()
            return answer.status, answer.read().decode("utf-8", "replace")
        except (HTTPException, OSError) as broken:
            self._connection.close()
            if len(data) > LARGEST_BODY:  # the server says so and hangs up before all of it has arrived
                return 413, ""
            return 599, f"no answer: {type(broken).__name__}"


class _Socket:
    """The bot's own end of a WebSocket. An envelope that isn't acknowledged says so at once, not after 3 seconds."""

    name = "Socket Mode"

    def __init__(self, server: SandboxServer) -> None:
        assert server.sockets is not None
        self._sockets = server.sockets
        self._sockets.seconds = PATIENCE_SECONDS
        self._ended: SimpleQueue[int] = SimpleQueue()

    def send(self, sample: Sample, body: Json) -> tuple[int, str]:
        """The status that the bot gave the envelope, and what it acknowledged it with."""
        while not self._ended.empty():
            self._ended.get()
        answer = self._sockets.deliver(sample.kind, body)
        if answer.status == 200:
            return 200, answer.body
        try:
            return self._ended.get(timeout=PATIENCE_SECONDS), ""
        except Empty:
            return 599, "no answer over the socket"

    def watch(self, handler: bot_sockets.Handler, request: SocketModeRequest) -> None:
        """Answer an envelope as the bot does, and notice when that isn't an acknowledgement."""
        statuses: list[int] = []
        dispatch = handler.app.dispatch

        def noted(asked: Any) -> Any:
            answer = dispatch(asked)
            statuses.append(answer.status)
            return answer

        handler.app.dispatch = noted  # type: ignore[assignment, method-assign]
        try:
            HANDLE(handler, handler.client, request)
        finally:
            handler.app.dispatch = dispatch  # type: ignore[method-assign]
        status = statuses[0] if statuses else 400  # Bolt couldn't make a request of it
        if status != 200:
            self._ended.put(status)
            self._sockets.acknowledge(request.envelope_id, {"refused": True})


HANDLE = bot_sockets.Handler.handle


@contextmanager
def _over_sockets(arena: Arena) -> Iterator[_Socket]:
    workspace = arena.harness.workspace
    with SandboxServer(workspace, socket_mode=True) as server, pytest.MonkeyPatch.context() as patch:
        link = _Socket(server)
        patch.setattr(bot_sockets.Handler, "handle", lambda self, _client, request: link.watch(self, request))
        web = WebClient(token=workspace.app.token, base_url=server.api_url, retry_handlers=[])
        socket = SlackSocket(arena.harness.bot.app, workspace.app.app_token, web_client=web)
        socket.open()
        try:
            yield link
        finally:
            socket.close()


class Hammer:
    """Sends mutated requests to one bot and checks each effect."""

    def __init__(
        self,
        arena: Arena,
        http: _Http,
        socket: _Socket,
        *,
        seed: int,
        database: str,
        say: Callable[[str], None],
    ) -> None:
        self._arena, self._http, self._socket, self._say = arena, http, socket, say
        self._samples = corpus(arena)
        self._seldom = [one for one in self._samples if one.kind == "events_api" or "shortcut" in one.name]
        self.figures = Figures(database, seed, samples=len(self._samples))
        self._rows = rows_of(arena.harness.bot.db)

    def strike(self, numbers: range) -> None:
        """Send the requests with these numbers, in order."""
        for number in numbers:
            if number % FRESH_EVERY == 0 or number == numbers.start:
                self._arena.reset()
                self._rows = rows_of(self._arena.harness.bot.db)
            self._one(number)

    def _one(self, number: int) -> None:
        random = Random(f"{self.figures.seed}:{number}")
        sample = random.choice(self._seldom if random.random() < SELDOM else self._samples)
        body = mutated(random, _anew(sample.body, number))
        self._arena.forget()
        if random.random() < SOCKET and len(json.dumps(body)) < LARGEST_BODY:
            way, (status, answer) = self._socket.name, self._socket.send(sample, body)
        else:
            text = encode_any(sample, body)
            way, (status, answer) = (
                self._http.name,
                self._http.send(sample, cut(random, text) if random.random() < CUT else text),
            )
        self.figures.statuses[str(status)] += 1
        wrong = self._wrong(status, answer)
        if wrong:
            self.figures.failures.append(Failure(number, sample.name, way, wrong))
            self._say(f"    {self.figures.failures[-1]}")
        else:
            self.figures.passed += 1

    def _wrong(self, status: int, answer: str) -> str:
        """The problem of an answer; empty if there is none."""
        if self._arena.errors:
            return f"no sentence for {self._arena.errors[0]!r:.300}"
        if status not in TAKEN | REFUSED:
            return f"status {status}: {answer[:200]}"
        problems = shown_problems(self._arena.offered, answer if status in TAKEN else "")
        if problems:
            return f"Slack wouldn't take the answer: {problems[0]}"
        if not self._arena.wrote():
            return ""
        before, self._rows = self._rows, rows_of(self._arena.harness.bot.db)
        changed = {name for name, rows in self._rows.items() if rows != before[name]}
        self.figures.written += bool(changed)
        if status in TAKEN:
            changed -= NOTED if "refused" in self._arena.outcomes else changed
        said = "refused in a sentence" if status in TAKEN else f"status {status}"
        return f"{said}, and rows changed in {', '.join(sorted(changed))}" if changed else ""


def _anew(body: Json, number: int) -> Json:
    """The payload as a new request: repeated ones are recognized by these ids."""
    fresh = body | {"trigger_id": f"{number}.1"} if "trigger_id" in body else dict(body)
    if "view" in fresh:
        fresh["view"] = fresh["view"] | {"id": f"V{number}", "hash": f"{number}.a"}
    if "actions" in fresh:
        fresh["actions"] = [one | {"action_ts": f"{number}.1"} for one in fresh["actions"]]
    if "event_id" in fresh:
        fresh["event_id"] = f"Ev{number}"
    return fresh


def encode_any(sample: Sample, body: Json) -> str:
    """The text of a request; a command whose parts aren't text any more is sent as JSON in a form's field."""
    if sample.kind == "slash_commands" and not all(isinstance(one, str) for one in body.values()):
        return json.dumps(body)
    if sample.kind == "slash_commands":
        body = {key: one.encode("utf-8", "replace").decode() for key, one in body.items()}
    return encode(sample.kind, body)


def shown_problems(offered: list[Json], answer: str) -> list[str]:
    """Why Slack would refuse what the bot sent: views, messages, and the acknowledgement."""
    problems: list[str] = []
    for one in offered:
        problems += (
            problems_of_view(one["view"]) if "view" in one else problems_of_message(_said(one["message"]))
        )
    ack = json.loads(answer) if answer.strip().startswith("{") else {}
    if "text" in ack:
        problems += problems_of_message(_said(ack))
    if ack.get("response_action") == "update":
        problems += problems_of_view(ack["view"])
    return problems


def _said(message: Json) -> Json:
    return {key: value for key, value in message.items() if key in ("text", "blocks")}


def rows_of(db: Database) -> dict[str, int]:
    """Every table's rows, as a number that changes when one of them does; meeting a person isn't counted."""
    with db.read() as session:
        found = {
            table.name: {repr(row) for row in session.execute(select(table))}
            for table in SQLModel.metadata.sorted_tables
        }
    found["trail"] = {row for row in found["trail"] if "'profiles-changed'" not in row}
    return {name: hash(frozenset(rows)) for name, rows in found.items()}


def hammer(
    folder: Path,
    numbers: range,
    *,
    seed: int = SEED,
    database: str = "SQLite",
    say: Callable[[str], None] = lambda _line: None,
) -> Figures:
    """Send these requests to a new bot and return the results."""
    with ExitStack() as stack:
        arena = stack.enter_context(opened(folder))
        web = Web(
            db=arena.harness.bot.db,
            workspace=BUILT_IN_TEAM,
            slack=arena.harness.bot.app,
            clock=arena.harness.clock.now,
        )
        url = stack.enter_context(serving(web, host="127.0.0.1", port=0, threads=2))
        socket = stack.enter_context(_over_sockets(arena))
        http = stack.enter_context(closing(_Http(url, arena.harness.workspace.app.signing_secret)))
        stack.enter_context(arena.recording())
        run = Hammer(arena, http, socket, seed=seed, database=database, say=say)
        for start in range(numbers.start, numbers.stop, 1_000):
            run.strike(range(start, min(start + 1_000, numbers.stop)))
            done = min(start + 1_000, numbers.stop) - numbers.start
            say(f"  … {database}: {done} of {len(numbers)}, {len(run.figures.failures)} failed")
        return run.figures
