"""Stale Homes, and publishing them: short transactions around the call to Slack."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from json import dumps
from typing import Any

from cadence.actor import Actor
from cadence.flows.core import once
from cadence.flows.overview.home import home_view
from storage.engine import Database
from storage.outbox import rate_limits
from storage.queries import people, workspaces
from storage.queries.overview import homes
from storage.work import UnitOfWork
from templates.contexts.overview.home import Home

METHOD = "views.publish"
LOOKED_LATELY = timedelta(days=14)
"""A Home that wasn't opened for longer is published only when it is opened again."""
AT_MOST_EVERY = timedelta(seconds=5)
"""Minimum time between two publications to one person, except after their own click."""
A_PUBLICATION = timedelta(seconds=15)
"""Publication lease: after it expires another worker may publish, even if the first one died."""
MOST_CHANGES = 500


@dataclass(frozen=True, slots=True)
class HomePace:
    """Minimum time between Homes in a workspace (Slack allows 100 a minute) and for one person."""

    apart: timedelta = timedelta(seconds=0.7)
    each: timedelta = AT_MOST_EVERY


@dataclass(frozen=True, slots=True)
class Claimed:
    """A Home claimed for publishing.

    Args:
        changes: its count of events when it was read.
        digest: hash of the view last published.
    """

    view: Home
    changes: int
    digest: str


def digest_of(view: dict[str, Any]) -> str:
    """A short hash of a rendered view."""
    return sha256(dumps(view, sort_keys=True).encode()).hexdigest()[:32]


class _Unknown(Exception):
    """The bot doesn't know a person yet."""


def claim_opened(uow: UnitOfWork, *, member: str, meet: Callable[[], None]) -> Claimed | None:
    """Record that a person opened their Home: its first page is published, unless they just changed the
    page.

    Args:
        meet: asks Slack who they are; called once, if the bot doesn't know them yet.
    """
    try:
        found = _note_opened(uow, member, only_known=True)
    except _Unknown:
        meet()
        uow.facts.clear()
        found = _note_opened(uow, member)
    return None if found is None else _read(uow, member, *found)


def _note_opened(
    uow: UnitOfWork, member: str, *, only_known: bool = False
) -> tuple[int, bool, int, str] | None:
    """The page, whether they have acted before, and the Home's count of events and digest.

    Returns:
        None in a workspace that the bot doesn't know.

    Raises:
        _Unknown: with `only_known`, if the bot doesn't know the person yet.
    """
    with uow.write():
        reader = people.caller(uow.by(_reader(uow, member)))
        if reader is None:
            return None
        if only_known and not reader.participant.known:
            raise _Unknown
        before = homes.get(uow, member=member)
        turned = before is not None and uow.now - before.opened_at < timedelta(hours=1)
        until = uow.now + A_PUBLICATION
        row = homes.opened(uow, member=member, page=None if turned else 1, claimed_until=until)
        return row.page, row.begun, row.changes, row.digest


@once
def turn_page(uow: UnitOfWork, *, page: int) -> None:
    """[Previous page] and [Next page]: the chosen page is kept."""
    with uow.write():
        homes.opened(uow, member=uow.actor.member, page=max(1, page))


def note_click(uow: UnitOfWork, *, member: str) -> None:
    """Mark a person's Home for immediate publication after they clicked in it."""
    with uow.write():
        if workspaces.workspace(uow) is not None:
            homes.opened(uow, member=member)


def with_changed_homes(db: Database, *, now: datetime) -> list[tuple[str, bool]]:
    """The workspaces in which an event may concern Homes, or a Home can be published now; and whether there is
    such an event."""
    with db.read() as session:
        return homes.changed_workspaces(session, now=now, since=now - LOOKED_LATELY)


def spread(uow: UnitOfWork) -> bool:
    """Mark the Homes that recent events concern; returns whether more events may wait."""
    with uow.write():
        happened = homes.changes(uow, limit=MOST_CHANGES)
        if not happened:
            return False
        homes.drop_changes(uow, ids=[row.id or 0 for row in happened])
        looking = homes.opened_since(uow, since=uow.now - LOOKED_LATELY)
        more = len(happened) == MOST_CHANGES
        if not looking:
            return more
        acted = {row.member for row in happened if row.member is not None}
        subjects = {row.subject for row in happened}
        whose = acted | homes.concerned(uow, subjects=subjects)
        whose |= set(people.curators(uow))
        if any(subject.startswith("workspace:") for subject in subjects):
            whose = looking
        homes.mark(uow, members=whose & looking, acted=acted)
        return more


def waiting(uow: UnitOfWork, *, limit: int) -> list[str]:
    """Members whose Home can be published now."""
    with uow.read():
        return homes.stale(uow, since=uow.now - LOOKED_LATELY, limit=limit)


def claim(uow: UnitOfWork, *, member: str, pace: HomePace, at_once: bool = False) -> Claimed | None:
    """Claim a Home for publishing; None if it isn't stale, another worker has claimed it, or the pace
    doesn't allow it."""
    with uow.write():
        row = homes.get(uow, member=member)
        if (
            row is None
            or row.stale_at is None
            or not (at_once or _has_turn(uow.session, uow.workspace_id, uow.now, pace))
        ):
            return None
        digest, page, begun = row.digest, row.page, row.begun
        until = uow.now + A_PUBLICATION
        changes = homes.claim(uow, member=member, until=until, at_once=at_once)
    if changes is None:
        return None
    return _read(uow, member, page, begun, changes, digest)


def _reader(uow: UnitOfWork, member: str) -> Actor:
    return Actor(workspace_id=uow.workspace_id, member=member, surface="home")


def _read(uow: UnitOfWork, member: str, page: int, begun: bool, changes: int, digest: str) -> Claimed:
    with uow.read():
        view = home_view(uow.by(_reader(uow, member)), page=page, welcome=not begun)
        return Claimed(view, changes, digest)


def _has_turn(session: Any, workspace_id: str, now: datetime, pace: HomePace) -> bool:
    if not pace.apart:
        return True
    return rate_limits.take(
        UnitOfWork.around(session, Actor.system(workspace_id), now), name=METHOD, until=now + pace.apart
    )


def note_shown(uow: UnitOfWork, *, member: str, claimed: Claimed, digest: str, pace: HomePace) -> None:
    """Record that a Home was published; if there were later events, it is published again."""
    with uow.write():
        homes.shown(
            uow,
            member=member,
            changes=claimed.changes,
            digest=digest,
            not_before=uow.now + pace.each,
            published=digest != claimed.digest,
        )


def note_failed(uow: UnitOfWork, *, member: str, problem: str, again: datetime | None) -> None:
    """Record that Slack refused a Home; `again` is the next try, None means not before it is opened."""
    with uow.write():
        homes.failed(uow, member=member, problem=problem, again=again)


def note_pause(uow: UnitOfWork, *, until: datetime) -> None:
    """Record that Slack asked for a pause in publishing Homes."""
    with uow.write():
        rate_limits.close(uow, name=METHOD, until=until)
