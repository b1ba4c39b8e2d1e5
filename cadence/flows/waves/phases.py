"""The phase of a playbook's rollout: pilot, controlled, broad, with the decisions between them."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from cadence.flows.core import AdoptionView
from cadence.flows.cutover import assessment_of, is_sorted, pilot_of, waits_for_assessment
from cadence.flows.playbooks import readiness_of
from cadence.flows.waves.gates import judged, results_of
from cadence.mrkdwn import Mrkdwn, code, say
from cadence.rules.waves import CONTROLLED_TEAMS, TRAINING_SAMPLES, judge_gate
from storage.queries import cutover, playbooks, training, waves
from storage.tables import Playbook, PlaybookState, Wave, WavePhase, WaveState
from storage.work import UnitOfWork
from templates.contexts.waves import RolloutPhase
from templates.filters import plural

PhaseName = Literal["pilot", "controlled", "broad"]


@dataclass(frozen=True, slots=True)
class Phase:
    """The phase of a playbook's rollout.

    Args:
        name: `pilot` before the first wave opened.
        wave: the number of the newest open wave; None in the pilot phase.
        planned: the number of the planned wave; None without one.
    """

    name: PhaseName
    wave: int | None = None
    planned: int | None = None


def phase_of(uow: UnitOfWork, playbook_id: int) -> Phase:
    """The phase of a playbook, from its waves."""
    return phase_from([one for one in waves.current(uow) if one.playbook_id == playbook_id])


def phase_from(rows: list[Wave]) -> Phase:
    """The phase that a playbook's waves, by number, amount to."""
    opened = next((one for one in reversed(rows) if one.state is WaveState.OPEN), None)
    planned = next((one.number for one in rows if one.state is WaveState.PLANNED), None)
    if opened is None:
        return Phase("pilot", planned=planned)
    name: PhaseName = "controlled" if opened.phase is WavePhase.CONTROLLED else "broad"
    return Phase(name, opened.number, planned)


def phases_of(uow: UnitOfWork, views: Iterable[AdoptionView]) -> dict[int, str]:
    """The phase of each team, by adoption: `pilot`, `controlled`, `wave 2`; empty for a team that
    adopted its playbook outside the waves."""
    several = list(views)
    books = {view.playbook.id for view in several}
    opened = {
        row.id or 0: row
        for row in waves.current(uow)
        if row.state is WaveState.OPEN and row.playbook_id in books
    }
    placed = {
        (opened[row.wave_id].playbook_id, team.id): opened[row.wave_id]
        for row, team in waves.teams_of(uow, wave_ids=sorted(opened))
    }
    return {view.id: _phase(view, placed.get((view.playbook.id or 0, view.team.id))) for view in several}


def _phase(view: AdoptionView, wave: Wave | None) -> str:
    if view.id == view.first_id:
        return "pilot"
    if wave is None:
        return ""
    return "controlled" if wave.phase is WavePhase.CONTROLLED else f"wave {wave.number}"


def wave_line(uow: UnitOfWork, playbook_id: int) -> Mrkdwn | None:
    """A playbook's phase for the digest and the registry: `wave 2 open (broad, 4 teams)`; None in the pilot
    phase without a plan."""
    rows = [one for one in waves.current(uow) if one.playbook_id == playbook_id]
    if not rows:
        return None
    newest = rows[-1]
    teams = len(waves.teams_of(uow, wave_ids=[newest.id or 0]))
    return say(
        "wave {number} {state} ({phase}, {teams})",
        number=newest.number,
        state="open" if newest.state is WaveState.OPEN else "planned",
        phase=newest.phase.value,
        teams=plural(teams, "team"),
    )


