"""Where a playbook's waves stand, for the digest: which one holds, and which one can open."""

from cadence.flows.waves.gates import judged, results_of
from cadence.flows.waves.phases import wave_line
from cadence.mrkdwn import Mrkdwn, say
from cadence.rules.waves import judge_gate
from storage.queries import waves
from storage.tables import Playbook, Wave, WavePhase, WaveState
from storage.work import UnitOfWork
from templates.filters import plural


def wave_standing(uow: UnitOfWork, playbook: Playbook) -> Mrkdwn | None:
    """A playbook's newest wave: `wave 1 of 2 holds (2 of 3 teams met), wave 2 can open`; None without waves.

    A team met if it closed a cycle since its wave opened, with the KPI met and exceptions under the cap.
    """
    rows = [one for one in waves.current(uow) if one.playbook_id == playbook.id]
    line = wave_line(uow, playbook.id or 0)
    if not rows or line is None:
        return None
    newest, opened = rows[-1], [one for one in rows if one.state is WaveState.OPEN]
    if newest.state is WaveState.OPEN:
        return _result(uow, playbook, newest, of="") or line
    opens = judged(uow, playbook, newest)
    if newest.phase is WavePhase.CONTROLLED or not opened:
        left = "it can open" if opens.opens else f"{plural(len(opens.missing), 'item')} left"
        return say("{line}, {left}", line=line, left=left)
    before = _result(uow, playbook, opened[-1], of=f" of {newest.number}")
    if before is None:
        return line
    state = "can open" if opens.opens else "planned"
    return say("{before}, wave {number} {state}", before=before, number=newest.number, state=state)


def _result(uow: UnitOfWork, playbook: Playbook, wave: Wave, *, of: str) -> Mrkdwn | None:
    """Whether an open wave holds; None before one of its teams closed a cycle."""
    facts = results_of(uow, playbook, wave)
    if not any(one.closed for one in facts):
        return None
    verdict = judge_gate(facts)
    return say(
        "wave {number}{of} {holds} ({held} of {teams} met{needed})",
        number=wave.number,
        of=of,
        holds="holds" if verdict.opens else "doesn't hold yet",
        held=verdict.held,
        teams=plural(verdict.teams, "team"),
        needed="" if verdict.opens else f", {verdict.needed} needed",
    )
