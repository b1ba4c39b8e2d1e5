"""Adopt a playbook in a second team: who can do so, which version it runs, and its champion."""

from dataclasses import dataclass
from zoneinfo import ZoneInfo

from cadence.documents.words import MEMBER
from cadence.flows.adoption.access import override_access, require_access, require_may_adopt
from cadence.flows.adoption.capacity import running_titles
from cadence.flows.core import (
    adoption_views,
    once,
    require_not_retired,
    require_people,
    require_playbook,
    require_team,
    require_workspace,
    rewrite_cycle_posts,
    spec_of,
    version_name,
    version_to_run,
)
from cadence.flows.people import keep_members, member_ids, record_team, require_may_change
from cadence.flows.setup import CHAMPION, SETUP
from cadence.mrkdwn import Mrkdwn, channel_link, code, mention, say
from cadence.refusals import Offer, Refusal
from cadence.rules.calendar import local_day
from cadence.rules.signals import CYCLES_AT_ONCE
from storage.outbox.queueing import NewMessage
from storage.queries import adoptions, people, playbooks
from storage.tables import Adoption, AdoptionState, Playbook, PlaybookState, PlaybookVersion, Team
from storage.work import UnitOfWork
from templates.contexts.adoption import AdoptForm
from templates.contexts.answers import Done
from templates.contexts.base import Choice
from templates.ids import Action


@dataclass(frozen=True, slots=True)
class AdoptionGiven:
    """A request to adopt: the team by its slug or its channel; `champion` is a Slack member ID.

    `add_champion` also adds the champion to the team. `reason` is a curator's, to let in a team that is
    in no open wave.
    """

    playbook: str
    team: str | None = None
    channel: str | None = None
    champion: str | None = None
    add_champion: bool = False
    reason: str | None = None


class NeedsForm(Refusal):
    """The team or its champion wasn't given: the form asks. `team` is the slug, if known."""

    def __init__(self, text: str, *, field: str, team: str | None = None) -> None:
        self.team = team
        super().__init__(text, field=field)


@once
def adopt(uow: UnitOfWork, given: AdoptionGiven) -> Done:
    """Adopt a playbook in a team; its channel gets the checklist, its champion a DM.

    The team runs the version published last, or the newest revision if none is published.

    Raises:
        NotAllowed: neither the owner nor a curator. NeedsForm: the team or the champion isn't clear. Refusal:
        no such team, a team that already runs it, a playbook that nobody has run or that is retired, a
            champion from outside the team.
    """
    with uow.write():
        playbook = require_playbook(uow, given.playbook)
        require_may_adopt(uow, playbook)
        playbook = playbooks.lock_playbook(uow, playbook_id=playbook.id or 0)
        require_adoptable(playbook)
        team = _team(uow, playbook, given)
        known = adoptions.adoption_of(uow, playbook_id=playbook.id or 0, team_id=team.id or 0)
        _require_new(known, playbook, team)
        reason = require_access(uow, playbook, team, champion=given.champion, reason=given.reason)
        champion = _champion(uow, playbook, team, given)
        adoption = _adopt(uow, playbook, team, known, champion=champion)
        if reason is not None:
            override_access(uow, playbook, team, adoption, reason)
        return _adopted(uow, playbook, version_to_run(uow, playbook, adoption), adoption, team)


def adopt_in_wave(uow: UnitOfWork, playbook: Playbook, team: Team, *, champion: str) -> Adoption | None:
    """Adopt a playbook in a team of a wave that opens, as `adopt` does; None if the team runs it already."""
    known = adoptions.adoption_of(uow, playbook_id=playbook.id or 0, team_id=team.id or 0)
    if known is not None and known.state is not AdoptionState.ENDED:
        return None
    return _adopt(uow, playbook, team, known, champion=champion)


def _adopt(
    uow: UnitOfWork, playbook: Playbook, team: Team, known: Adoption | None, *, champion: str
) -> Adoption:
    version = version_to_run(uow, playbook, None)
    adoption = _save(uow, playbook, version, team, known, champion=champion)
    _send_messages(uow, adoption, team, again=known is not None)
    for view in adoption_views(uow, playbook_id=playbook.id):
        if view.cycle is not None:  # the fourth week of its cycle asks for a next team
            rewrite_cycle_posts(uow, view, view.cycle, mark=f"adopted:{adoption.id}")
    return adoption


