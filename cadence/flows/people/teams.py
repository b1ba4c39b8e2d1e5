"""Teams: creating and changing them, with problems by field."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final, Literal

from cadence.documents import Function
from cadence.documents.words import MAX_MEMBERS, NAME_LENGTH, RESERVED, SLUG, TITLE_LENGTH, slug_of
from cadence.flows.checkins import send_missed_checkin
from cadence.flows.core import (
    adoption_views,
    ask_offer,
    is_curator,
    once,
    require_people,
    require_team,
    require_workspace,
    wrong_places,
    zone_of,
)
from cadence.flows.people.join_requests import settle_requests, tell_of_leaving
from cadence.mrkdwn import Mrkdwn, channel_link, code, say
from cadence.refusals import FieldsRefused, NotAllowed, Refusal
from storage.queries import people
from storage.query_cache import hold
from storage.tables import Team
from storage.work import UnitOfWork
from templates.contexts.base import Choice
from templates.contexts.people import ChooseTeamForm, TeamForm, TeamShown


@dataclass(frozen=True, slots=True)
class TeamGiven:
    """A team from a form; a `new` one mustn't exist yet."""

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


def wrong_fields(given: TeamGiven, *, new: bool) -> Iterator[tuple[str, str]]:
    """(field, problem) pairs for what a workspace file would refuse too; see `cadence.documents.words`."""
    if new and (not SLUG.fullmatch(given.slug) or given.slug in RESERVED):
        made = slug_of(given.title)
        right = made if SLUG.fullmatch(made) and made not in RESERVED else "support-emea"
        yield (
            "slug",
            f"Use 2 to 40 lowercase letters, digits and hyphens, starting with a letter, such as {right}.",
        )
    if not given.title.strip() or len(given.title) > TITLE_LENGTH or "\n" in given.title:
        yield "title", f"Enter a name of up to {TITLE_LENGTH} characters, on one line."
    if given.function not in set(Function):
        yield "function", "Choose one of the functions."
    if not given.channel:
        yield "channel", "Choose a channel for the team's posts."
    if not given.members:
        yield "members", "Choose at least one member."
    if len(given.members) > MAX_MEMBERS:
        yield "members", f"A team can have up to {MAX_MEMBERS} members."
    if given.reporter is not None and given.reporter not in given.members:
        yield "reporter", "The person who reports the KPI must be a member of the team."
    yield from wrong_places(given.timezone, given.country)
    if len(given.region or "") > NAME_LENGTH:
        yield "region", f"A region can have up to {NAME_LENGTH} characters."


def save_team(uow: UnitOfWork, given: TeamGiven) -> str:
    """Create or change a team; returns `created`, `changed` or `unchanged`.

    Raises:
        Refusal: a channel that belongs to another team.
    """
    other = people.team_by_channel(uow, channel=given.channel)
    if other is not None and other.slug != given.slug:
        raise Refusal(
            say(
                "{channel} already belongs to {team}. Each team needs its own channel.",
                channel=channel_link(given.channel),
                team=other.title,
            ),
            field="channel",
        )
    row = people.team_by_slug(uow, slug=given.slug)
    before = _as_data(uow, row) if row else None
    if row is None:
        row = Team(
            workspace_id=uow.actor.workspace_id,
            slug=given.slug,
            title=given.title,
            function=given.function,
            channel=given.channel,
            timezone=given.timezone,
            created_at=uow.now,
        )
    row.title, row.function, row.channel = given.title, given.function, given.channel
    row.timezone, row.region, row.country = given.timezone, given.region, given.country
    row.reporter = given.reporter
    uow.session.add(row)
    uow.session.flush()
    keep_members(uow, row, given.members)
    after = _as_data(uow, row)
    if before == after:
        return "unchanged"
    record_team(uow, given.slug, before=before, after=after)
    return "changed" if before else "created"


