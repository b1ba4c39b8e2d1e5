"""Signals that no number of the digest shows: contradictions and heroes, over all adoptions at once."""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Sequence
from datetime import date, timedelta
from functools import partial
from itertools import islice, pairwise

from cadence.flows.core import AdoptionView
from cadence.flows.overview.digest_scope import BATCH, Scope, TopN
from cadence.mrkdwn import Mrkdwn, mention, say
from cadence.rules.kpi import Direction, better
from cadence.rules.percent import percent_of, set_share
from cadence.rules.signals import HERO_SHARE, READINGS, Contradiction, WeekSeen, contradiction, hero
from storage.queries.overview import digests, signals
from storage.tables import Attestation
from templates.filters import amount, plural

HERO_WEEKS = 2
"""Weeks of a running cycle that must have answers before heroes are named."""


def contradictions(scope: Scope) -> TopN[Callable[[AdoptionView], Mrkdwn]]:
    """Adoptions in which everybody attests as planned while the number got worse for three readings."""
    found: TopN[Callable[[AdoptionView], Mrkdwn]] = TopN()
    rows = _worsening(scope)
    while chunk := list(islice(rows, BATCH)):
        for adoption, contradicts in _looked_at(scope, chunk):
            if contradicts.found:
                order = (scope.places[adoption].rank,)
                found.add(order, adoption, partial(_tell_contradiction, found=contradicts))
    return found


def _worsening(scope: Scope) -> Iterator[int]:
    """The adoptions whose number got worse with each of the latest readings, one of them in the digest's
    week."""
    rows = digests.latest_readings(scope.uow, week_start=scope.week.monday, many=READINGS + 1)
    for adoption, *values in rows:
        spec = scope.spec(adoption)
        if spec is None:
            continue
        reported = [value for value in values if value is not None]
        series = [*reported, spec.kpi.baseline][: READINGS + 1]
        direction = Direction(spec.kpi.direction)
        if len(series) > READINGS and all(better(old, new, direction) for new, old in pairwise(series)):
            yield adoption


def _looked_at(scope: Scope, adoptions: Sequence[int]) -> Iterator[tuple[int, Contradiction]]:
    """Compute the signals of some adoptions from their readings and attestations, in two queries."""
    monday = scope.week.monday
    readings: dict[int, list[tuple[date, float]]] = defaultdict(list)
    found = digests.weeks_of_readings(scope.uow, adoption_ids=adoptions, until=monday, many=READINGS + 1)
    for adoption, week, value in found:
        readings[adoption].append((week, value))
    first = min(week for rows in readings.values() for week, _ in rows)
    kinds: dict[tuple[int, date, Attestation], int] = {}
    counted = digests.attestations(scope.uow, adoption_ids=adoptions, since=first, until=monday)
    for adoption, week, kind, count in counted:
        kinds[adoption, week, kind] = count
    for adoption, rows in readings.items():
        spec = scope.spec(adoption)
        if spec is not None:
            before, weeks = (rows[0][1], rows[1:]) if len(rows) > READINGS else (spec.kpi.baseline, rows)
            seen = [
                WeekSeen(
                    value,
                    kinds.get((adoption, week, Attestation.AS_DECLARED), 0),
                    kinds.get((adoption, week, Attestation.DRIFTED), 0),
                )
                for week, value in weeks
            ]
            yield adoption, contradiction(seen, before=before, direction=Direction(spec.kpi.direction))


def _tell_contradiction(view: AdoptionView, *, found: Contradiction) -> Mrkdwn:
    return say(
        "🟡 {playbook} ({team}): every check-in says as planned ({count}), but {kpi} got worse {times} in a row: "
        "{values}",
        playbook=view.playbook.title,
        team=view.team.title,
        count=plural(found.as_declared, "time"),
        kpi=view.spec.kpi.name,
        times=plural(found.worse, "week"),
        values=" → ".join(amount(value, view.spec.kpi.unit) for value in found.values),
    )


def heroes_of(scope: Scope, together: Collection[int]) -> TopN[Callable[[AdoptionView], Mrkdwn]]:
    """Adoptions in which one person reports nearly all runs of the cycle. Teams of one are excluded."""
    found: TopN[Callable[[AdoptionView], Mrkdwn]] = TopN()
    monday = scope.week.monday
    rows = digests.most_runs(
        scope.uow, week_start=monday, begun_by=monday - timedelta(weeks=HERO_WEEKS - 1), above=HERO_SHARE
    )
    for adoption, cycle in rows:
        rank = scope.rank(adoption)
        if rank is not None and adoption in together:
            found.add((rank,), adoption, partial(_tell_hero, scope=scope, cycle=cycle))
    return found


def _tell_hero(view: AdoptionView, *, scope: Scope, cycle: int) -> Mrkdwn:
    found = hero(signals.runs_by_member(scope.uow, cycle_id=cycle))
    share = percent_of(found.runs, found.total, limit=found.threshold)
    return say(
        "🟡 {playbook} ({team}): one person reports most of the runs. {who} reported {runs} of {total} ({share}"
        "limit {limit})",
        playbook=view.playbook.title,
        team=view.team.title,
        who=mention(found.member or ""),
        runs=found.runs,
        total=plural(found.total, "run"),
        share=f"{share}, " if share else "",
        limit=set_share(found.threshold),
    )
