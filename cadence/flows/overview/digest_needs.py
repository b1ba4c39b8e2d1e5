"""The top of the digest: pending decisions, and the numbers that moved or didn't."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple

from cadence.documents import PlaybookSpec
from cadence.flows.core import AdoptionView
from cadence.flows.cutover import waiting
from cadence.flows.numbers import kpi_context
from cadence.flows.overview.digest_scope import Scope, TopN
from cadence.mrkdwn import mention, say
from cadence.refusals import Offer
from cadence.rules.kpi import Direction, better, delta, meets
from cadence.rules.signals import busy_not_moving
from storage.queries import checkins, pilots
from storage.queries.overview import digests
from storage.work import UnitOfWork
from templates.contexts.base import Kpi
from templates.contexts.overview.digests import Decision
from templates.ids import Action


def tell_unanswered(view: AdoptionView, *, step: str, critical: bool = False) -> Decision:
    """A step over its cap, or with a critical exception that can't demote it, that nobody answered."""
    return Decision(
        title="🟡 Add a plan",
        text=say(
            "“{step}” of {playbook} ({team}) {what}",
            what="had a critical exception" if critical else "is over its cap",
            step=view.step(step).title,
            playbook=view.playbook.title,
            team=view.team.title,
        ),
        offer=Offer("Add a plan", Action.SAY_WHAT_CHANGES, f"{view.id}:{step}"),
        who=view.playbook.owner,
    )


def cutovers_waiting(uow: UnitOfWork) -> list[Decision]:
    """The playbooks that owners asked to move to production."""
    return [
        Decision(
            title="⏳ Decide on the cutover",
            text=say("{who} asks to move {title} to production", who=mention(member), title=playbook.title),
            offer=Offer("Decide", Action.SHOW_CUTOVER, playbook.slug),
        )
        for playbook, member in waiting(uow)
    ]


def tell_idle(slug: str, title: str, owner: str) -> Decision:
    """A playbook that nobody runs."""
    return Decision(
        title="⏳ Start a cycle",
        text=say("No team is running {title}", title=title),
        offer=Offer("Start", Action.START_CYCLE, slug),
        who=owner,
    )


def idle_playbooks(scope: Scope) -> list[Decision]:
    """Playbooks that nobody runs, without drafts in review or sent back: those wait for somebody else."""
    waiting = {playbook.slug for _, playbook in pilots.reviews_waiting(scope.uow)}
    return [tell_idle(slug, title, owner) for _, slug, title, owner in _idle(scope) if slug not in waiting]


class Idle(NamedTuple):
    """Playbooks that nobody runs: how many, and the titles of those that became idle in the digest's week."""

    total: int
    new: tuple[str, ...]


def idle_of(scope: Scope) -> Idle:
    """The playbooks that nobody runs. A digest names each once, after its last cycle; the first digest
    names all."""
    found = list(_idle(scope))
    since = digests.idle_since(scope.uow, playbook_ids=[playbook for playbook, *_ in found])
    week = scope.week
    first = digests.is_first(scope.uow, until=week.at(1))
    new = (
        title
        for playbook, _, title, _ in found
        if since[playbook] < week.at(1) and (first or week.at(0) <= since[playbook])
    )
    return Idle(len(found), tuple(new))


def _idle(scope: Scope) -> Iterator[tuple[int, str, str, str]]:
    rows = digests.not_retired(scope.uow)
    return (row for row in rows if row[0] not in scope.with_cycle)


@dataclass(frozen=True, slots=True)
class Numbers:
    """The adoptions with a reading in the week, better than their baseline or not, the worst first.

    Args:
        broken: guardrails past their limit, the worst first.
    """

    moved: TopN[None]
    not_moved: TopN[None]
    broken: TopN[None]


def numbers_of(scope: Scope) -> Numbers:
    """The numbers of the digest's week."""
    found = Numbers(TopN(), TopN(), TopN())
    monday = scope.week.monday
    rows = digests.readings(scope.uow, week_start=monday)
    for adoption, guardrail, value in rows:
        spec, rank = scope.spec(adoption), scope.rank(adoption)
        if spec is None or rank is None:
            continue
        if not guardrail:
            is_better, worse = compared(spec, value)
            if is_better:
                found.moved.add((rank,), adoption, None)
            else:
                found.not_moved.add((-worse, rank), adoption, None)
            continue
        for place, rail in enumerate(spec.kpi.guardrails):
            if rail.name == guardrail and not meets(value, rail.limit, Direction(rail.direction)):
                past = abs(value - rail.limit) / (abs(rail.limit) or 1.0)
                found.broken.add((-past, rank, place), adoption, None)
    return found


def compared(spec: PlaybookSpec, value: float) -> tuple[bool, float]:
    """Whether a number is better than the baseline, and how much worse it is as a share."""
    kpi, direction = spec.kpi, Direction(spec.kpi.direction)
    share = delta(value, kpi.baseline, direction).share or 0.0
    return better(value, kpi.baseline, direction), share if direction is Direction.LOWER else -share


@dataclass(frozen=True, slots=True)
class Move:
    """A number compared with its baseline. `busy`: many runs, and it isn't better."""

    kpi: Kpi
    better: bool
    busy: bool


def tell_move(uow: UnitOfWork, view: AdoptionView, *, week_start: date, value: float) -> Move:
    """A number compared with its baseline, and with the runs of its week."""
    kpi, direction = view.spec.kpi, Direction(view.spec.kpi.direction)
    rows = checkins.answers(uow, adoption_id=view.id, first=week_start, last=week_start)
    runs = sum(count for _, _, count in rows)
    busy = busy_not_moving(
        runs=runs,
        expected=view.spec.runs_per_week,
        value=value,
        baseline=kpi.baseline,
        direction=direction,
    )
    return Move(kpi=kpi_context(view, value=value), better=compared(view.spec, value)[0], busy=busy.found)