def keep_members(uow: UnitOfWork, team: Team, members: Iterable[str], *, by_themselves: bool = False) -> None:
    """Make exactly these people the team's members; new ones still get this week's check-in.

    The owner is told about members who left. Open requests of those who joined are closed.

    Args:
        by_themselves: the caller joins on their own.

    Raises:
        Refusal: one of the new members can't take part.
    """
    hold(uow, team)  # serializes changes of members
    known, members = set(member_ids(uow, team)), list(members)
    new = [member for member in members if member not in known]
    require_people(uow, new, field="members", in_team=True)
    joined, left = people.set_members(
        uow, team_id=team.id or 0, members=members, self_joined=uow.actor.member if by_themselves else None
    )
    uow.session.flush()
    settle_requests(uow, team, joined)
    if left:
        tell_of_leaving(uow, team, left)
    workspace = require_workspace(uow)
    send_missed_checkin(uow, workspace, *sorted(joined))


def may_change(uow: UnitOfWork, team: Team) -> bool:
    """Whether the caller can change a team, add others or remove them.

    Curators can, the owners of the playbooks it runs, and members whom somebody added: joining on one's own
    gives no rights over others.
    """
    if is_curator(uow):
        return True
    rows = people.memberships(uow, team_ids=[team.id or 0])
    if any(row.member == uow.actor.member and not row.self_joined for row in rows):
        return True
    return uow.actor.member in people.owners_of(uow, team_id=team.id or 0)


def record_team(uow: UnitOfWork, slug: str, *, before: object, after: object) -> None:
    """Record a change of a team in the trail."""
    uow.record(
        action="team-changed" if before else "team-created",
        subject=f"team:{slug}",
        before=before,
        after=after,
    )


def member_ids(uow: UnitOfWork, team: Team) -> list[str]:
    """The Slack IDs of a team's members."""
    rows = people.memberships(uow, team_ids=[team.id or 0])
    return [row.member for row in rows]


def _as_data(uow: UnitOfWork, team: Team) -> dict[str, object]:
    return {
        "title": team.title,
        "function": team.function,
        "region": team.region,
        "channel": team.channel,
        "timezone": team.timezone,
        "country": team.country,
        "members": sorted(member_ids(uow, team)),
        "reporter": team.reporter,
    }


@once
def create_team(uow: UnitOfWork, given: TeamGiven) -> TeamShown:
    """Create or change a team from a form.

    Anybody can create a team they are in; changing one requires a member of it or a curator.

    Raises:
        Refusal: see `save_team`; a reporter who isn't a member.
        NotAllowed: someone else's team.
    """
    with uow.write():
        require_workspace(uow)
        known = people.team_by_slug(uow, slug=given.slug)
        if known is not None and given.new:
            raise Refusal(
                say("The short name {slug} is taken. Choose another one.", slug=code(known.slug)),
                field="slug",
            )
        _require_may_save(uow, known, given)
        errors = dict(wrong_fields(given, new=known is None))
        if errors:
            raise FieldsRefused(errors)
        outcome = save_team(uow, given)
        team = require_team(uow, given.slug)
        return _shown(uow, team, created=outcome == "created", changed=outcome == "changed")


def _require_may_save(uow: UnitOfWork, known: Team | None, given: TeamGiven) -> None:
    if known is not None:
        require_may_change(uow, known, field="members")
    elif uow.actor.member not in given.members and not is_curator(uow):
        raise NotAllowed("Add yourself as a member, or ask a curator to create this team.", field="members")


def require_may_change(uow: UnitOfWork, team: Team, *, field: str | None = None) -> None:
    """Require somebody who can change a team.

    Raises:
        NotAllowed: the sentence says who can.
    """
    if may_change(uow, team):
        return
    owners = people.owners_of(uow, team_id=team.id or 0)
    ask = ask_offer(uow, *owners, to=f"change {team.title[:60]}")
    if uow.actor.member in member_ids(uow, team):
        raise NotAllowed(
            say(
                "You joined {team} on your own. Its owner, a member who was added, or a curator can change it.",
                team=team.title,
            ),
            field=field,
            offer=ask,
        )
    raise NotAllowed(
        say("Only members of {team}, its owner or a curator can change it.", team=team.title),
        field=field,
        offer=ask,
    )


