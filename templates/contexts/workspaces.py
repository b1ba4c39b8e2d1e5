"""The workspace's settings and the welcome."""

from dataclasses import dataclass
from typing import ClassVar, Final

from templates.contexts import ask
from templates.contexts.ask import PlainForm
from templates.contexts.base import RULES, Choice, MessageContext
from templates.ids import Callback


@dataclass(frozen=True, slots=True, kw_only=True)
class SettingsSaved(MessageContext):
    """The workspace's current settings; `saved` is False if they are only shown.

    `hours` are the lines of the nudges whose hour isn't the usual one.
    """

    TEMPLATE: ClassVar[str] = "answers/workspaces/settings_saved.json.j2"

    curators: tuple[str, ...]
    timezone: str
    rule: str
    curator_channel: str | None = None
    country: str = ""
    min_runs: int = 20
    first_cycles: int = 5
    working_days: tuple[str, ...] = ()
    hours: tuple[str, ...] = ()
    guests: bool = False
    saved: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class WelcomedPlaybook:
    """A playbook that the team of a channel runs."""

    title: str
    owner: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Welcome(MessageContext):
    """To a channel the bot was invited to: what it is, what will happen, what to press first.

    `team` is the channel's; None if it has none yet. `channel` is the value of the button that creates one.
    """

    TEMPLATE: ClassVar[str] = "messages/workspaces/welcome.json.j2"

    channel: str
    team: str | None = None
    runs: tuple[WelcomedPlaybook, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class TextAnswer(MessageContext):
    """To somebody who wrote to the bot: `command` is the one they may have meant, or empty."""

    TEMPLATE: ClassVar[str] = "messages/workspaces/text_answer.json.j2"

    command: str = ""


DAYS: Final = tuple(
    Choice(label=one, value=one[:3].lower())
    for one in ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
)


@dataclass(frozen=True, slots=True, kw_only=True)
class SettingsForm(PlainForm, callback=Callback.SETTINGS, title="Settings", submit="Save"):
    """The workspace's settings. `working_days` are `mon` and so on; `hours` one line per nudge."""

    curators: tuple[str, ...] = ask.members("Curators", "Get the digest and approve promotions.")
    curator_channel: str | None = ask.channel(
        "Curators' channel", "Gets the weekly digest. If it's private, invite me first.", optional=True
    )
    timezone: str = ask.text("Time zone", "Such as Europe/Berlin.", most=60)
    country: str = ask.text(
        "Country",
        "Such as DE, or DE-BY for a region. No digest on its public holidays.",
        most=10,
        optional=True,
    )
    rule: str | None = ask.choice(
        "When is a step demoted?",
        "A critical exception demotes right away under every rule.",
        among=RULES,
        placeholder="",
    )
    min_runs: str = ask.text(
        "Minimum runs for the cap",
        "With fewer runs in a cycle, being over the cap alone doesn't demote.",
        most=10,
    )
    first_cycles: str = ask.text(
        "First cycles at once",
        "How many teams can be in their first cycle of a playbook at the same time. A curator can go over it.",
        most=10,
    )
    working_days: tuple[str, ...] = ask.checks("Working days", "No nudges on other days.", among=DAYS)
    guests: bool = ask.check(
        "Guests",
        "Off: only full members can take part.",
        among=(Choice(label="Guests who are in a team can take part", value="yes"),),
        optional=True,
    )
    hours: str = ask.lines(
        "Nudge times",
        "One per line. DMs use each person's own time zone, channel posts the team's, the digest the workspace's. "
        "Delete a line to go back to its default.",
        optional=True,
    )
