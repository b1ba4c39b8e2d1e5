"""What an adoption was worth: value events, and hours or money where the playbook names a worth (SPEC §6)."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Value:
    """Value events of a period.

    Args:
        reported: events that check-ins reported themselves.
        derived: runs of the other check-ins, minus the logged exceptions; never negative.
    """

    reported: int
    derived: int

    @property
    def events(self) -> int:
        """All of them."""
        return self.reported + self.derived


def value_of(*, reported: int, other_runs: int, exceptions: int) -> Value:
    """Count the value events of a period.

    A check-in that says how many of its runs counted is taken at its word; the runs of the others count,
    except those logged as exceptions. So exceptions are never subtracted from what was reported.

    Args:
        reported: the sum of the events that check-ins reported.
        other_runs: the attested runs of check-ins without such a number.
        exceptions: logged in the period and not undone.
    """
    return Value(reported, max(0, other_runs - exceptions))


def worth_in_words(events: int, amount: float, unit: str) -> str:
    """Hours or money that events are worth: `46 hours`, `40 min`, `$1,200`.

    Args:
        amount: of one event.
        unit: `minutes`, `hours` or `currency`.
    """
    if unit == "currency":
        return f"${events * amount:,.0f}"
    hours = events * amount / (60 if unit == "minutes" else 1)
    if hours < 1:
        return f"{round(hours * 60)} min"
    size = f"{hours:,.0f}" if hours >= 10 else f"{hours:.1f}".removesuffix(".0")
    return f"{size} hour{'' if size == '1' else 's'}"
