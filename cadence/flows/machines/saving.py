"""Save one kind of item each: check it, write its row, and judge what depends on it once for all of a part."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final, Protocol

from cadence.flows.core import AdoptionView, ReportWeek, is_message, of_cycle, rewrite_cycle_posts
from cadence.flows.exceptions import Happened, keep_all, known_exception, log_all
from cadence.flows.machines.items import (
    CheckItem,
    ExceptionItem,
    Item,
    Judged,
    KpiItem,
    RubricItem,
    RunsItem,
    Wrong,
)
from cadence.flows.machines.places import Place, source_of, step_of
from cadence.flows.numbers import (
    amount,
    judge_again,
    keep_reading,
    read_guardrails,
    tell_target_reached,
)
from cadence.flows.rubrics import NewResult, SampleGiven, sample_row, save_results
from cadence.flows.standards import judge_measured
from cadence.flows.tokens import TokenHolder
from storage.queries import machines, numbers, people
from storage.queries.numbers import Measured
from storage.tables import CheckResult, RubricResult, StepVerdict
from storage.work import Entry, UnitOfWork


@dataclass(frozen=True, slots=True)
class Saved:
    """An item that was checked, with the row it becomes, if that is known before its part is judged.

    Rows are written when the part is judged; readings at once.
    """

    place: Place
    item: Any
    source: str
    row: RubricResult | CheckResult | None = None


class Saver(Protocol):
    """How a kind of item is recorded."""

    for_owners: str
    """What only the owner and curators can do, whose tools report it: "count runs"; "" for what members report."""
    part: int
    """Items of one transaction: as many as take about 20 ms, because on SQLite people's requests wait for it."""

    def save(
        self, uow: UnitOfWork, holder: TokenHolder, place: Place, item: Any, earlier: Sequence[Saved]
    ) -> Saved:
        """Save an item after the earlier ones of its part; raises `Wrong` or a `Refusal` before anything is
        written."""

    def judge(self, uow: UnitOfWork, holder: TokenHolder, saved: Sequence[Saved]) -> list[Judged | None]:
        """Judge what the saved items of a part are about; returns the verdict for each item, if there is one."""


def _grouped(saved: Sequence[Saved]) -> dict[tuple[int, int], list[Saved]]:
    """Items by adoption and cycle, in their order."""
    groups: dict[tuple[int, int], list[Saved]] = {}
    for one in saved:
        groups.setdefault((one.place.view.id, one.place.cycle.id or 0), []).append(one)
    return groups


def _judged(row: StepVerdict) -> Judged:
    return Judged(
        step=row.step,
        decision=row.decision,
        mode=row.mode,
        lands_on=row.lands_on,
        exceptions=row.exceptions,
        runs=max(row.measured + row.attested + row.assumed, row.exceptions),
        cap=row.cap,
    )


def _view_of(uow: UnitOfWork, place: Place) -> AdoptionView:
    """The adoption with the version that ran when it happened."""
    return place.view if place.is_current else of_cycle(uow, place.view, place.cycle)


def keep_runs(uow: UnitOfWork, counted: Sequence[Saved], *, token_id: int | None, via: str) -> dict[str, int]:
    """Save runs that were counted, at least one, and their trail; nothing is judged.

    Args:
        counted: their items name a step and a member, or neither.
        via: what counted them, for the trail.

    Returns:
        The ids of their rows, by source.
    """
    ids = machines.add_runs(
        uow,
        rows=[
            {
                "adoption_id": one.place.view.id,
                "cycle_id": one.place.cycle.id or 0,
                "step": one.item.step or "",
                "week": one.place.week,
                "week_start": one.place.week_start,
                "member": one.item.member or "",
                "runs": one.item.runs,
                "token_id": token_id,
                "surface": uow.actor.surface,
                "source": one.source,
                "happened_at": one.place.at,
                "recorded_at": uow.now,
            }
            for one in counted
        ],
    )
    uow.record_all(
        [
            Entry(
                "runs-measured",
                f"adoption:{group[0].place.view.id}",
                after={
                    "runs": sum(one.item.runs for one in group),
                    "items": len(group),
                    "through": max(ids[one.source] for one in group),
                    "via": via,
                },
            )
            for group in _grouped(counted).values()
        ]
    )
    return ids


