"""Whose Home is out of date, and publishing it: short transactions around the call to Slack."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from json import dumps
from typing import Any

from cadence.actor import Actor
from cadence.flows.core import once
from cadence.flows.overview.home import home_view
from storage.outbox import rate_limits
from storage.queries import homes, people
from storage.work import UnitOfWork
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


def note_opened(uow: UnitOfWork, *, member: str) -> None:
    """A person looks at their Home: it is shown from its first page, unless they turned it just now."""
    with uow.write():
        if people.workspace(uow) is None:
            return
        before = homes.get(uow, member=member)
        turned = before is not None and uow.now - before.opened_at < timedelta(hours=1)
        homes.opened(uow, member=member, page=None if turned else 1)


@once
def turn_page(uow: UnitOfWork, *, page: int) -> None:
    """[Previous page] and [Next page]: the page stays the one they chose."""
    with uow.write():
        homes.opened(uow, member=uow.actor.member, page=max(1, page))


def note_click(uow: UnitOfWork, *, member: str) -> None:
    """A person clicked something on their Home: it is looked at again at once."""
    with uow.write():
        if people.workspace(uow) is not None:
            homes.opened(uow, member=member)


def spread(uow: UnitOfWork) -> int:
    """Find out whose Homes what happened concerns; returns how many things had happened."""
    with uow.read():
        if not homes.changes(uow, limit=1):
            return 0
    with uow.write():
        happened = homes.changes(uow, limit=MOST_CHANGES)
        homes.drop_changes(uow, ids=[row.id or 0 for row in happened])
        looking = homes.opened_since(uow, since=uow.now - LOOKED_LATELY)
        if not looking:
            return len(happened)
        acted = {row.member for row in happened if row.member is not None}
        subjects = {row.subject for row in happened}
        whose = acted | homes.concerned(uow, subjects=subjects)
        whose |= set(people.curators(uow))
        if any(subject.startswith("workspace:") for subject in subjects):
            whose = looking
        homes.mark(uow, members=whose & looking, acted=acted)
        return len(happened)


def waiting(uow: UnitOfWork, *, limit: int) -> list[str]:
    """Whose Home is to be published again now."""
    with uow.read():
        return homes.stale(uow, since=uow.now - LOOKED_LATELY, limit=limit)


def claim(uow: UnitOfWork, *, member: str, pace: HomePace, at_once: bool = False) -> Claimed | None:
    """Begin to publish a Home; None when it isn't stale, somebody else has begun, or the pace says wait."""
    with uow.write():
        row = homes.get(uow, member=member)
        if (
            row is None
            or row.stale_at is None
            or not (at_once or _has_turn(uow.session, uow.workspace_id, uow.now, pace))
        ):
            return None
        digest, page = row.digest, row.page
        until = uow.now + A_PUBLICATION
        changes = homes.claim(uow, member=member, until=until, at_once=at_once)
    if changes is None:
        return None
    caller = Actor(workspace_id=uow.workspace_id, member=member, surface="home")
    with uow.read():
        return Claimed(home_view(uow.by(caller), page=page), changes, digest)


def _has_turn(session: Any, workspace_id: str, now: datetime, pace: HomePace) -> bool:
    if not pace.apart:
        return True
    return rate_limits.take(
        UnitOfWork.around(session, Actor.system(workspace_id), now), name=METHOD, until=now + pace.apart
    )


def note_shown(uow: UnitOfWork, *, member: str, claimed: Claimed, digest: str, pace: HomePace) -> None:
    """It stands there now; what happened since it was read has it published once more."""
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
    """Slack didn't take it; `again` is when it is tried once more, None for not before it is opened."""
    with uow.write():
        homes.failed(uow, member=member, problem=problem, again=again)


def note_pause(uow: UnitOfWork, *, until: datetime) -> None:
    """Slack asked for a pause in publishing Homes."""
    with uow.write():
        rate_limits.close(uow, name=METHOD, until=until)
