"""Whose Home is out of date, and publishing it: short transactions around the call to Slack."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from json import dumps
from typing import Any

from cadence.flows.callers import Caller
from cadence.flows.home import home_view
from cadence.flows.repeats import once
from storage import homes, lanes, people
from storage.engine import Database
from templates.contexts.home import Home

METHOD = "views.publish"
LOOKED_LATELY = timedelta(days=14)
"""Whoever hasn't opened their Home for longer gets it afresh when they open it, and not before."""
AT_MOST_EVERY = timedelta(seconds=5)
"""Between two publications to one person, unless they clicked something themselves."""
A_PUBLICATION = timedelta(seconds=15)
"""Nobody else publishes a Home for so long once somebody began; a worker that was killed is done without then."""
MOST_CHANGES = 500


@dataclass(frozen=True, slots=True)
class HomePace:
    """How fast Homes may follow each other in a workspace (Slack takes 100 a minute) and for a person."""

    apart: timedelta = timedelta(seconds=0.7)
    each: timedelta = AT_MOST_EVERY


@dataclass(frozen=True, slots=True)
class Claimed:
    """A Home somebody has begun to publish.

    Args:
        changes: how much had happened when it was read.
        digest: of the view last published.
    """

    view: Home
    changes: int
    digest: str


def digest_of(view: dict[str, Any]) -> str:
    """A short fingerprint of a rendered view."""
    return sha256(dumps(view, sort_keys=True).encode()).hexdigest()[:32]


def note_opened(db: Database, *, workspace_id: str, member: str, now: datetime) -> None:
    """A person looks at their Home: it is shown from its first page, unless they turned it just now."""
    with db.write() as session:
        if people.workspace(session, workspace_id=workspace_id) is None:
            return
        before = homes.get(session, workspace_id=workspace_id, member=member)
        turned = before is not None and now - before.opened_at < timedelta(hours=1)
        homes.opened(session, workspace_id=workspace_id, member=member, now=now, page=None if turned else 1)


@once
def turn_page(db: Database, caller: Caller, *, page: int, now: datetime) -> None:
    """[Previous page] and [Next page]: the page stays the one they chose."""
    with db.write() as session:
        homes.opened(
            session, workspace_id=caller.workspace_id, member=caller.member, now=now, page=max(1, page)
        )


def note_click(db: Database, *, workspace_id: str, member: str, now: datetime) -> None:
    """A person clicked something on their Home: it is looked at again at once."""
    with db.write() as session:
        if people.workspace(session, workspace_id=workspace_id) is not None:
            homes.opened(session, workspace_id=workspace_id, member=member, now=now)


def spread(db: Database, *, workspace_id: str, now: datetime) -> int:
    """Find out whose Homes what happened concerns; returns how many things had happened."""
    with db.read() as session:
        if not homes.changes(session, workspace_id=workspace_id, limit=1):
            return 0
    with db.write() as session:
        happened = homes.changes(session, workspace_id=workspace_id, limit=MOST_CHANGES)
        homes.drop_changes(session, workspace_id=workspace_id, ids=[row.id or 0 for row in happened])
        looking = homes.opened_since(session, workspace_id=workspace_id, since=now - LOOKED_LATELY)
        if not looking:
            return len(happened)
        acted = {row.member for row in happened if row.member is not None}
        subjects = {row.subject for row in happened}
        whose = acted | homes.concerned(session, workspace_id=workspace_id, subjects=subjects)
        whose |= set(people.curators(session, workspace_id=workspace_id))
        if any(subject.startswith("workspace:") for subject in subjects):
            whose = looking
        homes.mark(session, workspace_id=workspace_id, members=whose & looking, acted=acted, now=now)
        return len(happened)


def waiting(db: Database, *, workspace_id: str, now: datetime, limit: int) -> list[str]:
    """Whose Home is to be published again now."""
    with db.read() as session:
        return homes.stale(
            session, workspace_id=workspace_id, since=now - LOOKED_LATELY, now=now, limit=limit
        )


def claim(
    db: Database, *, workspace_id: str, member: str, now: datetime, pace: HomePace, at_once: bool = False
) -> Claimed | None:
    """Begin to publish a Home; None when it isn't stale, somebody else has begun, or the pace says wait."""
    with db.write() as session:
        row = homes.get(session, workspace_id=workspace_id, member=member)
        if (
            row is None
            or row.stale_at is None
            or not (at_once or _has_turn(session, workspace_id, now, pace))
        ):
            return None
        digest, page = row.digest, row.page
        until = now + A_PUBLICATION
        changes = homes.claim(
            session, workspace_id=workspace_id, member=member, now=now, until=until, at_once=at_once
        )
    if changes is None:
        return None
    caller = Caller(workspace_id=workspace_id, member=member, surface="home")
    with db.read() as session:
        return Claimed(home_view(session, caller, page=page, now=now), changes, digest)


def _has_turn(session: Any, workspace_id: str, now: datetime, pace: HomePace) -> bool:
    if not pace.apart:
        return True
    return lanes.take(session, workspace_id=workspace_id, name=METHOD, now=now, until=now + pace.apart)


def note_shown(
    db: Database,
    *,
    workspace_id: str,
    member: str,
    claimed: Claimed,
    digest: str,
    now: datetime,
    pace: HomePace,
) -> None:
    """It stands there now; what happened since it was read has it published once more."""
    with db.write() as session:
        homes.shown(
            session,
            workspace_id=workspace_id,
            member=member,
            changes=claimed.changes,
            digest=digest,
            now=now,
            not_before=now + pace.each,
            published=digest != claimed.digest,
        )


def note_failed(
    db: Database, *, workspace_id: str, member: str, problem: str, again: datetime | None
) -> None:
    """Slack didn't take it; `again` is when it is tried once more, None for not before it is opened."""
    with db.write() as session:
        homes.failed(session, workspace_id=workspace_id, member=member, problem=problem, again=again)


def note_pause(db: Database, *, workspace_id: str, until: datetime) -> None:
    """Slack asked for a pause in publishing Homes."""
    with db.write() as session:
        lanes.close(session, workspace_id=workspace_id, name=METHOD, until=until)
