"""The registry: published playbooks by function, with each team's results."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from cadence.documents import PlaybookSpec
from cadence.flows.core import is_curator, require_workspace, spec_of, version_name
from cadence.flows.overview.overrides import override_line
from cadence.flows.playbooks import readiness_of, setup_minutes
from cadence.flows.standards import counting, verdict_evidence
from cadence.flows.trends import watched_now, worth_of_cycles
from cadence.flows.waves import rollout_phases, wave_line
from cadence.mrkdwn import Mrkdwn
from cadence.refusals import Offer
from cadence.rules.evidence import runs_of
from storage.queries import setup as setup_rows
from storage.queries import standards, waves
from storage.queries.overview import registry
from storage.queries.standards import NewestVerdict
from storage.tables import (
    Adoption,
    AdoptionState,
    Cycle,
    Playbook,
    PlaybookState,
    PlaybookVersion,
    Team,
)
from storage.work import UnitOfWork
from templates.contexts.base import Choice, Kpi
from templates.contexts.overview.registry import NearlyThere, Registry, RegistryPlaybook, RegistryTeam
from templates.ids import Action

PAGE = 6
"""Playbooks per page."""
TEAMS = 5
"""Maximum teams shown per playbook."""
NEARLY = 8
"""Maximum unpublished playbooks shown when none is published."""


@dataclass(frozen=True, slots=True)
class _Found:
    """The data of a page, read at once."""

    teams: Mapping[int, Sequence[tuple[Adoption, Team]]]
    many: Mapping[int, int]
    closed: Mapping[int, Cycle]
    versions: Mapping[int, PlaybookVersion]
    specs: Mapping[int, PlaybookSpec]
    setups: Mapping[int, int | None]
    verdicts: Mapping[int, Sequence[NewestVerdict]]
    overrides: Mapping[int, Sequence[Mrkdwn]]
    waves: Mapping[int, str]
    watched: frozenset[int]
    wishes: Counter[int]
    worths: Mapping[int, str]


def show_registry(uow: UnitOfWork, *, function: str | None, page: int = 1) -> Registry:
    """One page of the registry, of a function or of all; a page past the last is the last."""
    with uow.read():
        require_workspace(uow)
        counted = registry.counts(uow)
        live: Counter[str] = Counter()
        retired = 0
        for (of, state), count in counted.items():
            if state is not PlaybookState.RETIRED:
                live[of] += count
            elif function in (None, of):
                retired += count
        total = live[function] if function is not None else live.total()
        pages = max(1, -(-total // PAGE))
        page = min(max(page, 1), pages)
        found = registry.page(uow, function=function, offset=(page - 1) * PAGE, limit=PAGE)
        around = _around(uow, [playbook.id or 0 for playbook, _ in found])
        return Registry(
            rows=tuple(_playbook(playbook, number, around) for playbook, number in found),
            total=total,
            function=function,
            functions=_menu(live),
            page=page,
            pages=pages,
            following=f"{function or 'all'}:{page + 1}" if page < pages else "",
            nearly=() if total else _nearly(uow, function),
            nearly_more=0 if total else _nearly_more(uow, function),
            retired=retired,
        )


def _menu(live: Counter[str]) -> tuple[Choice, ...]:
    named = [Choice(label=f"{of} ({count})", value=of) for of, count in sorted(live.items())]
    return (Choice(label=f"All functions ({live.total()})", value="all"), *named) if len(named) > 1 else ()


def _around(uow: UnitOfWork, playbook_ids: Sequence[int]) -> _Found:
    adopted = registry.adopters(uow, playbook_ids=playbook_ids, limit=TEAMS)
    teams: defaultdict[int, list[tuple[Adoption, Team]]] = defaultdict(list)
    for adoption, team, _ in adopted:
        teams[adoption.playbook_id].append((adoption, team))
    ids = [adoption.id or 0 for adoption, *_ in adopted]
    results = registry.last_results(uow, adoption_ids=ids)
    closed = {cycle.adoption_id: cycle for cycle in results}
    wanted = {adoption.version_id for adoption, *_ in adopted} | {one.version_id for one in closed.values()}
    found = registry.version_rows(uow, version_ids=sorted(wanted))
    verdicts: defaultdict[int, list[NewestVerdict]] = defaultdict(list)
    newest = standards.newest_verdicts(uow, adoption_ids=ids)
    for verdict in counting(uow, newest, closed={one.id or 0 for one in closed.values()}):
        verdicts[verdict.adoption_id].append(verdict)
    overrides: defaultdict[int, list[Mrkdwn]] = defaultdict(list)
    for row in registry.overrides(uow, playbook_ids=playbook_ids):
        overrides[row.playbook_id].append(override_line(row))
    specs = {version_id: spec_of(uow, version) for version_id, version in found.items()}
    return _Found(
        teams=teams,
        many={adoption.playbook_id: many for adoption, _, many in adopted},
        closed=closed,
        versions=found,
        specs=specs,
        setups={
            setup.adoption_id: setup_minutes(setup) for setup in setup_rows.setups(uow, adoption_ids=ids)
        },
        verdicts=verdicts,
        overrides=overrides,
        waves={one: line for one in playbook_ids if (line := wave_line(uow, one))},
        watched=watched_now(uow),
        wishes=Counter(one.playbook_id for one in waves.wishes(uow, playbook_ids=playbook_ids)),
        worths=worth_of_cycles(uow, {cycle.id or 0: specs[cycle.version_id] for cycle in results}),
    )


def _playbook(playbook: Playbook, number: int, found: _Found) -> RegistryPlaybook:
    teams = found.teams.get(playbook.id or 0, ())
    first = teams[0] if teams else None
    return RegistryPlaybook(
        slug=playbook.slug,
        title=playbook.title,
        function=playbook.function,
        state=playbook.state,
        number=number,
        owner=playbook.owner,
        teams=tuple(
            _team(adoption, team, first[0] if first else adoption, found) for adoption, team in teams
        ),
        more_teams=max(0, found.many.get(playbook.id or 0, 0) - len(teams)),
        first=first[1].title if first else "",
        overrides=tuple(found.overrides.get(playbook.id or 0, ())),
        wave=found.waves.get(playbook.id or 0, ""),
        wishes=found.wishes[playbook.id or 0],
    )


def _team(adoption: Adoption, team: Team, first: Adoption, found: _Found) -> RegistryTeam:
    closed = found.closed.get(adoption.id or 0)
    spec = found.specs[closed.version_id if closed else adoption.version_id]
    worst = _worst(found.verdicts.get(adoption.id or 0, ()))
    step = spec.step(worst.step) if worst else None
    return RegistryTeam(
        team=team.title,
        version=version_name(found.versions[adoption.version_id]),
        kpi=Kpi(
            name=spec.kpi.name,
            unit=spec.kpi.unit,
            direction=spec.kpi.direction,
            target=spec.kpi.target,
            baseline=spec.kpi.baseline,
            value=closed.kpi_value if closed else None,
            cycle=closed.number if closed else None,
        ),
        origin=_origin(closed, spec, first, found) if adoption.id != first.id else None,
        setup_minutes=found.setups.get(adoption.id or 0),
        step=(step.title if step else worst.step) if worst else "",
        evidence=verdict_evidence(worst) if worst else None,
        watched=adoption.id in found.watched,
        paused=adoption.state is AdoptionState.PAUSED,
        worth=found.worths.get(closed.id or 0, "") if closed else "",
    )


def _origin(closed: Cycle | None, spec: PlaybookSpec, first: Adoption, found: _Found) -> float | None:
    """The first team's value, if both have closed a cycle on the same KPI."""
    theirs = found.closed.get(first.id or 0)
    if closed is None or theirs is None:
        return None
    kpi = found.specs[theirs.version_id].kpi
    same = (kpi.name, kpi.unit, kpi.direction) == (spec.kpi.name, spec.kpi.unit, spec.kpi.direction)
    return theirs.kpi_value if same else None


