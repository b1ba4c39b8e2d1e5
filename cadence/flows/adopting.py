"""A second team takes a playbook up: who may, which version, with whom as champion."""

from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from sqlmodel import Session

from cadence.documents import playbook_from_data
from cadence.documents.words import MEMBER
from cadence.flows.callers import Caller, require_owner_or_curator, require_people
from cadence.flows.capacity import running_titles
from cadence.flows.cycle_rewrites import rewrite_cycle_posts
from cadence.flows.lookups import require_playbook, require_team
from cadence.flows.noting import note
from cadence.flows.repeats import once
from cadence.flows.runs import require_workspace, team_runs
from cadence.flows.teams import keep_members, member_ids, record_team, require_may_change
from cadence.flows.versions import require_not_retired, version_name, version_to_run
from cadence.mrkdwn import Mrkdwn, channel_link, code, mention, say
from cadence.refusals import Offer, Refusal
from cadence.rules.calendar import local_day
from cadence.rules.signals import CYCLES_AT_ONCE
from storage import ledger, people, playbooks
from storage.engine import Database
from storage.ledger import Owed
from storage.tables import Adoption, AdoptionState, Playbook, PlaybookState, PlaybookVersion, Team
from templates.contexts.answers import Done
from templates.ids import Action


@dataclass(frozen=True, slots=True)
class AdoptionGiven:
    """An adoption as someone asked for it: the team by its slug or its channel; `champion` is a Slack member ID.

    `add_champion` puts the champion into the team as well.
    """

    playbook: str
    team: str | None = None
    channel: str | None = None
    champion: str | None = None
    add_champion: bool = False


class NeedsForm(Refusal):
    """The team or its champion wasn't said: the form asks. `team` is the slug, when it is known."""

    def __init__(self, text: str, *, field: str, team: str | None = None) -> None:
        self.team = team
        super().__init__(text, field=field)


@once
def adopt(db: Database, caller: Caller, given: AdoptionGiven, *, now: datetime) -> Done:
    """Let a team take a playbook up; its channel gets the checklist, its champion a DM.

    The team runs the version published last, or the newest revision while none is.

    Raises:
        NotAllowed: neither the owner nor a curator.
        NeedsForm: the team or the champion isn't clear.
        Refusal: no such team, a team that runs it already, a playbook that nobody has run or that is retired, a
            champion from outside the team.
    """
    with db.write() as session:
        workspace = require_workspace(session, caller.workspace_id)
        playbook = require_playbook(session, workspace.id, given.playbook)
        require_owner_or_curator(session, caller, owner=playbook.owner, to=wish(playbook))
        require_adoptable(playbook)
        team = _team(session, caller, playbook, given)
        known = playbooks.adoption_of(
            session, workspace_id=workspace.id, playbook_id=playbook.id or 0, team_id=team.id or 0
        )
        _require_new(known, playbook, team)
        champion = _champion(session, caller, playbook, team, given, now=now)
        version = version_to_run(session, playbook, None)
        adoption = _save(session, caller, playbook, version, team, known, champion=champion, now=now)
        _owe(session, caller, adoption, team, again=known is not None, now=now)
        for run in team_runs(session, workspace=workspace, now=now, playbook_id=playbook.id):
            if run.cycle is not None:  # its fourth week asks for a next team
                rewrite_cycle_posts(session, caller, run, run.cycle, mark=f"adopted:{adoption.id}", now=now)
        return _adopted(session, playbook, version, adoption, team)


def wish(playbook: Playbook) -> str:
    """What somebody wants who adopts a playbook: the end of "only … may …"."""
    return f"bring {playbook.title[:60]} to another team"


def require_adoptable(playbook: Playbook) -> None:
    """Let a playbook through that another team can take up.

    Raises:
        Refusal: it is retired, or nobody has run it yet.
    """
    require_not_retired(playbook)
    if playbook.state is PlaybookState.DRAFT:
        raise Refusal(
            say(
                "{title} is a draft that no team has run yet, so there is nothing to hand on. "
                "A first team runs it, then others take it up.",
                title=playbook.title,
            ),
            field="playbook",
            offer=Offer("Start a cycle", Action.START_CYCLE, playbook.slug),
        )


def _team(session: Session, caller: Caller, playbook: Playbook, given: AdoptionGiven) -> Team:
    if given.team is not None:
        team = require_team(session, caller.workspace_id, given.team)
        if given.channel is not None and given.channel != team.channel:
            raise Refusal(
                say(
                    "{channel} isn't the channel of {team}; that is {own}. Leave one of the two out.",
                    channel=channel_link(given.channel),
                    team=team.title,
                    own=channel_link(team.channel),
                ),
                field="team",
            )
        return team
    if given.channel is not None:
        found = people.team_by_channel(session, workspace_id=caller.workspace_id, channel=given.channel)
        if found is not None:
            return found
        raise Refusal(
            say(
                "{channel} belongs to no team yet. Make the team first.", channel=channel_link(given.channel)
            ),
            field="team",
            offer=Offer("Create the team", Action.CREATE_TEAM, f"channel:{given.channel}"),
        )
    raise NeedsForm(say("Which team takes {title} up?", title=playbook.title), field="team")


