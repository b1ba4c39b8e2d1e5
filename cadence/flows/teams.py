"""Who is who: the workspace file, teams, joining and leaving."""

from dataclasses import dataclass, field
from datetime import datetime

from sqlmodel import Session

from cadence.documents import Function, TeamSpec, WorkspaceSpec, dump_workspace
from cadence.documents.places import is_timezone, timezone_hint
from cadence.documents.workspace import hours_given
from cadence.flows.callers import Caller, is_curator, require_curator
from cadence.flows.lookups import require_team
from cadence.flows.nudge_hours import keep_workspace_hours, own_hours
from cadence.flows.repeats import done_before
from cadence.flows.runs import require_workspace, team_runs
from cadence.flows.team_checks import wrong_fields
from cadence.flows.working_week import keep_days, stored_days
from cadence.mrkdwn import channel_link, code, say
from cadence.refusals import FieldsRefused, NotAllowed, Refusal
from cadence.rules.verdicts import Rule
from storage import people, trail
from storage.engine import Database
from storage.tables import Team, Workspace
from templates.contexts.playbooks import TeamShown


@dataclass(frozen=True, slots=True)
class WorkspaceImported:
    """What a workspace file changed: team slugs and the curators."""

    created: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    unchanged: tuple[str, ...] = ()
    curators: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class TeamGiven:
    """A team as someone filled it in; a `new` one mustn't be there yet."""

    slug: str
    title: str
    function: str
    channel: str
    timezone: str
    members: tuple[str, ...] = field(default_factory=tuple)
    region: str | None = None
    country: str | None = None
    reporter: str | None = None
    new: bool = False


def import_workspace(
    session: Session, caller: Caller, spec: WorkspaceSpec, *, now: datetime
) -> WorkspaceImported:
    """Write a workspace file's rows, in the caller's transaction; teams it doesn't name are left alone.

    Raises:
        NotAllowed: the caller is no curator.
        Refusal: a channel that belongs to another team already.
    """
    workspace = require_workspace(session, caller.workspace_id)
    session.refresh(workspace, with_for_update=True)  # files are imported one after the other
    require_curator(session, caller, to="import a workspace file")
    workspace.timezone = spec.timezone or workspace.timezone
    workspace.country = spec.country or workspace.country
    workspace.curator_channel = spec.curator_channel or workspace.curator_channel
    workspace.rule = Rule(spec.rule) if spec.rule else workspace.rule
    keep_days(workspace, spec.working_days)
    session.add(workspace)
    hours = hours_given(spec)
    if hours is not None:
        session.flush()
        keep_workspace_hours(session, caller, hours, now=now)
    if spec.curators:
        people.set_curators(session, workspace_id=workspace.id, members=spec.curators, now=now)
    outcome: dict[str, list[str]] = {"created": [], "changed": [], "unchanged": []}
    for team in spec.teams:
        outcome[_import_team(session, caller, workspace, team, now=now)].append(team.slug)
    return WorkspaceImported(
        tuple(outcome["created"]),
        tuple(outcome["changed"]),
        tuple(outcome["unchanged"]),
        tuple(people.curators(session, workspace_id=workspace.id)),
    )


def _import_team(
    session: Session, caller: Caller, workspace: Workspace, spec: TeamSpec, *, now: datetime
) -> str:
    given = TeamGiven(
        slug=spec.slug,
        title=spec.title,
        function=spec.function,
        channel=spec.channel,
        timezone=spec.timezone or workspace.timezone,
        members=tuple(spec.members),
        region=spec.region,
        country=spec.country or workspace.country,
        reporter=spec.reporter,
    )
    return save_team(session, caller, given, now=now)


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
    people.set_members(
        session,
        workspace_id=caller.workspace_id,
        team_id=row.id or 0,
        members=given.members,
        now=now,
    )
    session.flush()
    after = _as_data(session, row)
    if before == after:
        return "unchanged"
    record_team(session, caller, given.slug, before=before, after=after, now=now)
    return "changed" if before else "created"


def record_team(
    session: Session, caller: Caller, slug: str, *, before: object, after: object, now: datetime
) -> None:
    """Put a change of a team into the trail."""
    trail.record(
        session,
        workspace_id=caller.workspace_id,
        at=now,
        member=caller.member,
        action="team-changed" if before else "team-created",
        subject=f"team:{slug}",
        surface=caller.surface,
        before=before,
        after=after,
        correlation_id=caller.request,
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
            return _created_before(session, caller, known, now=now)
        insiders = member_ids(session, known) if known else list(given.members)
        if caller.member not in insiders and not is_curator(session, caller):
            raise NotAllowed(
                say(
                    "{what} Only its members or a curator may do that.",
                    what=f"{known.title} is another team." if known else "You aren't in this team.",
                ),
                field="members",
            )
        errors = dict(wrong_fields(given, new=known is None))
        if errors:
            raise FieldsRefused(errors)
        outcome = save_team(session, caller, given, now=now)
        team = require_team(session, caller.workspace_id, given.slug)
        return _shown(session, team, now=now, created=outcome == "created", changed=outcome == "changed")


def _created_before(session: Session, caller: Caller, known: Team, *, now: datetime) -> TeamShown:
    """The answer to a second click; somebody else's team isn't changed by making one of its name."""
    if done_before(session, caller, "team-created", f"team:{known.slug}"):
        return _shown(session, known, now=now, created=True)
    raise Refusal(
        say("There is a team {slug} already. Choose another short name.", slug=code(known.slug)), field="slug"
    )


def show_team(db: Database, caller: Caller, slug: str | None, *, now: datetime) -> TeamShown:
    """A team and its members; without a slug, the team of the channel or the person's only one.

    Raises:
        Refusal: no such team, or it isn't clear which.
    """
    with db.read() as session:
        return _shown(session, team_meant(session, caller, slug), now=now)


def team_meant(session: Session, caller: Caller, slug: str | None) -> Team:
    """The team of a slug; without one that of the channel, else the only one the caller is in.

    Raises:
        Refusal: no such team, or it isn't clear which.
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
    slugs = ", ".join(team.slug for team in people.teams(session, workspace_id=caller.workspace_id)[:12])
    if not slugs:
        raise Refusal("There's no team yet. `/cadence team create` makes the first one.", field="team")
    raise Refusal(say("Which team? Add one of these: {slugs}.", slugs=code(slugs)), field="team")


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


def export_workspace(db: Database, caller: Caller) -> str:
    """The workspace file; importing it again changes nothing."""
    with db.read() as session:
        workspace = require_workspace(session, caller.workspace_id)
        spec = WorkspaceSpec(
            curators=tuple(people.curators(session, workspace_id=workspace.id)),
            curator_channel=workspace.curator_channel,
            timezone=workspace.timezone,
            country=workspace.country,
            rule=workspace.rule,
            working_days=stored_days(workspace),
            nudges={kind: str(hour) for kind, hour in own_hours(workspace).items()} or None,
            teams=tuple(
                TeamSpec(
                    slug=team.slug,
                    title=team.title,
                    function=Function(team.function),
                    region=team.region,
                    channel=team.channel,
                    timezone=team.timezone,
                    country=team.country,
                    members=tuple(member_ids(session, team)),
                    reporter=team.reporter,
                )
                for team in people.teams(session, workspace_id=workspace.id)
            ),
        )
        return dump_workspace(spec)
