"""The contents of a playbook, with every default, and the valid values of its file. Sources: SPEC §2, §5,
§6."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Any, ClassVar, Final

from pydantic import Field, ValidationInfo, field_validator

from cadence.documents.group import Group, Missing
from cadence.documents.values import (
    YES_NO,
    Kind,
    WrongValueError,
    choice,
    hours,
    items,
    many,
    member,
    number,
    share,
    short_name,
    step_key,
    text,
    whole,
)
from cadence.documents.words import (
    ANSWER_LENGTH,
    ITEM_LENGTH,
    MAX_GUARDRAILS,
    MAX_STEPS,
    NAME_LENGTH,
    TITLE_LENGTH,
    Function,
)
from cadence.rules.amounts import Unit, format_amount
from cadence.rules.kpi import Direction, better
from cadence.rules.modes import LADDER, Mode, rank
from cadence.rules.verdicts import Rule

DEFAULT_WINDOW_DAYS: Final = 28
DEFAULT_SETUP_MINUTES: Final = 60
DEFAULT_SCALE_CYCLES: Final = 2
FILE: Final = "file"
"""The validation context of files: their bounds can be narrower than those of stored data."""
STORED: Final = "stored"

_ONE_KPI: Final = WrongValueError(
    "there is more than one KPI: with two numbers, a team can always point to the better one",
    "keep the one number to improve under `kpi`, and make the other a guardrail",
    at_key=True,
)
_NEVER_NEGATIVE: Final = frozenset({Unit.MINUTES, Unit.HOURS, Unit.DAYS, Unit.COUNT})
_SLA: Final = {FILE: hours(0.25, 672, "24"), STORED: hours(0, 8760, "24")}
"""A contract allows from a quarter of an hour, in which somebody can answer, to the four weeks of a cycle.
A version never changes, so versions from before these bounds can still be read."""

AnyFunction = Annotated[Function, choice(Function, Function.SUPPORT)]
AnyMode = Annotated[Mode, choice(Mode, Mode.COLLABORATIVE)]
AnyRule = Annotated[Rule, choice(Rule, Rule.BALANCED)]
_AnyUnit = Annotated[Unit, choice(Unit, Unit.MINUTES)]
_AnyDirection = Annotated[Direction, choice(Direction, Direction.LOWER)]
_Cycles = Annotated[int, whole(1, 12, "2")]


def _answer(example: str) -> Kind:
    return text(ANSWER_LENGTH, example, lines=True, answer=True)


class Guardrail(Group):
    """A number that must not get past its limit while the KPI moves; `limit` is in `unit`."""

    EXAMPLE = "{name: CSAT, unit: score, direction: higher, limit: 4.6}"
    name: Annotated[str, text(NAME_LENGTH, "CSAT")]
    unit: _AnyUnit
    direction: _AnyDirection
    limit: Annotated[float, number("4.6"), Missing("is missing: nothing says when it got worse")]


class Kpi(Group):
    """The one number to move: `baseline` and `target` in `unit`, `window_days` from 14 to 30."""

    EXAMPLE = "{name: First response time, unit: minutes, direction: lower, baseline: 42, target: 15}"
    name: Annotated[str, text(NAME_LENGTH, "First response time")]
    unit: _AnyUnit
    direction: _AnyDirection
    baseline: Annotated[float, number("42"), Missing("is missing: without it no change can be shown")]
    target: Annotated[float, number("15"), Missing("is missing: without it nobody knows when it is met")]
    window_days: Annotated[
        int, whole(14, 30, "28", why="a playbook moves its number in two to four weeks")
    ] = DEFAULT_WINDOW_DAYS
    guardrails: Annotated[
        tuple[Guardrail, ...], many(Guardrail.EXAMPLE, most=MAX_GUARDRAILS, apart=("name",))
    ] = ()

    @field_validator("baseline", "target")
    @classmethod
    def _is_an_amount(cls, value: float, info: ValidationInfo) -> float:
        unit = info.data.get("unit")
        if value < 0 and unit in _NEVER_NEGATIVE:
            raise WrongValueError(f"{value:.12g} {unit} is below zero", "write 0 or more", at_key=True)
        return value

    @field_validator("target")
    @classmethod
    def _is_better(cls, target: float, info: ValidationInfo) -> float:
        direction, baseline, unit = (info.data.get(key) for key in ("direction", "baseline", "unit"))
        if direction is None or baseline is None or better(target, baseline, direction):
            return target
        side, other = ("below", "higher") if direction is Direction.LOWER else ("above", "lower")
        new, old = (format_amount(one, unit) if unit else f"{one:.12g}" for one in (target, baseline))
        reason = f"{new} isn't better than the baseline {old} when {direction} is better"
        raise WrongValueError(reason, f"write a target {side} it, or `direction: {other}`", at_key=True)

    @field_validator("guardrails")
    @classmethod
    def _is_another_number(
        cls, guardrails: tuple[Guardrail, ...], info: ValidationInfo
    ) -> tuple[Guardrail, ...]:
        if info.data.get("name", "").casefold() in [one.name.casefold() for one in guardrails]:
            right = "name a number that must not get worse"
            raise WrongValueError("the KPI is its own guardrail", right, at_key=True)
        return guardrails


class Promote(Group):
    """What a step's graded samples must show in each of the last `cycles` cycles; shares from 0 to 1."""

    EXAMPLE = "{accuracy: 0.90, max_risk: 0.02, cycles: 2}"
    accuracy: Annotated[
        float, share("0.90", zero="accepts everything", one="can't be proven with any number of samples")
    ] = 0.90
    max_risk: Annotated[float, share("0.02", small=True)] = 0.02
    cycles: _Cycles = 2


