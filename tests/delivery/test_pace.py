"""A recipient's next turn: a second after Slack had the last message, and waited for to the instant."""

from datetime import UTC, datetime, timedelta

import pytest

from bot.delivery import Outcome, Pace, _arrived
from bot.lanes import Lanes
from tests.bench import digest_bench
from tests.delivery.post_office import CHANNEL, TEAM, PostOffice

CALLED = datetime(2026, 3, 4, 12, 0, 0, tzinfo=UTC)
ANSWERED = CALLED + timedelta(seconds=0.8)


@pytest.mark.parametrize(
    ("ts", "after"),
    [
        (f"{CALLED.timestamp() + 0.3:.6f}", 0.3),
        (f"{CALLED.timestamp() + 90:.6f}", 0.8),  # Slack's clock is ahead
        (f"{CALLED.timestamp() - 1:.6f}", 0.0),  # Slack's clock is behind
        (f"{CALLED.timestamp() - 3600:.6f}", 0.8),  # rewritten, or found again
        ("", 0.8),
        ("nan", 0.8),
        ("soon", 0.8),
    ],
)
def test_a_turn_counts_from_the_message_but_never_from_outside_the_call(ts: str, after: float) -> None:
    found = _arrived(ts, called=CALLED, answered=ANSWERED)
    assert (found - CALLED).total_seconds() == pytest.approx(after, abs=1e-5)


def test_who_has_more_to_come_is_written_to_when_their_second_is_over(office: PostOffice) -> None:
    delivery = office.worker(Pace(timedelta(seconds=1)))
    office.owes("first")
    office.owes("second")
    assert delivery.send_next(TEAM, CHANNEL) is Outcome.SENT
    wait = delivery.soon(TEAM, CHANNEL)
    assert wait is not None
    assert 0 < wait <= 1
    office.clock.set(office.clock.now() + timedelta(seconds=wait))
    assert delivery.send_next(TEAM, CHANNEL) is Outcome.SENT
    assert delivery.soon(TEAM, CHANNEL) is None, "nothing is left"


def test_lanes_go_on_by_themselves_until_they_are_closed(office: PostOffice) -> None:
    for number in range(3):
        office.owes(str(number))
    lanes = Lanes(office.worker(Pace(timedelta(seconds=0.05))))
    assert lanes.fill() == 1
    lanes.wait()
    office.clock.set(office.clock.now() + timedelta(seconds=5))
    lanes.fill()
    lanes.wait()
    lanes.close()
    assert len(office.said()) >= 2
    assert lanes.fill() == 0


def test_the_benchmark_of_the_digest_runs() -> None:
    (line,) = digest_bench.run([8], on_postgres=False)
    assert line.startswith("SQLite: 8 adoptions")
