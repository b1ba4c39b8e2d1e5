"""The top of the digest: pending decisions, and the numbers that moved or didn't."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from functools import partial
from typing import NamedTuple

from cadence.documents import PlaybookSpec
from cadence.flows.core import AdoptionView
from cadence.flows.numbers import kpi_context, of_week, shown
from cadence.flows.overview.digest_scope import Scope, TopN
from cadence.mrkdwn import say
from cadence.refusals import Offer
from cadence.rules.kpi import Direction, better, delta, meets
from cadence.rules.signals import busy_not_moving
from storage.queries import checkins
from storage.queries.overview import digests
from storage.work import UnitOfWork
from templates.contexts.numbers import Guardrail as GuardrailShown
from templates.contexts.overview.digests import Decision, KpiMove, TeamGuardrail
from templates.ids import Action


def tell_unanswered(view: AdoptionView, *, step: str, critical: bool = False) -> Decision:
    """A step over its cap, or with a critical exception that can't demote it, that nobody answered."""
    return Decision(
        text=say(
            "{step} of {playbook} ({team}) {what} and nobody has said what changes",
            what="had a critical exception" if critical else "is over its cap",
            step=view.step(step).title,
            playbook=view.playbook.title,
            team=view.team.title,
        ),
        offer=Offer("Add a plan", Action.SAY_WHAT_CHANGES, f"{view.id}:{step}"),
    )


def tell_idle(slug: str, title: str) -> Decision:
    """A playbook that nobody runs."""
    return Decision(
        text=say("{title} has no running cycle", title=title),
        offer=Offer("Start a cycle", Action.START_CYCLE, slug),
    )


def idle_playbooks(scope: Scope) -> list[Decision]:
    """Playbooks that nobody runs."""
    return [tell_idle(slug, title) for _, slug, title in _idle(scope)]


class Idle(NamedTuple):
    """Playbooks that nobody runs: how many, and the titles of those that became idle in the digest's week."""

    total: int
    new: tuple[str, ...]


def idle_of(scope: Scope) -> Idle:
    """The playbooks that nobody runs. A digest names each once, after its last cycle; the first digest
    names all."""
    found = list(_idle(scope))
    since = digests.idle_since(scope.uow, playbook_ids=[playbook for playbook, _, _ in found])
    week = scope.week
    first = digests.is_first(scope.uow, until=week.at(1))
    new = (
        title
        for playbook, _, title in found
        if since[playbook] < week.at(1) and (first or week.at(0) <= since[playbook])
    )
    return Idle(len(found), tuple(new))


def _idle(scope: Scope) -> Iterator[tuple[int, str, str]]:
    rows = digests.not_retired(scope.uow)
    return (row for row in rows if row[0] not in scope.with_cycle)


@dataclass(frozen=True, slots=True)
class Numbers:
    """The adoptions with a reading in the week, better than their baseline or not, the worst first.

    Args:
        broken: guardrails past their limit, the worst first.
    """

    moved: TopN[Callable[[AdoptionView], KpiMove]]
    not_moved: TopN[Callable[[AdoptionView], KpiMove]]
    broken: TopN[Callable[[AdoptionView], TeamGuardrail]]


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
            tell = partial(_tell_move, scope.uow, week_start=monday, value=value)
            if is_better:
                found.moved.add((rank,), adoption, tell)
            else:
                found.not_moved.add((-worse, rank), adoption, tell)
            continue
        for place, rail in enumerate(spec.kpi.guardrails):
            if rail.name == guardrail and not meets(value, rail.limit, Direction(rail.direction)):
                past = abs(value - rail.limit) / (abs(rail.limit) or 1.0)
                found.broken.add(
                    (-past, rank, place), adoption, partial(_tell_broken, rail=shown(rail, value))
                )
    return found


def _tell_broken(view: AdoptionView, *, rail: GuardrailShown) -> TeamGuardrail:
    return TeamGuardrail(playbook=view.playbook.title, team=view.team.title, guardrail=rail)


def compared(spec: PlaybookSpec, value: float) -> tuple[bool, float]:
    """Whether a number is better than the baseline, and how much worse it is as a share."""
    kpi, direction = spec.kpi, Direction(spec.kpi.direction)
    share = delta(value, kpi.baseline, direction).share or 0.0
    return better(value, kpi.baseline, direction), share if direction is Direction.LOWER else -share


def _tell_move(uow: UnitOfWork, view: AdoptionView, *, week_start: date, value: float) -> KpiMove:
    """A number compared with its baseline, with the runs of its week and the guardrails that it broke."""
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
    return KpiMove(
        playbook=view.playbook.title,
        team=view.team.title,
        kpi=kpi_context(view, value=value),
        runs=runs,
        busy=busy.found,
        broken=tuple(rail.name for rail in of_week(uow, view, week_start) if rail.held is False),
    )
