"""A planned wave against its gate: the teams' criteria, the results of the wave before, what is missing."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from cadence.documents import PlaybookSpec
from cadence.flows.core import AdoptionView, adoption_views, spec_of
from cadence.mrkdwn import Mrkdwn, say
from cadence.rules.kpi import Direction, Outcome, Unit, format_amount, meets
from cadence.rules.percent import percent_of, set_share
from cadence.rules.signals import CYCLES_AT_ONCE
from cadence.rules.waves import (
    CONTROLLED_TEAMS,
    TRAINING_SAMPLES,
    GateVerdict,
    PilotFacts,
    StepAtClose,
    TeamFacts,
    TeamPlanned,
    TeamReady,
    judge_controlled,
    judge_gate,
    judge_team,
)
from storage.queries import cutover, playbooks, training, waves
from storage.queries import cycles as cycle_rows
from storage.tables import (
    Cycle,
    CycleKind,
    CycleState,
    Playbook,
    Team,
    Wave,
    WavePhase,
    WaveState,
    WaveTeam,
)
from storage.work import UnitOfWork
from templates.filters import plural


@dataclass(frozen=True, slots=True)
class Judged:
    """Whether a planned wave can open.

    Args:
        opens: nothing is missing.
        gate: the gate of a broad wave in a sentence; empty for the controlled one.
        missing: what is missing, one line each.
        figures: the verdict's inputs and counts, as stored when the wave opens.
    """

    opens: bool
    gate: Mrkdwn
    missing: tuple[Mrkdwn, ...]
    figures: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Placed:
    """A team of a wave: its place there, and how it stands against the criteria."""

    row: WaveTeam
    team: Team
    ready: TeamReady
    running: tuple[str, ...]


def teams_placed(uow: UnitOfWork, playbook: Playbook, wave: Wave) -> list[Placed]:
    """The teams of a wave against the criteria of the controlled phase, in the order of adding."""
    rows = waves.teams_of(uow, wave_ids=[wave.id or 0])
    running = waves.running_titles(uow, team_ids=sorted(team.id or 0 for _, team in rows))
    pilot = waves.pilot_team(uow, playbook_id=playbook.id or 0)
    found = []
    for row, team in rows:
        titles = tuple(running.get(team.id or 0, ()))
        planned = TeamPlanned(
            team=team.title,
            function=team.function,
            region=team.region or "",
            champion=row.champion is not None,
            has_room=row.has_capacity,
            running=len(titles),
        )
        ready = judge_team(
            planned,
            function=pilot.function if pilot else playbook.function,
            region=(pilot.region or "") if pilot else "",
            most=CYCLES_AT_ONCE,
        )
        found.append(Placed(row, team, ready, titles))
    return found


def judged(uow: UnitOfWork, playbook: Playbook, wave: Wave) -> Judged:
    """A planned wave's gate as of now."""
    placed = teams_placed(uow, playbook, wave)
    if wave.phase is WavePhase.CONTROLLED:
        return _controlled(uow, playbook, placed)
    return _broad(uow, playbook, wave, placed)


def _controlled(uow: UnitOfWork, playbook: Playbook, placed: Sequence[Placed]) -> Judged:
    where = playbook.id or 0
    facts = PilotFacts(
        assessed=cutover.assessment(uow, playbook_id=where) is not None,
        cut_over=where in cutover.in_production(uow),
        samples=len(training.samples(uow, playbook_ids=[where]).get(where, ())),
    )
    verdict = judge_controlled(facts, [one.ready for one in placed])
    least, most = CONTROLLED_TEAMS
    teams = plural(len(placed), "team")
    missing = [
        (not verdict.assessed, say("The owner's assessment")),
        (not verdict.cut_over, say("The cutover passed")),
        (
            verdict.samples < TRAINING_SAMPLES,
            say("{count} of {least} training samples", count=verdict.samples, least=TRAINING_SAMPLES),
        ),
        (
            verdict.few or verdict.many,
            say("{teams}, needs {least} or {most}", teams=teams, least=least, most=most),
        ),
        (
            verdict.same_context and bool(placed),
            say("Every team has the pilot team's function and region; at least one has to differ"),
        ),
        *((not one.ready.champion, say("{team}: no champion", team=one.team.title)) for one in placed),
        *((not one.ready.has_room, _no_room(one)) for one in placed),
    ]
    return Judged(
        opens=verdict.opens,
        gate=Mrkdwn(""),
        missing=tuple(line for is_missing, line in missing if is_missing),
        figures={
            "assessed": facts.assessed,
            "cut_over": facts.cut_over,
            "samples": facts.samples,
            "teams": len(placed),
        },
    )


def _no_room(one: Placed) -> Mrkdwn:
    if one.ready.is_full:
        return say(
            "{team}: {count} running cycles, the limit is {limit}",
            team=one.team.title,
            count=len(one.running),
            limit=CYCLES_AT_ONCE,
        )
    return say("{team}: nobody confirmed that it has room", team=one.team.title)


def _broad(uow: UnitOfWork, playbook: Playbook, wave: Wave, placed: Sequence[Placed]) -> Judged:
    facts = results_before(uow, playbook, wave)
    verdict = judge_gate(facts)
    led = any(one.ready.champion for one in placed)
    missing = [] if verdict.opens else [team_line(one) for one in verdict.missing]
    if not led:
        missing.append(say("No team of wave {number} has a champion", number=wave.number))
    return Judged(
        opens=verdict.opens and led,
        gate=gate_line(verdict, wave.number - 1),
        missing=tuple(missing),
        figures={
            "held": verdict.held,
            "teams": verdict.teams,
            "needed": verdict.needed,
            "results": [_as_figures(one) for one in facts],
        },
    )


