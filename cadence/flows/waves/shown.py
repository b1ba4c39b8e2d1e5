"""Waves as people see them: the lines of a wave, the answer with all of them, and the posts."""

from collections.abc import Set
from typing import Final

from cadence.flows.core import MessageKind, is_curator, narrowed, require_playbook, require_workspace
from cadence.flows.waves.gates import Judged, Placed, judged, teams_placed
from cadence.flows.waves.phases import phase_from, rollout_phases
from cadence.flows.waves.requests import can_request, team_wishes
from cadence.mrkdwn import Mrkdwn, code, say
from cadence.refusals import Offer, Refusal
from storage.queries import people, playbooks, waves
from storage.tables import OutboxMessage, Playbook, PlaybookState, Wave, WaveState
from storage.work import UnitOfWork
from templates.contexts.base import Choice
from templates.contexts.waves import WaveLine, WaveOpened, WavePlanned, WavesShown, WaveTeamLine
from templates.ids import Action

SHOWN: Final = 5
"""How many playbooks a question for one names."""
PLANNED = "wave-planned"
OPENED = "wave-opened"


def show_waves(uow: UnitOfWork, slug: str) -> WavesShown:
    """The waves of a playbook and the requests for it.

    Raises:
        Unknown: there is no such playbook.
    """
    with uow.read():
        require_workspace(uow)
        return waves_shown(uow, require_playbook(uow, slug))


def wave_to_show(uow: UnitOfWork, slug: str | None, *, command: str) -> str:
    """The playbook in question: the named one, else the only one of those that the caller owns or whose teams the
    caller sees, that have waves, or that there are.

    Args:
        command: what was typed, with `{slug}` where the playbook belongs.

    Raises:
        Refusal: it isn't clear which; the sentence has the command for each.
    """
    if slug is not None:
        return slug
    with uow.read():
        require_workspace(uow)
        rows = [row for row in playbooks.playbooks(uow) if row.state is not PlaybookState.RETIRED]
        if not rows:
            raise Refusal("There are no playbooks yet. Add the first one with `/cadence playbook new`.")
        me, having = uow.actor.member, {row.playbook_id for row in waves.current(uow)}
        named = people.named_playbooks(uow, member_id=me, everywhere=is_curator(uow))
        theirs = {row.id for row in named if row.is_run or row.owner == me}
        found = narrowed(rows, lambda row: row.id in theirs, lambda row: row.id in having)
        if len(found) == 1:
            return found[0].slug
        lines = Mrkdwn("\n").join(
            say("• {title}: {typed}", title=row.title, typed=code(command.format(slug=row.slug)))
            for row in found[:SHOWN]
        )
        more = say("\nSee them all with {all}.", all=code("/cadence playbook list")) if found[SHOWN:] else ""
        raise Refusal(say("Which playbook? Type its name:\n{lines}{more}", lines=Mrkdwn(lines), more=more))


def waves_shown(uow: UnitOfWork, playbook: Playbook, *, note: str | Mrkdwn = "") -> WavesShown:
    """The waves of a playbook after something happened (`note`), as the caller sees them."""
    rows = waves.of_playbook(uow, playbook_id=playbook.id or 0)
    planned = next((row for row in rows if row.state is WaveState.PLANNED), None)
    verdict = judged(uow, playbook, planned) if planned else None
    may_plan = is_curator(uow) or uow.actor.member == playbook.owner
    own = None if may_plan else people.team_ids(uow, member_id=uow.actor.member)
    return WavesShown(
        playbook=playbook.title,
        slug=playbook.slug,
        phase=phase_from(rows).name,
        waves=tuple(
            wave_line_of(uow, playbook, row, verdict if row is planned else None, own=own) for row in rows
        ),
        wishes=team_wishes(uow, playbook),
        note=note,
        may_plan=may_plan,
        offers=offers_of(uow, playbook, planned, curator=is_curator(uow), member=uow.actor.member),
        phases=rollout_phases(uow, playbook),
    )


