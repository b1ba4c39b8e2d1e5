"""Planning a Thursday: seconds, queries and memory for 1,000, 10,000 and 100,000 members on SQLite.

Each size has a process of its own, so that its peak of memory is its own. Planning again right after finds everything
known; between two hours nothing is computed at all.
"""

import gc
import os
import resource
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from itertools import islice
from pathlib import Path
from time import perf_counter, process_time
from typing import Any, Final

from sqlalchemy import event, func, insert, select
from sqlmodel import col

from cadence.flows.nudging.planning import plan
from storage.engine import Database
from storage.migrate import migrate
from storage.tables import (
    Adoption,
    AdoptionState,
    Away,
    Cycle,
    CycleState,
    Member,
    OutboxMessage,
    Playbook,
    PlaybookState,
    PlaybookVersion,
    Team,
    TeamMember,
    Workspace,
)

SIZES: Final = (1_000, 10_000, 100_000)
TEAM: Final = 10
PLAYBOOKS: Final = 20
MONDAY: Final = date(2026, 3, 2)
BEFORE: Final = datetime(2026, 3, 4, 12, tzinfo=UTC)
THURSDAY_EVENING: Final = datetime(2026, 3, 5, 20, tzinfo=UTC)
ZONES: Final = (
    "Europe/Berlin",
    "Europe/London",
    "America/New_York",
    "America/Sao_Paulo",
    "Asia/Kolkata",
    "Asia/Tokyo",
)
COUNTRIES: Final = ("DE", "GB", "US", "PE", "IN", "JP")


def run(*, sizes: tuple[int, ...] = SIZES) -> Iterable[str]:
    """Print one line per size; the ratios compare the time per member with that of the smallest size."""
    yield "Planning a Thursday (SQLite, one process a size)"
    first: float | None = None
    for size in sizes:
        found = subprocess.run(
            [sys.executable, "-m", "tests.bench.planning_bench", str(size)],
            capture_output=True,
            text=True,
            check=True,
        )
        seconds, cpu, new, queries, again, again_queries, idle, idle_queries, rest, peak = map(
            float, found.stdout.split()
        )
        each = cpu / size
        first = first or each
        yield (
            f"  {size:>7,} members: {seconds:.2f} s ({cpu:.2f} s of CPU), {new:,.0f} messages, "
            f"{queries:,.0f} queries, {1e6 * each:.0f} µs of CPU a member (× {each / first:.2f}), "
            f"memory {peak:.0f} MB, {peak - rest:+.0f} MB; "
            f"looked at again {again:.2f} s, {again_queries:,.0f} queries; "
            f"between two hours {1e3 * idle:.1f} ms, {idle_queries:.0f} queries"
        )


