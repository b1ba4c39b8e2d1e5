"""When runs were paused, by the trail, and the hours at which they ask for check-ins."""

from collections import defaultdict
from collections.abc import Collection
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import select
from sqlmodel import col

from storage.engine import connection_of
from storage.queries.streams import stream
from storage.tables import Adoption, Cycle, Team, TrailEntry
from storage.work import UnitOfWork


class Pause(NamedTuple):
    """A stretch of time in which a run asked nothing; `until` is None while it lasts."""

    adoption: int
    hours: dict[str, Any]
    timezone: str
    since: datetime
    until: datetime | None


def pauses(uow: UnitOfWork, *, adoption_ids: Collection[int] | None = None) -> list[Pause]:
    """Every pause of some runs, or of all of them; it ends when the run goes on or its next cycle is started."""
    marks = select(col(TrailEntry.subject), col(TrailEntry.action), col(TrailEntry.at)).where(
        col(TrailEntry.workspace_id) == uow.workspace_id, col(TrailEntry.action).in_(("paused", "resumed"))
    )
    if adoption_ids is not None:
        marks = marks.where(col(TrailEntry.subject).in_([f"adoption:{one}" for one in adoption_ids]))
    stretches: dict[int, list[tuple[datetime, datetime | None]]] = defaultdict(list)
    for subject, action, at in stream(uow.session, marks.order_by(col(TrailEntry.id))):
        found = stretches[int(subject.partition(":")[2])]
        if action == "paused":
            found.append((at, None))
        elif found and found[-1][1] is None:
            found[-1] = (found[-1][0], at)
    paused = sorted(adoption for adoption, found in stretches.items() if found)
    if not paused:
        return []
    cycles = (
        select(col(Adoption.id), col(Adoption.hours), col(Team.timezone), col(Cycle.started_at))
        .join(Team, col(Team.id) == col(Adoption.team_id))
        .join(Cycle, col(Cycle.adoption_id) == col(Adoption.id))
        .where(col(Adoption.workspace_id) == uow.workspace_id, col(Adoption.id).in_(paused))
    )
    about: dict[int, tuple[dict[str, Any], str]] = {}
    started: dict[int, list[datetime]] = defaultdict(list)
    for adoption, hours, zone, at in connection_of(uow.session).execute(cycles):
        about[adoption] = hours, zone
        started[adoption].append(at)

    def end(adoption: int, since: datetime, until: datetime | None) -> datetime | None:
        ends = [at for at in started[adoption] if at > since]
        return min([*ends, until] if until else ends, default=None)

    return [
        Pause(one, *about[one], since, end(one, since, until))
        for one in sorted(about)
        for since, until in stretches[one]
    ]
