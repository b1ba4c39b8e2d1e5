"""The curators of a workspace and its teams (SPEC §2)."""

from contextlib import suppress
from typing import Annotated, Any

from pydantic import Field, ValidationInfo, create_model, field_validator

from cadence.documents.group import Group, Missing
from cadence.documents.playbook import AnyFunction, AnyRule
from cadence.documents.values import (
    COUNTRY,
    TIMEZONE,
    YES_NO,
    Kind,
    WrongValueError,
    channel,
    choice,
    many,
    member,
    short_name,
    text,
    whole,
)
from cadence.documents.words import MAX_MEMBERS, MAX_TEAMS, NAME_LENGTH, TITLE_LENGTH, Weekday
from cadence.nudges import Hour, Nudge
from cadence.nudges.hours import SETTABLE, HourRefused, read_hour, require_in_order


class TeamSpec(Group):
    """One team. `timezone` is an IANA name, `country` an ISO code for public holidays; None if neither the
    team nor the workspace has one.

    `reporter` is the member who reports the KPI; None if none is named.
    """

    EXAMPLE = "{team: support-emea, title: Support EMEA, …}"
    INHERITED = frozenset({"timezone", "country"})
    slug: Annotated[str, short_name("support-emea")] = Field(alias="team")
    title: Annotated[str, text(TITLE_LENGTH, "Support EMEA")]
    function: AnyFunction
    region: Annotated[str | None, text(NAME_LENGTH, "EMEA")] = None
    channel: Annotated[str, channel("C01SUPEMEA")]
    timezone: Annotated[str, TIMEZONE]
    country: Annotated[str | None, COUNTRY] = None
    members: Annotated[tuple[str, ...], many(member("U01LEAD"), most=MAX_MEMBERS)] = ()
    reporter: Annotated[str | None, member("U01LEAD")] = None

    @field_validator("reporter")
    @classmethod
    def _is_a_member(cls, reporter: str | None, info: ValidationInfo) -> str | None:
        if reporter and reporter not in info.data.get("members", (reporter,)):
            right = "name a member, or add them to `members`"
            raise WrongValueError(f"`{reporter}` isn't a member of the team", right, at_key=True)
        return reporter


def _hour(row: Nudge) -> Kind:
    """The weekday and hour of one nudge, as it is written: `Thu 10:00`."""
    written = text(20, str(row.hour))

    def reading(value: object) -> str:
        try:
            return str(read_hour(str(written.read(value)), row))
        except HourRefused as wrong:
            raise WrongValueError(wrong.reason, wrong.right) from None

    return Kind(reading, str(row.hour))


_HOURS: Any = {
    row.kind.replace("-", "_"): (Annotated[str, _hour(row)], Field(default="", alias=row.kind))
    for row in SETTABLE
}
_Nudges: type[Group] = create_model("_Nudges", __base__=Group, **_HOURS)
_Nudges.EXAMPLE = "checkin: Thu 10:00"


class WorkspaceHead(Group):
    """The `workspace:` part of a file.

    `first_cycles` is how many teams can be in their first cycle of a playbook at once. `guests` is whether guests
    who are in a team take part. `nudges` are weekdays and hours, such as `Thu 10:00`, by kind of nudge, if they
    aren't the defaults.
    """

    EXAMPLE = "curators: [U01CURATOR]"
    curators: Annotated[
        tuple[str, ...],
        many(member("U01CURATOR"), least=1),
        Missing("is missing: a workspace needs at least one curator"),
    ]
    curator_channel: Annotated[str | None, channel("C01CURATORS")] = None
    timezone: Annotated[str | None, TIMEZONE]
    country: Annotated[str | None, COUNTRY] = None
    rule: AnyRule | None = None
    first_cycles: Annotated[
        int | None, whole(1, 100, "5", why="an organization can take in only so much change at once")
    ] = None
    working_days: Annotated[
        tuple[Weekday, ...] | None, many(choice(Weekday, Weekday.MON), most=len(Weekday), least=1)
    ] = None
    nudges: dict[str, str] | None = None
    guests: Annotated[bool | None, YES_NO] = None

    @field_validator("nudges", mode="before")
    @classmethod
    def _are_hours(cls, value: Any, info: ValidationInfo) -> Any:
        if not info.context:
            return value
        if isinstance(value, dict):
            value = _in_order(value)
        found = _Nudges.model_validate(value, context=info.context, by_alias=True, by_name=False)
        return found.model_dump(by_alias=True, exclude_unset=True)


def _in_order(nudges: dict[str, Any]) -> dict[str, Any]:
    """The hours, with a problem in place of a reminder that would come before what it reminds of."""
    given: dict[str, Hour] = {}
    for row in SETTABLE:
        with suppress(HourRefused):
            given[row.kind] = read_hour(str(nudges.get(row.kind)), row)
    try:
        require_in_order(given)
    except HourRefused as wrong:
        return {**nudges, "checkin-reminder": WrongValueError(wrong.reason, wrong.right, at_key=True)}
    return nudges


class WorkspaceSpec(WorkspaceHead):
    """A workspace. Without the `workspace:` part of its file there are no curators, and the rest of it is None."""

    curators: tuple[str, ...] = ()
    timezone: str | None = None
    teams: tuple[TeamSpec, ...] = ()

    def team(self, slug: str) -> TeamSpec | None:
        """The team with that slug."""
        return next((team for team in self.teams if team.slug == slug), None)


class WorkspaceFile(Group):
    """A workspace's file."""

    workspace: WorkspaceHead | None = None
    teams: Annotated[
        tuple[TeamSpec, ...], many(TeamSpec.EXAMPLE, most=MAX_TEAMS, apart=("team", "channel"))
    ] = ()

    @field_validator("teams", mode="before")
    @classmethod
    def _of_the_workspace(cls, teams: Any, info: ValidationInfo) -> Any:
        """A team's time zone and country are the workspace's unless it has its own."""
        head = info.data.get("workspace", WorkspaceHead(curators=("U00",), timezone="UTC"))
        if head is None or not isinstance(teams, list):
            return teams
        own = {"timezone": head.timezone} | ({"country": head.country} if head.country else {})
        return [own | team if isinstance(team, dict) else team for team in teams]

    @property
    def spec(self) -> WorkspaceSpec:
        """The contents without the file's division into parts."""
        head = dict(self.workspace or ())
        return WorkspaceSpec.model_construct(**head, teams=self.teams)


def hours_given(spec: WorkspaceSpec) -> dict[str, Hour] | None:
    """The hours of a file, by kind of nudge; None if it has none."""
    if spec.nudges is None:
        return None
    return {row.kind: read_hour(spec.nudges[row.kind], row) for row in SETTABLE if row.kind in spec.nudges}