def gate_line(verdict: GateVerdict, number: int) -> Mrkdwn:
    """The result of a wave in a sentence."""
    return say(
        "{held} of {teams} of wave {number} met the target within the caps ({needed} needed)",
        held=verdict.held,
        teams=plural(verdict.teams, "team"),
        number=number,
        needed=verdict.needed,
    )


def _as_figures(facts: TeamFacts) -> dict[str, Any]:
    return {
        "team": facts.team,
        "closed": facts.closed,
        "met": facts.met,
        "value": facts.value,
        "target": facts.target,
        "over": [
            {"step": one.title, "exceptions": one.exceptions, "runs": one.runs, "cap": one.cap}
            for one in facts.over
        ],
    }


def team_line(facts: TeamFacts) -> Mrkdwn:
    """Why a team doesn't hold, with its numbers: `Support APAC: 19 min, target 15 min · send 6% of 5%`."""
    if not facts.closed:
        return say("{team}: no cycle closed yet", team=facts.team)
    parts: list[str] = []
    if facts.value is None or facts.target is None:
        parts.append("no reading")
    elif not facts.met:
        unit = Unit(facts.unit)
        note = f" ({facts.note})" if facts.note else ""
        parts.append(f"{format_amount(facts.value, unit)}, target {format_amount(facts.target, unit)}{note}")
    parts += [
        f"“{step.title[:60]}” {step.exceptions} in {plural(step.runs, 'run')}{_share(step)}"
        for step in facts.over
    ]
    return say("{team}: {parts}", team=facts.team, parts=" · ".join(parts))


def _share(step: StepAtClose) -> str:
    percent = percent_of(step.exceptions, step.runs, limit=step.cap)
    return f"{f', {percent}' if percent else ''} (cap {set_share(step.cap)})"


def results_before(uow: UnitOfWork, playbook: Playbook, wave: Wave) -> list[TeamFacts]:
    """The teams of the wave before a broad one, as of their newest closed cycle since that wave opened."""
    every = waves.of_playbook(uow, playbook_id=playbook.id or 0)
    before = next(
        (one for one in reversed(every) if one.number < wave.number and one.state is WaveState.OPEN), None
    )
    return results_of(uow, playbook, before) if before is not None else []


def results_of(uow: UnitOfWork, playbook: Playbook, before: Wave) -> list[TeamFacts]:
    """The teams of an open wave, as of their newest closed cycle since it opened."""
    teams = [team for _, team in waves.teams_of(uow, wave_ids=[before.id or 0])]
    views = {view.team.id: view for view in adoption_views(uow, playbook_id=playbook.id)}
    ids = sorted(view.id for view in views.values() if view.team.id in {team.id for team in teams})
    newest: dict[int, Cycle] = {}
    for cycle in cycle_rows.cycles(uow, adoption_ids=ids):
        if _counts(cycle, before):
            newest.setdefault(cycle.adoption_id, cycle)
    steps: dict[int, list[StepAtClose]] = {}
    specs: dict[int, PlaybookSpec] = {
        cycle.adoption_id: spec_of(uow, playbooks.version(uow, version_id=cycle.version_id))
        for cycle in newest.values()
    }
    for row in waves.verdicts_of_cycles(uow, cycle_ids=sorted(one.id or 0 for one in newest.values())):
        titles = {step.key: step.title for step in specs[row.adoption_id].steps}
        steps.setdefault(row.adoption_id, []).append(
            StepAtClose(
                titles.get(row.step, row.step),
                row.exceptions,
                row.measured + row.attested + row.assumed,
                row.cap,
            )
        )
    return [_facts(team, views.get(team.id), newest, specs, steps) for team in teams]


def _counts(cycle: Cycle, before: Wave) -> bool:
    """Whether a cycle is one of the rollout that closed since the wave before opened."""
    return (
        cycle.state is CycleState.CLOSED
        and cycle.kind is CycleKind.ROLLOUT
        and cycle.closed_at is not None
        and before.opened_at is not None
        and cycle.closed_at >= before.opened_at
    )


def _facts(
    team: Team,
    view: AdoptionView | None,
    newest: dict[int, Cycle],
    specs: dict[int, PlaybookSpec],
    steps: dict[int, list[StepAtClose]],
) -> TeamFacts:
    cycle = newest.get(view.id) if view else None
    if view is None or cycle is None:
        return TeamFacts(team.title)
    kpi = specs[view.id].kpi
    return TeamFacts(
        team.title,
        closed=True,
        met=None if cycle.kpi_value is None else cycle.result == Outcome.MET,
        steps=tuple(steps.get(view.id, ())),
        value=cycle.kpi_value,
        target=kpi.target,
        unit=kpi.unit,
        note=_note(cycle, kpi.target, Direction(kpi.direction)),
    )


def _note(cycle: Cycle, target: float, direction: Direction) -> str:
    """Why a cycle isn't met although its number may meet the target."""
    if cycle.result == Outcome.INSUFFICIENT:
        return "too few readings"
    missed = cycle.result == Outcome.NOT_MET and cycle.kpi_value is not None
    return (
        "a guardrail is past its limit" if missed and meets(cycle.kpi_value or 0, target, direction) else ""
    )
