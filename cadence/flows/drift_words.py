"""A drift in one sentence, for `why` and the digest."""

from collections.abc import Sequence
from zoneinfo import ZoneInfo

from cadence.flows.drift_state import is_alone
from cadence.flows.standards_posts import drift_numbers
from cadence.mrkdwn import Mrkdwn, mention, say
from cadence.rules.drift import DriftEvent
from cadence.rules.percent import set_share
from storage.tables import StepDrift
from templates.filters import day, plural
from templates.filters import mode as mode_word


def drift_counts(found: StepDrift) -> Mrkdwn:
    """`human-led, not collaborative: 3 of 9 attestations (limit 20%), in weeks 1 and 2`.

    Check-ins that were still to come when it was found are said to be.
    """
    numbers = drift_numbers(found)
    weeks = [str(week) for week in numbers.weeks]
    last = f"{', '.join(weeks[:-1])} and {weeks[-1]}" if len(weeks) > 1 else "".join(weeks)
    return say(
        "{used}, not {declared}: {drifted} of {attestations} ({share}limit {limit}{awaited}), in {weeks} {last}",
        used=mode_word(found.used or found.declared),
        declared=mode_word(found.declared),
        drifted=numbers.drifted,
        attestations=plural(
            numbers.attested + numbers.awaited, "check-in" if numbers.awaited else "attestation"
        ),
        awaited=f"; {numbers.awaited} of them still to come then" if numbers.awaited else "",
        share=f"{numbers.percent}, " if numbers.percent else "",
        limit=set_share(numbers.limit),
        weeks="weeks" if len(weeks) > 1 else "week",
        last=last,
    )


def drift_history(rows: Sequence[StepDrift], zone: ZoneInfo, *, owner: bool) -> tuple[Mrkdwn, ...]:
    """What was found of a step's drift and what became of it, newest first; `rows` come oldest first.

    What one person alone reported, and what became of it, is for the `owner` to read.
    """
    lines: list[Mrkdwn] = []
    hidden = False
    for row in rows:
        if row.event in (DriftEvent.FOUND, DriftEvent.REPORTED):
            hidden = is_alone(row) and not owner
        if not hidden:
            lines.append(_line(row, day(row.at.astimezone(zone))))
    return tuple(reversed(lines))


def _line(row: StepDrift, on: str) -> Mrkdwn:
    if row.event is DriftEvent.REPORTED:
        return say("{on}: reported by one person, {counts}.", on=on, counts=drift_counts(row))
    if row.event is DriftEvent.FOUND:
        return say("{on}: drift, run {counts}.", on=on, counts=drift_counts(row))
    if row.event is DriftEvent.RECOMMITTED:
        return say(
            "{on}: {who} recommits to {mode}: {reason}",
            on=on,
            who=mention(row.member or ""),
            mode=mode_word(row.declared),
            reason=row.reason,
        )
    if row.event is DriftEvent.DECLARED:
        return say("{on}: settled, the step became {mode}.", on=on, mode=mode_word(row.declared))
    return say("{on}: withdrawn, the answers were corrected.", on=on)
