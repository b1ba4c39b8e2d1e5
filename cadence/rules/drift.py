"""Whether a step is run in another mode than planned (SPEC §5)."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from cadence.rules.modes import Mode, rank


class DriftLine(StrEnum):
    """The condition of the drift rule that was met."""

    WEEKS = "weeks"
    SHARE = "share"


class DriftEvent(StrEnum):
    """An event of a step's drift: the bot detects it; the owner declares the real mode or goes
    back to the plan (stored as `recommitted`, its earlier name).

    A drift is withdrawn when the attestations it was detected in are corrected, and settled by any change of
    mode. Reported: one person attested another mode and no condition was met. Only the owner is told, and no
    drift is open.
    """

    REPORTED = "reported"
    FOUND = "found"
    DECLARED = "declared"
    BACK_TO_PLAN = "recommitted"
    WITHDRAWN = "withdrawn"


@dataclass(frozen=True, slots=True)
class DriftPolicy:
    """The thresholds of drift.

    Args:
        weeks: another mode was attested in this many weeks of a cycle,
        people: by at least this many people.
        share: or in more than this share of the step's attestations, 0 to 1,
        attestations: if there are at least this many.
    """

    weeks: int = 2
    people: int = 2
    share: float = 0.20
    attestations: int = 5


@dataclass(frozen=True, slots=True)
class StepAttestation:
    """How one member ran a step in one week. "We did not run it" says nothing about a mode, so it isn't one.

    Args:
        week: the week of the cycle, 1 to 4.
        mode: the mode it was actually run in.
        declared: the mode declared at that time.
        member: the attesting member's Slack ID.
    """

    week: int
    mode: Mode
    declared: Mode
    member: str


@dataclass(frozen=True, slots=True)
class DriftVerdict:
    """Whether a step drifted, with the numbers behind it.

    Args:
        lines: the conditions that were met; empty without drift.
        attested: attestations of the step in the cycle.
        awaited: missing check-ins of open weeks; counted as planned until they arrive.
        drifted: attestations in another mode than declared.
        by: the members who made those, in order.
        weeks: the weeks of those, in order.
        share: drifted of attested and awaited, 0 to 1.
        used: the mode most attested instead; of two equally frequent ones, the one in which people lead more.
        also: the other mode attested instead, if there are two.
        policy: the thresholds.
    """

    lines: tuple[DriftLine, ...]
    attested: int
    awaited: int
    drifted: int
    by: tuple[str, ...]
    weeks: tuple[int, ...]
    share: float
    used: Mode | None
    also: Mode | None
    policy: DriftPolicy

    @property
    def found(self) -> bool:
        """Whether the step drifted."""
        return bool(self.lines)

    @property
    def alone(self) -> bool:
        """Whether only one person reports another mode: that is told to the owner, never in a channel."""
        return len(self.by) == 1


def judge_drift(
    attestations: Iterable[StepAttestation], *, awaited: int = 0, policy: DriftPolicy | None = None
) -> DriftVerdict:
    """Judge the attestations of one step in one cycle, made since the owner last declared its mode or
    went back to the plan.

    Drift means another mode than declared by two people in two weeks of the cycle, or in more than 20% of at
    least five attestations (SPEC §5). In an open week, missing check-ins get the benefit of the doubt: the
    first answer of a week is not a share of 100%.

    Raises:
        ValueError: for a negative number of awaited check-ins.
    """
    if awaited < 0:
        raise ValueError(f"{awaited} check-ins awaited")
    policy = policy or DriftPolicy()
    all_of_them = tuple(attestations)
    drifted = [one for one in all_of_them if one.mode is not one.declared]
    weeks = tuple(sorted({one.week for one in drifted}))
    by = tuple(sorted({one.member for one in drifted}))
    total = len(all_of_them) + awaited
    share = len(drifted) / total if total else 0.0
    lines = []
    if drifted and len(weeks) >= policy.weeks and len(by) >= policy.people:
        lines.append(DriftLine.WEEKS)
    if share > policy.share and len(all_of_them) >= policy.attestations:
        lines.append(DriftLine.SHARE)
    counts = Counter(one.mode for one in drifted)
    used, also, *_ = (*sorted(counts, key=lambda mode: (-counts[mode], rank(mode))), None, None)
    return DriftVerdict(
        lines=tuple(lines),
        attested=len(all_of_them),
        awaited=awaited,
        drifted=len(drifted),
        by=by,
        weeks=weeks,
        share=share,
        used=used,
        also=also,
        policy=policy,
    )


def open_drift(events: Sequence[DriftEvent]) -> bool:
    """Whether a drift of the step waits for the owner, given its events so far, oldest first."""
    decided = [event for event in events if event is not DriftEvent.REPORTED]
    return bool(decided) and decided[-1] is DriftEvent.FOUND
