"""What waves ask of owners and curators: a wave to open, the next one to plan."""

from collections.abc import Iterator

from cadence.flows.waves.gates import gate_line, judged, results_before
from cadence.mrkdwn import Mrkdwn, say
from cadence.refusals import Offer
from cadence.rules.waves import judge_gate
from storage.queries import adoptions, cutover, people, playbooks, waves
from storage.tables import Playbook, PlaybookState, Wave, WavePhase, WaveState
from storage.work import UnitOfWork
from templates.contexts.overview.digests import Decision
from templates.filters import plural
from templates.ids import Action


def waves_to_open(uow: UnitOfWork) -> list[Decision]:
    """The planned waves whose gate holds, for curators."""
    return [
        Decision(
            title=f"🟢 Open wave {wave.number}",
            text=say(
                "{title}: {teams} ready to adopt it{gate}",
                title=playbook.title,
                teams=plural(len(waves.teams_of(uow, wave_ids=[wave.id or 0])), "team"),
                gate=say(" · {gate}", gate=verdict.gate) if verdict.gate else Mrkdwn(""),
            ),
            offer=Offer(f"Open wave {wave.number}", Action.OPEN_WAVE, str(wave.id)),
        )
        for wave in waves.current(uow)
        if wave.state is WaveState.PLANNED
        if (playbook := playbooks.by_id(uow, playbook_id=wave.playbook_id)).state is not PlaybookState.RETIRED
        if (verdict := judged(uow, playbook, wave)).opens
    ]


def waves_to_plan(uow: UnitOfWork) -> Iterator[Decision]:
    """The caller's playbooks that passed the cutover and whose next wave could open, but isn't planned."""
    passed = cutover.in_production(uow)
    if not passed:
        return
    rows = waves.current(uow)
    for playbook in playbooks.playbooks(uow):
        if playbook.id not in passed or playbook.owner != uow.actor.member:
            continue
        own = [row for row in rows if row.playbook_id == playbook.id]
        free = len(people.teams(uow)) - len(adoptions.adopters(uow, playbook_id=playbook.id or 0))
        planned = any(row.state is WaveState.PLANNED for row in own)
        if planned or free <= 0 or playbook.state is PlaybookState.RETIRED:
            continue
        found = _to_plan(uow, playbook, len(own) + 1)
        if found is not None:
            yield found


def _to_plan(uow: UnitOfWork, playbook: Playbook, number: int) -> Decision | None:
    gate = Mrkdwn("The cutover passed")
    if number > 1:
        following = Wave(
            workspace_id=uow.workspace_id,
            playbook_id=playbook.id or 0,
            number=number,
            phase=WavePhase.BROAD,
            reason="",
            planned_by="",
            planned_at=uow.now,
        )
        verdict = judge_gate(results_before(uow, playbook, following))
        if not verdict.opens:
            return None
        gate = gate_line(verdict, number - 1)
    asked = sum(1 for _ in waves.wishes(uow, playbook_ids=[playbook.id or 0]))
    return Decision(
        title="⏳ Plan the next wave",
        text=say(
            "{title}: {gate}{asked}",
            title=playbook.title,
            gate=gate,
            asked=f" · {plural(asked, 'team')} asked for it" if asked else "",
        ),
        offer=Offer(f"Plan wave {number}", Action.PLAN_WAVE, playbook.slug),
    )
