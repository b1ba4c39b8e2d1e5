"""Opening a wave: its gate, a curator's override of it, and the adoption in each team."""

from typing import Any

from cadence.flows.adoption import adopt_in_wave
from cadence.flows.core import (
    announce,
    once,
    require_curator,
    require_not_retired,
    require_workspace,
    rewrite_digest,
    save_override,
    worthy_reason,
)
from cadence.flows.people import member_ids
from cadence.flows.waves.gates import Judged, Placed, judged, teams_placed
from cadence.flows.waves.planning import GONE, rewrite_plans
from cadence.flows.waves.shown import OPENED, opened_context
from cadence.mrkdwn import Mrkdwn, say
from cadence.refusals import Offer, Refusal
from storage.queries import playbooks, waves
from storage.tables import OverrideKind, Playbook, Team, Wave, WaveState
from storage.work import UnitOfWork
from templates.contexts.waves import WaveAnywayForm, WaveOpened
from templates.ids import Action

TO = "open a wave"
LINES = 12
"""Missing items named in a refusal."""


class WaveHeld(Refusal):
    """The gate of the wave doesn't hold; the curator is offered to open it anyway."""


@once
def open_wave(uow: UnitOfWork, wave_id: int, *, reason: str | None = None) -> WaveOpened:
    """Open a planned wave: each team with a champion adopts the playbook; the others are left out and named.

    Args:
        reason: a curator's, to open it although its gate doesn't hold. It is announced and stays visible.

    Raises:
        NotAllowed: not a curator. WaveHeld: the gate doesn't hold, and no reason was given. Refusal: the wave isn't
        planned any more, no team has a champion, or the reason is too short.
    """
    with uow.write():
        playbook, wave = _planned(uow, wave_id, hold=True)
        if wave.state is WaveState.OPEN:
            return opened_context(uow, playbook, wave)
        verdict = judged(uow, playbook, wave)
        placed = teams_placed(uow, playbook, wave)
        led = [one for one in placed if _champion(uow, playbook, one) is not None]
        if not led:
            raise Refusal(
                say(
                    "No team of wave {number} has a champion. No champion, no access. Name one for each team first.",
                    number=wave.number,
                ),
                offer=Offer("Show the waves", Action.SHOW_WAVES, playbook.slug),
            )
        if not verdict.opens:
            if reason is None:
                raise _held(playbook, wave, verdict)
            reason = worthy_reason(reason, readers="The wave's teams and the curators")
        _open(uow, playbook, wave, verdict, placed, reason=None if verdict.opens else reason)
        return opened_context(uow, playbook, wave)


def _planned(uow: UnitOfWork, wave_id: int, *, hold: bool = False) -> tuple[Playbook, Wave]:
    """A wave that isn't canceled, and its playbook; both held until the transaction ends if asked."""
    wave = waves.wave(uow, wave_id=wave_id)
    if wave is None:
        raise Refusal(GONE)
    playbook = playbooks.by_id(uow, playbook_id=wave.playbook_id)
    require_curator(uow, to=f"{TO} of {playbook.title[:60]}")
    if hold:
        playbook = playbooks.lock_playbook(uow, playbook_id=wave.playbook_id)
        wave = waves.wave(uow, wave_id=wave_id, lock=True) or wave
    if wave.state is WaveState.CANCELED:
        raise Refusal(GONE)
    require_not_retired(playbook)
    return playbook, wave


def _champion(uow: UnitOfWork, playbook: Playbook, one: Placed) -> str | None:
    """The team's champion, unless they left the team since."""
    champion = one.row.champion
    return champion if champion in {playbook.owner, *member_ids(uow, one.team)} else None


def _held(playbook: Playbook, wave: Wave, verdict: Judged) -> WaveHeld:
    lines = Mrkdwn("".join(f"\n☐ {line}" for line in verdict.missing[:LINES]))
    more = len(verdict.missing) - LINES
    return WaveHeld(
        say(
            "Wave {number} of {title} can't open yet.{gate}{lines}{more}",
            number=wave.number,
            title=playbook.title,
            gate=say(" {gate}.", gate=verdict.gate) if verdict.gate else Mrkdwn(""),
            lines=lines,
            more=f"\n… and {more} more" if more > 0 else "",
        ),
        offer=Offer("Open anyway", Action.OPEN_WAVE_ANYWAY, str(wave.id)),
    )


def _open(
    uow: UnitOfWork,
    playbook: Playbook,
    wave: Wave,
    verdict: Judged,
    placed: list[Placed],
    *,
    reason: str | None,
) -> None:
    left_out = [one for one in placed if _champion(uow, playbook, one) is None]
    figures: dict[str, Any] = dict(verdict.figures) | {"left_out": [one.team.title for one in left_out]}
    if reason is not None:
        figures["override"] = {"reason": reason, "missing": [str(line) for line in verdict.missing]}
        save_override(
            uow,
            OverrideKind.WAVE,
            playbook_id=playbook.id or 0,
            passed_over={"wave": wave.number, "gaps": figures["override"]["missing"]},
            reason=reason,
        )
    wave.state, wave.opened_by, wave.opened_at, wave.gate = WaveState.OPEN, uow.actor.member, uow.now, figures
    uow.session.add(wave)
    for one in left_out:
        one.row.removed_at = uow.now
        uow.session.add(one.row)
    uow.session.flush()
    teams: list[Team] = []
    for one in placed:
        champion = _champion(uow, playbook, one)
        if champion is not None:
            adopt_in_wave(uow, playbook, one.team, champion=champion)
            teams.append(one.team)
    uow.record(
        action="wave-opened",
        subject=f"playbook:{playbook.slug}",
        after=figures | {"wave": wave.number, "teams": [team.slug for team in teams], "reason": reason},
    )
    announce(uow, require_workspace(uow), teams, kind=OPENED, slot=wave.id, subject={"wave": wave.id})
    rewrite_plans(uow, wave)
    rewrite_digest(uow, mark=f"wave-opened:{wave.id}")


def wave_anyway_form(uow: UnitOfWork, wave_id: int) -> WaveAnywayForm:
    """The form that asks a curator why a wave opens although its gate doesn't hold.

    Raises:
        NotAllowed: not a curator. Refusal: the wave isn't planned any more, or its gate holds by now.
    """
    with uow.read():
        playbook, wave = _planned(uow, wave_id)
        if wave.state is WaveState.OPEN:
            raise Refusal(say("Wave {number} is already open.", number=wave.number))
        verdict = judged(uow, playbook, wave)
        if verdict.opens:
            raise Refusal(
                say("Wave {number} can open now: nothing is missing anymore.", number=wave.number),
                offer=Offer(f"Open wave {wave.number}", Action.OPEN_WAVE, str(wave.id)),
            )
        return WaveAnywayForm(playbook=playbook.title, number=wave.number, missing=verdict.missing)
