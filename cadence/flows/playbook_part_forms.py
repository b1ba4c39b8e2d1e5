"""One part of the guided playbook form, opened with what is there."""

from collections.abc import Mapping
from typing import Any

from pydantic import JsonValue
from sqlmodel import Session

from cadence.documents import KPI_CATALOGUE, Data, Function
from cadence.documents.parts import Part, taken_out
from cadence.documents.words import MAX_GUARDRAILS
from cadence.flows import playbook_drafts as drafts
from cadence.flows.callers import Caller
from cadence.flows.playbook_drafts import PlaybookDraft
from cadence.flows.playbook_fields import (
    FIELDS,
    GUARDRAIL,
    STEP,
    Spot,
    fits,
    shown,
)
from cadence.rules.amounts import Unit
from storage import people
from storage.engine import Database
from templates.contexts.base import Choice, ChoiceGroup, ViewContext
from templates.contexts.playbook_form import (
    BasicsForm,
    GuardrailFields,
    GuardrailsForm,
    KpiPartForm,
    NextTeamForm,
    PackageForm,
    PillarsForm,
    StepForm,
)

OWN = "own"


DEFAULT = "default"


_COUNTED = {Unit.COUNT: "a count", Unit.SCORE: "a score", Unit.CURRENCY: "an amount of money"}


def _counted(name: str, unit: Unit) -> str:
    return f"{name} ({_COUNTED[unit]})" if unit in _COUNTED else f"{name}, in {unit}"


_GROUPS = (
    ChoiceGroup(label="Your own", choices=(Choice(label="A number of our own", value=OWN),)),
    *(
        ChoiceGroup(
            label=function.capitalize(),
            choices=tuple(
                Choice(label=_counted(kpi.name, kpi.unit), value=f"{function}:{at}")
                for at, kpi in enumerate(offered)
            ),
        )
        for function, offered in KPI_CATALOGUE.items()
        if offered
    ),
)


def part_form(db: Database, caller: Caller, spot: Spot, *, kpi: str | None = None) -> ViewContext:
    """The form of a part, with what is there filled in; `kpi` is the number just chosen in it.

    Raises:
        Refusal: there is no such playbook, or it isn't theirs to edit.
    """
    with db.read() as session:
        draft = drafts.load(session, caller, spot.slug)
        texts = shown(draft.spec, FIELDS.get(spot.part, {}))
        match spot.part:
            case Part.BASICS:
                return _basics_form(session, caller, draft, texts)
            case Part.KPI:
                return _kpi_form(draft.spec, texts, kpi)
            case Part.GUARDRAILS:
                return _guardrails_form(draft.spec)
            case Part.STEPS:
                return _step_form(draft.spec, spot.step)
            case Part.PACKAGE:
                return PackageForm(**{field: fits(text) for field, text in texts.items()})  # type: ignore[arg-type]
            case Part.NEXT_TEAM:
                return NextTeamForm(**{field: fits(text) for field, text in texts.items()})  # type: ignore[arg-type]
            case Part.PILLARS:
                return PillarsForm(**texts)


def _basics_form(
    session: Session, caller: Caller, draft: PlaybookDraft, texts: Mapping[str, str]
) -> BasicsForm:
    teams = people.teams(session, workspace_id=caller.workspace_id)
    return BasicsForm(
        fixed=draft.slug is not None,
        slug=texts["slug"],
        title=texts["title"],
        function=texts["function"] or None,
        owner=texts["owner"] or caller.member,
        runs_per_week=texts["runs_per_week"],
        teams=tuple(Choice(label=team.title, value=team.slug) for team in teams),
        pilot=texts["pilot"] or None,
    )


def _kpi_form(spec: Data, texts: Mapping[str, str], kpi: str | None) -> KpiPartForm:
    own = {field: texts[field] for field in ("name", "unit", "direction")}
    chosen = kpi or _in_catalogue(own) or (OWN if own["name"] else None)
    offered = offered_kpi(chosen)
    unit, direction = (offered["unit"], offered["direction"]) if offered else (own["unit"], own["direction"])
    function = str(spec.get("function") or "").capitalize()
    return KpiPartForm(
        groups=tuple(sorted(_GROUPS, key=lambda group: (group is not _GROUPS[0], group.label != function))),
        chosen=chosen,
        own=chosen == OWN,
        name="" if offered else own["name"],
        unit=unit or None,
        direction=direction or None,
        baseline=texts["baseline"],
        target=texts["target"],
        window_days=texts["window_days"],
    )


def offered_kpi(chosen: str | None) -> dict[str, str] | None:
    """Name, unit and direction of a number of the catalogue."""
    function, _, at = (chosen or "").partition(":")
    if function not in set(Function) or not at.isdecimal():
        return None
    for number, kpi in enumerate(KPI_CATALOGUE[Function(function)]):
        if str(number) == at:
            return {"name": kpi.name, "unit": kpi.unit, "direction": kpi.direction}
    return None


def _in_catalogue(own: Mapping[str, str]) -> str | None:
    values = (choice.value for group in _GROUPS for choice in group.choices)
    return next((value for value in values if offered_kpi(value) == own), None)


def _guardrails_form(spec: Data) -> GuardrailsForm:
    rows: list[JsonValue] = [*as_list(taken_out(spec, ("kpi", "guardrails"))), {}, {}]
    texts = [shown(row if isinstance(row, dict) else {}, GUARDRAIL) for row in rows[:MAX_GUARDRAILS]]
    return GuardrailsForm(
        rows=tuple(
            GuardrailFields(
                place=place,
                name=text["name"],
                unit=text["unit"] or None,
                direction=text["direction"] or None,
                limit=text["limit"],
            )
            for place, text in enumerate(texts)
        )
    )


def _step_form(spec: Data, key: str) -> StepForm:
    steps = as_list(spec.get("steps"))
    at = place_of(steps, key)
    new = at == len(steps)
    texts: dict[str, Any] = dict(shown(group_at(steps, at), STEP))
    texts |= {name: texts[name] or None for name in ("mode", "fallback", "escalate_to")}
    return StepForm(new=new, places=len(steps) + new, position=at + 1, **texts)


def place_of(steps: list[JsonValue], key: str) -> int:
    """Where a step stands, from 0; after the last one when it is new, or was taken out meanwhile."""
    keys = [step.get("key") if isinstance(step, dict) else None for step in steps]
    return keys.index(key) if key and key in keys else len(steps)


def as_list(value: JsonValue) -> list[JsonValue]:
    """A list of the file; an empty one when something else stands there."""
    return list(value) if isinstance(value, list) else []


def group_at(rows: list[JsonValue], at: int) -> Data:
    """A group of a list; an empty one when there is none."""
    row = rows[at] if at < len(rows) else None
    return row if isinstance(row, dict) else {}