class _Runs:
    for_owners = "report runs that a tool counted"
    part = 100

    def save(
        self, uow: UnitOfWork, holder: TokenHolder, place: Place, item: RunsItem, earlier: Sequence[Saved]
    ) -> Saved:
        view = _view_of(uow, place)
        if item.step:
            step_of(view, item.step)
        if item.member:
            known = {one.member for one in people.presences(uow, team_id=view.team.id or 0)}
            if item.member not in known:
                raise Wrong(
                    "unknown-member",
                    f"`{item.member}` isn't a member of {view.team.title}. Give a Slack ID such as `U01234567`, or "
                    "leave `member` out.",
                )
        if item.replaces is not None:
            _require_replaceable(uow, holder, view, item.replaces, earlier)
        return Saved(place, item, uow.actor.request)

    def judge(self, uow: UnitOfWork, holder: TokenHolder, saved: Sequence[Saved]) -> list[Judged | None]:
        if not saved:
            return []
        ids = keep_runs(uow, saved, token_id=holder.id, via=holder.name)
        for one in saved:
            if one.item.replaces is not None:
                old = machines.runs_by_source(uow, source=source_of(holder, one.item.replaces))
                assert old is not None  # noqa: S101 - it was required
                old.replaced_by = ids[one.source]
                uow.session.add(old)
        verdicts: dict[tuple[int, str], Judged] = {}
        for (adoption_id, _), group in _grouped(saved).items():
            place = group[0].place
            if place.is_current:
                through = max(ids[one.source] for one in group)
                for step, row in judge_measured(uow, place.view, place.cycle, through):
                    verdicts[adoption_id, step.key] = _judged(row)
        return [verdicts.get((one.place.view.id, one.item.step or "")) for one in saved]


def _require_replaceable(
    uow: UnitOfWork, holder: TokenHolder, view: AdoptionView, item_id: str, earlier: Sequence[Saved]
) -> None:
    """Require that an item can be corrected: one that is recorded, or comes earlier in its part.

    Raises:
        Wrong: it is unknown, or was corrected before.
    """
    source = source_of(holder, item_id)
    old = machines.runs_by_source(uow, source=source)
    about = (
        old.adoption_id if old else next((one.place.view.id for one in earlier if one.source == source), None)
    )
    if about != view.id:
        raise Wrong(
            "unknown-item",
            f"No runs were reported as `{item_id}` with this token for this team and playbook.",
        )
    if (old and old.replaced_by is not None) or any(one.item.replaces == item_id for one in earlier):
        raise Wrong("already-replaced", f"`{item_id}` was corrected before. Correct the newer item instead.")


class _Kpi:
    for_owners = ""
    part = 10

    def save(
        self,
        uow: UnitOfWork,
        holder: TokenHolder,
        place: Place,
        item: KpiItem,
        earlier: Sequence[Saved],  # noqa: ARG002
    ) -> Saved:
        view = _view_of(uow, place)
        typed = item.value if isinstance(item.value, str) else _written(item.value)
        if item.guardrail is None:
            name, value = "", amount(uow, view, typed)
        else:
            name, value = _guardrail(uow, view, item.guardrail, typed)
        known = numbers.reading(uow, adoption_id=view.id, week_start=place.week_start, guardrail=name)
        if known is not None:
            since = known.happened_at or known.reported_at
            if place.at < since:
                raise Wrong(
                    "older-than-current",
                    f"The number of this week is from {since.astimezone(view.zone):%A %-d %B %H:%M}, which is newer. "
                    "Only a newer one replaces it.",
                )
        keep_reading(
            uow,
            place.view,
            ReportWeek(place.cycle, place.week, place.week_start),
            value=value,
            typed=typed,
            note=item.note,
            guardrail=name,
            measured=Measured(holder.id, place.at),
        )
        return Saved(place, item, uow.actor.request)

    def judge(self, uow: UnitOfWork, holder: TokenHolder, saved: Sequence[Saved]) -> list[Judged | None]:  # noqa: ARG002
        for group in _grouped(saved).values():
            place = group[-1].place
            judge_again(uow, place.view, place.cycle)
            tell_target_reached(uow, place.view, place.cycle)
        return [None] * len(saved)


def _guardrail(uow: UnitOfWork, view: AdoptionView, name: str, typed: str) -> tuple[str, float]:
    """A guardrail's name as the playbook has it, and its number.

    Raises:
        Wrong: no number, or the playbook has no guardrails. Refusal: no such guardrail, or not a number of its unit.
    """
    if not view.spec.kpi.guardrails:
        raise Wrong("invalid-item", f"{view.playbook.title} has no guardrails. Leave `guardrail` out.")
    for known, (value, _) in read_guardrails(uow, view, {name: typed}).items():
        return known, value
    raise Wrong("invalid-item", "`value` is empty. It takes a number in the guardrail's unit.")


def _written(value: float) -> str:
    """A number as a person types it, with every digit: `12.5`."""
    return f"{Decimal(repr(value)).normalize():f}"


