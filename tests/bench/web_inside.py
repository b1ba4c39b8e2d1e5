"""The cost of each request of a Thursday, compared with the bare Bolt app: statements, transactions, CPU
time.

`python -m tests.bench.web_inside DATABASE_URL SLACK_URL TEAMS MESSAGES COUNT [PROFILE]` asks in this one process, on
a database that `web_bench` has filled, and prints JSON; with PROFILE, a folder, it keeps a profile of each kind for
`pstats`.
"""

import json
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from cProfile import Profile
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from io import BytesIO
from itertools import islice
from pathlib import Path
from typing import Any

from slack_bolt.adapter.wsgi import SlackRequestHandler
from sqlalchemy import event

from bot.app import build_bot
from bot.logs import set_up_logs
from bot.ops.commands import BUILT_IN_TEAM
from bot.settings import load_settings
from bot.web import Web
from cadence.rules.calendar import monday_of
from storage.engine import Database
from tests.bench import bare
from tests.bench.thursday import EXPECTED, Signed, Thursday
from tests.bench.web_places import APP, ZONE, Place, adoptions

WSGI = Callable[[dict[str, Any], Any], Iterable[bytes]]
BARE = "bare"


@dataclass(frozen=True, slots=True)
class Cost:
    """The average cost of a request."""

    kind: str
    statements: float
    transactions: float
    milliseconds: float


class _Count:
    """Counts its calls."""

    def __init__(self) -> None:
        self.seen = 0

    def __call__(self, *_told: object) -> None:
        self.seen += 1


@dataclass(frozen=True, slots=True)
class Side:
    """An app that is measured, and the same one on another engine that counts: listening makes statements slower."""

    app: WSGI
    counting: WSGI
    statements: _Count
    transactions: _Count


def side(url: str, make: Callable[[Database], WSGI]) -> Side:
    """An app on its own engine, and once more on one that counts."""
    counting = Database(url)
    statements, transactions = _Count(), _Count()
    event.listen(counting.engine, "before_cursor_execute", statements)
    event.listen(counting.engine, "begin", transactions)
    app, counted = make(Database(url)), make(counting)
    return Side(app, counted, statements, transactions)


def cost(
    side: Side, kind: str, requests: Iterator[Signed], *, count: int, profile: Path | None = None
) -> Cost:
    """Send three times as many requests as counted: to fill caches (compiled statements), to time, to
    count."""
    ask(side.app, kind, requests, count=count)
    ready = list(islice(requests, count))
    begun = time.process_time()
    ask(side.app, kind, iter(ready), count=count)
    took = time.process_time() - begun
    side.statements.seen = side.transactions.seen = 0
    ask(side.counting, kind, requests, count=count)
    statements, transactions = side.statements.seen, side.transactions.seen
    if profile is not None:
        with Profile() as watched:
            ask(side.app, kind, requests, count=count)
        watched.dump_stats(profile / kind.strip("/"))
    return Cost(kind, statements / count, transactions / count, took * 1000 / count)


def ask(app: WSGI, kind: str, requests: Iterator[Signed], *, count: int) -> None:
    """Send that many requests."""
    for one in islice(requests, count):
        answer(app, *one, wanted=EXPECTED.get(kind, b"Recorded"))


def answer(app: WSGI, body: str, headers: dict[str, str], *, wanted: bytes) -> None:
    """Hand a request to a WSGI app, as a server would.

    Raises:
        AssertionError: it wasn't answered as it should be.
    """
    environ: dict[str, Any] = {
        "REQUEST_METHOD": "POST",
        "PATH_INFO": "/slack/events",
        "QUERY_STRING": "",
        "SERVER_NAME": "127.0.0.1",
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "wsgi.url_scheme": "http",
        "wsgi.input": BytesIO(body.encode()),
        "wsgi.multithread": True,
        "CONTENT_LENGTH": str(len(body)),
        "CONTENT_TYPE": headers["Content-Type"],
    }
    environ |= {f"HTTP_{name.upper().replace('-', '_')}": value for name, value in headers.items()}
    said: list[str] = []
    text = b"".join(app(environ, lambda status, *_rest: said.append(status)))
    if not said[0].startswith("200") or wanted not in text or b"errors" in text:
        raise AssertionError(f"not as it should be: {said[0]} {text[:500]!r}")


def thursday(db: Database, place: Place, *, seed: int, hooks: str) -> Thursday:
    """This week's requests in a workspace that is filled."""
    monday = monday_of(datetime.now(UTC).astimezone(ZONE).date())
    return Thursday(place, adoptions(db), monday, seed=seed, hooks=hooks)


def costs(url: str, slack_url: str, place: Place, *, count: int, profile: Path | None = None) -> list[Cost]:
    """The cost of each of the bot's requests, then of the bare app's, on a filled database."""
    settings = load_settings(_env_file=None, database_url=url)
    api_url = f"{slack_url}/api/"

    def our_app(db: Database) -> Web:
        bot = build_bot(settings, db=db, token=APP.token, api_url=api_url, signing_secret=APP.signing_secret)
        return Web(db=db, workspace=BUILT_IN_TEAM, slack=bot.app, clock=bot.clock)

    def bare_app(db: Database) -> WSGI:
        return SlackRequestHandler(bare.bare_app(db, secret=APP.signing_secret))

    ours, theirs = side(url, our_app), side(url, bare_app)
    db = Database(url)
    day = thursday(db, place, seed=-1, hooks=slack_url)
    db.close()
    found = [cost(ours, kind, day.requests(kind), count=count, profile=profile) for kind in EXPECTED]
    found.append(cost(theirs, BARE, day.requests("/kpi"), count=count, profile=profile))
    return found


def main(url: str, slack_url: str, teams: str, messages: str, count: str, profile: str | None = None) -> None:
    """Print all costs."""
    set_up_logs(level="info", form="text")
    place = Place(int(teams), int(messages))
    folder = Path(profile) if profile else None
    found = costs(url, slack_url, place, count=int(count), profile=folder)
    sys.stdout.write(json.dumps([asdict(one) for one in found]) + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