def _require_new(known: Adoption | None, playbook: Playbook, team: Team) -> None:
    if known is not None and known.state is not AdoptionState.ENDED:
        since = local_day(known.created_at, ZoneInfo(team.timezone))
        raise Refusal(
            say(
                "{team} has {title} already, since {since:%-d %b %Y}. {status} shows where it stands.",
                team=team.title,
                title=playbook.title,
                since=since,
                status=code(f"/cadence status {playbook.slug} team={team.slug}"),
            ),
            field="team",
        )


def _champion(
    session: Session,
    caller: Caller,
    playbook: Playbook,
    team: Team,
    given: AdoptionGiven,
    *,
    now: datetime,
) -> str:
    """The champion, of the team or the playbook's owner: without one a team gets no access (SPEC §6)."""
    members = member_ids(session, team)
    champion = given.champion or (caller.member if caller.member in members else None)
    if champion is None:
        raise NeedsForm(
            say(
                "Who in {team} sets it up and keeps the team at it? Without a champion, no access.",
                team=team.title,
            ),
            field="champion",
            team=team.slug,
        )
    if champion in members or champion == playbook.owner:
        return champion
    _require_person(session, team, champion)
    if not given.add_champion:
        raise Refusal(
            say(
                "{who} isn't in {team}, and a champion has to be. {command} puts them there.",
                who=mention(champion),
                team=team.title,
                command=code(f"/cadence team join {team.slug}"),
            ),
            field="champion",
            offer=Offer(
                "Add them and adopt", Action.ADD_CHAMPION, f"{playbook.slug}:{team.slug}:{champion}"[:150]
            ),
        )
    require_may_change(session, caller, team, field="champion")
    after = {*members, champion}
    keep_members(session, caller, team, after, now=now)
    record_team(session, caller, team.slug, before=sorted(members), after=sorted(after), now=now)
    return champion


def _require_person(session: Session, team: Team, champion: str) -> None:
    known = people.member(session, workspace_id=team.workspace_id, member_id=champion)
    if not MEMBER.fullmatch(champion) or known is None:
        raise Refusal("The champion has to be a person in this Slack. Choose another one.", field="champion")
    require_people(session, team.workspace_id, [champion], field="champion", in_team=True)


def _save(
    session: Session,
    caller: Caller,
    playbook: Playbook,
    version: PlaybookVersion,
    team: Team,
    known: Adoption | None,
    *,
    champion: str,
    now: datetime,
) -> Adoption:
    adoption = known or Adoption(
        workspace_id=playbook.workspace_id,
        playbook_id=playbook.id or 0,
        version_id=version.id or 0,
        team_id=team.id or 0,
        created_at=now,
    )
    adoption.version_id, adoption.champion, adoption.state = version.id or 0, champion, AdoptionState.ACTIVE
    session.add(adoption)
    session.flush()
    note(
        session,
        caller,
        action="adopted",
        subject=f"adoption:{adoption.id}",
        after={
            "playbook": playbook.slug,
            "team": team.slug,
            "version": version_name(version),
            "champion": champion,
        },
        now=now,
    )
    return adoption


def _owe(
    session: Session, caller: Caller, adoption: Adoption, team: Team, *, again: bool, now: datetime
) -> None:
    """The checklist for the team's channel, and the first step for the champion."""
    ids = f"{adoption.workspace_id}:{adoption.id}"
    ledger.owe(
        session,
        workspace_id=adoption.workspace_id,
        owed=[
            Owed(
                key=f"{kind}:{ids}:{recipient}" + (f":{now:%Y%m%d%H%M}" if again else ""),
                kind=kind,
                recipient=recipient,
                subject={"adoption": adoption.id},
                due_at=now,
            )
            for kind, recipient in (("setup", team.channel), ("champion", adoption.champion or ""))
        ],
        now=now,
        correlation_id=caller.request,
    )


def _adopted(
    session: Session, playbook: Playbook, version: PlaybookVersion, adoption: Adoption, team: Team
) -> Done:
    spec = playbook_from_data(version.spec)
    running = running_titles(session, adoption)
    full = Mrkdwn("")
    if len(running) >= CYCLES_AT_ONCE:
        full = say(
            "\n{team} has {count} running cycles already: its first cycle of {title} will need a curator.",
            team=team.title,
            count=len(running),
            title=playbook.title,
        )
    return Done(
        text=say(
            "{team} takes up {title}, {version}, with {champion} as champion.\n"
            "{channel} gets the checklist: {items}, to be done within {limit:,} min.{full}",
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
