"""What a cycle was worth, next to its KPI and never instead of it."""

from collections import Counter
from collections.abc import Mapping
from datetime import date, timedelta

from cadence.documents import PlaybookSpec
from cadence.flows.core import AdoptionView
from cadence.rules.value import Value, value_of, worth_in_words
from storage.queries import trends
from storage.tables import Cycle
from storage.work import UnitOfWork
from templates.filters import amount, plural

WEEKS = 4
"""Weeks in the digest's total."""


def value_line(uow: UnitOfWork, view: AdoptionView, cycle: Cycle) -> str:
    """A cycle's worth as a phrase; empty if the playbook names no worth, or nothing counted yet."""
    worth, of_cycle = view.spec.case.worth, cycle.id or 0
    shown, events = _worths(uow, {of_cycle: view.spec}).get(of_cycle, ("", 0))
    if worth is None or not shown:
        return ""
    each = amount(worth.amount, worth.unit)
    return f"{shown}, estimated from {plural(events, 'run')} that counted, at {each} each"


def worth_of_cycles(uow: UnitOfWork, specs: Mapping[int, PlaybookSpec]) -> dict[int, str]:
    """What some cycles were worth: `about 16 hours saved`.

    Args:
        specs: the playbook of each cycle, by the cycle's id.

    Returns:
        The phrases by the cycle's id, without cycles whose playbook names no worth or in which nothing counted.
    """
    return {cycle: shown for cycle, (shown, _) in _worths(uow, specs).items()}


def _worths(uow: UnitOfWork, specs: Mapping[int, PlaybookSpec]) -> dict[int, tuple[str, int]]:
    """The phrase and the value events of each cycle that was worth something."""
    priced = {cycle: spec.case.worth for cycle, spec in specs.items() if spec.case.worth is not None}
    if not priced:
        return {}
    found = {}
    for cycle, counts in trends.values_of_cycles(uow, cycle_ids=sorted(priced)).items():
        worth, events = priced[cycle], _value(counts).events
        if events:
            words = worth_in_words(events, worth.amount, worth.unit)
            found[cycle] = (f"about {words}{'' if worth.unit == 'currency' else ' saved'}", events)
    return found


def _value(counts: trends.ValueRow) -> Value:
    return value_of(reported=counts.reported, other_runs=counts.other_runs, exceptions=counts.exceptions)


def value_total(uow: UnitOfWork, specs: Mapping[int, PlaybookSpec], *, until: date) -> str:
    """The worth of the last four weeks of several adoptions, or of those since the first check-in, as a phrase;
    empty without any.

    Args:
        specs: by adoption; only those that name a worth count.
        until: the Monday of the last week.
    """
    priced = {one: spec.case.worth for one, spec in specs.items() if spec.case.worth is not None}
    if not priced:
        return ""
    first = until - timedelta(weeks=WEEKS - 1)
    rows = trends.values_between(uow, first=first, last=until)
    hours, money, events = 0.0, 0.0, Counter[str]()
    since = until
    for adoption, counts in rows.items():
        worth = priced.get(adoption)
        count = _value(counts).events if worth else 0
        if worth is None or not count:
            continue
        kind = "money" if worth.unit == "currency" else "time"
        events[kind] += count
        since = min(since, counts.since or until)
        if kind == "money":
            money += count * worth.amount
        else:
            hours += count * worth.amount / (60 if worth.unit == "minutes" else 1)
    parts = []
    if events["time"]:
        words = worth_in_words(1, hours, "hours")
        parts.append(f"about {words} saved (from {plural(events['time'], 'run')} that counted)")
    if events["money"]:
        words = worth_in_words(1, money, "currency")
        parts.append(f"about {words} (from {plural(events['money'], 'run')} that counted)")
    weeks = (until - since) // timedelta(weeks=1) + 1
    return f"{' and '.join(parts)} in {plural(weeks, 'week')}, estimated" if parts else ""