class Verify(Group):
    """Verification of a step: an automated check, runs drawn per week, and who is told about a risky
    grade."""

    EXAMPLE = "{sample: 5, escalate_to: U01LEAD}"
    automated: Annotated[str | None, text(NAME_LENGTH, "policy-check")] = None
    sample: Annotated[int, whole(0, 50, "5")] = 0
    escalate_to: Annotated[str | None, member("U01LEAD")] = None

    @classmethod
    def missing_from(cls, data: dict[str, Any]) -> dict[str, WrongValueError]:
        """Require a check or a sample."""
        right = "write `sample: 5`, or `automated:` with a check's name"
        return (
            {}
            if data.keys() & {"automated", "sample"}
            else {"sample": WrongValueError("no check is set", right)}
        )


class Step(Group):
    """One step: its mode and `why` it has that mode, where a demotion leads, and the highest exception ratio
    (0 to 1)."""

    EXAMPLE = "{key: draft, title: Draft three replies, mode: collaborative, exception_cap: 0.10}"
    key: Annotated[str, step_key("draft")]
    title: Annotated[str, text(TITLE_LENGTH, "Draft three replies")]
    mode: Annotated[AnyMode, Missing("is missing: nobody knows who leads this step")]
    fallback: AnyMode = Field(default_factory=lambda data: _below(data["mode"]))
    why: Annotated[
        str | None, text(ITEM_LENGTH, "facts come from the knowledge base, tone needs a person")
    ] = None
    exception_cap: Annotated[
        float,
        share("0.10", small=True),
        Missing("is missing: only the owner can say how many exceptions are too many"),
    ]
    promote: Promote = Field(default_factory=Promote)
    verify: Verify | None = None

    @field_validator("fallback")
    @classmethod
    def _is_below(cls, fallback: Mode, info: ValidationInfo) -> Mode:
        mode = info.data.get("mode")
        if mode is None or rank(fallback) < rank(mode) or fallback is _below(mode):
            return fallback
        reason = (
            f"{fallback} is the planned mode itself: a demotion would change nothing"
            if fallback is mode
            else f"{fallback} is above the planned mode {mode}: a demotion would be a promotion"
        )
        raise WrongValueError(reason, f"write `fallback: {_below(mode)}`, or leave the line out", at_key=True)


def _below(mode: Mode) -> Mode:
    """The default fallback of a mode."""
    return LADDER[max(rank(mode) - 1, 0)]


class Rubric(Group):
    """Accept or reject: the share of the calibration set that must pass, and by which criteria."""

    EXAMPLE = "{threshold: 0.90, criteria: [tone, accuracy]}"
    threshold: Annotated[float, share("0.90", zero="accepts everything")]
    criteria: Annotated[tuple[str, ...], items("tone", least=1)]


class ScaleRule(Group):
    """How many cycles in a row must meet the target before the playbook can be published."""

    EXAMPLE = "{cycles: 2}"
    cycles: _Cycles = DEFAULT_SCALE_CYCLES