def require_adoptable(playbook: Playbook) -> None:
    """Check that another team can adopt a playbook.

    Raises:
        Refusal: it is retired, or nobody has run it yet.
    """
    require_not_retired(playbook)
    if playbook.state is PlaybookState.DRAFT:
        raise Refusal(
            say(
                "{title} is a draft that no team has run yet. Start a first cycle, then other teams can adopt it.",
                title=playbook.title,
            ),
            field="playbook",
            offer=Offer("Start a cycle", Action.START_CYCLE, playbook.slug),
        )


def _team(uow: UnitOfWork, playbook: Playbook, given: AdoptionGiven) -> Team:
    if given.team is not None:
        team = require_team(uow, given.team)
        if given.channel is not None and given.channel != team.channel:
            raise Refusal(
                say(
                    "{channel} isn't {team}'s channel; that's {own}. Leave out one of the two.",
                    channel=channel_link(given.channel),
                    team=team.title,
                    own=channel_link(team.channel),
                ),
                field="team",
            )
        return team
    if given.channel is not None:
        found = people.team_by_channel(uow, channel=given.channel)
        if found is not None:
            return found
        raise Refusal(
            say(
                "{channel} doesn't belong to a team yet. Create the team first.",
                channel=channel_link(given.channel),
            ),
            field="team",
            offer=Offer("Create the team", Action.CREATE_TEAM, f"channel:{given.channel}"),
        )
    raise NeedsForm(say("Which team should adopt {title}?", title=playbook.title), field="team")


def _require_new(known: Adoption | None, playbook: Playbook, team: Team) -> None:
    if known is not None and known.state is not AdoptionState.ENDED:
        since = local_day(known.created_at, ZoneInfo(team.timezone))
        raise Refusal(
            say(
                "{team} already runs {title}, since {since:%-d %b %Y}. To see how it's doing, type {status}.",
                team=team.title,
                title=playbook.title,
                since=since,
                status=code(f"/cadence status {playbook.slug} team={team.slug}"),
            ),
            field="team",
        )


def _champion(uow: UnitOfWork, playbook: Playbook, team: Team, given: AdoptionGiven) -> str:
    """The champion, a member of the team or the playbook's owner: without one a team gets no access (SPEC
    §6)."""
    members = member_ids(uow, team)
    champion = given.champion or (uow.actor.member if uow.actor.member in members else None)
    if champion is None:
        raise NeedsForm(
            say(
                "Who in {team} will set it up and keep it going? Every team needs a champion.",
                team=team.title,
            ),
            field="champion",
            team=team.slug,
        )
    if champion in members or champion == playbook.owner:
        return champion
    _require_person(uow, champion)
    if not given.add_champion:
        raise Refusal(
            say(
                "{who} isn't in {team}, and its champion has to be. To add them, type {command}.",
                who=mention(champion),
                team=team.title,
                command=code(f"/cadence team join {team.slug}"),
            ),
            field="champion",
            offer=Offer(
                "Add them and adopt", Action.ADD_CHAMPION, f"{playbook.slug}:{team.slug}:{champion}"[:150]
            ),
        )
    require_may_change(uow, team, field="champion")
    after = {*members, champion}
    keep_members(uow, team, after)
    record_team(uow, team.slug, before=sorted(members), after=sorted(after))
    return champion


def _require_person(uow: UnitOfWork, champion: str) -> None:
    known = people.member(uow, member_id=champion)
    if not MEMBER.fullmatch(champion) or known is None:
        raise Refusal(
            "The champion must be a person in this Slack workspace. Choose someone else.", field="champion"
        )
    require_people(uow, [champion], field="champion", in_team=True)


def _save(
    uow: UnitOfWork,
    playbook: Playbook,
    version: PlaybookVersion,
    team: Team,
    known: Adoption | None,
    *,
    champion: str,
) -> Adoption:
    adoption = known or Adoption(
        workspace_id=playbook.workspace_id,
        playbook_id=playbook.id or 0,
        version_id=version.id or 0,
        team_id=team.id or 0,
        created_at=uow.now,
    )
    adoption.version_id, adoption.champion, adoption.state = version.id or 0, champion, AdoptionState.ACTIVE
    uow.session.add(adoption)
    uow.session.flush()
    uow.record(
        action="adopted",
        subject=f"adoption:{adoption.id}",
        after={
            "playbook": playbook.slug,
            "team": team.slug,
            "version": version_name(version),
            "champion": champion,
        },
    )
    return adoption