def build(db: Database, members: int) -> None:
    """A workspace of teams of ten; every tenth person is in a second team, every fiftieth away on Thursday."""
    migrate(db)
    then = datetime(2026, 2, 20, tzinfo=UTC)
    ws: dict[str, Any] = {"workspace_id": "T1"}
    teams = max(1, members // TEAM)
    with db.write() as session:
        session.add(
            Workspace(
                id="T1",
                timezone="Europe/Berlin",
                country="DE",
                curator_channel="C1",
                created_at=then,
                planned_until=BEFORE,
            )
        )
        session.flush()

        def add(table: Any, rows: Iterable[dict[str, Any]]) -> None:
            stream = iter(rows)
            while batch := list(islice(stream, 10_000)):
                session.execute(insert(table.__table__), batch)

        playbook = ws | {"function": "support", "state": PlaybookState.PILOTING, "created_at": then}
        add(
            Playbook,
            (
                playbook | {"id": n, "slug": f"p{n}", "title": f"P{n}", "owner": f"UOWNER{n}"}
                for n in range(1, PLAYBOOKS + 1)
            ),
        )
        version = ws | {"revision": 1, "spec": {"steps": []}, "created_by": "U1", "created_at": then}
        add(PlaybookVersion, (version | {"id": n, "playbook_id": n} for n in range(1, PLAYBOOKS + 1)))
        add(Team, (_team(ws, n, then) for n in range(1, teams + 1)))
        which = ws | {"state": AdoptionState.ACTIVE, "hours": {}, "created_at": then}
        add(
            Adoption,
            (
                which
                | {"id": n, "team_id": n, "playbook_id": n % PLAYBOOKS + 1, "version_id": n % PLAYBOOKS + 1}
                for n in range(1, teams + 1)
            ),
        )
        cycle = ws | {
            "number": 1, "starts_on": MONDAY, "closes_on": MONDAY + timedelta(days=25), "state": CycleState.RUNNING,
            "started_by": "U1", "started_at": then, "guardrails": {}, "no_next_team": "",
        }  # fmt: skip
        add(Cycle, (cycle | {"adoption_id": n, "version_id": n % PLAYBOOKS + 1} for n in range(1, teams + 1)))
        person = ws | {"is_admin": False, "is_bot": False, "deleted": False, "muted": False, "seen_at": then}
        add(
            Member,
            (
                person | {"id": f"U{n:07}", "name": f"N{n}", "timezone": ZONES[n % len(ZONES)]}
                for n in range(members)
            ),
        )
        place = ws | {"joined_at": then}
        add(TeamMember, (place | {"team_id": n % teams + 1, "member": f"U{n:07}"} for n in range(members)))
        add(
            TeamMember,
            (
                place | {"team_id": (n + 1) % teams + 1, "member": f"U{n:07}"}
                for n in range(0, members if teams > 1 else 0, 10)
            ),
        )
        day = {"first_day": MONDAY + timedelta(days=3), "last_day": MONDAY + timedelta(days=3)}
        add(
            Away,
            (
                ws | day | {"member": f"U{n:07}", "set_by": "U1", "set_at": then}
                for n in range(0, members, 50)
            ),
        )


def _team(ws: dict[str, Any], number: int, then: datetime) -> dict[str, Any]:
    place = number % len(ZONES)
    return ws | {
        "id": number,
        "slug": f"team-{number}",
        "title": f"Team {number}",
        "function": "support",
        "channel": f"C{number:07}",
        "timezone": ZONES[place],
        "country": COUNTRIES[place],
        "created_at": then,
    }


@contextmanager
def counted(db: Database) -> Iterator[list[int]]:
    """Count the statements executed in the block."""
    count = [0]

    def add(*_: object) -> None:
        count[0] += 1

    event.listen(db.engine, "before_cursor_execute", add)
    yield count
    event.remove(db.engine, "before_cursor_execute", add)


def measured(db: Database, now: datetime) -> tuple[float, int, int]:
    """Seconds, new messages and queries of one planning."""
    with counted(db) as count:
        began = perf_counter()
        new = plan(db, now=now)
        return perf_counter() - began, new, count[0]


def _one_size(members: int) -> str:
    with tempfile.TemporaryDirectory() as folder:
        db = Database(f"sqlite:///{Path(folder) / 'bench.db'}")
        pid = os.fork()  # building the data doesn't count as planning's memory
        if pid == 0:
            build(db, members)
            os._exit(0)
        os.waitpid(pid, 0)
        gc.freeze()  # as `real_bot` does
        plan(db, now=BEFORE - timedelta(days=3))  # load what is cached per process
        rest = _peak()
        began = process_time()
        seconds, new, queries = measured(db, THURSDAY_EVENING)
        cpu = process_time() - began
        peak = _peak()
        again, more, again_queries = measured(db, THURSDAY_EVENING + timedelta(minutes=6))
        idle, none, idle_queries = measured(db, THURSDAY_EVENING + timedelta(minutes=7))
        assert more == none == 0, "planned twice"
        with db.read() as session:
            asked = session.execute(
                select(func.count()).select_from(OutboxMessage).where(col(OutboxMessage.kind) == "checkin")
            ).scalar()
        expected = members - members // 50  # who is away on Thursday is asked on Friday
        assert asked == expected, f"{asked} check-ins for {expected} members"
        figures = (seconds, cpu, new, queries, again, again_queries, idle, idle_queries, rest, peak)
        return " ".join(f"{one:.6f}" for one in figures)


def _peak() -> float:
    """The most memory this process has held so far, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    sys.stdout.write(_one_size(int(sys.argv[1])))
