"""Before a pilot: the case and its review, ranked drafts, the limit of first cycles, and duties."""

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar, Final

from cadence.refusals import Offer
from templates.contexts import ask
from templates.contexts.ask import PlainForm
from templates.contexts.base import Choice, MessageContext
from templates.ids import Callback

DUTY_WORDS: Final = {
    "rules": "the rules",
    "updates": "model and prompt updates",
    "exceptions": "the exception queue",
    "adoption": "adoption",
    "training": "training",
}
"""What one person each owns in production, by the kind of duty."""
DUTY_TITLES: Final = {
    "rules": "Rules",
    "updates": "Model and prompt updates",
    "exceptions": "Exception queue",
    "adoption": "Adoption",
    "training": "Training",
}
"""The same as headings."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FirstCyclesForm(
    PlainForm, callback=Callback.FIRST_CYCLES, title="Start it anyway?", submit="Start anyway"
):
    """A curator's override of the limit of first cycles.

    Args:
        running: the first cycles that run, such as `Support reply in Support EMEA`; `most` is the limit.
        of_team: titles of the playbooks whose cycles the team is running, if it has reached its own limit.
    """

    TEMPLATE: ClassVar[str] = "modals/pilots/first_cycles.json.j2"

    playbook: str
    team: str
    running: tuple[str, ...]
    most: int
    of_team: tuple[str, ...] = ()
    reason: str = ask.lines("Why now?", "The team and the curators will see this.")


@dataclass(frozen=True, slots=True, kw_only=True)
class FirstCyclesOverridden(MessageContext):
    """A curator let another team start its first cycle over the workspace's limit, and why."""

    TEMPLATE: ClassVar[str] = "messages/pilots/first_cycles_overridden.json.j2"

    playbook: str
    team: str
    running: tuple[str, ...]
    most: int
    curator: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Pillar:
    """One of the five pillars; `answer` is empty until it is given."""

    title: str
    answer: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class StepWhy:
    """A step, its mode, and why it has that mode; empty if the playbook doesn't say."""

    title: str
    mode: str
    why: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rank:
    """A draft's place among those with a complete case, from 1."""

    place: int
    of: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PilotCase:
    """A draft's case, pillars and steps.

    Args:
        frequency, friction, structure: such as `5 · all day`; empty without an answer.
        worth: of a value event, such as `6 min`; empty without it.
        reason: the answers in words; `points` is their product.
        rank: among the drafts; None for another playbook, or an incomplete case.
    """

    frequency: str
    friction: str
    structure: str
    worth: str
    reason: str
    points: int | None
    rank: Rank | None
    pillars: tuple[Pillar, ...]
    steps: tuple[StepWhy, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewShown:
    """A review: `asked`, `approved` or `sent-back`, of a revision.

    `asked_by` and `decided_by` are None for an import on the command line, which approves the file.
    """

    state: str
    asked_at: datetime
    revision: int
    asked_by: str | None = None
    decided_by: str | None = None
    decided_at: datetime | None = None
    remark: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PilotShown(MessageContext):
    """A playbook's case, pillars, modes and review.

    Args:
        state: of the playbook; only drafts are reviewed.
        missing: what a review needs and the playbook doesn't say.
        offers: what the reader can do next, the most likely first.
    """

    TEMPLATE: ClassVar[str] = "answers/pilots/pilot.json.j2"

    slug: str
    title: str
    owner: str
    state: str
    revision: int
    case: PilotCase
    review: ReviewShown | None = None
    missing: tuple[str, ...] = ()
    offers: tuple[Offer, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class PilotDraft:
    """A draft in the ranking.

    Args:
        points: frequency × friction × structure, at most 125; None without a complete case.
        reason: the case in words.
        state: of its review; None if nobody asked for one.
        missing: how many answers a review still needs.
    """

    slug: str
    title: str
    owner: str
    points: int | None
    reason: str
    state: str | None
    missing: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PilotDrafts(MessageContext):
    """The drafts, the one to pilot first at the top, and how many of `most` first cycles are running."""

    TEMPLATE: ClassVar[str] = "answers/pilots/drafts.json.j2"

    rows: tuple[PilotDraft, ...]
    running: int
    most: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ChoosePilotForm(PlainForm, callback=Callback.CHOOSE_PILOT, title="Plan a pilot", submit="Show"):
    """Choose a draft, of at least one."""

    playbooks: tuple[Choice, ...]
    playbook: str | None = ask.choice("Draft", among="playbooks")


@dataclass(frozen=True, slots=True, kw_only=True)
class SendBackForm(PlainForm, callback=Callback.SEND_BACK_PILOT, title="Send it back", submit="Send back"):
    """What a draft still needs, for its owner."""

    title: str
    owner: str
    remark: str = ask.lines("What's missing?", "The owner gets this in a DM.")


@dataclass(frozen=True, slots=True, kw_only=True)
class PilotReviewForm(PlainForm, callback=Callback.PILOT_REVIEW, title="Review a pilot", submit="Save"):
    """A draft for a curator to judge. `value` says which review and revision."""

    TEMPLATE: ClassVar[str] = "modals/pilots/review.json.j2"

    heading: str
    owner: str
    case: PilotCase
    value: str
    decision: str | None = ask.choice(
        "Decision",
        among=(
            Choice(label="Approve the pilot", value="approve"),
            Choice(label="Send it back", value="back"),
        ),
        needed="Choose one.",
    )
    remark: str = ask.lines("Remark", "Needed to send it back. The owner gets this in a DM.", optional=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class PilotReviewPost(MessageContext):
    """The request to review a draft, or its outcome.

    Args:
        lapsed: the playbook isn't a draft any more, so nobody decides.
        retired_by: the curator who retired it, if that is why.
    """

    TEMPLATE: ClassVar[str] = "messages/pilots/pilot_review.json.j2"

    title: str
    owner: str
    case: PilotCase
    review: ReviewShown
    lapsed: bool = False
    retired_by: str = ""
    offers: tuple[Offer, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class PilotDecided(MessageContext):
    """A curator's decision, for the owner."""

    TEMPLATE: ClassVar[str] = "messages/pilots/pilot_decided.json.j2"

    title: str
    review: ReviewShown
    offers: tuple[Offer, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ChooseOwnersForm(PlainForm, callback=Callback.CHOOSE_OWNERS, title="Owners by name", submit="Next"):
    """Choose the playbook, of several, whose owners are named."""

    playbooks: tuple[Choice, ...]
    playbook: str | None = ask.choice("Playbook", among="playbooks")


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnersForm(PlainForm, callback=Callback.OWNERS, title="Owners by name", submit="Save"):
    """The person for each of the five duties."""

    heading: str
    slug: str
    rules: str | None = ask.member("Rules", "Decides what the playbook says, and what counts as acceptable.")
    updates: str | None = ask.member("Model and prompt updates", "Tries a change before teams work with it.")
    exceptions: str | None = ask.member("Exception queue", "Makes sure that each exception is dealt with.")
    adoption: str | None = ask.member("Adoption", "Sees that teams run it, and helps those that don't.")
    training: str | None = ask.member("Training", "Trains champions and new members.")

    def intro(self) -> str:
        """The playbook."""
        return (
            f"{self.heading}: one person for each. If one of them leaves, the curators are asked for another."
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnersNamed(MessageContext):
    """Who owns what now, as (title of the duty, Slack ID)."""

    TEMPLATE: ClassVar[str] = "answers/pilots/owners.json.j2"

    slug: str
    title: str
    changed: bool
    owners: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class DutyOpen(MessageContext):
    """A person with duties has left; `duties` are those still open, in words. None: others have been named."""

    TEMPLATE: ClassVar[str] = "messages/pilots/duty_open.json.j2"

    title: str
    member: str
    duties: tuple[str, ...]
    offers: tuple[Offer, ...] = ()
