"""Planning a wave: its teams and why those, their champions and capacity; canceling it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from cadence.flows.adoption import require_adoptable
from cadence.flows.core import (
    curators_read,
    is_curator,
    once,
    require_owner_or_curator,
    require_playbook,
    require_team,
    require_workspace,
    tell,
)
from cadence.flows.people import member_ids
from cadence.flows.waves.requests import team_wishes
from cadence.flows.waves.shown import PLANNED, offers_of, waves_shown
from cadence.mrkdwn import code, mention, say
from cadence.refusals import NotAllowed, Offer, Refusal
from cadence.rules.waves import BROAD_TEAMS, CONTROLLED_TEAMS
from storage.queries import adoptions, people, playbooks, waves
from storage.tables import Playbook, Team, Wave, WavePhase, WaveState, WaveTeam
from storage.work import UnitOfWork
from templates.contexts.answers import Done
from templates.contexts.base import Choice
from templates.contexts.waves import WaveForm, WavesShown, WaveTeamForm
from templates.filters import plural
from templates.ids import Action, Field

LONGEST: Final = 1_000
"""Maximum characters of a reason."""
GONE: Final = "That wave isn't planned anymore. See the waves with `/cadence wave`."


@dataclass(frozen=True, slots=True)
class WaveGiven:
    """The plan of a playbook's next wave: the slugs of its teams, and why those."""

    playbook: str
    teams: tuple[str, ...]
    reason: str


@once
def plan_wave(uow: UnitOfWork, given: WaveGiven) -> WavesShown:
    """Plan the playbook's next wave, or change the planned one: the first is controlled, later ones are broad.

    Raises:
        NotAllowed: neither the owner nor a curator. Refusal: a draft or a retired playbook, too few or too many
        teams, one that already runs it, no reason.
    """
    with uow.write():
        workspace = require_workspace(uow)
        playbook = require_playbook(uow, given.playbook)
        require_may_plan(uow, playbook)
        playbook = playbooks.lock_playbook(uow, playbook_id=playbook.id or 0)
        require_adoptable(playbook)
        rows = waves.of_playbook(uow, playbook_id=playbook.id or 0)
        planned = next((row for row in rows if row.state is WaveState.PLANNED), None)
        number = planned.number if planned else len(rows) + 1
        teams = _teams(uow, playbook, given.teams, phase=_phase(number))
        reason = _reason(given.reason)
        before = _as_data(uow, planned)
        wave = planned or _new(uow, playbook, number)
        wave.reason = reason
        uow.session.add(wave)
        uow.session.flush()
        _place(uow, wave, teams)
        after = _as_data(uow, wave)
        if after != before:
            uow.record(
                action="wave-changed" if planned else "wave-planned",
                subject=f"playbook:{playbook.slug}",
                before=before,
                after=after,
            )
        if planned is None:
            readers = [*curators_read(uow, workspace), playbook.owner]
            slot = f"{wave.id}/{uow.now.timestamp()}"
            tell(uow, readers, kind=PLANNED, slot=slot, subject={"wave": wave.id})
        elif after != before:
            rewrite_plans(uow, wave)
        note = say("Wave {number} is {done}.", number=number, done="changed" if planned else "planned")
        return waves_shown(uow, playbook, note=note)


def require_may_plan(uow: UnitOfWork, playbook: Playbook) -> None:
    """Require the playbook's owner or a curator.

    Raises:
        NotAllowed: anybody else.
    """
    require_owner_or_curator(uow, playbook=playbook, to=f"plan the waves of {playbook.title[:60]}")


def rewrite_plans(uow: UnitOfWork, wave: Wave) -> None:
    """Rewrite the posts of a plan after it changed."""
    sent = [row for row in uow.messages(PLANNED) if row.subject.get("wave") == wave.id]
    uow.rewrite_messages(sent, mark=f"{uow.now.timestamp()}:{uow.correlation_id}")


def _phase(number: int) -> WavePhase:
    return WavePhase.CONTROLLED if number == 1 else WavePhase.BROAD


def _new(uow: UnitOfWork, playbook: Playbook, number: int) -> Wave:
    """The next wave; a canceled one of that number is planned again."""
    wave = waves.numbered(uow, playbook_id=playbook.id or 0, number=number) or Wave(
        workspace_id=uow.workspace_id,
        playbook_id=playbook.id or 0,
        number=number,
        phase=_phase(number),
        reason="",
        planned_by=uow.actor.member,
        planned_at=uow.now,
    )
    wave.state, wave.planned_by, wave.planned_at = WaveState.PLANNED, uow.actor.member, uow.now
    return wave