def _send_messages(uow: UnitOfWork, adoption: Adoption, team: Team, *, again: bool) -> None:
    """The checklist for the team's channel, and the first step for the champion."""
    occasion = (f"{uow.now:%Y%m%d%H%M}",) if again else ()
    subject = {"adoption": adoption.id}
    uow.send(
        [
            NewMessage(kind, recipient, subject, about=(adoption.id, recipient, *occasion))
            for kind, recipient in ((SETUP, team.channel), (CHAMPION, adoption.champion or ""))
        ]
    )


def _adopted(
    uow: UnitOfWork, playbook: Playbook, version: PlaybookVersion, adoption: Adoption, team: Team
) -> Done:
    spec = spec_of(uow, version)
    running = running_titles(uow, adoption)
    full = Mrkdwn("")
    if len(running) >= CYCLES_AT_ONCE:
        full = say(
            "\n{team} already has {count} running cycles, so only a curator can start its first one of {title}.",
            team=team.title,
            count=len(running),
            title=playbook.title,
        )
    return Done(
        text=say(
            "{team} is adopting {title}, {version}. Champion: {champion}.\n"
            "The setup checklist is in {channel}: {items}, up to {limit:,} min.{full}",
            team=team.title,
            title=playbook.title,
            version=version_name(version),
            champion=mention(adoption.champion or ""),
            channel=channel_link(team.channel),
            items=f"{len(spec.checklist)} items" if len(spec.checklist) != 1 else "1 item",
            limit=spec.setup_minutes,
            full=full,
        ),
        offers=(
            Offer("Start setup", Action.START_SETUP, str(adoption.id)),
            Offer("Show the playbook", Action.SHOW_PLAYBOOK, playbook.slug),
        ),
    )


def adopt_form(
    uow: UnitOfWork, *, playbook: str | None, team: str | None = None, champion: str | None = None
) -> AdoptForm:
    """The form to adopt a playbook in a team, prefilled; teams that don't run it come first.

    Raises:
        NotAllowed: neither the playbook's owner nor a curator. Refusal: there is no playbook to adopt, or no
        team.
    """
    with uow.read():
        require_workspace(uow)
        if playbook is not None:
            row = require_playbook(uow, playbook)
            require_may_adopt(uow, row)
            require_adoptable(row)
        every = playbooks.playbooks(uow)
        ready = [row for row in every if row.state not in (PlaybookState.DRAFT, PlaybookState.RETIRED)]
        if not ready:
            raise Refusal(
                "No team has run a playbook yet. Start the first team's cycle with `/cadence cycle start`."
            )
        teams = people.teams(uow)
        if not teams:
            raise Refusal("There are no teams yet. Create the first one with `/cadence team create`.")
        mine = [row for row in ready if row.owner == uow.actor.member]
        chosen = playbook or (mine[0].slug if len(mine) == 1 else None)
        chosen = chosen or (ready[0].slug if len(ready) == 1 else None)
        having = _having(uow, next((row for row in ready if row.slug == chosen), None))
        here = next(
            (one.slug for one in teams if one.channel == uow.actor.channel and one.id not in having), None
        )
        ordered = sorted(teams, key=lambda one: (one.id in having, one.title))
        return AdoptForm(
            playbooks=tuple(
                Choice(label=row.title, value=row.slug)
                for row in sorted(ready, key=lambda row: (row.owner != uow.actor.member, row.slug))
            ),
            teams=tuple(Choice(label=one.title, value=one.slug) for one in ordered),
            playbook=chosen,
            team=team or here,
            champion=champion,
        )


def _having(uow: UnitOfWork, playbook: Playbook | None) -> set[int | None]:
    """The teams that already run a playbook."""
    if playbook is None:
        return set()
    return {team.id for _, team in adoptions.adopters(uow, playbook_id=playbook.id or 0)}