def offers_of(
    uow: UnitOfWork, playbook: Playbook, planned: Wave | None, *, curator: bool, member: str
) -> tuple[Offer, ...]:
    """What a person can do about a playbook's waves, the next thing first."""
    if not (curator or member == playbook.owner):
        asks = can_request(uow, playbook, member=member)
        return (Offer("Request it for your team", Action.REQUEST, playbook.slug),) if asks else ()
    if planned is None:
        number = len(waves.of_playbook(uow, playbook_id=playbook.id or 0)) + 1
        return (Offer(f"Plan wave {number}", Action.PLAN_WAVE, playbook.slug),)
    opening = (Offer(f"Open wave {planned.number}", Action.OPEN_WAVE, str(planned.id)),) if curator else ()
    return (
        *opening,
        Offer("Change the plan", Action.PLAN_WAVE, playbook.slug),
        Offer("Cancel the wave", Action.CANCEL_WAVE, str(planned.id)),
    )


def wave_line_of(
    uow: UnitOfWork, playbook: Playbook, wave: Wave, verdict: Judged | None, *, own: Set[int] | None = None
) -> WaveLine:
    """A wave with its teams; a planned one with what its gate misses.

    Args:
        own: the teams that its reader can confirm; None means all.
    """
    placed = teams_placed(uow, playbook, wave)
    names = _names(uow, placed)
    override = wave.gate.get("override") or {}
    return WaveLine(
        number=wave.number,
        phase=wave.phase,
        state=wave.state,
        reason=wave.reason,
        planned_by=wave.planned_by,
        planned_at=wave.planned_at,
        teams=tuple(_team_line(one, names) for one in placed),
        confirm=tuple(
            Choice(label=one.team.title, value=str(one.row.id))
            for one in placed
            if own is None or one.team.id in own
        )
        if wave.state is WaveState.PLANNED
        else (),
        missing=verdict.missing if verdict else (),
        gate=verdict.gate if verdict else "",
        opened_by=wave.opened_by,
        opened_at=wave.opened_at,
        override=str(override.get("reason", "")),
        passed_over=tuple(Mrkdwn(one) for one in override.get("missing", ())),
    )


def _names(uow: UnitOfWork, placed: list[Placed]) -> dict[str, str]:
    """The champions' names: a table's cells show no mentions."""
    ids = {one.row.champion for one in placed if one.row.champion}
    return {member: row.name or member for member, row in people.members(uow, member_ids=ids).items()}


def _team_line(one: Placed, names: dict[str, str]) -> WaveTeamLine:
    champion = one.row.champion or ""
    return WaveTeamLine(
        team=one.team.title,
        where=" · ".join(filter(None, (one.team.function, one.team.region))),
        differs=one.ready.differs,
        champion=names.get(champion, champion),
        room=one.ready.has_room,
        full=len(one.running) if one.ready.is_full else 0,
    )


def _wave_about(uow: UnitOfWork, message: OutboxMessage) -> tuple[Playbook, Wave]:
    wave = waves.wave(uow, wave_id=int(message.subject["wave"]))
    if wave is None:
        raise Refusal("the wave no longer exists")
    return playbooks.by_id(uow, playbook_id=wave.playbook_id), wave


def planned_post(uow: UnitOfWork, message: OutboxMessage) -> WavePlanned:
    """The plan for curators and the owner, as of now."""
    playbook, wave = _wave_about(uow, message)
    is_planned = wave.state is WaveState.PLANNED
    verdict = judged(uow, playbook, wave) if is_planned else None
    curators = people.curators(uow)
    reads_as_curator = message.recipient != playbook.owner or playbook.owner in curators
    return WavePlanned(
        playbook=playbook.title,
        owner=playbook.owner,
        wave=wave_line_of(uow, playbook, wave, verdict),
        offers=offers_of(uow, playbook, wave, curator=reads_as_curator, member=message.recipient)
        if is_planned
        else (Offer("Show the waves", Action.SHOW_WAVES, playbook.slug),),
    )


def opened_context(uow: UnitOfWork, playbook: Playbook, wave: Wave) -> WaveOpened:
    """The announcement of an open wave, always the same."""
    return WaveOpened(
        playbook=playbook.title,
        slug=playbook.slug,
        wave=wave_line_of(uow, playbook, wave, None),
        left_out=tuple(str(one) for one in wave.gate.get("left_out", ())),
    )


def opened_post(uow: UnitOfWork, message: OutboxMessage) -> WaveOpened:
    """The announcement that a wave opened."""
    return opened_context(uow, *_wave_about(uow, message))


KINDS = (
    MessageKind(PLANNED, planned_post, rewrite=planned_post),
    MessageKind(OPENED, opened_post),
)
