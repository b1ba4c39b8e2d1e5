"""Save one part of the guided playbook form, if a file with it would be valid."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from pydantic import JsonValue

from cadence.documents import Data, Problem
from cadence.documents.parts import Part, Path, part_of, problems_of, put_in, taken_out
from cadence.documents.words import MAX_GUARDRAILS, SLUG, slug_of
from cadence.flows.core import is_curator, once
from cadence.flows.editor import drafts
from cadence.flows.editor.drafts import PlaybookDraft
from cadence.flows.editor.fields import FIELDS, GUARDRAIL, STEP, Fields, Spot, Way, field_of, filled, sentence
from cadence.flows.editor.forms import DEFAULT, OWN, as_list, group_at, offered_kpi, place_of
from cadence.mrkdwn import code, say
from cadence.refusals import FieldsRefused, NotAllowed, Refusal
from storage.queries import playbooks
from storage.work import UnitOfWork

_ELSEWHERE = {
    Part.BASICS: "slug",
    Part.KPI: "name",
    Part.GUARDRAILS: "name:0",
    Part.STEPS: "key",
    Part.PACKAGE: "inputs",
    Part.NEXT_TEAM: "adaptable",
    Part.PILLARS: "value_event",
}
"""Where a part shows problems that it causes in other parts."""
NO_NAME = "We can't make a short name from this title. Write one in lowercase letters, like `{example}`."


@once
def keep_part(uow: UnitOfWork, spot: Spot, given: Mapping[str, str]) -> None:
    """Save the input of a part, if a file with it would be valid.

    Args:
        given: the input, by field; omitted fields stay as they were.

    Raises:
        FieldsRefused: problems by field, in the words of the file's reader; nothing is saved. NotAllowed:
        they can't edit the playbook, or name that owner.
    """
    with uow.write():
        draft = drafts.load(uow, spot.slug, lock=True)
        if spot.part is Part.STEPS:
            change = _with_step(draft.spec, spot.step, given)
        elif spot.part is Part.GUARDRAILS:
            change = _with_guardrails(draft.spec, given)
        else:
            given = _prepared(uow, draft, spot.part, given)
            fields = FIELDS[spot.part]
            unit = given.get("unit") or str(taken_out(draft.spec, ("kpi", "unit")))
            change = _Change(*filled(draft.spec, fields, given, unit=unit), fields)
        errors = _wrong(spot.part, draft.spec, change, given)
        if errors:
            raise FieldsRefused(errors)
        drafts.keep(uow, draft, change.spec)


def _prepared(
    uow: UnitOfWork, draft: PlaybookDraft, part: Part, given: Mapping[str, str]
) -> Mapping[str, str]:
    """The input, with its consequences."""
    if part is Part.KPI:
        return _with_kpi(given)
    if part is Part.PILLARS and not given.get("worth", "").strip():
        return {**given, "worth_unit": ""}  # a unit alone says nothing
    if part is not Part.BASICS:
        return given
    owner = given.get("owner", "")
    if owner and owner != (draft.spec.get("owner") or uow.actor.member) and not is_curator(uow):
        raise NotAllowed("Only curators can make someone else the owner.", field="owner")
    if draft.slug is not None:
        return {field: text for field, text in given.items() if field != "slug"}
    slug = given.get("slug") or _slug_from(given.get("title", ""))
    if not slug and given.get("title"):
        raise Refusal(NO_NAME.format(example="support-reply"), field="slug")
    if slug and playbooks.by_slug(uow, slug=slug) is not None:
        raise Refusal(
            say(
                "The short name {slug} is taken. Choose another one, or edit that playbook with {way}.",
                slug=code(slug),
                way=code(f"/cadence playbook show {slug}"),
            ),
            field="slug",
        )
    return {**given, "slug": slug}


def _slug_from(title: str) -> str:
    made = slug_of(title)
    return made if SLUG.fullmatch(made) else ""


def _with_kpi(given: Mapping[str, str]) -> Mapping[str, str]:
    """A catalogue entry sets name, unit and direction."""
    chosen = given.get("catalogue", "")
    offered = offered_kpi(chosen)
    if offered is not None:
        return {**given, **offered}
    if chosen != OWN or "unit" not in given:
        raise Refusal("Choose a KPI, or “Our own KPI” and give it a name.", field="catalogue")
    return given


@dataclass(frozen=True, slots=True)
class _Change:
    """A playbook with a part filled in: problems with amounts, and the fields of the part.

    `below` is the path of their step.
    """

    spec: Data
    errors: dict[str, str]
    fields: Fields
    below: str = ""


def _with_step(spec: Data, key: str, given: Mapping[str, str]) -> _Change:
    steps = as_list(spec.get("steps"))
    at = place_of(steps, key)
    if given.get("remove"):  # submitted again, the step was already removed
        del steps[at : at + 1]
        return _Change(put_in(spec, ("steps",), steps), {}, STEP, "steps")
    texts = dict(given)
    if texts.get("fallback") == DEFAULT:
        texts["fallback"] = ""
    if not texts.get("key", ""):
        texts["key"] = slug_of(texts.get("title", ""))
    step, errors = filled(group_at(steps, at), STEP, texts)
    if not texts["key"] and texts.get("title"):
        errors["key"] = NO_NAME.format(example="draft")
    steps[at : at + 1] = []
    position = given.get("position", "")
    to = min(int(position) - 1, len(steps)) if re.fullmatch("[1-9][0-9]?", position) else at
    steps.insert(to, step)
    return _Change(put_in(spec, ("steps",), steps), errors, STEP, f"steps[{to}]")


def _with_guardrails(spec: Data, given: Mapping[str, str]) -> _Change:
    """The rows with content; a row whose name and limit are empty is removed."""
    rows: list[JsonValue] = []
    fields: dict[str, tuple[Path, Way]] = {}
    errors: dict[str, str] = {}
    for place in range(MAX_GUARDRAILS):
        texts = {field: given.get(f"{field}:{place}", "") for field in GUARDRAIL}
        if not texts["name"].strip() and not texts["limit"].strip():
            continue
        row, wrong = filled({}, GUARDRAIL, texts, unit=texts["unit"])
        errors |= {f"{field}:{place}": text for field, text in wrong.items()}
        for field, (path, way) in GUARDRAIL.items():
            fields[f"{field}:{place}"] = ((f"guardrails{len(rows)}", *path), way)
        rows.append(row)
    return _Change(put_in(spec, ("kpi", "guardrails"), rows), errors, fields)


def _wrong(part: Part, before: Data, change: _Change, given: Mapping[str, str]) -> dict[str, str]:
    """Problems of this part, and those it causes elsewhere: a sentence by field.

    Raises:
        Refusal: an input of the form wasn't submitted at all, which Slack does with every input.
    """
    old = {(one.where, one.reason) for one in problems_of(before)}
    errors = dict(change.errors)
    for problem in problems_of(change.spec):
        mine = _in_this(problem, part, change.below)
        if not mine and (_missing(problem) or (problem.where, problem.reason) in old):
            continue
        field = field_of(_place(problem, part), change.fields, below=change.below) if mine else None
        if field and field not in given and _missing(problem):
            raise Refusal("This form is incomplete. Close it and open it again.")
        errors.setdefault(field or _ELSEWHERE[part], sentence(problem))
    return errors


def _in_this(problem: Problem, part: Part, below: str) -> bool:
    if part_of(problem.where) is not part:
        return False
    if part is Part.KPI and problem.where == "kpi":
        return False
    return problem.where.startswith(f"{below}.") if part is Part.STEPS else True


def _place(problem: Problem, part: Part) -> str:
    """Map `kpi.guardrails[1].limit` to the form's field `guardrails1.limit`."""
    if part is not Part.GUARDRAILS:
        return problem.where
    return problem.where.removeprefix("kpi.").replace("[", "").replace("]", "")


def _missing(problem: Problem) -> bool:
    return problem.reason.startswith("is missing")
