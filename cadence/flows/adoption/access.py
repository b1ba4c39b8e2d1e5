"""Which teams can adopt a playbook: from the fourth on, and once it has waves, only those of an open wave."""

from cadence.flows.core import (
    MessageKind,
    ask_offer,
    is_curator,
    override_about,
    require_curator,
    require_owner_or_curator,
    require_playbook,
    require_team,
    save_override,
    worthy_reason,
)
from cadence.mrkdwn import say
from cadence.refusals import NotAllowed, Offer, Refusal
from cadence.rules.waves import TEAMS_BY_COMMAND, needs_wave
from storage.queries import adoptions, waves
from storage.tables import Adoption, OutboxMessage, OverrideKind, Playbook, Team, WaveState
from storage.work import UnitOfWork
from templates.contexts.adoption import AccessOverridden, LetInForm
from templates.ids import Action

TO = "let in a team that isn't in an open wave"


def wish(playbook: Playbook) -> str:
    """What somebody wants who tries to adopt a playbook: the end of "only … may …"."""
    return f"bring {playbook.title[:60]} to another team"


def require_may_adopt(uow: UnitOfWork, playbook: Playbook) -> None:
    """Require the playbook's owner or a curator; others can request a playbook that is rolled out in waves.

    Raises:
        NotAllowed: anybody else.
    """
    try:
        require_owner_or_curator(uow, playbook=playbook, to=wish(playbook))
    except NotAllowed as refused:
        if not _needs_wave(uow, playbook):
            raise
        raise NotAllowed(refused.text, offer=Offer("Ask for it", Action.REQUEST, playbook.slug)) from refused


def _needs_wave(uow: UnitOfWork, playbook: Playbook) -> bool:
    having = {team.id for _, team in adoptions.adopters(uow, playbook_id=playbook.id or 0)}
    pilot = waves.pilot_team(uow, playbook_id=playbook.id or 0)
    return needs_wave(
        has_waves=bool(waves.of_playbook(uow, playbook_id=playbook.id or 0)),
        others=len(having - {pilot.id if pilot else None}),
    )


class NeedsWave(Refusal):
    """The team isn't in an open wave; curators (`may_override`) are offered to let it in anyway."""

    def __init__(self, text: str, *, offer: Offer | None, may_override: bool, team: str) -> None:
        self.may_override = may_override
        self.team = team
        super().__init__(text, field="team", offer=offer)


def require_access(
    uow: UnitOfWork, playbook: Playbook, team: Team, *, champion: str | None, reason: str | None
) -> str | None:
    """Check that a team can adopt a playbook; returns a curator's reason if that is why it can.

    Raises:
        NeedsWave: it has to be in an open wave, and no reason was given. NotAllowed: a reason was given by
        somebody who isn't a curator. Refusal: the reason is too short.
    """
    if not _needs_wave(uow, playbook) or waves.open_waves_of_team(
        uow, playbook_id=playbook.id or 0, team_id=team.id or 0
    ):
        return None
    if reason is None:
        raise _needs(uow, playbook, team, champion)
    require_curator(uow, to=TO)
    return worthy_reason(reason, readers="The team and the curators")


def _needs(uow: UnitOfWork, playbook: Playbook, team: Team, champion: str | None) -> NeedsWave:
    rows = waves.of_playbook(uow, playbook_id=playbook.id or 0)
    curator = is_curator(uow)
    if curator:
        value = f"{playbook.slug}:{team.slug}:{champion or ''}"[:150]
        offer: Offer | None = Offer("Let it in anyway", Action.LET_IN, value)
    elif any(row.state is WaveState.PLANNED for row in rows):
        offer = Offer("Change the plan", Action.PLAN_WAVE, playbook.slug)
    else:
        offer = Offer("Plan the next wave", Action.PLAN_WAVE, playbook.slug)
    why = (
        say("{title} is rolled out in waves, and", title=playbook.title)
        if rows
        else say(
            "{count} teams besides the pilot team run {title} already. More teams adopt it in waves, and",
            count=TEAMS_BY_COMMAND,
            title=playbook.title,
        )
    )
    return NeedsWave(
        say(
            "{why} {team} isn't in an open one. {way}",
            why=why,
            team=team.title,
            way="You can let it in anyway, with a reason."
            if curator
            else "Plan it for the next wave, or ask a curator to let it in.",
        ),
        offer=offer or ask_offer(uow, to=f"let {team.title[:40]} adopt {playbook.title[:40]}"),
        may_override=curator,
        team=team.slug,
    )


def override_access(uow: UnitOfWork, playbook: Playbook, team: Team, adoption: Adoption, reason: str) -> None:
    """Store and announce that a curator let a team in without a wave."""
    save_override(
        uow,
        OverrideKind.ACCESS,
        playbook_id=playbook.id or 0,
        version_id=adoption.version_id,
        adoption_id=adoption.id,
        passed_over={},
        reason=reason,
        team=team,
    )


def overridden(uow: UnitOfWork, message: OutboxMessage) -> AccessOverridden:
    """The announcement of a team that was let in.

    Raises:
        Refusal: there is no such override, or the team doesn't run the playbook any more.
    """
    row, view = override_about(uow, message)
    return AccessOverridden(
        playbook=view.playbook.title, team=view.team.title, curator=row.member, reason=row.reason
    )


def let_in_form(uow: UnitOfWork, *, playbook: str, team: str, champion: str | None = None) -> LetInForm:
    """The form that asks a curator why a team is let in without a wave.

    Raises:
        NotAllowed: the caller is no curator. Unknown: no such playbook or team.
    """
    with uow.read():
        require_curator(uow, to=TO)
        book = require_playbook(uow, playbook)
        there = require_team(uow, team)
        return LetInForm(playbook=book.title, team=there.title, champion=champion)


ACCESS_OVERRIDDEN = MessageKind("access-overridden", overridden)
