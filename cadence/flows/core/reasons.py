"""The reason a curator gives for an override, which others read."""

from typing import Final

from cadence.refusals import Refusal

LEAST_REASON: Final = 15
"""Minimum characters of a reason; it also needs three words."""
LONGEST_REASON: Final = 1_000
"""Maximum characters of a reason."""


def worthy_reason(reason: str, *, readers: str = "The teams that run it") -> str:
    """The reason without spaces around it, if it says something.

    Args:
        readers: who will see it, as the subject of a sentence.

    Raises:
        Refusal: it has fewer than three words or 15 characters, or more than 1,000.
    """
    reason = reason.strip()
    if len(reason) < LEAST_REASON or len(reason.split()) < 3:
        raise Refusal(f"Say in a sentence why it can't wait. {readers} will see this.", field="reason")
    if len(reason) > LONGEST_REASON:
        raise Refusal(
            f"Keep it to {LONGEST_REASON:,} characters. This one has {len(reason):,}.", field="reason"
        )
    return reason
