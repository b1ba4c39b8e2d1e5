"""A draft's case and pillars for display, and the rank of drafts (SPEC §6, "What comes next")."""

from collections.abc import Mapping
from dataclasses import dataclass

from cadence.documents import PlaybookSpec, WorthUnit
from cadence.flows.core import spec_of
from cadence.rules import pilots as rule
from cadence.rules.amounts import Unit, format_amount
from storage.queries import pilots, playbooks
from storage.tables import PilotReview, Playbook, PlaybookState, PlaybookVersion
from storage.work import UnitOfWork
from templates.contexts.pilots import Pillar, PilotCase, Rank, StepWhy

PILLARS: Mapping[str, str] = {
    "value_event": "When a run counts",
    "input_contract": "Input contract",
    "output_trust": "Output trust",
    "operational_owner": "Operational owner",
    "replication_template": "Replication template",
}
_MINUTES = {WorthUnit.MINUTES: 1, WorthUnit.HOURS: 60}


@dataclass(frozen=True, slots=True)
class RankedDraft:
    """A draft with its newest revision and its review, if any; `place` counts from 1, None without a case."""

    playbook: Playbook
    version: PlaybookVersion
    spec: PlaybookSpec
    case: rule.Case
    place: int | None
    review: PilotReview | None


def ranked_drafts(uow: UnitOfWork) -> list[RankedDraft]:
    """Every draft, the one to pilot first at the top; drafts without a complete case last."""
    newest, reviews = playbooks.newest_versions(uow), pilots.newest_reviews(uow)
    drafts = {
        row.id or 0: row
        for row in playbooks.playbooks(uow)
        if row.state is PlaybookState.DRAFT and row.id in newest
    }
    specs = {one: spec_of(uow, newest[one]) for one in drafts}
    cases = {one: case_of(row, specs[one]) for one, row in drafts.items()}
    return [
        RankedDraft(
            playbook=drafts[one],
            version=newest[one],
            spec=specs[one],
            case=cases[one],
            place=place if cases[one].points is not None else None,
            review=reviews.get(one),
        )
        for place, one in enumerate(rule.ranked(cases.items()), start=1)
    ]


def case_of(playbook: Playbook, spec: PlaybookSpec) -> rule.Case:
    """A draft's case as the ranking reads it."""
    case, worth = spec.case, spec.case.worth
    return rule.Case(
        frequency=case.frequency,
        friction=case.friction,
        structure=case.structure,
        since=playbook.created_at,
        worth=rule.Worth(worth.amount * _MINUTES.get(worth.unit, 1), worth.unit is WorthUnit.CURRENCY)
        if worth
        else None,
    )


def shown_case(uow: UnitOfWork, playbook: Playbook, version: PlaybookVersion) -> PilotCase:
    """A revision's case, pillars and steps for display, with its rank among the drafts while it is one."""
    spec = spec_of(uow, version)
    case = case_of(playbook, spec)
    return PilotCase(
        frequency=_level(case.frequency, rule.FREQUENCY),
        friction=_level(case.friction, rule.FRICTION),
        structure=_level(case.structure, rule.STRUCTURE),
        worth=shown_worth(spec),
        reason=case.reason,
        points=case.points,
        rank=_rank(uow, playbook),
        pillars=tuple(
            Pillar(title=title, answer=getattr(spec.pillars, name) or "") for name, title in PILLARS.items()
        ),
        steps=tuple(StepWhy(title=step.title, mode=step.mode, why=step.why or "") for step in spec.steps),
    )


def _rank(uow: UnitOfWork, playbook: Playbook) -> Rank | None:
    drafts = ranked_drafts(uow)
    place = next((one.place for one in drafts if one.playbook.id == playbook.id), None)
    return Rank(place=place, of=sum(1 for one in drafts if one.place)) if place else None


def _level(answer: int | None, words: tuple[str, ...]) -> str:
    """`5 · all day`; empty without an answer."""
    return f"{answer} · {words[answer - 1]}" if answer else ""


def shown_worth(spec: PlaybookSpec) -> str:
    """What a value event is worth, for display: `6 min`; empty without it."""
    worth = spec.case.worth
    return format_amount(worth.amount, Unit(worth.unit)) if worth else ""