def show_team(uow: UnitOfWork, slug: str | None) -> TeamShown:
    """A team and its members; without a slug, the team of the channel or the person's only one.

    Raises:
        Refusal: no such team, or it isn't clear which.
    """
    with uow.read():
        return _shown(uow, team_meant(uow, slug))


class WhichTeam(Refusal):
    """Several teams fit: the person has to choose."""


TeamPurpose = Literal["members", "join", "leave"]
_WORDS: Final[Mapping[TeamPurpose, tuple[str, str]]] = {
    "members": ("Show a team", "Show"),
    "join": ("Join a team", "Join"),
    "leave": ("Leave a team", "Leave"),
}


def choose_team_form(uow: UnitOfWork, purpose: TeamPurpose) -> ChooseTeamForm:
    """The form to choose a team for something: the caller's first; to leave one, only those if there are any."""
    with uow.read():
        teams, own = people.teams(uow), people.team_ids(uow, member_id=uow.actor.member)
        first = sorted(teams, key=lambda team: (team.id not in own, team.title))
        shown = [team for team in first if team.id in own] if purpose == "leave" and own else first
        heading, submit = _WORDS[purpose]
        return ChooseTeamForm(
            heading=heading,
            submit=submit,
            teams=tuple(Choice(label=team.title, value=team.slug) for team in shown),
        )


def likely_team(uow: UnitOfWork, slug: str | None) -> Team | None:
    """The team with a slug; without one that of the channel, else the caller's only team; None if it isn't clear.

    Raises:
        Refusal: no such team.
    """
    if slug is not None:
        return require_team(uow, slug)
    if uow.actor.channel is not None:
        team = people.team_by_channel(uow, channel=uow.actor.channel)
        if team is not None:
            return team
    mine = people.teams_of(uow, member_id=uow.actor.member)
    return mine[0] if len(mine) == 1 else None


def team_meant(uow: UnitOfWork, slug: str | None) -> Team:
    """The team with a slug; without one that of the channel, else the caller's only team.

    Raises:
        Refusal: no such team.
        WhichTeam: it isn't clear which.
    """
    team = likely_team(uow, slug)
    if team is not None:
        return team
    mine = people.teams_of(uow, member_id=uow.actor.member)
    known = mine or people.teams(uow)
    slugs = Mrkdwn(", ".join(code(team.slug) for team in known[:12]))
    if not slugs:
        raise Refusal(
            "There are no teams yet. Create the first one with `/cadence team create`.", field="team"
        )
    raise WhichTeam(
        say("Which team? Add one of {whose}: {slugs}.", whose="yours" if mine else "these", slugs=slugs),
        field="team",
    )


def _shown(uow: UnitOfWork, team: Team, *, created: bool = False, changed: bool = False) -> TeamShown:
    runs = adoption_views(uow, team_ids=[team.id or 0])
    return TeamShown(
        slug=team.slug,
        title=team.title,
        function=team.function,
        timezone=team.timezone,
        members=tuple(member_ids(uow, team)),
        region=team.region or "",
        country=team.country or "",
        channel=team.channel,
        reporter=team.reporter,
        playbooks=tuple(view.playbook.title for view in runs),
        created=created,
        changed=changed,
    )


def team_form(
    uow: UnitOfWork,
    *,
    slug: str | None,
    title: str = "",
    channel: str | None = None,
    members: tuple[str, ...] = (),
) -> TeamForm:
    """The form to create a team, or to change the named one, prefilled."""
    with uow.read():
        workspace = require_workspace(uow)
        team = people.team_by_slug(uow, slug=slug) if slug is not None else None
        if team is None:
            return TeamForm(
                new=True,
                slug=slug or "",
                title=title,
                timezone=str(zone_of(uow, workspace, uow.actor.member)),
                country=workspace.country or "",
                channel=channel,
                members=tuple(dict.fromkeys((uow.actor.member, *members))),
            )
        rows = people.memberships(uow, team_ids=[team.id or 0])
        return TeamForm(
            new=False,
            slug=team.slug,
            title=team.title,
            function=team.function,
            region=team.region or "",
            channel=team.channel,
            timezone=team.timezone,
            country=team.country or "",
            members=tuple(row.member for row in rows),
            reporter=team.reporter,
        )
