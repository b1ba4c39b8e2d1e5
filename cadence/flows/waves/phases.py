"""The phase of a playbook's rollout: pilot, controlled, broad."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from cadence.flows.core import AdoptionView
from cadence.mrkdwn import Mrkdwn, say
from storage.queries import waves
from storage.tables import Wave, WavePhase, WaveState
from storage.work import UnitOfWork
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
