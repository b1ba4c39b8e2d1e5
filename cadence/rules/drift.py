"""Whether a step is run in another mode than declared (SPEC §5)."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from cadence.rules.modes import Mode, rank


class DriftLine(StrEnum):
    """The line of the drift rule that spoke."""

    WEEKS = "weeks"
    SHARE = "share"


class DriftEvent(StrEnum):
    """What happens to a step's drift: the bot finds one; the owner declares the real mode or recommits.

    It is withdrawn when the attestations it was found in are corrected, and settled by any change of mode.
    """

    FOUND = "found"
    DECLARED = "declared"
    RECOMMITTED = "recommitted"
    WITHDRAWN = "withdrawn"


@dataclass(frozen=True, slots=True)
class DriftPolicy:
    """The thresholds of drift.

    Args:
        weeks: in this many weeks of a cycle another mode was attested.
        share: or in more than this share of the step's attestations, 0 to 1.
    """

    weeks: int = 2
    share: float = 0.20


@dataclass(frozen=True, slots=True)
class StepAttestation:
    """How one member ran a step in one week. "We did not run it" says nothing of a mode, so it isn't one.

    Args:
        week: the week of the cycle, 1 to 4.
        mode: the mode it was really run in.
        declared: the mode that was declared then.
    """

    week: int
    mode: Mode
    declared: Mode


@dataclass(frozen=True, slots=True)
class DriftVerdict:
    """Whether a step drifted, with all that rests on.

    Args:
        lines: the lines that spoke; none when there is no drift.
        attested: attestations of the step in the cycle.
        awaited: check-ins of open weeks that may still come; counted as declared until they do.
        drifted: attestations in another mode than declared.
        weeks: the weeks in which there was one, in order.
        share: drifted of attested and awaited, 0 to 1.
        used: the mode most attested instead; of two as frequent, the one in which people lead more.
        policy: the thresholds.
    """

    lines: tuple[DriftLine, ...]
    attested: int
    awaited: int
    drifted: int
    weeks: tuple[int, ...]
    share: float
    used: Mode | None
    policy: DriftPolicy

    @property
    def found(self) -> bool:
        """Whether the step drifted."""
        return bool(self.lines)


def judge_drift(
    attestations: Iterable[StepAttestation], *, awaited: int = 0, policy: DriftPolicy | None = None
) -> DriftVerdict:
    """Judge the attestations of one step in one cycle, since the owner last declared its mode or recommitted.

    Drift is another mode than declared in two weeks of the cycle, or in more than 20% of the attestations
    (SPEC §5). While a week is open, the check-ins still awaited have the benefit of the doubt: the first
    answer of a week is not a share of 100%.

    Raises:
        ValueError: for fewer than no check-ins awaited.
    """
    if awaited < 0:
        raise ValueError(f"{awaited} check-ins awaited")
    policy = policy or DriftPolicy()
    all_of_them = tuple(attestations)
    drifted = [one for one in all_of_them if one.mode is not one.declared]
    weeks = tuple(sorted({one.week for one in drifted}))
    total = len(all_of_them) + awaited
    share = len(drifted) / total if total else 0.0
    lines = []
    if drifted and len(weeks) >= policy.weeks:
        lines.append(DriftLine.WEEKS)
    if share > policy.share:
        lines.append(DriftLine.SHARE)
    counts = Counter(one.mode for one in drifted)
    return DriftVerdict(
        lines=tuple(lines),
        attested=len(all_of_them),
        awaited=awaited,
        drifted=len(drifted),
        weeks=weeks,
        share=share,
        used=min(counts, key=lambda mode: (-counts[mode], rank(mode))) if counts else None,
        policy=policy,
    )


def open_drift(events: Sequence[DriftEvent]) -> bool:
    """Whether a drift of the step waits for the owner, by what happened to it so far, oldest first."""
    return bool(events) and events[-1] is DriftEvent.FOUND
