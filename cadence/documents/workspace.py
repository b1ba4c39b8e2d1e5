"""Who is who: the curators of a workspace and its teams (SPEC §2). Values, and how they are read."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from cadence.documents.kinds import COUNTRY, TIMEZONE, YES_NO, channel, choice, member, slug, text
from cadence.documents.playbook_reader import FUNCTION, RULE
from cadence.documents.section import Kind, Place, Section, WrongValueError, group, listing
from cadence.documents.tree import Node
from cadence.documents.words import (
    MAX_ITEMS,
    MAX_MEMBERS,
    MAX_TEAMS,
    NAME_LENGTH,
    TITLE_LENGTH,
    Function,
    Weekday,
)
from cadence.nudges import Hour, Nudge
from cadence.nudges.hours import SETTABLE, HourRefused, read_hour, require_in_order
from cadence.rules.verdicts import Rule


@dataclass(frozen=True, slots=True)
class TeamSpec:
    """One team. `timezone` is an IANA name, `country` an ISO code for public holidays; None when neither the
    team nor the workspace has one.

    `reporter`, a member, gives the KPI number; None until one is named.
    """

    slug: str
    title: str
    function: Function
    region: str | None
    channel: str
    timezone: str
    country: str | None
    members: tuple[str, ...]
    reporter: str | None


@dataclass(frozen=True, slots=True)
class WorkspaceSpec:
    """A workspace file. Without its `workspace:` part there are no curators, and the rest of it is None.

    `guests` is whether guests who are in a team take part.
    `nudges` are weekdays and hours, such as `Thu 10:00`, by kind of nudge, where they aren't the usual ones.
    """

    curators: tuple[str, ...] = ()
    curator_channel: str | None = None
    timezone: str | None = None
    country: str | None = None
    rule: Rule | None = None
    working_days: tuple[Weekday, ...] | None = None
    nudges: dict[str, str] | None = None
    guests: bool | None = None
    teams: tuple[TeamSpec, ...] = ()

    def team(self, slug: str) -> TeamSpec | None:
        """The team of that slug."""
        return next((team for team in self.teams if team.slug == slug), None)


_WORKING_DAYS = listing(choice(Weekday, example=Weekday.MON), most=len(Weekday), least=1)


def _hour(row: Nudge) -> Kind[str]:
    """The weekday and hour of one nudge, as it is written: `Thu 10:00`."""
    read_text = text(20, example=str(row.hour)).read

    def reading(node: Node, place: Place) -> str:
        try:
            return str(read_hour(read_text(node, place), row))
        except HourRefused as wrong:
            raise WrongValueError(wrong.reason, wrong.right) from None

    return Kind(reading, "", str(row.hour))


def _nudges(section: Section) -> dict[str, str]:
    found = {row.kind: section.optional(row.kind, _hour(row), "") for row in SETTABLE}
    given = {row.kind: read_hour(found[row.kind], row) for row in SETTABLE if found[row.kind]}
    try:
        require_in_order(given)
    except HourRefused as wrong:
        section.refuse("checkin-reminder", wrong.reason, wrong.right)
    return {kind: str(hour) for kind, hour in given.items()}


def hours_given(spec: WorkspaceSpec) -> dict[str, Hour] | None:
    """The hours of a file, by kind of nudge; None when it says nothing of them."""
    if spec.nudges is None:
        return None
    return {row.kind: read_hour(spec.nudges[row.kind], row) for row in SETTABLE if row.kind in spec.nudges}


_NUDGES: Kind[dict[str, str]] = group(_nudges, {}, example="checkin: Thu 10:00")


def _head(section: Section) -> WorkspaceSpec:
    return WorkspaceSpec(
        curators=section.needed(
            "curators",
            listing(member("U01CURATOR"), most=MAX_ITEMS, least=1),
            why="is missing: somebody must hold the registry",
        ),
        curator_channel=section.optional("curator_channel", channel("C01CURATORS"), None),
        timezone=section.needed("timezone", TIMEZONE),
        country=section.optional("country", COUNTRY, None),
        rule=section.optional("rule", RULE, None),
        working_days=section.optional("working_days", _WORKING_DAYS, None),
        nudges=section.optional("nudges", _NUDGES, None),
        guests=section.optional("guests", YES_NO, None),
    )


_HEAD = group(_head, WorkspaceSpec(), example="curators: [U01CURATOR]")


def _team_kind(head: WorkspaceSpec) -> Kind[TeamSpec]:
    """A team, whose time zone and country are the workspace's when it gives none."""

    def reading(section: Section) -> TeamSpec:
        team = TeamSpec(
            slug=section.needed("team", slug("support-emea")),
            title=section.needed("title", text(TITLE_LENGTH, example="Support EMEA")),
            function=section.needed("function", FUNCTION),
            region=section.optional("region", text(NAME_LENGTH, example="EMEA"), None),
            channel=section.needed("channel", channel("C01SUPEMEA")),
            timezone=section.optional("timezone", TIMEZONE, head.timezone)
            if head.timezone
            else section.needed("timezone", TIMEZONE),
            country=section.optional("country", COUNTRY, head.country),
            members=section.optional("members", listing(member("U01LEAD"), most=MAX_MEMBERS), ()),
            reporter=section.optional("reporter", member("U01LEAD"), None),
        )
        members_known = "members" not in section or section.sound("members")
        if section.sound("reporter") and members_known and team.reporter not in team.members:
            reason = f"`{team.reporter}` is not a member of the team"
            section.refuse("reporter", reason, "name a member, or add them to `members`")
        return team

    blank = TeamSpec("", "", Function.OTHER, None, "", "UTC", None, (), None)
    return group(reading, blank, example="{team: support-emea, title: Support EMEA, …}")


_DISTINCT: dict[str, Callable[[TeamSpec], str]] = {
    "team": lambda team: team.slug,
    "channel": lambda team: team.channel,
}


def read_workspace_section(section: Section) -> WorkspaceSpec:
    """The workspace of a file's top-level keys; problems are noted in the section's place."""
    head = section.optional("workspace", _HEAD, WorkspaceSpec())
    teams = section.optional("teams", listing(_team_kind(head), most=MAX_TEAMS, distinct=_DISTINCT), ())
    return replace(head, teams=teams)
