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


def cost(
    app: WSGI, db: Database, kind: str, requests: Iterator[Signed], *, count: int, profile: Path | None = None
) -> Cost:
    """Send three times as many requests as counted: to fill caches (compiled statements), to time, to
    count."""
    wanted = EXPECTED.get(kind, b"Recorded")
    for one in islice(requests, count):
        answer(app, *one, wanted=wanted)
    ready = list(islice(requests, count))
    begun = time.process_time()
    for one in ready:
        answer(app, *one, wanted=wanted)
    took = time.process_time() - begun
    statements, transactions = _Count(), _Count()
    event.listen(db.engine, "before_cursor_execute", statements)  # after the clock: listening costs time
    event.listen(db.engine, "begin", transactions)
    for one in islice(requests, count):
        answer(app, *one, wanted=wanted)
    event.remove(db.engine, "before_cursor_execute", statements)
    event.remove(db.engine, "begin", transactions)
    if profile is not None:
        with Profile() as watched:
            for one in islice(requests, count):
                answer(app, *one, wanted=wanted)
        watched.dump_stats(profile / kind.strip("/"))
    return Cost(kind, statements.seen / count, transactions.seen / count, took * 1000 / count)


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
    ours, theirs = Database(url), Database(url)
    settings = load_settings(_env_file=None, database_url=url)
    api_url = f"{slack_url}/api/"
    bot = build_bot(settings, db=ours, token=APP.token, api_url=api_url, signing_secret=APP.signing_secret)
    web = Web(db=ours, workspace=BUILT_IN_TEAM, slack=bot.app, clock=bot.clock)
    least = SlackRequestHandler(bare.bare_app(theirs, secret=APP.signing_secret))
    day = thursday(ours, place, seed=-1, hooks=slack_url)
    found = [cost(web, ours, kind, day.requests(kind), count=count, profile=profile) for kind in EXPECTED]
    found.append(cost(least, theirs, BARE, day.requests("/kpi"), count=count, profile=profile))
    ours.close()
    theirs.close()
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
