"""Teams, holidays, days away and what a member has muted."""

from dataclasses import dataclass
from datetime import date
from typing import ClassVar

from cadence.mrkdwn import Mrkdwn
from templates.contexts import ask
from templates.contexts.ask import PlainForm, short_name
from templates.contexts.base import FUNCTIONS, Choice, MessageContext
from templates.ids import Callback, Field


@dataclass(frozen=True, slots=True, kw_only=True)
class AwaySet(MessageContext):
    """Away from `since` to `until`, both days included. `members` if it is about others.

    `is_guess` if only one day was given, which could have meant "until then".
    """

    TEMPLATE: ClassVar[str] = "answers/people/away_set.json.j2"

    since: date
    until: date
    members: tuple[str, ...] = ()
    is_guess: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class BackAgain(MessageContext):
    """An absence has ended, or upcoming days away are `canceled`. `member` if it is about somebody else.

    `until` was the last day of the absence that ended; `canceled` and `ahead` (days away that stay) are ranges: first
    and last day.
    """

    TEMPLATE: ClassVar[str] = "answers/people/back_again.json.j2"

    was_away: bool
    until: date | None = None
    member: str | None = None
    canceled: tuple[tuple[date, date], ...] = ()
    ahead: tuple[tuple[date, date], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Muted(MessageContext):
    """Reminders are off, or on again. The check-in itself stays."""

    TEMPLATE: ClassVar[str] = "answers/people/muted.json.j2"

    muted: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class TeamShown(MessageContext):
    """One team and who is in it. `created` when it has just been made, `changed` when just edited."""

    TEMPLATE: ClassVar[str] = "answers/people/team_shown.json.j2"

    slug: str
    title: str
    function: str
    timezone: str
    members: tuple[str, ...]
    region: str = ""
    country: str = ""
    channel: str | None = None
    reporter: str | None = None
    playbooks: tuple[str, ...] = ()
    created: bool = False
    changed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Holiday:
    """A public holiday and its name."""

    on: date
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TeamHolidays(MessageContext):
    """The public holidays that suspend a team's nudges, the next ones first.

    Args:
        country: of the holidays; "" if none is set.
        own: the team has its own, instead of the workspace's.
        changed: it has just been changed.
    """

    TEMPLATE: ClassVar[str] = "answers/people/team_holidays.json.j2"

    slug: str
    team: str
    country: str
    own: bool
    days: tuple[Holiday, ...]
    changed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ChooseTeamForm(PlainForm, callback=Callback.CHOOSE_TEAM):
    """Choose a team, of at least one, for an action."""

    heading: str
    submit: str
    teams: tuple[Choice, ...]
    team: str | None = ask.choice(
        "Team",
        among="teams",
        needed="Choose a team.",
        cut="Showing the first 100. For any other, type its short name after the command.",
    )

    def modal_title(self) -> str:
        """The action."""
        return self.heading

    def modal_submit(self) -> str:
        """The label of the action."""
        return self.submit


@dataclass(frozen=True, slots=True, kw_only=True)
class HolidaysForm(PlainForm, callback=Callback.HOLIDAYS, title="Public holidays", submit="Save"):
    """The public holidays of a team, of at least one; `team` is a slug. Without a country they are only
    shown."""

    teams: tuple[Choice, ...]
    team: str | None = ask.choice(
        "Team",
        "No nudges for this team on its public holidays.",
        among="teams",
        needed="Choose a team.",
        cut=(
            "Showing the first 100. For any other, type `/cadence team holidays` with the team's short name."
        ),
    )
    country: str = ask.text(
        "Country or region",
        "Such as DE, or DE-BY for a region. Leave blank to see the current holidays.",
        most=20,
        optional=True,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class TeamForm(PlainForm, callback=Callback.TEAM, title="New team", submit="Save"):
    """A team, new or known."""

    new: bool
    title: str = ask.text("Name", most=80)
    slug: str = ask.text(
        "Short name",
        "For commands, such as support-emea. Lowercase letters, digits and hyphens.",
        most=40,
        when="new",
    )
    function: str | None = ask.choice("Function", among=FUNCTIONS, placeholder="")
    channel: str | None = ask.channel("Channel", "Gets the team's posts. If it's private, invite me first.")
    members: tuple[str, ...] = ask.members("Members", "Everyone here gets the weekly check-in.")
    reporter: str | None = ask.member("Who reports the KPI?", optional=True)
    timezone: str = ask.text("Time zone", "Such as Europe/Berlin.", most=60)
    region: str = ask.text("Region", most=60, optional=True)
    country: str = ask.text(
        "Country",
        "Such as DE, or DE-BY for a region. No nudges on its public holidays.",
        most=10,
        optional=True,
    )

    def modal_title(self) -> str:
        """Creating and changing a team use the same form."""
        return self.TITLE if self.new else "Edit team"

    def instead(self, attribute: str) -> Mrkdwn:  # noqa: ARG002 - only the short name is ever settled
        """The short name never changes."""
        return short_name(self.slug)


@dataclass(frozen=True, slots=True, kw_only=True)
class AwayForm(
    PlainForm,
    callback=Callback.AWAY,
    title="Away",
    submit="Save",
    intro="You won't get nudges on these days.",
):
    """Days away, both included; `members` if it is for others."""

    members: tuple[str, ...] = ask.members("Who is away?", when="members")
    since: date | None = ask.day("First day away", name=Field.DATE)
    until: date | None = ask.day("Last day away")

    def intro(self) -> Mrkdwn:
        """Whose nudges stop."""
        return Mrkdwn("They won't get nudges on these days." if self.members else self.INTRO)
