"""The guided form of a playbook: an overview with a row a part, and a form for each part.

Texts are prefilled as they were typed. A text that is None is too long for a field: it isn't asked for, and
stays as it is.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar

from cadence.mrkdwn import Mrkdwn
from cadence.rules.pilots import FREQUENCY, FRICTION, STRUCTURE
from templates.contexts import ask
from templates.contexts.ask import PlainForm, short_name
from templates.contexts.base import FUNCTIONS, MODES, Choice, ChoiceGroup, Id, ViewContext
from templates.ids import Callback


def levels(words: tuple[str, ...]) -> tuple[Choice, ...]:
    """Five levels as options: `1 · rarely` to `5 · all day`."""
    return tuple(
        Choice(label=f"{level} · {word}", value=str(level)) for level, word in enumerate(words, start=1)
    )


def _items(label: str, hint: str) -> Any:
    """Ask for a list, one item per line: a `str`, or None if it is too long for a field."""
    return ask.lines(label, hint, most=ask.FIELD, optional=True)


def _too_long(form: PlainForm, attribute: str) -> Mrkdwn:
    label = form.declared_inputs()[attribute].label
    return Mrkdwn(
        f"*{label}*: too long to edit here, so it stays as it is. Edit the file with `/cadence playbook revise`."
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class PartRow:
    """A part of the playbook in the overview.

    Args:
        value: of its button.
        done: nothing is missing for a draft.
        begun: something is filled in.
        text: the input so far, in a line.
        missing: what a draft still needs, one sentence each.
        later: what it needs before it can be published.
    """

    title: str
    value: str
    done: bool
    begun: bool = False
    text: str = ""
    missing: tuple[str, ...] = ()
    later: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class StepRow:
    """A step in the overview; `value` is what its button carries. `cap` is 0–1, None while it isn't known."""

    title: str
    value: str
    mode: str
    cap: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaybookHub(ViewContext):
    """An unfinished playbook: its parts and their missing items, with a button per part.

    Args:
        slug: of the playbook that is edited; "" for a new one.
        heading: its title; "" while it has none.
        revision: the one the draft started from.
        kept_at: when it was last changed, in the reader's zone; None before that.
        overtaken: who saved a later revision meanwhile.
        add_step: the value of [Add a step]; "" if there are as many as a playbook can have.
        refused: why it wasn't saved just now.
    """

    TEMPLATE: ClassVar[str] = "modals/editor/playbook.json.j2"

    slug: str
    heading: str
    parts: tuple[PartRow, ...]
    steps: tuple[StepRow, ...]
    add_step: str
    steps_missing: tuple[str, ...] = ()
    revision: int | None = None
    kept_at: datetime | None = None
    overtaken: str | None = None
    refused: tuple[str | Mrkdwn, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class BasicsForm(PlainForm, callback=Callback.PLAYBOOK_BASICS, title="Basics", submit="Save"):
    """The name, the owner and the like; `fixed`: the short name can't be changed."""

    fixed: bool
    title: str = ask.text("Name", "The workflow in two or three words, such as Support reply.", most=80)
    slug: str = ask.text(
        "Short name",
        "For commands. Lowercase letters, digits and hyphens. Leave blank to create it from the name.",
        most=40,
        when="new",
        optional=True,
    )
    function: str | None = ask.choice("Function", among=FUNCTIONS, placeholder="")
    owner: str | None = ask.member("Owner", "The one person accountable: acts on alerts and runs the cycle.")
    runs_per_week: str = ask.text(
        "Runs per week",
        "What a team expects, such as 40. Used until check-ins come in.",
        most=20,
    )
    teams: tuple[Choice, ...] = ()
    pilot: str | None = ask.choice(
        "First team",
        "The team that pilots it. You can choose later, when the first cycle starts.",
        among="teams",
        when="teams",
        optional=True,
        cut="Showing the first 100 teams. For any other, type `/cadence cycle start` later.",
    )

    @property
    def new(self) -> bool:
        """Whether its short name can still be chosen."""
        return not self.fixed

    def instead(self, attribute: str) -> Mrkdwn | None:
        """The short name of a playbook never changes."""
        return short_name(self.slug) if attribute == "slug" else None


@dataclass(frozen=True, slots=True, kw_only=True)
class KpiPartForm(ViewContext):
    """Inputs: `catalogue`, and for a custom KPI (`own`) `name`, `unit`, `direction`; `baseline`, `target`,
    `window_days`. `unit` and `direction` are those of the chosen KPI.
    """

    TEMPLATE: ClassVar[str] = "modals/editor/playbook_kpi.json.j2"

    groups: tuple[ChoiceGroup, ...]
    chosen: str | None = None
    own: bool = False
    name: str = ""
    unit: str | None = None
    direction: str | None = None
    baseline: str = ""
    target: str = ""
    window_days: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class GuardrailFields:
    """One guardrail: the inputs `name:{place}`, `unit:{place}`, `direction:{place}` and `limit:{place}`."""

    place: Id
    name: str = ""
    unit: str | None = None
    direction: str | None = None
    limit: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class GuardrailsForm(ViewContext):
    """Numbers that must not get worse."""

    TEMPLATE: ClassVar[str] = "modals/editor/playbook_guardrails.json.j2"

    rows: tuple[GuardrailFields, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class StepForm(PlainForm, callback=Callback.PLAYBOOK_STEP, title="Edit step", submit="Save"):
    """One step: at `position` among `places` of them; `fallback` is `default` or a mode."""

    new: bool
    places: int = 1
    title: str = ask.text("Step", "Start with a verb, such as Draft three replies.", most=80)
    key: str = ask.text(
        "Short name",
        "For commands, such as draft. Leave blank to create it from the step's name.",
        most=40,
        optional=True,
    )
    position: str = ask.choice("Position", among="numbers", placeholder="", when="numbers")
    mode: str | None = ask.choice(
        "Who leads it?",
        "Human-led: people do it, AI can help. Collaborative: AI prepares, a person checks. AI-led: people handle "
        "exceptions.",
        among=MODES,
        placeholder="",
    )
    exception_cap: str = ask.text(
        "Exception cap",
        "The highest share of runs that can go wrong, such as 8%.",
        most=20,
    )
    fallback: str | None = ask.choice(
        "If demoted, move to",
        among=(Choice(label="One level down", value="default"), *MODES[:2]),
        first=True,
        placeholder="",
        optional=True,
    )
    why: str = ask.text(
        "Why this mode?",
        "In a sentence, such as: facts come from the knowledge base, tone needs a person.",
        most=300,
        optional=True,
    )
    accuracy: str = ask.text(
        "Pass rate, at least",
        most=20,
        optional=True,
        above="*Ready for promotion when* graded samples show this. Leave blank for 90%, 2% and 2 cycles.",
    )
    max_risk: str = ask.text("Risky share, at most", most=20, optional=True)
    cycles: str = ask.text("Cycles in a row", most=20, optional=True)
    sample: str = ask.text(
        "Spot checks per week",
        "How many random runs the owner grades each week. Leave blank for none.",
        most=20,
        optional=True,
    )
    escalate_to: str | None = ask.member("Who gets notified of risky grades?", optional=True)
    automated: str = ask.text(
        "Automated check",
        "The name of a check that reports on its own, if there is one.",
        most=60,
        optional=True,
    )
    remove: bool = ask.check(
        "Remove this step?",
        among=(Choice(label="Remove it from the draft", value="remove"),),
        when="known",
        optional=True,
    )

    @property
    def numbers(self) -> tuple[Choice, ...]:
        """Possible positions, if there are several."""
        places = [str(place) for place in range(1, self.places + 1)]
        return tuple(Choice(label=place, value=place) for place in places) if self.places > 1 else ()

    @property
    def known(self) -> bool:
        """Whether the step is in the draft already."""
        return not self.new

    def modal_title(self) -> str:
        """Adding and editing a step use the same form."""
        return "New step" if self.new else self.TITLE


@dataclass(frozen=True, slots=True, kw_only=True)
class PackageForm(
    PlainForm,
    callback=Callback.PLAYBOOK_PACKAGE,
    title="Package",
    submit="Save",
    intro=("One item per line. Needed to publish the playbook, not to run it."),
):
    """A step's inputs and outputs, how it is judged, how it improves."""

    inputs: str | None = _items("Inputs", "What a run needs, such as ticket text.")
    outputs: str | None = _items("Outputs", "What a run produces, such as a sent reply.")
    quality: str | None = _items(
        "Quality", "What makes it good, such as every claim is in the knowledge base."
    )
    criteria: str | None = _items(
        "Rubric criteria", "What to accept or reject a result by, such as tone or accuracy."
    )
    threshold: str = ask.text(
        "Rubric threshold",
        "The share of graded samples that must pass, such as 90%. Required if there are criteria.",
        most=20,
        optional=True,
    )
    loop: str = ask.lines(
        "Loop",
        "How it gets better, such as: draft, edit, send, measure. Refine the prompts every Friday.",
        optional=True,
    )

    def instead(self, attribute: str) -> Mrkdwn:
        """A list that is too long for a field stays as it is."""
        return _too_long(self, attribute)


@dataclass(frozen=True, slots=True, kw_only=True)
class NextTeamForm(
    PlainForm,
    callback=Callback.PLAYBOOK_NEXT_TEAM,
    title="For the next team",
    submit="Save",
    intro="What another team gets. One item per line.",
):
    """When another team can adopt it, and what that team gets."""

    cycles: str = ask.text(
        "Scale rule",
        "How many cycles in a row the target must hold before other teams adopt it, such as 2.",
        most=20,
        optional=True,
    )
    setup_minutes: str = ask.text(
        "Setup time in minutes",
        "How long another team needs to start. At most 60, the default.",
        most=20,
        optional=True,
    )
    checklist: str | None = _items(
        "Checklist", "What a team does to set it up, such as connect the ticket queue."
    )
    examples: str | None = _items("Examples", "Worked examples another team can follow.")
    fixed: str | None = _items("Fixed", "What an adopting team can't change, such as the rubric.")
    adaptable: str | None = _items("Adaptable", "What it can change, such as the tone guide.")

    def instead(self, attribute: str) -> Mrkdwn:
        """A list that is too long for a field stays as it is."""
        return _too_long(self, attribute)


@dataclass(frozen=True, slots=True, kw_only=True)
class PillarsForm(
    PlainForm,
    callback=Callback.PLAYBOOK_PILLARS,
    title="Case and pillars",
    submit="Save",
    intro=(
        "A curator reviews these before the first cycle. To rank your draft among the others, the bot multiplies "
        "the first three."
    ),
):
    """The case (each question from 1 to 5, and the worth), then the five pillars, each by its key."""

    frequency: str | None = ask.choice(
        "How often does the work come?", among=levels(FREQUENCY), optional=True
    )
    friction: str | None = ask.choice("How much does it hurt today?", among=levels(FRICTION), optional=True)
    structure: str | None = ask.choice(
        "How structured are its inputs?", among=levels(STRUCTURE), optional=True
    )
    worth: str = ask.text(
        "What is one run that counts worth?",
        "The time saved or the money earned, such as 6. Leave blank if you don't know.",
        most=20,
        optional=True,
    )
    worth_unit: str | None = ask.choice(
        "In which unit?",
        among=(
            Choice(label="minutes", value="minutes"),
            Choice(label="hours", value="hours"),
            Choice(label="money", value="currency"),
        ),
        optional=True,
    )
    value_event: str = ask.lines(
        "When does a run count?",
        "The moment someone is better off, such as a reply the customer didn't reopen.",
        optional=True,
        above="*The five pillars*: what to agree on before a pilot. Publishing needs all five.",
    )
    input_contract: str = ask.lines(
        "Input contract", "What comes in, how fresh it is, and what happens when it's missing.", optional=True
    )
    output_trust: str = ask.lines(
        "Output trust",
        "How readers know what to rely on, such as linked sources, or low confidence goes to a person.",
        optional=True,
    )
    operational_owner: str = ask.lines(
        "Operational owner",
        "The people who own the rules, the exception queue, training and adoption.",
        optional=True,
    )
    replication_template: str = ask.lines(
        "Replication template",
        "What another team copies, such as this playbook, its checklist and its graded examples.",
        optional=True,
    )
