"""The guided playbook form as a whole: its parts and gaps, and saving it as a draft."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from pydantic import JsonValue

from cadence.documents import KPI_CATALOGUE, Data, Function, PlaybookSpec, Problem, playbook_from_data
from cadence.documents.parts import PUBLISHED_WITH, Part, part_of, problems_of, taken_out
from cadence.documents.words import MAX_GUARDRAILS, MAX_STEPS
from cadence.flows.core import once, require_workspace, zone_of
from cadence.flows.editor import drafts
from cadence.flows.editor.drafts import PlaybookDraft
from cadence.flows.editor.fields import FIELDS, GUARDRAIL, STEP, Spot, fits, sentence, shown
from cadence.flows.playbooks import import_playbook, require_newest
from cadence.mrkdwn import coded, mention, say
from cadence.refusals import Refusal
from cadence.rules.amounts import Unit, format_amount
from cadence.rules.pilots import Case
from storage.queries import people
from storage.work import UnitOfWork
from templates.contexts.base import Choice, ChoiceGroup, ViewContext
from templates.contexts.editor import (
    BasicsForm,
    GuardrailFields,
    GuardrailsForm,
    KpiPartForm,
    NextTeamForm,
    PackageForm,
    PartRow,
    PillarsForm,
    PlaybookHub,
    StepForm,
    StepRow,
)
from templates.contexts.playbooks import PlaybookImported

_TITLES = {
    Part.BASICS: "Basics",
    Part.KPI: "KPI",
    Part.GUARDRAILS: "Guardrails",
    Part.PACKAGE: "Package",
    Part.NEXT_TEAM: "For the next team",
    Part.PILLARS: "Case and pillars",
}
_PILLARS = 5
_WHOLE = {"kpi": "not filled in yet", "steps": "none yet. Add the first one"}
_NAMES = {"playbook": "short name", "runs_per_week": "number of runs per week"}
"""Keys of the file that have another name in the form."""


def playbook_hub(uow: UnitOfWork, slug: str | None) -> PlaybookHub:
    """The overview of the caller's draft: of a new playbook, or of the one with that slug.

    Raises:
        Refusal: there is no such playbook, or they can't edit it.
    """
    with uow.read():
        return _hub(uow, drafts.load(uow, slug))


@once
def start_over(uow: UnitOfWork, slug: str | None) -> None:
    """Delete the caller's draft.

    Raises:
        Refusal: there is no such playbook, or they can't edit it.
    """
    with uow.write():
        drafts.load(uow, slug)
        drafts.forget(uow, slug)


@once
def create_draft(uow: UnitOfWork, slug: str | None) -> PlaybookImported | PlaybookHub:
    """Save the caller's draft as a playbook's next revision, as an import would; a second click changes
    nothing.

    Returns:
        The saved revision, or the overview with the reasons why it can't be saved.

    Raises:
        Refusal: the edited playbook doesn't exist, or they can't edit it.
    """
    with uow.write():
        draft = drafts.load(uow, slug, lock=True)
        problems = problems_of(draft.spec)
        if problems:
            said = tuple(coded(_said(problem)) for problem in problems)
            return replace(_hub(uow, draft), refused=said)
        spec = playbook_from_data(draft.spec)
        try:
            with uow.session.begin_nested():
                made = _import(uow, draft, spec)
        except Refusal as refused:
            return replace(_hub(uow, draft), refused=(refused.text,))
        drafts.forget(uow, slug)
        return replace(made, by_form=True)


def _import(uow: UnitOfWork, draft: PlaybookDraft, spec: PlaybookSpec) -> PlaybookImported:
    if draft.slug is None:
        return import_playbook(uow, spec, only_new=True)
    require_newest(uow, playbook=draft.slug, revision=draft.revision or 0, spec=spec)
    return import_playbook(uow, spec)


def _said(problem: Problem) -> str:
    part = part_of(problem.where)
    title = "Steps" if part is Part.STEPS else _TITLES.get(part) if part else None
    return f"{title or problem.where}: {_in_the_hub(problem)}"


def _in_the_hub(problem: Problem) -> str:
    """`Title is missing`: the part's own form says what to write."""
    if problem.where in _WHOLE:
        return _WHOLE[problem.where]
    name = problem.where.rpartition(".")[2]
    if problem.reason.startswith("is missing"):
        return f"the {_NAMES.get(name, name.replace('_', ' '))} {problem.reason}"
    return sentence(problem)


