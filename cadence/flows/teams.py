"""Teams: created, changed and shown, by those who may."""

from collections.abc import Iterable
from datetime import datetime

from sqlmodel import Session

from cadence.documents.places import is_timezone, timezone_hint
from cadence.flows.callers import Caller, is_curator, require_people
from cadence.flows.coming_back import owe_missed_checkin
from cadence.flows.join_requests import settle_requests, tell_of_leaving
from cadence.flows.lookups import require_team
from cadence.flows.noting import note
from cadence.flows.repeats import once
from cadence.flows.runs import require_workspace, team_runs
from cadence.flows.team_checks import TeamGiven, wrong_fields
from cadence.mrkdwn import Mrkdwn, channel_link, code, say
from cadence.refusals import FieldsRefused, NotAllowed, Refusal
from storage import people
from storage.engine import Database
from storage.tables import Team
from templates.contexts.playbooks import TeamShown


def save_team(session: Session, caller: Caller, given: TeamGiven, *, now: datetime) -> str:
    """Create or change a team; returns `created`, `changed` or `unchanged`.

    Raises:
        Refusal: an unknown time zone, or a channel that belongs to another team.
    """
    if not is_timezone(given.timezone):
        raise Refusal(
            say(
                "{zone} is no time zone: {hint}",
                zone=code(given.timezone),
                hint=timezone_hint(given.timezone),
            ),
            field="timezone",
        )
    other = people.team_by_channel(session, workspace_id=caller.workspace_id, channel=given.channel)
    if other is not None and other.slug != given.slug:
        raise Refusal(
            say(
                "{channel} is the channel of {team} already; each team needs its own.",
                channel=channel_link(given.channel),
                team=other.title,
            ),
            field="channel",
        )
    row = people.team_by_slug(session, workspace_id=caller.workspace_id, slug=given.slug)
    before = _as_data(session, row) if row else None
    if row is None:
        row = Team(
            workspace_id=caller.workspace_id,
            slug=given.slug,
            title=given.title,
            function=given.function,
            channel=given.channel,
            timezone=given.timezone,
            created_at=now,
        )
    row.title, row.function, row.channel = given.title, given.function, given.channel
    row.timezone, row.region, row.country = given.timezone, given.region, given.country
    row.reporter = given.reporter
    session.add(row)
    session.flush()
    keep_members(session, caller, row, given.members, now=now)
    after = _as_data(session, row)
    if before == after:
        return "unchanged"
    record_team(session, caller, given.slug, before=before, after=after, now=now)
    return "changed" if before else "created"


def keep_members(
    session: Session,
    caller: Caller,
    team: Team,
    members: Iterable[str],
    *,
    by_themselves: bool = False,
    now: datetime,
) -> None:
    """Make exactly these people the team's members; new ones still get this week's check-in.

    The owner hears of those who left. What was asked about those who joined is settled.

    Args:
        by_themselves: the caller joins without anybody putting them there.

    Raises:
        Refusal: one of the new members can't take part.
    """
    session.refresh(team, with_for_update=True)  # members change one after the other
    known, members = set(member_ids(session, team)), list(members)
    new = [member for member in members if member not in known]
    require_people(session, caller.workspace_id, new, field="members", in_team=True)
    joined, left = people.set_members(
        session,
        workspace_id=caller.workspace_id,
        team_id=team.id or 0,
        members=members,
        self_joined=caller.member if by_themselves else None,
        now=now,
    )
    session.flush()
    settle_requests(session, caller, team, joined, now=now)
    if left:
        tell_of_leaving(session, caller, team, left, now=now)
    workspace = require_workspace(session, caller.workspace_id)
    owe_missed_checkin(session, workspace, *sorted(joined), now=now, correlation_id=caller.request)


def may_change(session: Session, caller: Caller, team: Team) -> bool:
    """Whether the caller may change a team, put others in or take them out.

    Curators may, the owners of what it runs, and members whom somebody put there: joining by oneself gives no
    say over others.
    """
    if is_curator(session, caller):
        return True
    rows = people.memberships(session, workspace_id=team.workspace_id, team_ids=[team.id or 0])
    if any(row.member == caller.member and not row.self_joined for row in rows):
        return True
    return caller.member in people.owners_of(session, workspace_id=team.workspace_id, team_id=team.id or 0)


def record_team(
    session: Session, caller: Caller, slug: str, *, before: object, after: object, now: datetime
) -> None:
    """Put a change of a team into the trail."""
    note(
        session,
        caller,
        action="team-changed" if before else "team-created",
        subject=f"team:{slug}",
        before=before,
        after=after,
        now=now,
    )


