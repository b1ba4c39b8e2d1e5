"""A recipient's next slot: a second after Slack received the last message, to the instant."""

import os
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Event, Thread
from types import SimpleNamespace

import pytest
from sqlalchemy import event

from bot.delivery.attempt_recorder import arrived
from bot.delivery.gateway import Gateway
from bot.delivery.sender import Delivery, Outcome, Pace, Post
from bot.runtime.sender_pool import SenderPool
from cadence.flows.outbox.outbox import AHEAD
from storage.engine import Database
from tests.bench import digest_bench, drain_bench
from tests.delivery.post_office import CHANNEL, MEMBER, TEAM, PostOffice

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
    found = arrived(ts, called=CALLED, answered=ANSWERED)
    assert (found - CALLED).total_seconds() == pytest.approx(after, abs=1e-5)


def test_who_has_more_to_come_is_written_to_when_their_second_is_over(office: PostOffice) -> None:
    delivery = office.worker(Pace(timedelta(seconds=1)))
    office.owes("first")
    office.owes("second")
    assert delivery.step(TEAM, CHANNEL) == (Outcome.SENT, False)
    wait = delivery.soon(TEAM, CHANNEL)
    assert wait is not None
    assert 0 < wait <= 1
    office.clock.set(office.clock.now() + timedelta(seconds=wait))
    assert delivery.step(TEAM, CHANNEL) == (Outcome.SENT, True)
    assert delivery.soon(TEAM, CHANNEL) is None, "nothing is left"


def test_who_waits_for_the_budget_is_not_woken_for_their_turn(office: PostOffice) -> None:
    delivery = office.worker(Pace(timedelta(seconds=1), a_minute=6))
    office.owes("first")
    office.owes("second")
    assert delivery.send_next(TEAM, CHANNEL) is Outcome.SENT
    assert delivery.soon(TEAM, CHANNEL) is None, (
        "the budget is spent for longer; whoever looks around finds it"
    )


def test_the_sender_pool_continues_until_it_is_closed(office: PostOffice) -> None:
    for number in range(3):
        office.owes(str(number))
    senders = SenderPool(office.worker(Pace(timedelta(seconds=0.05))))
    assert senders.fill() == 1
    senders.wait()
    office.clock.set(office.clock.now() + timedelta(seconds=5))
    senders.fill()
    senders.wait()
    senders.close()
    assert len(office.said()) >= 2
    assert senders.fill() == 0


def test_the_benchmark_of_the_digest_runs() -> None:
    (line,) = digest_bench.run([8], on_postgres=False)
    assert line.split()[:3] == ["SQLite:", "8", "adoptions:"]


def test_a_turn_that_is_near_is_taken_before_it_comes(office: PostOffice) -> None:
    delivery = office.worker(Pace(timedelta(seconds=1)))
    office.owes("first")
    second = office.owes("second")
    assert delivery.send_next(TEAM, CHANNEL) is Outcome.SENT
    turn = delivery.outbox.slot_of(TEAM, CHANNEL, now=office.clock.now())
    assert turn is not None
    office.clock.set(turn - 2 * AHEAD)
    assert delivery.send_next(TEAM, CHANNEL) is Outcome.NOTHING, "nobody waits for so long"
    office.clock.set(turn - AHEAD)
    assert delivery.send_next(TEAM, CHANNEL) is Outcome.SENT
    assert (office.row(second).first_attempt_at, office.clock.now()) == (turn, turn)


def test_a_message_to_somebody_new_costs_few_statements_and_two_transactions(office: PostOffice) -> None:
    delivery = office.worker(Pace(timedelta(seconds=1)))
    office.owes("first", MEMBER, kind="welcome")
    asked: list[str] = []
    commits: list[object] = []
    event.listen(
        office.db.engine, "before_cursor_execute", lambda _c, _k, statement, *_: asked.append(statement)
    )
    event.listen(office.db.engine, "commit", commits.append)
    assert delivery.send_next(TEAM, MEMBER) is Outcome.SENT
    told = [statement for statement in asked if not statement.startswith("BEGIN")]
    assert len(told) <= 10, "two of them are what a welcome asks"
    assert len(commits) == 2, "the attempt before the call, and its end"


class Here:
    """A worker in this process, in the place of one that would take seconds to start."""

    def __init__(self, _folder: Path, _command: str, settings: Mapping[str, str]) -> None:
        db = Database(settings["DATABASE_URL"])
        gateway = Gateway(token=settings["SLACK_BOT_TOKEN"], api_url=settings["SLACK_API_URL"])
        post = Post(gateway, gateway.identity())
        delivery = Delivery(db, post_for=lambda _team: post, clock=lambda: datetime.now(UTC))
        self.process = SimpleNamespace(pid=os.getpid())
        self._senders, self._over = SenderPool(delivery), Event()
        self._filling = Thread(target=self._fill)
        self._filling.start()

    def _fill(self) -> None:
        while not self._over.wait(0.05):
            self._senders.fill()

    def end(self) -> None:
        """Stop, however often it is said."""
        self._over.set()
        self._filling.join()
        self._senders.close()


def test_the_benchmark_of_draining_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(drain_bench, "Program", Here)
    drain = drain_bench.Drain("tiny", messages=4, recipients=2, people=True, seconds=20)
    came, alone = drain_bench.measure(drain)
    assert drain_bench.figures(drain, came).split()[:3] == ["4", "of", "4"]
    assert [word for word in alone.split() if word in ("CPU", "each;", "alone:")] == [
        "CPU",
        "each;",
        "alone:",
    ]