def _worst(verdicts: Sequence[NewestVerdict]) -> NewestVerdict | None:
    """The step that used most of its cap; one over a cap of 0 comes first."""

    def used(row: NewestVerdict) -> tuple[bool, float]:
        share = row.exceptions / max(runs_of(row), 1)
        return (share > row.cap, share / row.cap if row.cap else share)

    return max(verdicts, key=used, default=None)


def _nearly(uow: UnitOfWork, function: str | None) -> tuple[NearlyThere, ...]:
    """Unpublished playbooks that most teams run, with a button for those who can see more; the nearest
    first."""
    curator = is_curator(uow)
    found = []
    for playbook in registry.nearest(uow, function=function, limit=NEARLY):
        may = curator or uow.actor.member == playbook.owner
        gaps = len(readiness_of(uow, playbook).gaps)
        found.append(
            NearlyThere(
                title=playbook.title,
                state=playbook.state,
                gaps=gaps,
                offer=(
                    Offer("What's left", Action.SHOW_PLAYBOOK, playbook.slug)
                    if gaps
                    else Offer("Publish", Action.PUBLISH, playbook.slug)
                )
                if may
                else None,
                phase="" if gaps else _phase_now(uow, playbook),
            )
        )
    return tuple(sorted(found, key=lambda one: (one.gaps, one.title)))


def _phase_now(uow: UnitOfWork, playbook: Playbook) -> str:
    """The name of the phase that a playbook's rollout is in."""
    return next((one.name for one in rollout_phases(uow, playbook) if one.then), "")


def _nearly_more(uow: UnitOfWork, function: str | None) -> int:
    count = registry.count_on_their_way(uow, function=function)
    return max(0, count - NEARLY)
