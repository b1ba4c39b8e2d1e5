"""Reading the KPI of a playbook and its guardrails."""

from cadence.documents.kinds import choice, number, text, whole
from cadence.documents.playbook import DEFAULT_WINDOW_DAYS, Guardrail, Kpi
from cadence.documents.section import Kind, Place, Section, WrongValueError, group, listing
from cadence.documents.tree import Node, Sequence
from cadence.documents.words import MAX_GUARDRAILS, NAME_LENGTH
from cadence.rules.amounts import Unit, format_amount
from cadence.rules.kpi import Direction, better

ONE_KPI = "there is more than one KPI: with two numbers a team can always point to the better one"
KEEP_ONE = "keep the one number to move under `kpi`, and make another a guardrail"
_UNIT = choice(Unit, example=Unit.MINUTES)
_DIRECTION = choice(Direction, example=Direction.LOWER)
_NEVER_NEGATIVE = frozenset({Unit.MINUTES, Unit.HOURS, Unit.DAYS, Unit.COUNT})


def _guardrail(section: Section) -> Guardrail:
    return Guardrail(
        name=section.needed("name", text(NAME_LENGTH, example="CSAT")),
        unit=section.needed("unit", _UNIT),
        direction=section.needed("direction", _DIRECTION),
        limit=section.needed("limit", number("4.6"), why="is missing: nothing says when it got worse"),
    )


_GUARDRAIL_EXAMPLE = "{name: CSAT, unit: score, direction: higher, limit: 4.6}"
_GUARDRAIL = group(_guardrail, Guardrail("", Unit.SCORE, Direction.HIGHER, 0.0), example=_GUARDRAIL_EXAMPLE)


_GUARDRAILS = listing(
    _GUARDRAIL, most=MAX_GUARDRAILS, distinct={"name": lambda guardrail: guardrail.name.casefold()}
)


def _kpi(section: Section) -> Kpi:
    kpi = Kpi(
        name=section.needed("name", text(NAME_LENGTH, example="First response time")),
        unit=section.needed("unit", _UNIT),
        direction=section.needed("direction", _DIRECTION),
        baseline=section.needed(
            "baseline", number("42"), why="is missing: without it no change can be shown"
        ),
        target=section.needed(
            "target", number("15"), why="is missing: without it nobody knows when it is met"
        ),
        window_days=section.optional(
            "window_days",
            whole(14, 30, example="28", why="a playbook moves its number in two to four weeks"),
            DEFAULT_WINDOW_DAYS,
        ),
        guardrails=section.optional("guardrails", _GUARDRAILS, ()),
    )
    _check_kpi(section, kpi)
    return kpi


def _check_kpi(section: Section, kpi: Kpi) -> None:
    for key, value in (("baseline", kpi.baseline), ("target", kpi.target)):
        if section.sound("unit", key) and value < 0 and kpi.unit in _NEVER_NEGATIVE:
            section.refuse(key, f"{value:g} {kpi.unit} is less than nothing", "write 0 or more")
    if section.sound("direction", "baseline", "target") and not better(
        kpi.target, kpi.baseline, kpi.direction
    ):
        side, other = ("below", "higher") if kpi.direction is Direction.LOWER else ("above", "lower")
        unit = kpi.unit if section.sound("unit") else None
        target, baseline = (
            format_amount(value, unit) if unit else f"{value:.12g}" for value in (kpi.target, kpi.baseline)
        )
        numbers = f"{target} is no better than the baseline {baseline}"
        reason = f"{numbers} when {kpi.direction} is better"
        section.refuse("target", reason, f"write a target {side} it, or `direction: {other}`")
    names = [guardrail.name.casefold() for guardrail in kpi.guardrails]
    if section.sound("name", "guardrails") and kpi.name.casefold() in names:
        section.refuse("guardrails", "the KPI is its own guardrail", "name a number that must not get worse")


_KPI_GROUP = group(
    _kpi,
    Kpi("", Unit.MINUTES, Direction.LOWER, 1.0, 0.0),
    example="{name: First response time, unit: minutes, direction: lower, baseline: 42, target: 15}",
)


def _read_kpi(node: Node, place: Place) -> Kpi:
    if isinstance(node, Sequence) and len(node.items) > 1:
        raise WrongValueError(ONE_KPI, KEEP_ONE)
    return _KPI_GROUP.read(node, place)


KPI = Kind(_read_kpi, _KPI_GROUP.blank, _KPI_GROUP.example)
