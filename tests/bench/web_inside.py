"""What one `/kpi` costs, beside what the bare Bolt app does: statements, transactions, CPU time, and where it goes.

`python -m tests.bench.web_inside DATABASE_URL API_URL TEAMS MESSAGES COUNT [PROFILE]` asks both in this one process,
on a database that `web_bench` has filled, and prints JSON; with PROFILE, a file for `pstats`, it profiles ours too.
"""

import json
import sys
import time
from collections.abc import Callable, Iterable
from cProfile import Profile
from dataclasses import asdict, dataclass
from io import BytesIO
from itertools import islice
from typing import Any

from slack_bolt.adapter.wsgi import SlackRequestHandler
from sqlalchemy import event

from bot.app import build_bot
from bot.logs import set_up_logs
from bot.ops.commands import BUILT_IN_TEAM
from bot.settings import load_settings
from bot.web import Web
from storage.engine import Database
from tests.bench import bare
from tests.bench.web_places import APP, Place, asked

WSGI = Callable[[dict[str, Any], Any], Iterable[bytes]]


@dataclass(frozen=True, slots=True)
class Cost:
    """What a request costs on average."""

    statements: float
    transactions: float
    milliseconds: float


class _Count:
    """Counts how often it is told something."""

    def __init__(self) -> None:
        self.seen = 0

    def __call__(self, *_told: object) -> None:
        self.seen += 1


def cost(app: WSGI, db: Database, place: Place, *, count: int, seed: int, profile: str | None = None) -> Cost:
    """Ask three times as often as counted: to fill what is kept (compiled statements), to time, to count."""
    requests = asked(place, secret=APP.signing_secret, at=time.time(), seed=seed)
    for one in islice(requests, count):
        answer(app, *one)
    ready = list(islice(requests, count))
    begun = time.process_time()
    for one in ready:
        answer(app, *one)
    took = time.process_time() - begun
    statements, transactions = _Count(), _Count()
    event.listen(
        db.engine, "before_cursor_execute", statements
    )  # after the clock: whoever listens costs time
    event.listen(db.engine, "begin", transactions)
    for one in islice(requests, count):
        answer(app, *one)
    event.remove(db.engine, "before_cursor_execute", statements)
    event.remove(db.engine, "begin", transactions)
    found = Cost(statements.seen / count, transactions.seen / count, took * 1000 / count)
    if profile is not None:
        with Profile() as watched:
            for one in islice(requests, count):
                answer(app, *one)
        watched.dump_stats(profile)
    return found


def answer(app: WSGI, body: str, headers: dict[str, str]) -> None:
    """Hand a request to a WSGI app, as a server would.

    Raises:
        AssertionError: the number wasn't recorded.
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
    if not said[0].startswith("200") or b"Recorded" not in text:
        raise AssertionError(f"not recorded: {said[0]} {text[:500]!r}")


def costs(
    url: str, api_url: str, place: Place, *, count: int, profile: str | None = None
) -> tuple[Cost, Cost]:
    """The cost of ours and of the bare app's, on a database that is filled."""
    ours, theirs = Database(url), Database(url)
    settings = load_settings(_env_file=None, database_url=url)
    bot = build_bot(settings, db=ours, token=APP.token, api_url=api_url, signing_secret=APP.signing_secret)
    web = Web(db=ours, workspace=BUILT_IN_TEAM, slack=bot.app, clock=bot.clock)
    least = SlackRequestHandler(bare.bare_app(theirs, secret=APP.signing_secret))
    found = (
        cost(web, ours, place, count=count, seed=-1, profile=profile),
        cost(least, theirs, place, count=count, seed=-2),
    )
    ours.close()
    theirs.close()
    return found


def main(url: str, api_url: str, teams: str, messages: str, count: str, profile: str | None = None) -> None:
    """Print both costs."""
    set_up_logs(level="info", form="text")
    place = Place(int(teams), int(messages))
    found = costs(url, api_url, place, count=int(count), profile=profile)
    sys.stdout.write(json.dumps([asdict(one) for one in found]) + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