def member_ids(session: Session, team: Team) -> list[str]:
    """The Slack IDs of a team's members."""
    rows = people.memberships(session, workspace_id=team.workspace_id, team_ids=[team.id or 0])
    return [row.member for row in rows]


def _as_data(session: Session, team: Team) -> dict[str, object]:
    return {
        "title": team.title,
        "function": team.function,
        "region": team.region,
        "channel": team.channel,
        "timezone": team.timezone,
        "country": team.country,
        "members": sorted(member_ids(session, team)),
        "reporter": team.reporter,
    }


@once
def create_team(db: Database, caller: Caller, given: TeamGiven, *, now: datetime) -> TeamShown:
    """Create or change a team from a form.

    Anybody may make a team they are in; changing one takes a member of it or a curator.

    Raises:
        Refusal: see `save_team`; a reporter who isn't a member.
        NotAllowed: someone else's team.
    """
    with db.write() as session:
        require_workspace(session, caller.workspace_id)
        known = people.team_by_slug(session, workspace_id=caller.workspace_id, slug=given.slug)
        if known is not None and given.new:
            raise Refusal(
                say("There is a team {slug} already. Choose another short name.", slug=code(known.slug)),
                field="slug",
            )
        _require_may_save(session, caller, known, given)
        errors = dict(wrong_fields(given, new=known is None))
        if errors:
            raise FieldsRefused(errors)
        outcome = save_team(session, caller, given, now=now)
        team = require_team(session, caller.workspace_id, given.slug)
        return _shown(session, team, now=now, created=outcome == "created", changed=outcome == "changed")


def _require_may_save(session: Session, caller: Caller, known: Team | None, given: TeamGiven) -> None:
    if known is not None:
        require_may_change(session, caller, known, field="members")
    elif caller.member not in given.members and not is_curator(session, caller):
        raise NotAllowed(
            "You aren't in this team. Only one of its members or a curator can create it.", field="members"
        )


def require_may_change(session: Session, caller: Caller, team: Team, *, field: str | None = None) -> None:
    """Let those through who may change a team.

    Raises:
        NotAllowed: the sentence says who may.
    """
    if may_change(session, caller, team):
        return
    if caller.member in member_ids(session, team):
        raise NotAllowed(
            say(
                "You joined {team} yourself. Only its owner, members somebody added, or a curator can change it.",
                team=team.title,
            ),
            field=field,
        )
    raise NotAllowed(
        say("Only members of {team}, its owner or a curator can change it.", team=team.title), field=field
    )


def show_team(db: Database, caller: Caller, slug: str | None, *, now: datetime) -> TeamShown:
    """A team and its members; without a slug, the team of the channel or the person's only one.

    Raises:
        Refusal: no such team, or it isn't clear which.
    """
    with db.read() as session:
        return _shown(session, team_meant(session, caller, slug), now=now)


class WhichTeam(Refusal):
    """Several teams fit what was asked: the person has to say which."""


def team_meant(session: Session, caller: Caller, slug: str | None) -> Team:
    """The team of a slug; without one that of the channel, else the only one the caller is in.

    Raises:
        Refusal: no such team.
        WhichTeam: it isn't clear which.
    """
    if slug is not None:
        return require_team(session, caller.workspace_id, slug)
    if caller.channel is not None:
        team = people.team_by_channel(session, workspace_id=caller.workspace_id, channel=caller.channel)
        if team is not None:
            return team
    mine = people.teams_of(session, workspace_id=caller.workspace_id, member_id=caller.member)
    if len(mine) == 1:
        return mine[0]
    known = mine or people.teams(session, workspace_id=caller.workspace_id)
    slugs = Mrkdwn(", ".join(code(team.slug) for team in known[:12]))
    if not slugs:
        raise Refusal("There's no team yet. `/cadence team create` makes the first one.", field="team")
    raise WhichTeam(
        say("Which team? Add one of {whose}: {slugs}.", whose="yours" if mine else "these", slugs=slugs),
        field="team",
    )


def _shown(
    session: Session, team: Team, *, now: datetime, created: bool = False, changed: bool = False
) -> TeamShown:
    workspace = require_workspace(session, team.workspace_id)
    runs = team_runs(session, workspace=workspace, now=now, team_ids=[team.id or 0])
    return TeamShown(
        slug=team.slug,
        title=team.title,
        function=team.function,
        timezone=team.timezone,
        members=tuple(member_ids(session, team)),
        region=team.region or "",
        country=team.country or "",
        channel=team.channel,
        reporter=team.reporter,
        playbooks=tuple(run.playbook.title for run in runs),
        created=created,
        changed=changed,
    )
