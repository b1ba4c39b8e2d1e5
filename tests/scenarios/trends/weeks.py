"""Weeks of a desk with two members, reported quickly."""

from dataclasses import dataclass
from datetime import timedelta

from bot.rehearsal.harness import BotHarness
from bot.sandbox.answers import Answer
from tests.harnesses import Play, in_turn
from tests.scenarios.plays import DESK_CHANNEL, InCycle, at

LEAD, AGENT, CURATOR = "U01LEAD", "U01AGENT1", "U01CURATOR"
FIRST_THURSDAY = at("2026-03-05 12:00")


def asks(harness: BotHarness, text: str, member: str = LEAD) -> Answer:
    """Type a command and let the bot work; returns the answer."""
    said = harness.workspace.person(member).types(text, channel=DESK_CHANNEL)
    harness.tick()
    return said


def types(harness: BotHarness, text: str, member: str = LEAD) -> str:
    """Type a command and let the bot work; returns the answer's words."""
    return asks(harness, text, member).words


def report(harness: BotHarness, week: int, *, runs: int, number: float | None) -> None:
    """Check both members in on the Thursday of a week from 0, and report its number.

    Args:
        runs: of each member.
        number: in minutes; None for a week without one.
    """
    harness.play_until(FIRST_THURSDAY + timedelta(weeks=week))
    for member in (LEAD, AGENT):
        types(harness, f"/attest reply as-planned runs={runs}", member)
    if number is not None:
        types(harness, f"/kpi reply {number}m")


@dataclass(frozen=True, slots=True)
class Reported:
    """A play: both report a week of the desk's cycle."""

    week: int
    runs: int = 20
    number: float | None = 14

    def __call__(self, harness: BotHarness) -> None:
        report(harness, self.week, runs=self.runs, number=self.number)


FOUR_WEEKS: Play = in_turn(InCycle(), *map(Reported, range(4)))
"""A play: both report each week of the desk's first cycle."""