def _teams(uow: UnitOfWork, playbook: Playbook, slugs: Sequence[str], *, phase: WavePhase) -> list[Team]:
    teams = [require_team(uow, slug) for slug in dict.fromkeys(slugs)]
    having = {team.id for _, team in adoptions.adopters(uow, playbook_id=playbook.id or 0)}
    twice = [team for team in teams if team.id in having]
    if twice:
        raise Refusal(
            say("{team} already runs {title}.", team=twice[0].title, title=playbook.title), field=Field.TEAMS
        )
    least, most = CONTROLLED_TEAMS if phase is WavePhase.CONTROLLED else (1, BROAD_TEAMS)
    if not least <= len(teams) <= most:
        count = f"{least} or {most}" if phase is WavePhase.CONTROLLED else f"1 to {most}"
        raise Refusal(
            say(
                "The {phase} phase takes {count} teams. You chose {teams}.",
                phase=phase.value,
                count=count,
                teams=plural(len(teams), "team"),
            ),
            field=Field.TEAMS,
        )
    return teams


def _reason(typed: str) -> str:
    reason = typed.strip()
    if not reason:
        raise Refusal("Say in a sentence why these teams are next.", field=Field.REASON)
    if len(reason) > LONGEST:
        raise Refusal(f"Keep it to {LONGEST:,} characters. This one has {len(reason):,}.", field=Field.REASON)
    return reason


def _place(uow: UnitOfWork, wave: Wave, teams: Sequence[Team]) -> None:
    """Make these the wave's teams; those that stay keep their champion and capacity."""
    wanted = {team.id for team in teams}
    here = waves.teams_of(uow, wave_ids=[wave.id or 0])
    for row, team in here:
        if team.id not in wanted:
            row.removed_at = uow.now
            uow.session.add(row)
    uow.session.flush()
    known = {team.id for _, team in here}
    for team in teams:
        if team.id not in known:
            uow.session.add(
                WaveTeam(
                    workspace_id=uow.workspace_id,
                    wave_id=wave.id or 0,
                    team_id=team.id or 0,
                    added_by=uow.actor.member,
                    added_at=uow.now,
                )
            )
    uow.session.flush()


def _as_data(uow: UnitOfWork, wave: Wave | None) -> dict[str, object] | None:
    if wave is None:
        return None
    teams = [team.slug for _, team in waves.teams_of(uow, wave_ids=[wave.id or 0])]
    return {"wave": wave.number, "phase": wave.phase.value, "teams": teams, "reason": wave.reason}


def wave_form(uow: UnitOfWork, *, playbook: str) -> WaveForm:
    """The form to plan a playbook's next wave, or to change the planned one.

    Raises:
        NotAllowed: neither the owner nor a curator. Refusal: a draft or a retired playbook, or every team runs it.
    """
    with uow.read():
        require_workspace(uow)
        row = require_playbook(uow, playbook)
        require_may_plan(uow, row)
        require_adoptable(row)
        every = waves.of_playbook(uow, playbook_id=row.id or 0)
        planned = next((one for one in every if one.state is WaveState.PLANNED), None)
        number = planned.number if planned else len(every) + 1
        having = {team.id for _, team in adoptions.adopters(uow, playbook_id=row.id or 0)}
        votes = {one.team_id: one.votes for one in waves.wishes(uow, playbook_ids=[row.id or 0])}
        free = [team for team in people.teams(uow) if team.id not in having]
        if not free:
            raise Refusal(
                say(
                    "Every team already runs {title}. Create another one with {command}.",
                    title=row.title,
                    command=code("/cadence team create"),
                )
            )
        free.sort(key=lambda team: (-votes.get(team.id or 0, 0), team.title))
        least, most = CONTROLLED_TEAMS
        return WaveForm(
            heading=f"Change wave {number}" if planned else f"Plan wave {number}",
            playbook=row.title,
            told=f"The controlled phase: {least} or {most} teams, one in another function or region than the pilot."
            if number == 1
            else f"A broad wave: up to {BROAD_TEAMS} teams.",
            choices=tuple(
                Choice(label=_labelled(team, votes.get(team.id or 0, 0)), value=team.slug) for team in free
            ),
            wished=team_wishes(uow, row),
            teams=tuple(team.slug for _, team in waves.teams_of(uow, wave_ids=[planned.id or 0]))
            if planned
            else (),
            reason=planned.reason if planned else "",
        )


def _labelled(team: Team, votes: int) -> str:
    place = " · ".join(filter(None, (team.title[:30], team.function, (team.region or "")[:12])))
    return f"{place} · {plural(votes, 'request')}" if votes else place


@once
def confirm_team(uow: UnitOfWork, *, row_id: int, champion: str | None, room: bool) -> Done:
    """Name a planned team's champion, and say whether it has room.

    Raises:
        NotAllowed: neither the owner, a curator nor a member of the team. Refusal: the wave isn't planned any more,
        or the champion isn't in the team.
    """
    with uow.write():
        playbook, wave, row, team = _planned_team(uow, row_id, hold=True)
        if champion not in {None, row.champion, playbook.owner, *member_ids(uow, team)}:
            raise Refusal(
                say(
                    "{who} isn't in {team}, and its champion has to be. To add them, type {command}.",
                    who=mention(champion or ""),
                    team=team.title,
                    command=code(f"/cadence team join {team.slug}"),
                ),
                field=Field.CHAMPION,
            )
        before = {"champion": row.champion, "room": row.has_capacity}
        after = {"champion": champion, "room": room}
        if before != after:
            row.champion, row.has_capacity = champion, room
            uow.session.add(row)
            uow.session.flush()
            uow.record(
                action="wave-team-confirmed",
                subject=f"playbook:{playbook.slug}",
                before=before,
                after=after | {"team": team.slug, "wave": wave.number},
            )
            rewrite_plans(uow, wave)
        told = say("champion {who}", who=mention(champion)) if champion else "no champion yet"
        return Done(
            text=say(
                "{team} in wave {number} of {title}: {told}, {room}.",
                team=team.title,
                number=wave.number,
                title=playbook.title,
                told=told,
                room="has room" if room else "room not confirmed",
            ),
            offers=(Offer("Show the waves", Action.SHOW_WAVES, playbook.slug),),
        )


