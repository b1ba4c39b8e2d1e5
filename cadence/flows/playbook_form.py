"""The guided playbook form as a whole: what it has and lacks, and the draft it becomes."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

from pydantic import JsonValue
from sqlmodel import Session

from cadence.documents import Data, PlaybookSpec, Problem, playbook_from_data
from cadence.documents.parts import PUBLISHED_WITH, Part, part_of, problems_of, taken_out
from cadence.documents.words import MAX_STEPS
from cadence.flows import playbook_drafts as drafts
from cadence.flows.callers import Caller
from cadence.flows.people import zone_of
from cadence.flows.playbook_drafts import PlaybookDraft
from cadence.flows.playbook_fields import FIELDS, sentence
from cadence.flows.playbook_imports import import_playbook
from cadence.flows.repeats import once
from cadence.flows.revising import require_newest
from cadence.flows.runs import require_workspace
from cadence.mrkdwn import coded, mention, say
from cadence.refusals import Refusal
from cadence.rules.amounts import Unit, format_amount
from storage import people
from storage.engine import Database
from templates.contexts.playbook_form import PartRow, PlaybookHub, StepRow
from templates.contexts.playbooks import PlaybookImported

_TITLES = {
    Part.BASICS: "The basics",
    Part.KPI: "The one number",
    Part.GUARDRAILS: "Guardrails",
    Part.PACKAGE: "The package",
    Part.NEXT_TEAM: "For the next team",
    Part.PILLARS: "The five pillars",
}
_PILLARS = 5
_WHOLE = {"kpi": "nothing is filled in yet", "steps": "there is none yet; add the first one"}
_NAMES = {"playbook": "short name", "runs_per_week": "number of runs a week"}
"""Keys of the file that the form calls by another name."""


def playbook_hub(db: Database, caller: Caller, slug: str | None) -> PlaybookHub:
    """The overview of the caller's draft: of a new playbook, or of the one with that slug.

    Raises:
        Refusal: there is no such playbook, or it isn't theirs to edit.
    """
    with db.read() as session:
        return _hub(session, caller, drafts.load(session, caller, slug))


@once
def start_anew(db: Database, caller: Caller, slug: str | None, *, now: datetime) -> None:  # noqa: ARG001 - `once`
    """Forget what the caller filled in.

    Raises:
        Refusal: there is no such playbook, or it isn't theirs to edit.
    """
    with db.write() as session:
        drafts.load(session, caller, slug)
        drafts.forget(session, caller, slug)


@once
def create_draft(
    db: Database, caller: Caller, slug: str | None, *, now: datetime
) -> PlaybookImported | PlaybookHub:
    """Save what the caller filled in as a playbook's next revision, as an import would; a second click changes
    nothing.

    Returns:
        What was saved; the overview with the reasons when it can't be.

    Raises:
        Refusal: the playbook that was edited isn't there, or isn't theirs to edit.
    """
    with db.write() as session:
        draft = drafts.load(session, caller, slug, lock=True)
        problems = problems_of(draft.spec)
        if problems:
            said = tuple(coded(_said(problem)) for problem in problems)
            return replace(_hub(session, caller, draft), refused=said)
        spec = playbook_from_data(draft.spec)
        try:
            with session.begin_nested():
                made = _import(session, caller, draft, spec, now=now)
        except Refusal as refused:
            return replace(_hub(session, caller, draft), refused=(refused.text,))
        drafts.forget(session, caller, slug)
        return replace(made, by_form=True)


def _import(
    session: Session, caller: Caller, draft: PlaybookDraft, spec: PlaybookSpec, *, now: datetime
) -> PlaybookImported:
    if draft.slug is None:
        return import_playbook(session, caller, spec, now=now, only_new=True)
    require_newest(session, caller, playbook=draft.slug, revision=draft.revision or 0, spec=spec)
    return import_playbook(session, caller, spec, now=now)


def _said(problem: Problem) -> str:
    part = part_of(problem.where)
    title = "Steps" if part is Part.STEPS else _TITLES.get(part) if part else None
    return f"{title or problem.where}: {_in_the_hub(problem)}"


def _in_the_hub(problem: Problem) -> str:
    """`Title is missing`: what to write shows in the part's own form."""
    if problem.where in _WHOLE:
        return _WHOLE[problem.where]
    name = problem.where.rpartition(".")[2]
    if problem.reason.startswith("is missing"):
        return f"the {_NAMES.get(name, name.replace('_', ' '))} {problem.reason}"
    return sentence(problem)


def _hub(session: Session, caller: Caller, draft: PlaybookDraft) -> PlaybookHub:
    workspace = require_workspace(session, caller.workspace_id)
    spec, slug = draft.spec, draft.slug or ""
    titles = {team.slug: team.title for team in people.teams(session, workspace_id=caller.workspace_id)}
    by_part: dict[Part | None, list[Problem]] = {}
    for problem in problems_of(spec):
        by_part.setdefault(part_of(problem.where), []).append(problem)
    steps = _steps(spec, slug)
    newest = drafts.editable(session, caller, draft.slug)[1] if draft.slug else None
    zone = zone_of(session, workspace, caller.member)
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
        lacking = [f"{_PILLARS - answered} of the {_PILLARS} answers"] if answered < _PILLARS else []
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
    Part.BASICS: "Its name, who answers for it, how often it runs.",
    Part.KPI: "The KPI: where it stands, and where it must get to.",
    Part.GUARDRAILS: "Optional: up to two numbers that must not get worse.",
    Part.PACKAGE: "",
    Part.NEXT_TEAM: "",
    Part.PILLARS: "What to settle before a pilot. A cycle starts without them; publishing needs all five.",
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
                "{function}, {runs} runs a week{owner}{pilot}",
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
        case _:
            return ""


def _amount(value: JsonValue, unit: JsonValue) -> str:
    if isinstance(value, int | float) and unit in set(Unit):
        return format_amount(value, Unit(str(unit)))
    return "?"