def _hub(uow: UnitOfWork, draft: PlaybookDraft) -> PlaybookHub:
    workspace = require_workspace(uow)
    spec, slug = draft.spec, draft.slug or ""
    titles = {team.slug: team.title for team in people.teams(uow)}
    by_part: dict[Part | None, list[Problem]] = {}
    for problem in problems_of(spec):
        by_part.setdefault(part_of(problem.where), []).append(problem)
    steps = _steps(spec, slug)
    newest = drafts.editable(uow, draft.slug)[1] if draft.slug else None
    zone = zone_of(uow, workspace, uow.actor.member)
    return PlaybookHub(
        slug=slug,
        heading=str(spec.get("title") or ""),
        parts=tuple(_row(spec, slug, part, by_part.get(part, []), titles) for part in _TITLES),
        steps=steps,
        add_step=f"{slug}:{Part.STEPS}:" if len(steps) < MAX_STEPS else "",
        steps_missing=tuple(coded(sentence(one)) for one in by_part.get(Part.STEPS, [])) if steps else (),
        revision=draft.revision,
        kept_at=draft.kept_at.astimezone(zone) if draft.kept_at else None,
        overtaken=newest.created_by if newest and newest.revision != draft.revision else None,
    )


def _steps(spec: Data, slug: str) -> tuple[StepRow, ...]:
    rows = spec.get("steps")
    return tuple(
        StepRow(
            title=str(row.get("title") or row.get("key")),
            value=f"{slug}:{Part.STEPS}:{row.get('key')}",
            mode=str(row.get("mode")),
            cap=_share(row.get("exception_cap")),
        )
        for row in (rows if isinstance(rows, list) else [])
        if isinstance(row, dict)
    )


def _share(value: JsonValue) -> float | None:
    return float(value) if isinstance(value, int | float) else None


def _row(spec: Data, slug: str, part: Part, problems: list[Problem], titles: Mapping[str, str]) -> PartRow:
    begun = _begun(spec, part)
    lacking = [name for name in PUBLISHED_WITH.get(part, ()) if name not in spec]
    if part is Part.PILLARS:
        pillars = spec.get("pillars")
        answered = len(pillars) if isinstance(pillars, dict) else 0
        left = _PILLARS - answered
        lacking = (
            [f"all {left} answers" if not answered else f"{left} more of {_PILLARS} answers"] if left else []
        )
    return PartRow(
        title=_TITLES[part],
        value=f"{slug}:{part}",
        done=not problems,
        begun=begun,
        text=_text(spec, part, titles) if begun else _EMPTY[part],
        missing=tuple(coded(_in_the_hub(one)) for one in problems) if begun else (),
        later=tuple(name.replace("_", " ") for name in lacking),
    )


_EMPTY = {
    Part.BASICS: "Name, owner and how often it runs.",
    Part.KPI: "The one number to improve: baseline and target.",
    Part.GUARDRAILS: "Optional: up to two numbers that shouldn't get worse.",
    Part.PACKAGE: "",
    Part.NEXT_TEAM: "",
    Part.PILLARS: "What a curator reviews before the first cycle.",
}


def _begun(spec: Data, part: Part) -> bool:
    if part is Part.GUARDRAILS:
        return taken_out(spec, ("kpi", "guardrails")) is not None
    return any(taken_out(spec, path) is not None for path, _ in FIELDS[part].values())