def wave_team_form(uow: UnitOfWork, *, row_id: int) -> WaveTeamForm:
    """The form to confirm a planned team; a member who asked first is suggested as its champion.

    Raises:
        NotAllowed: neither the owner, a curator nor a member of the team. Refusal: the wave isn't planned any more.
    """
    with uow.read():
        playbook, wave, row, team = _planned_team(uow, row_id)
        asked = [
            one.member
            for one in waves.requests_of(uow, playbook_id=playbook.id or 0)
            if one.team_id == team.id and one.member in member_ids(uow, team)
        ]
        running = waves.running_titles(uow, team_ids=[team.id or 0])
        return WaveTeamForm(
            playbook=playbook.title,
            team=team.title,
            number=wave.number,
            running=tuple(running.get(team.id or 0, ())),
            champion=row.champion or next(iter(asked), None),
            room=row.has_capacity,
        )


def _planned_team(
    uow: UnitOfWork, row_id: int, *, hold: bool = False
) -> tuple[Playbook, Wave, WaveTeam, Team]:
    """A team of a planned wave that the caller can confirm; held until the transaction ends if asked."""
    row = waves.wave_team(uow, row_id=row_id)
    wave = waves.wave(uow, wave_id=row.wave_id) if row else None
    if hold and wave is not None:
        playbooks.lock_playbook(
            uow, playbook_id=wave.playbook_id
        )  # as those do who open, change or cancel it
        wave = waves.wave(uow, wave_id=wave.id or 0, lock=True)
        row = waves.wave_team(uow, row_id=row_id, lock=True)
    team = people.team_by_id(uow, team_id=row.team_id) if row else None
    if row is None or row.removed_at or wave is None or team is None or wave.state is not WaveState.PLANNED:
        raise Refusal(GONE)
    playbook = playbooks.by_id(uow, playbook_id=wave.playbook_id)
    allowed = {playbook.owner, *member_ids(uow, team)}
    if uow.actor.member not in allowed and not is_curator(uow):
        raise NotAllowed(
            say(
                "Only members of {team}, the owner ({owner}) or a curator can confirm it.",
                team=team.title,
                owner=mention(playbook.owner),
            )
        )
    return playbook, wave, row, team


@once
def cancel_wave(uow: UnitOfWork, wave_id: int) -> Done:
    """Cancel a planned wave; again changes nothing.

    Raises:
        NotAllowed: neither the owner nor a curator. Refusal: it opened already, or there is no such wave.
    """
    with uow.write():
        wave = waves.wave(uow, wave_id=wave_id)
        if wave is None:
            raise Refusal(GONE)
        playbook = playbooks.by_id(uow, playbook_id=wave.playbook_id)
        require_may_plan(uow, playbook)
        playbooks.lock_playbook(uow, playbook_id=playbook.id or 0)
        wave = waves.wave(uow, wave_id=wave_id, lock=True) or wave
        if wave.state is WaveState.OPEN:
            raise Refusal(say("Wave {number} is already open.", number=wave.number))
        if wave.state is WaveState.PLANNED:
            before = _as_data(uow, wave)
            wave.state = WaveState.CANCELED
            uow.session.add(wave)
            _place(uow, wave, [])
            uow.record(action="wave-canceled", subject=f"playbook:{playbook.slug}", before=before)
            rewrite_plans(uow, wave)
        return Done(
            text=say("Wave {number} of {title} is canceled.", number=wave.number, title=playbook.title),
            offers=(Offer("Plan it again", Action.PLAN_WAVE, playbook.slug),),
        )


def planned_wave(uow: UnitOfWork, slug: str) -> int:
    """The id of a playbook's planned wave.

    Raises:
        Unknown: there is no such playbook. Refusal: no wave is planned.
    """
    with uow.read():
        require_workspace(uow)
        playbook = require_playbook(uow, slug)
        rows = waves.of_playbook(uow, playbook_id=playbook.id or 0)
        planned = next((row for row in rows if row.state is WaveState.PLANNED), None)
        if planned is None:
            offers = offers_of(uow, playbook, None, curator=is_curator(uow), member=uow.actor.member)
            raise Refusal(
                say("No wave of {title} is planned.", title=playbook.title), offer=next(iter(offers), None)
            )
        return planned.id or 0
