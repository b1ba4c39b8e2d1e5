"""The scope of a digest: the week, the order of adoptions, and the few that are shown.

Everything is counted on streamed numbers; only the shown entries are loaded.
"""

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Generic, TypeVar
from zoneinfo import ZoneInfo

from cadence.documents import PlaybookSpec
from cadence.flows.core import AdoptionView, adoption_views, leaves_out, spec_of
from cadence.mrkdwn import say
from cadence.refusals import Offer
from cadence.rules.calendar import instant, local_day
from storage.queries import cycles
from storage.queries.cycles import Pause
from storage.queries.overview import digests, registry
from storage.queries.overview.coverage import Asking
from storage.tables import CycleKind, CycleState, Workspace
from storage.work import UnitOfWork
from templates.contexts.overview.digests import Decision
from templates.ids import Action

KEPT = 40
"""Entries kept per section: more than any section shows."""
BATCH = 500
"""Adoptions processed in detail at a time."""
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class DigestWeek:
    """The week a digest is about, as instants of the workspace."""

    monday: date
    zone: ZoneInfo

    def at(self, weeks: int) -> datetime:
        """Midnight of the Monday this many weeks after."""
        return instant(self.monday + timedelta(weeks=weeks), time.min, self.zone)


class TopN(Generic[T]):
    """Counts every entry of a section and keeps the first few, by an order in which no two are the same."""

    def __init__(self) -> None:
        self.count = 0
        self.adoptions: set[int] = set()
        self._kept: list[tuple[tuple[float, ...], int, T]] = []

    def add(self, order: tuple[float, ...], adoption: int, entry: T) -> None:
        """Add an entry of an adoption."""
        self.count += 1
        self.adoptions.add(adoption)
        self._kept.append((order, adoption, entry))
        if len(self._kept) >= 10 * KEPT:
            self._cut()

    def _cut(self) -> None:
        self._kept.sort(key=lambda one: one[0])
        del self._kept[KEPT:]

    def first(self, many: int = KEPT) -> list[tuple[int, T]]:
        """(adoption, entry) of the first few."""
        self._cut()
        return [(adoption, entry) for _, adoption, entry in self._kept[:many]]


@dataclass(frozen=True, slots=True)
class Place:
    """An adoption's rank, by playbook and team, and the version it runs."""

    rank: int
    version: int


@dataclass
class Scope:
    """A digest's week and adoptions.

    Args:
        places: of every adoption that hasn't ended.
        running: how many of them have a running cycle.
        watched: how many are only watched.
        with_cycle: playbooks that some team has a cycle of.
        unreported: adoptions whose team has nobody to report the number.
        specs: of every version in use.
        loaded: the adoptions loaded so far.
    """

    uow: UnitOfWork
    workspace: Workspace
    week: DigestWeek
    now: datetime
    zones: tuple[str, ...] = ()
    places: dict[int, Place] = field(default_factory=dict)
    running: int = 0
    watched: int = 0
    with_cycle: set[int] = field(default_factory=set)
    unreported: TopN[Callable[[AdoptionView], Decision]] = field(default_factory=TopN)
    specs: dict[int, PlaybookSpec] = field(default_factory=dict)
    loaded: dict[int, AdoptionView] = field(default_factory=dict)
    _pauses: list[Pause] | None = None

    @property
    def workspace_id(self) -> str:
        """The workspace's id."""
        return self.workspace.id

    def asking(self, weeks: int = 0) -> Asking:
        """The expected members of the digest's week, or an earlier one."""
        monday = self.week.monday + timedelta(weeks=weeks)
        joined, left = self.midnights(monday + timedelta(days=5)), self.midnights(monday + timedelta(days=7))
        return Asking(monday, joined_before=joined, left_from=left, unasked=self.unasked(monday))

    def midnights(self, day: date) -> dict[str, datetime]:
        """The beginning of a day, by time zone."""
        return {zone: instant(day, time.min, ZoneInfo(zone)) for zone in self.zones}

    def unasked(self, monday: date) -> frozenset[int]:
        """The adoptions that were paused when a week's check-in was due."""
        if self._pauses is None:
            self._pauses = cycles.pauses(self.uow)
        return frozenset(one.adoption for one in self._pauses if leaves_out(one, self.workspace, monday))

    def spec(self, adoption: int) -> PlaybookSpec | None:
        """An adoption's playbook version; None if it has ended."""
        place = self.places.get(adoption)
        return self.specs[place.version] if place else None

    def step_at(self, adoption: int, step: str) -> int | None:
        """A step's index in its playbook; None if it was dropped, or the adoption has ended."""
        spec = self.spec(adoption)
        keys = [one.key for one in spec.steps] if spec else []
        return keys.index(step) if step in keys else None

    def rank(self, adoption: int) -> int | None:
        """An adoption's rank; None if it has ended."""
        place = self.places.get(adoption)
        return place.rank if place else None

    def load(self, adoptions: Iterable[int]) -> dict[int, AdoptionView]:
        """The views of a few adoptions, by id; each is loaded once."""
        wanted = {one for one in adoptions if one in self.places} - self.loaded.keys()
        if wanted:
            for view in adoption_views(self.uow, adoption_ids=sorted(wanted)):
                self.loaded[view.id] = view
        return self.loaded


def scope_of(
    uow: UnitOfWork, workspace: Workspace, week: DigestWeek, *, only: Sequence[int] | None = None
) -> Scope:
    """Read all adoptions, or `only` some, once."""
    zones = digests.zones(uow) or [workspace.timezone]
    scope = Scope(uow, workspace, week, uow.now, tuple(zones))
    today = {zone: local_day(uow.now, ZoneInfo(zone)) for zone in zones}
    found = digests.places(uow, today=today, only=only)
    for rank, (adoption, playbook, version, cycle, is_unreported, kind) in enumerate(found):
        scope.places[adoption] = Place(rank, version)
        scope.running += cycle is CycleState.RUNNING and kind is CycleKind.ROLLOUT
        scope.watched += kind is CycleKind.WATCH
        if cycle is not None:
            scope.with_cycle.add(playbook)
        if is_unreported:
            scope.unreported.add((rank,), adoption, tell_unreported)
    scope.specs = _specs(uow, {place.version for place in scope.places.values()})
    return scope


def tell_unreported(view: AdoptionView) -> Decision:
    """A team without anybody who reports the number."""
    return Decision(
        title="📊 Name a KPI reporter",
        text=say(
            "Nobody in {team} reports the KPI of {playbook}",
            team=view.team.title,
            playbook=view.playbook.title,
        ),
        offer=Offer("Change team", Action.CREATE_TEAM, view.team.slug),
    )


def told(scope: Scope, section: TopN[Callable[[AdoptionView], T]], many: int) -> list[T]:
    """The sentences of the first few entries of a section."""
    shown = section.first(many)
    runs = scope.load(adoption for adoption, _ in shown)
    return [tell(runs[adoption]) for adoption, tell in shown]


def _specs(uow: UnitOfWork, versions: Collection[int]) -> dict[int, PlaybookSpec]:
    ids, specs = sorted(versions), {}
    for start in range(0, len(ids), BATCH):
        rows = registry.version_rows(uow, version_ids=ids[start : start + BATCH])
        specs.update({number: spec_of(uow, row) for number, row in rows.items()})
    return specs