class HandoffTerms(Group):
    """What is passed to another team, within how many hours, and what happens if that fails.

    With `automatic`, the fallback mode applies to `step` while a handoff is failed. `step` is the receiving step
    by its key: one of a playbook that the receiving team runs, else one of this playbook.
    """

    EXAMPLE = (
        "{to: billing, inputs: [tagged ticket], outputs: [refund decision], sla_hours: 24, "
        "on_failure: reopen the ticket, fallback: human-led}"
    )
    to: Annotated[str, short_name("billing")]
    inputs: Annotated[tuple[str, ...], items("tagged ticket", least=1)]
    outputs: Annotated[tuple[str, ...], items("refund decision", least=1)]
    sla_hours: Annotated[float, number("24")]
    on_failure: Annotated[str, text(ITEM_LENGTH, "reopen the ticket")]
    fallback: AnyMode
    step: Annotated[str | None, step_key("send")] = None
    automatic: Annotated[bool, YES_NO] = False

    @field_validator("sla_hours")
    @classmethod
    def _is_in_bounds(cls, value: float, info: ValidationInfo) -> object:
        return _SLA[info.context or STORED].read(value)


class WorthUnit(StrEnum):
    """The units of a value event's worth."""

    MINUTES = "minutes"
    HOURS = "hours"
    CURRENCY = "currency"


class Pillars(Group):
    """Five answers a curator judges before a pilot; None until they are given."""

    EXAMPLE = "value_event: a reply the customer did not reopen"
    value_event: Annotated[str | None, _answer("a reply sent that the customer did not reopen")] = None
    input_contract: Annotated[
        str | None, _answer("ticket text, refreshed hourly; the queue pauses without it")
    ] = None
    output_trust: Annotated[
        str | None, _answer("sources linked on each draft; low confidence goes to a person")
    ] = None
    operational_owner: Annotated[
        str | None, _answer("the support lead owns rules, exceptions and training")
    ] = None
    replication_template: Annotated[str | None, _answer("this playbook, its checklist, its examples")] = None

    @property
    def unanswered(self) -> tuple[str, ...]:
        """The pillars without an answer, for display: `input contract`."""
        return tuple(
            "when a run counts" if name == "value_event" else name.replace("_", " ")
            for name, answer in self
            if answer is None
        )


class Worth(Group):
    """What one value event is worth: time saved or money earned."""

    EXAMPLE = "{amount: 6, unit: minutes}"
    amount: Annotated[float, number("6")]
    unit: Annotated[WorthUnit, choice(WorthUnit, WorthUnit.MINUTES)]

    @field_validator("amount")
    @classmethod
    def _is_positive(cls, amount: float) -> float:
        if amount <= 0:
            raise WrongValueError(f"{amount:.12g} is worth nothing", "write a number above 0", at_key=True)
        return amount


class Case(Group):
    """Why this workflow comes next; None until it is answered.

    Args:
        frequency: how often the work comes, 1 (rarely) to 5 (all day).
        friction: how much it hurts today, 1 to 5.
        structure: how structured its inputs are, 1 to 5.
        worth: of one value event, optional. The event itself is a pillar.
    """

    EXAMPLE = "{frequency: 5, friction: 4, structure: 4, worth: {amount: 6, unit: minutes}}"
    frequency: Annotated[int | None, whole(1, 5, "5")] = None
    friction: Annotated[int | None, whole(1, 5, "4")] = None
    structure: Annotated[int | None, whole(1, 5, "4")] = None
    worth: Worth | None = None

    @property
    def unanswered(self) -> tuple[str, ...]:
        """The questions without an answer, for display; the worth is optional."""
        return tuple(name for name in ("frequency", "friction", "structure") if getattr(self, name) is None)