def _text(spec: Data, part: Part, titles: Mapping[str, str]) -> str:
    match part:
        case Part.BASICS:
            owner, pilot = str(spec.get("owner") or ""), str(spec.get("pilot") or "")
            return say(
                "{function}, {runs} runs per week{owner}{pilot}",
                function=spec.get("function"),
                runs=spec.get("runs_per_week"),
                owner=say(", owner {who}", who=mention(owner)) if owner else "",
                pilot=say(", first team {team}", team=titles.get(pilot, pilot)) if pilot else "",
            )
        case Part.KPI:
            unit, name = taken_out(spec, ("kpi", "unit")), taken_out(spec, ("kpi", "name"))
            sides = [_amount(taken_out(spec, ("kpi", key)), unit) for key in ("baseline", "target")]
            return f"{name}: {sides[0]} → {sides[1]}"
        case Part.GUARDRAILS:
            rows = taken_out(spec, ("kpi", "guardrails"))
            return ", ".join(
                f"{row.get('name')} (limit {_amount(row.get('limit'), row.get('unit'))})"
                for row in (rows if isinstance(rows, list) else [])
                if isinstance(row, dict)
            )
        case Part.PILLARS:
            return _case(spec)
        case _:
            return ""


def _case(spec: Data) -> str:
    """The case in words, or which of its questions are open."""
    answers = {name: taken_out(spec, ("case", name)) for name in ("frequency", "friction", "structure")}
    known = {name: one for name, one in answers.items() if isinstance(one, int) and one in range(1, 6)}
    missing = [name for name in answers if name not in known]
    case = Case(
        frequency=known.get("frequency"),
        friction=known.get("friction"),
        structure=known.get("structure"),
        since=datetime.min.replace(tzinfo=UTC),
    )
    return "; ".join(
        part
        for part in (case.reason.capitalize(), f"for the review: {', '.join(missing)}" if missing else "")
        if part
    )


def _amount(value: JsonValue, unit: JsonValue) -> str:
    if isinstance(value, int | float) and unit in set(Unit):
        return format_amount(value, Unit(str(unit)))
    return "?"


OWN = "own"


DEFAULT = "default"


_COUNTED = {Unit.COUNT: "a count", Unit.SCORE: "a score", Unit.CURRENCY: "an amount of money"}


def _counted(name: str, unit: Unit) -> str:
    return f"{name} ({_COUNTED[unit]})" if unit in _COUNTED else f"{name}, in {unit}"


_GROUPS = (
    ChoiceGroup(label="Your own", choices=(Choice(label="Our own KPI", value=OWN),)),
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


def part_form(uow: UnitOfWork, spot: Spot, *, kpi: str | None = None) -> ViewContext:
    """The form of a part, prefilled; `kpi` is the catalogue entry just chosen in it.

    Raises:
        Refusal: there is no such playbook, or they can't edit it.
    """
    with uow.read():
        draft = drafts.load(uow, spot.slug)
        texts = shown(draft.spec, FIELDS.get(spot.part, {}))
        match spot.part:
            case Part.BASICS:
                return _basics_form(uow, draft, texts)
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
                return _pillars_form(texts)


def _pillars_form(texts: Mapping[str, str]) -> PillarsForm:
    given: dict[str, Any] = dict(texts)
    chosen = ("frequency", "friction", "structure", "worth_unit")
    return PillarsForm(**(given | {name: texts[name] or None for name in chosen}))


def _basics_form(uow: UnitOfWork, draft: PlaybookDraft, texts: Mapping[str, str]) -> BasicsForm:
    teams = people.teams(uow)
    return BasicsForm(
        fixed=draft.slug is not None,
        slug=texts["slug"],
        title=texts["title"],
        function=texts["function"] or None,
        owner=texts["owner"] or uow.actor.member,
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
    """Name, unit and direction of a KPI in the catalogue."""
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
    return StepForm(new=new, places=len(steps) + new, position=str(at + 1), **texts)


def place_of(steps: list[JsonValue], key: str) -> int:
    """The index of a step, from 0; after the last one if it is new, or was removed meanwhile."""
    keys = [step.get("key") if isinstance(step, dict) else None for step in steps]
    return keys.index(key) if key and key in keys else len(steps)


def as_list(value: JsonValue) -> list[JsonValue]:
    """A list of the file; empty if the value is something else."""
    return list(value) if isinstance(value, list) else []


def group_at(rows: list[JsonValue], at: int) -> Data:
    """A group of a list; empty without any."""
    row = rows[at] if at < len(rows) else None
    return row if isinstance(row, dict) else {}