def rollout_phases(uow: UnitOfWork, playbook: Playbook) -> tuple[RolloutPhase, ...]:
    """A playbook's path from its pilot to every team, with what comes next; empty once it is retired.

    Publishing comes last until it is done, then before what comes next.
    """
    if playbook.state is PlaybookState.RETIRED:
        return ()
    where = playbook.id or 0
    rows = [one for one in waves.current(uow) if one.playbook_id == where]
    pilot = pilot_of(uow, where)
    answers = assessment_of(uow, where)
    moved = where in cutover.in_production(uow)
    proven = moved or answers is not None or bool(pilot and waits_for_assessment(uow, [pilot]))
    least, most = CONTROLLED_TEAMS
    cycles = pilot.spec.scale_cycles if pilot else 1
    goal = "the target" if cycles == 1 else f"the target {cycles} cycles in a row"
    path: list[tuple[str, str, bool, Mrkdwn]] = [
        ("Pilot", f"one team hits {goal}", proven, _next_of_pilot(playbook, pilot)),
        (
            "Assessment",
            "the owner sorts what worked from what won't scale",
            moved or is_sorted(answers),
            _command("answer it with {command}", "assess", playbook),
        ),
        (
            "Cutover",
            "the pilot against what production needs",
            moved,
            _command("see what's missing with {command}", "cutover", playbook),
        ),
        (
            "Controlled",
            f"{least} or {most} more teams, each with a trained champion",
            moved and _controlled_holds(uow, playbook, rows),
            _next_of_controlled(uow, playbook, rows),
        ),
        (
            "Broad",
            "more waves, each once the last one holds",
            False,
            _next_of_broad(uow, playbook, rows),
        ),
    ]
    current = next(place for place, (_, _, done, _) in enumerate(path) if not done)
    phases = [
        RolloutPhase(name, about, done=place < current, then=then if place == current else "")
        for place, (name, about, _, then) in enumerate(path)
    ]
    published = _publishing(uow, playbook, proven=proven)
    phases.insert(current if published.done else len(phases), published)
    return tuple(phases)


def _publishing(uow: UnitOfWork, playbook: Playbook, *, proven: bool) -> RolloutPhase:
    """Publishing needs a second team, and none of the phases: it can be next beside any of them."""
    done = playbooks.newest_published(uow, playbook_id=playbook.id or 0) is not None
    ready = proven and not done and not readiness_of(uow, playbook).gaps
    return RolloutPhase(
        "Published",
        "in the registry, once a second team has set it up",
        done=done,
        ready=_command("a curator publishes it with {command}", "playbook publish", playbook)
        if ready
        else "",
    )


def _command(words: str, name: str, playbook: Playbook, rest: str = "") -> Mrkdwn:
    return say(words, command=code(f"/cadence {name} {playbook.slug}{rest}"))


def _next_of_pilot(playbook: Playbook, pilot: AdoptionView | None) -> Mrkdwn:
    if pilot is not None and pilot.cycle is None:
        return _command("start its first cycle with {command}", "cycle start", playbook)
    if pilot is not None:
        return _command("see its cycle with {command}", "cycle show", playbook)
    return _command("plan it with {command}", "pilot", playbook)


def _controlled_holds(uow: UnitOfWork, playbook: Playbook, rows: list[Wave]) -> bool:
    """Whether the controlled phase is over: its teams met the gate of the next wave, or that wave opened."""
    opened = [one for one in rows if one.state is WaveState.OPEN]
    return len(opened) > 1 or (bool(opened) and judge_gate(results_of(uow, playbook, opened[0])).opens)


def _next_of_controlled(uow: UnitOfWork, playbook: Playbook, rows: list[Wave]) -> Mrkdwn:
    where = playbook.id or 0
    known = len(training.samples(uow, playbook_ids=[where]).get(where, ()))
    if not rows and known < TRAINING_SAMPLES:
        more = plural(TRAINING_SAMPLES - known, "training sample")
        return _command(f"add {more} with {{command}}", "train", playbook, " add")
    if not rows:
        return _command("plan wave 1 with {command}", "wave", playbook, " plan")
    if rows[0].state is WaveState.PLANNED:
        return _next_of_planned(uow, playbook, rows[0])
    return _command(
        "finish the champions' training and the first cycles: {command}", "train", playbook, " show"
    )


def _next_of_broad(uow: UnitOfWork, playbook: Playbook, rows: list[Wave]) -> Mrkdwn:
    planned = next((one for one in rows if one.state is WaveState.PLANNED), None)
    if planned is not None:
        return _next_of_planned(uow, playbook, planned)
    return _command(f"plan wave {len(rows) + 1} with {{command}}", "wave", playbook, " plan")


def _next_of_planned(uow: UnitOfWork, playbook: Playbook, wave: Wave) -> Mrkdwn:
    if judged(uow, playbook, wave).opens:
        return _command(f"a curator opens wave {wave.number} with {{command}}", "wave", playbook, " open")
    return _command(f"see what wave {wave.number} still needs with {{command}}", "wave", playbook, " show")