class _Exceptions:
    for_owners = ""
    part = 20

    def save(
        self,
        uow: UnitOfWork,
        holder: TokenHolder,  # noqa: ARG002
        place: Place,
        item: ExceptionItem,
        earlier: Sequence[Saved],
    ) -> Saved:
        view = _view_of(uow, place)
        step_of(view, item.step)
        if not item.reason.strip():
            raise Wrong("invalid-item", "`reason`: add a few words about what happened.")
        known = known_exception(uow, view, item.step, link=item.link, critical=item.critical)
        if known is not None or any(_is_same(one, place, item) for one in earlier):
            raise Wrong(
                "already-logged", "The message at `link` is already logged as an exception of this step."
            )
        return Saved(place, item, uow.actor.request)

    def judge(self, uow: UnitOfWork, holder: TokenHolder, saved: Sequence[Saved]) -> list[Judged | None]:
        verdicts: dict[tuple[int, int, str], Judged] = {}
        for known, group in _grouped(saved).items():
            place, late = group[-1].place, None
            for key in dict.fromkeys(one.item.step for one in group):
                rows = [self._row(holder, one) for one in group if one.item.step == key]
                view = _view_of(uow, place)
                if place.is_current:
                    logged = log_all(uow, view, place.cycle, view.step(key), rows)
                    verdicts[*known, key] = _judged(logged.verdict)
                else:
                    late = keep_all(uow, view, place.cycle, key, rows)[-1]
            if late is not None:
                rewrite_cycle_posts(uow, place.view, place.cycle, mark=f"exception:{late.id}")
        return [verdicts.get((one.place.view.id, one.place.cycle.id or 0, one.item.step)) for one in saved]

    def _row(self, holder: TokenHolder, one: Saved) -> Happened:
        return Happened(
            one.item.reason,
            source=one.source,
            critical=one.item.critical,
            link=one.item.link,
            token_id=holder.id,
            at=one.place.at,
        )


def _is_same(earlier: Saved, place: Place, item: ExceptionItem) -> bool:
    """Whether an item of the same part, which isn't written yet, is about the same message and step."""
    return (
        item.link is not None
        and is_message(item.link)
        and earlier.place.view.id == place.view.id
        and (earlier.item.step, earlier.item.link) == (item.step, item.link)
        and (earlier.item.critical or not item.critical)
    )


class _Rubric:
    for_owners = "record a rubric result"
    part = 50

    def save(
        self,
        uow: UnitOfWork,
        holder: TokenHolder,
        place: Place,
        item: RubricItem,
        earlier: Sequence[Saved],  # noqa: ARG002
    ) -> Saved:
        view = _view_of(uow, place)
        step_of(view, item.step)
        given = SampleGiven(item.samples, item.passes, item.risky, item.note)
        row = sample_row(uow, view, place.cycle, view.step(item.step), given, token_id=holder.id)
        return Saved(place, item, uow.actor.request, row)

    def judge(self, uow: UnitOfWork, holder: TokenHolder, saved: Sequence[Saved]) -> list[Judged | None]:  # noqa: ARG002
        for group in _grouped(saved).values():
            results = [NewResult(one.row) for one in group if isinstance(one.row, RubricResult)]
            save_results(uow, _view_of(uow, group[0].place), group[0].place.cycle, results)
        return [None] * len(saved)


class _Checks:
    for_owners = "report what a check found"
    part = 50

    def save(
        self,
        uow: UnitOfWork,
        holder: TokenHolder,
        place: Place,
        item: CheckItem,
        earlier: Sequence[Saved],  # noqa: ARG002
    ) -> Saved:
        view = _view_of(uow, place)
        step = view.step(step_of(view, item.step))
        name = step.verify.automated if step.verify else None
        if name is None:
            raise Wrong(
                "no-check", f"“{step.title}” has no automated check: its `verify.automated` isn't set."
            )
        if item.check != name:
            raise Wrong(
                "unknown-check", f"“{step.title}” has the automated check `{name}`, not `{item.check}`."
            )
        samples, passes = _counted(item)
        row = CheckResult(
            workspace_id=uow.workspace_id,
            adoption_id=view.id,
            cycle_id=place.cycle.id or 0,
            step=step.key,
            name=name,
            samples=samples,
            passes=passes,
            note=item.note,
            link=item.link,
            token_id=holder.id,
            surface=uow.actor.surface,
            source=uow.actor.request,
            happened_at=place.at,
            recorded_at=uow.now,
        )
        return Saved(place, item, uow.actor.request, row)

    def judge(self, uow: UnitOfWork, holder: TokenHolder, saved: Sequence[Saved]) -> list[Judged | None]:
        rows = [one.row for one in saved if isinstance(one.row, CheckResult)]
        uow.session.add_all(rows)
        uow.record_all(
            [
                Entry(
                    "check-result",
                    f"adoption:{row.adoption_id}/{row.step}",
                    after={
                        "step": row.step,
                        "name": row.name,
                        "samples": row.samples,
                        "passes": row.passes,
                        "via": holder.name,
                    },
                )
                for row in rows
            ]
        )
        return [None] * len(saved)


def _counted(item: CheckItem) -> tuple[int, int]:
    if item.passed is not None and item.samples is None and item.passes is None:
        return 1, int(item.passed)
    if item.samples is None or item.passes is None or item.passed is not None:
        raise Wrong("invalid-item", "Give either `samples` and `passes`, or `passed`.")
    if item.passes > item.samples:
        raise Wrong("invalid-item", f"{item.passes:,} of {item.samples:,} can't have passed.")
    return item.samples, item.passes


SAVERS: Final[dict[type[Item], Saver]] = {
    RunsItem: _Runs(),
    KpiItem: _Kpi(),
    ExceptionItem: _Exceptions(),
    RubricItem: _Rubric(),
    CheckItem: _Checks(),
}
"""How each kind of item is recorded."""