class PlaybookSpec(Group):
    """One playbook file, its parts in the order of the file. `pilot` is the slug of the first team.

    `scale_rule`, `rubric` and `loop` are None if missing; the package is then incomplete. `rule` and
    `min_runs` are None if the workspace's apply.
    """

    REFUSED: ClassVar[Mapping[str, WrongValueError]] = {"kpis": _ONE_KPI}

    slug: Annotated[str, short_name("support-reply")] = Field(alias="playbook")
    title: Annotated[str, text(TITLE_LENGTH, "Support reply")]
    function: AnyFunction
    owner: Annotated[
        str,
        member("U01LEAD"),
        Missing(
            "is missing: each playbook has one person who answers for it",
            "write their Slack member ID, such as `owner: U01LEAD`",
        ),
    ]
    pilot: Annotated[str | None, short_name("support-emea")] = None
    kpi: Kpi
    steps: Annotated[tuple[Step, ...], many(Step.EXAMPLE, most=MAX_STEPS, least=1, apart=("key",))]
    inputs: Annotated[tuple[str, ...], items("ticket text")] = ()
    outputs: Annotated[tuple[str, ...], items("sent reply")] = ()
    quality: Annotated[tuple[str, ...], items("every claim is in the knowledge base")] = ()
    rubric: Rubric | None = None
    loop: Annotated[str | None, text(ANSWER_LENGTH, "Draft, edit, send, measure", lines=True)] = None
    scale_rule: ScaleRule | None = None
    runs_per_week: Annotated[
        int,
        whole(1, 100_000, "40"),
        Missing("is missing: the first weeks use the expected runs"),
    ]
    setup_minutes: Annotated[
        int, whole(1, 60, "60", why="another team must be able to start within the hour")
    ] = DEFAULT_SETUP_MINUTES
    rule: AnyRule | None = None
    min_runs: Annotated[int | None, whole(1, 10_000, "20")] = None
    examples: Annotated[tuple[str, ...], items("a worked example another team can follow")] = ()
    checklist: Annotated[tuple[str, ...], items("connect the ticket queue")] = ()
    fixed: Annotated[tuple[str, ...], items("rubric")] = ()
    adaptable: Annotated[tuple[str, ...], items("tone guide")] = ()
    handoffs: Annotated[tuple[HandoffTerms, ...], many(HandoffTerms.EXAMPLE)] = ()
    case: Case = Field(default_factory=Case)
    pillars: Pillars = Field(default_factory=Pillars)

    @field_validator("kpi", mode="before")
    @classmethod
    def _is_one_number(cls, value: object) -> object:
        if isinstance(value, list) and len(value) > 1:
            raise WrongValueError(_ONE_KPI.reason, _ONE_KPI.right)
        return value

    @field_validator("steps")
    @classmethod
    def _is_apart(cls, steps: tuple[Step, ...], info: ValidationInfo) -> tuple[Step, ...]:
        if (slug := info.data.get("slug")) in [step.key for step in steps]:
            reason = f"the step `{slug}` has the same short name as the playbook, so commands can't tell them apart"
            raise WrongValueError(reason, "give the step another key", at_key=True)
        return steps

    @field_validator("adaptable")
    @classmethod
    def _is_not_fixed(cls, adaptable: tuple[str, ...], info: ValidationInfo) -> tuple[str, ...]:
        both = sorted(set(info.data.get("fixed", ())) & set(adaptable))
        right = "keep it in one of the two lists"
        wrong = [WrongValueError(f"`{one}` is fixed too", right, at_key=True) for one in both]
        if wrong:
            wrong[0].more = tuple(wrong[1:])
            raise wrong[0]
        return adaptable

    @field_validator("handoffs")
    @classmethod
    def _names_its_step(
        cls, handoffs: tuple[HandoffTerms, ...], info: ValidationInfo
    ) -> tuple[HandoffTerms, ...]:
        steps = info.data.get("steps", ())
        for one in handoffs:
            above = [step.key for step in steps if rank(step.mode) > rank(one.fallback)]
            if one.automatic and one.step is None and steps and len(above) != 1:
                found = (
                    f"{len(above)} steps are above {one.fallback}"
                    if above
                    else f"no step is above {one.fallback}"
                )
                right = f"write `step: {above[0] if above else steps[-1].key}`"
                raise WrongValueError(f"it isn't clear which step falls back: {found}", right, at_key=True)
        return handoffs

    @property
    def scale_cycles(self) -> int:
        """Cycles in a row that must meet the target; 2 without a scale rule."""
        return (self.scale_rule or ScaleRule()).cycles

    def step(self, key: str) -> Step | None:
        """The step with that key."""
        return next((step for step in self.steps if step.key == key), None)


def package_gaps(spec: PlaybookSpec) -> tuple[str, ...]:
    """What the file is missing for a complete package, for display, in the order of the file."""
    needed = ("inputs", "outputs", "quality", "rubric", "loop", "scale_rule", "examples", "checklist")
    gaps = [name.replace("_", " ") for name in needed if not getattr(spec, name)]
    if spec.pillars.unanswered:
        gaps.append(f"pillars ({', '.join(spec.pillars.unanswered)})")
    return tuple(gaps)
