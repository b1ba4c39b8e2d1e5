"""Adopting a playbook, the settings of an adoption, and capacity."""

from dataclasses import dataclass, replace
from datetime import date
from typing import ClassVar

from cadence.mrkdwn import Mrkdwn, say
from templates.contexts import ask
from templates.contexts.ask import Asked, Input, PlainForm
from templates.contexts.base import RULES, Choice, MessageContext
from templates.filters import name
from templates.ids import Callback, Field


@dataclass(frozen=True, slots=True, kw_only=True)
class AdoptionSaved(MessageContext):
    """The current settings of an adoption; `hours` are its own, `cycles` those planned."""

    TEMPLATE: ClassVar[str] = "answers/adoption/adoption_saved.json.j2"

    playbook: str
    team: str
    rule: str
    own_rule: bool
    changed: bool
    champion: str | None = None
    hours: tuple[str, ...] = ()
    cycles: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AdoptionSettingsForm(
    PlainForm, callback=Callback.ADOPTION_SETTINGS, title="Team settings", submit="Save"
):
    """The settings of one adoption. `hours` has one line per nudge.

    Args:
        state: `active` or `paused`; `ends_pause` is the command that ends the pause.
        rule: of its own; None for the playbook's or the workspace's, which is `inherited`.
        team_slug: what [Edit team] carries, where the reporter is named.
        starts: the Monday of the cycle to come.
        no_cycle: it never had one.
    """

    TEMPLATE: ClassVar[str] = "modals/adoption/adoption_settings.json.j2"

    playbook: str
    team: str
    team_slug: str
    state: str
    week: int | None
    inherited: str
    ends_pause: str = ""
    starts: date | None = None
    no_cycle: bool = False
    may_set_rule: bool = False
    reporter: str | None = None
    champion: str | None = ask.member(
        "Champion", "Keeps the rollout going. A team member or the owner.", optional=True
    )
    rule: str | None = ask.choice(
        "When is a step demoted?",
        "A critical exception demotes right away under every rule.",
        among=(Choice(label="Same as everywhere else", value="inherited"), *RULES),
        first=True,
        placeholder="",
        when="may_set_rule",
    )
    cycles: int | None = ask.whole(
        "Planned cycles",
        "After this many, the team is only watched: check-ins go on, gates don't. Empty: cycles go on.",
        name=Field.PLANNED_CYCLES,
        optional=True,
        least=1,
    )
    hours: str = ask.lines(
        "Nudge times",
        "One per line. DMs use each person's own time zone, channel posts the team's. Delete a line to use the "
        "workspace's time.",
        optional=True,
    )

    def asked_input(self, attribute: str, declared: Input) -> Asked:
        """The rule's options include the one that applies by default."""
        if attribute == "rule":
            elsewhere = f"Everywhere else: {name(self.inherited, 20)}."
            declared = replace(declared, hint=f"{elsewhere} {declared.hint}")
        return PlainForm.asked_input(self, attribute, declared)

    def instead(self, attribute: str) -> Mrkdwn:  # noqa: ARG002 - only the rule is a curator's alone
        """Everybody can read the rule."""
        rule = name(self.rule or self.inherited, 20)
        return say("Demotion rule: {rule}. Only curators can change it.", rule=rule)


@dataclass(frozen=True, slots=True, kw_only=True)
class AdoptForm(PlainForm, callback=Callback.ADOPT, title="Bring it to a team", submit="Adopt"):
    """A playbook, of at least one, for another team."""

    playbooks: tuple[Choice, ...]
    teams: tuple[Choice, ...]
    playbook: str | None = ask.choice("Playbook", among="playbooks")
    team: str | None = ask.choice(
        "Team",
        "The setup checklist goes to its channel. Not listed? Create it with /cadence team create.",
        among="teams",
    )
    champion: str | None = ask.member("Champion", "A member of that team who sets it up and keeps it going.")


@dataclass(frozen=True, slots=True, kw_only=True)
class CapacityForm(PlainForm, callback=Callback.CAPACITY, title="Start it anyway?", submit="Start anyway"):
    """A curator's override of the limit of running cycles.

    Args:
        running: titles of the playbooks whose cycles the team is running, `most` being the limit.
    """

    TEMPLATE: ClassVar[str] = "modals/adoption/capacity.json.j2"

    playbook: str
    team: str
    running: tuple[str, ...]
    most: int
    reason: str = ask.lines("Why now?", "The team and the curators will see this.")


@dataclass(frozen=True, slots=True, kw_only=True)
class CapacityOverridden(MessageContext):
    """A curator let a team run one more cycle, and why."""

    TEMPLATE: ClassVar[str] = "messages/adoption/capacity_overridden.json.j2"

    playbook: str
    team: str
    running: tuple[str, ...]
    most: int
    curator: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LetInForm(PlainForm, callback=Callback.LET_IN, title="Let it in anyway?", submit="Let it in"):
    """A curator's override of the rule that teams adopt a playbook in waves."""

    TEMPLATE: ClassVar[str] = "modals/adoption/let_in.json.j2"

    playbook: str
    team: str
    champion: str | None = ask.member("Champion", "A member of that team who sets it up and keeps it going.")
    reason: str = ask.lines("Why now?", "The team and the curators will see this.")


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessOverridden(MessageContext):
    """A curator let a team adopt a playbook outside of the waves, and why."""

    TEMPLATE: ClassVar[str] = "messages/adoption/access_overridden.json.j2"

    playbook: str
    team: str
    curator: str
    reason: str
