"""Find the team, playbook, cycle and week that an item is about, within what its token covers."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

from cadence.flows.core import AdoptionView, adoption_views, visible_adoptions
from cadence.flows.machines.items import Item, RunsItem, Wrong
from cadence.flows.tokens import TokenHolder
from cadence.nearest import nearest
from cadence.rules.calendar import local_day, monday_of, week_number
from storage.queries import cycles, machines
from storage.tables import Cycle
from storage.work import UnitOfWork

AHEAD: Final = timedelta(minutes=5)
"""How far a tool's clock may be ahead."""
BEHIND: Final = timedelta(days=35)
"""How late something may be reported: a cycle and a week."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where an item belongs.

    Args:
        view: the adoption as of now.
        cycle: the cycle of the week in which it happened.
    """

    view: AdoptionView
    cycle: Cycle
    week: int
    week_start: date
    at: datetime

    @property
    def is_current(self) -> bool:
        """Whether it happened in the adoption's current cycle, which is judged now."""
        return self.view.cycle is not None and self.view.cycle.id == self.cycle.id


def covered(uow: UnitOfWork, holder: TokenHolder) -> list[AdoptionView]:
    """The adoptions that a token covers: those of its playbook and team, or those its person takes part in."""
    if holder.member is not None:
        return visible_adoptions(uow)
    found = adoption_views(uow, playbook_id=holder.playbook_id) if holder.playbook_id else adoption_views(uow)
    return [view for view in found if holder.team_id in (None, view.team.id)]


class Finder:
    """Finds the places of items among some adoptions; what it looked up is kept for one transaction.

    Args:
        holder: the token whose items they are, if they are a tool's.
    """

    def __init__(
        self, uow: UnitOfWork, views: Sequence[AdoptionView], holder: TokenHolder | None = None
    ) -> None:
        self._uow = uow
        self._views = views
        self._holder = holder
        self._cycles: dict[tuple[int, date], Cycle | None] = {}

    def place(self, item: Item) -> Place:
        """The place of an item.

        Raises:
            Wrong: no team and cycle fit, several fit, or it was too long ago.
        """
        at, now = self._happened(item), self._uow.now
        if at > now + AHEAD:
            raise Wrong(
                "in-the-future", "`at` is more than 5 minutes ahead. Check the tool's clock and offset."
            )
        if at < now - BEHIND:
            raise Wrong("too-late", "`at` is more than 35 days ago, which is too late to report.")
        view = self.view(item)
        week_start = monday_of(local_day(at, view.zone))
        cycle = self._cycle(view, week_start)
        if cycle is None:
            raise Wrong("no-cycle", _no_cycle(view, week_start))
        return Place(view, cycle, week_number(cycle.starts_on, week_start) or 1, week_start, at)

    def _happened(self, item: Item) -> datetime:
        """When it happened; by default now, or when the item that it corrects did."""
        if item.at is not None:
            return item.at
        if self._holder and isinstance(item, RunsItem) and item.replaces is not None:
            old = machines.runs_by_source(self._uow, source=source_of(self._holder, item.replaces))
            if old is not None:
                return old.happened_at
        return self._uow.now

    def view(self, item: Item) -> AdoptionView:
        """The adoption that an item names.

        Raises:
            Wrong: none fits, or several do.
        """
        found = self._views
        if item.playbook is not None:
            slugs = [view.playbook.slug for view in found]
            if item.playbook not in slugs:
                raise Wrong("unknown-playbook", _unknown("playbook", item.playbook, slugs))
            found = [view for view in found if view.playbook.slug == item.playbook]
        if item.team is not None:
            slugs = [view.team.slug for view in found]
            if item.team not in slugs:
                raise Wrong("unknown-team", _unknown("team", item.team, slugs))
            found = [view for view in found if view.team.slug == item.team]
        if not found:
            raise Wrong("unknown-team", "No team runs a playbook that this token covers.")
        if len(found) > 1:
            names = ", ".join(f"{view.playbook.slug} in {view.team.slug}" for view in found[:5])
            raise Wrong("ambiguous", f"Several fit: {names}. Add `playbook` and `team`.")
        return found[0]

    def _cycle(self, view: AdoptionView, week_start: date) -> Cycle | None:
        if view.cycle and week_number(view.cycle.starts_on, week_start):
            return view.cycle
        known = view.id, week_start
        if known not in self._cycles:
            self._cycles[known] = cycles.cycle_on(self._uow, adoption_id=view.id, day=week_start)
        return self._cycles[known]


def source_of(holder: TokenHolder, item_id: str) -> str:
    """The source of an item's row."""
    return f"{holder.key}:{item_id}"


def _unknown(noun: str, slug: str, known: Sequence[str]) -> str:
    near = nearest(slug, sorted(set(known)))
    if near:
        return f"There's no {noun} `{slug}` that this token covers. Did you mean `{near}`?"
    names = ", ".join(f"`{one}`" for one in sorted(set(known))[:5])
    return f"There's no {noun} `{slug}` that this token covers. It covers {names or 'none'}."


def _no_cycle(view: AdoptionView, week_start: date) -> str:
    title, team = view.playbook.title, view.team.title
    if view.cycle is None:
        return f"{title} has no cycle in {team} yet. Its owner can start one in Slack."
    first, last = view.cycle.starts_on, view.cycle.closes_on
    return (
        f"{title} has no cycle in {team} in the week of {week_start:%-d %B}. "
        f"Cycle {view.cycle.number} runs from {first:%-d %B} to {last:%-d %B}."
    )


def step_of(view: AdoptionView, key: str) -> str:
    """A step's key.

    Raises:
        Wrong: the playbook has no such step; the nearest is named.
    """
    keys = [step.key for step in view.spec.steps]
    if key in keys:
        return key
    near = nearest(key, keys)
    hint = f"Did you mean `{near}`?" if near else f"It has {', '.join(f'`{one}`' for one in keys)}."
    raise Wrong("unknown-step", f"{view.playbook.title} has no step `{key}`. {hint}")
