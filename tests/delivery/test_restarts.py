"""Processes that die in the middle of a message, and several at once: nothing twice, nothing lost, in order."""

from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta
from itertools import pairwise
from threading import Event, Thread
from typing import Any

import pytest
from sqlalchemy.exc import OperationalError

from bot.delivery.sender import Delivery, Outcome, Pace
from bot.sandbox.faults import Fault
from bot.sandbox.people import Channel
from storage.outbox.attempts import ANSWERED, LONGEST_ATTEMPT, SETTLED
from storage.tables import MessageState
from tests.delivery.post_office import CHANNEL, MEMBER, QUIET, PostOffice


class Killed(BaseException):
    """The process is gone: nothing after this line runs."""


def _dies(*_args: Any, **_rest: Any) -> None:
    raise Killed


def _before_the_post(worker: Delivery, office: PostOffice, patch: pytest.MonkeyPatch) -> None:
    patch.setattr(office.gateway, "post", _dies)


def _after_the_post(worker: Delivery, office: PostOffice, patch: pytest.MonkeyPatch) -> None:
    patch.setattr(worker.outbox, "finish", _dies)


@pytest.mark.parametrize("recipient", [CHANNEL, MEMBER])
@pytest.mark.parametrize("moment", [_before_the_post, _after_the_post])
def test_a_restarted_worker_finds_what_the_killed_one_left(
    shared_office: PostOffice,
    moment: Callable[[Delivery, PostOffice, pytest.MonkeyPatch], None],
    recipient: str,
) -> None:
    office = shared_office
    key = office.owes("start a cycle", recipient)
    office.owes("behind it", recipient)
    with pytest.MonkeyPatch.context() as patch:
        worker = office.worker()
        moment(worker, office, patch)
        with pytest.raises(Killed):
            worker.drain()
    restarted = office.worker()
    assert restarted.drain() == {}, "the attempt may still be under way elsewhere"
    office.clock.set(office.clock.now() + LONGEST_ATTEMPT)
    restarted.drain()  # finds it, if it is there
    office.clock.set(office.clock.now() + SETTLED - LONGEST_ATTEMPT)
    restarted.drain()
    room = recipient if recipient == CHANNEL else "D01AGENT"
    assert office.said(room) == ["start a cycle", "behind it"]
    row = office.row(key)
    assert (row.state, row.ts) == (MessageState.SENT, office.arrived(room)[0].ts)
    assert row.attempts == (2 if moment is _after_the_post else 3)


def test_a_worker_that_dies_again_and_again_repeats_nothing(shared_office: PostOffice) -> None:
    office = shared_office
    for number in range(4):
        office.owes(f"message {number}")
    for _ in range(6):
        worker = office.worker()
        with pytest.MonkeyPatch.context() as patch:
            _after_the_post(worker, office, patch)
            with pytest.raises(Killed):
                worker.drain()
        office.clock.set(office.clock.now() + LONGEST_ATTEMPT)
    office.worker().drain()
    assert office.said() == [f"message {number}" for number in range(4)]
    assert office.unsent() == []


def _all_at_once(workers: list[Delivery], done: Callable[[], bool]) -> None:
    errors: list[BaseException] = []

    def run(worker: Delivery) -> None:
        try:
            while not done():
                worker.drain()
        except BaseException as error:  # noqa: BLE001 - shown by the main thread
            errors.append(error)

    threads = [Thread(target=run, args=(worker,)) for worker in workers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert errors == []
    assert not any(thread.is_alive() for thread in threads)


def test_several_workers_send_each_message_once_and_in_order(shared_office: PostOffice) -> None:
    office = shared_office
    rooms = {CHANNEL: CHANNEL, QUIET: QUIET, MEMBER: "D01AGENT"}
    for number in range(12):
        for recipient in rooms:
            office.owes(f"{recipient} {number}", recipient)
    _all_at_once([office.worker() for _ in range(3)], lambda: not office.unsent())
    for recipient, room in rooms.items():
        assert office.said(room) == [f"{recipient} {number}" for number in range(12)]


def test_a_message_that_one_worker_is_sending_is_left_to_it(
    shared_office: PostOffice, monkeypatch: pytest.MonkeyPatch
) -> None:
    office = shared_office
    post, posting, go_on = office.gateway.post, Event(), Event()

    def held(**message: Any) -> str:
        posting.set()
        assert go_on.wait(10)
        return post(**message)

    office.owes("first")
    office.owes("second")
    monkeypatch.setattr(office.gateway, "post", held)
    first = Thread(target=office.worker().drain)
    first.start()
    assert posting.wait(10)
    assert office.worker().drain() == {}, "neither the message under way nor the one behind it"
    go_on.set()
    first.join(10)
    assert office.said() == ["first", "second"]


SECOND = timedelta(seconds=1)


def _timed(office: PostOffice, patch: pytest.MonkeyPatch) -> list[tuple[str, datetime]]:
    post, times = office.gateway.post, []

    def timed(**message: Any) -> str:
        times.append((message["channel"], office.clock.now()))
        return post(**message)

    patch.setattr(office.gateway, "post", timed)
    return times


@pytest.mark.parametrize("workers", [1, 3])
def test_a_channel_gets_one_message_a_second_from_all_workers(
    shared_office: PostOffice, monkeypatch: pytest.MonkeyPatch, workers: int
) -> None:
    office = shared_office
    times, began = _timed(office, monkeypatch), office.clock.now()
    for number in range(5):
        office.owes(f"{CHANNEL} {number}")
        office.owes(f"{QUIET} {number}", QUIET)
    _all_at_once([office.worker(Pace()) for _ in range(workers)], lambda: not office.unsent())
    for channel in (CHANNEL, QUIET):
        at = [moment for where, moment in times if where == channel]
        assert len(at) == 5
        assert all(later - earlier >= SECOND for earlier, later in pairwise(at))
        assert office.said(channel) == [f"{channel} {number}" for number in range(5)]
    if workers == 1:
        assert office.clock.now() < began + 4.1 * SECOND, "two channels take no longer than one"


def test_a_restart_keeps_the_second(office: PostOffice) -> None:
    office.owes("first")
    office.owes("second")
    assert office.worker(Pace()).drain(patient=False) == {Outcome.SENT: 1}
    assert office.worker(Pace()).drain(patient=False) == {}
    office.clock.set(office.clock.now() + SECOND)
    assert office.worker(Pace()).drain(patient=False) == {Outcome.SENT: 1}


def test_a_workspace_keeps_to_its_budget(shared_office: PostOffice) -> None:
    office = shared_office
    for number in range(30):
        office.owes(f"message {number}", f"C{number:03}")
        office.workspace.save_channel(Channel(f"C{number:03}", members=frozenset({office.identity.user_id})))
    worker = office.worker(Pace(a_minute=60))
    assert worker.drain(patient=False) == {Outcome.SENT: 6}, "five seconds' worth at once after a quiet time"
    for _ in range(3):
        office.clock.set(office.clock.now() + SECOND)
        assert office.worker(Pace(a_minute=60)).drain(patient=False) == {Outcome.SENT: 1}


def test_what_is_skipped_takes_nobodys_turn(office: PostOffice) -> None:
    for number in range(3):
        office.owes(f"stale {number}", hours=1)
    office.clock.set(office.clock.now() + timedelta(hours=2))
    office.owes("fresh")
    assert office.worker(Pace()).drain(patient=False) == {Outcome.SKIPPED: 3, Outcome.SENT: 1}


def test_a_new_worker_takes_back_what_the_dead_one_was_sending(shared_office: PostOffice) -> None:
    office = shared_office
    office.owes("start a cycle")
    worker = office.worker()
    with pytest.MonkeyPatch.context() as patch:
        _after_the_post(worker, office, patch)
        with pytest.raises(Killed):
            worker.drain()
    restarted = office.worker()
    assert restarted.outbox.take_all_back(now=office.clock.now()) == 1
    assert restarted.drain() == {}, "what it asked of Slack may still be on its way"
    office.clock.set(office.clock.now() + ANSWERED)
    assert restarted.drain() == {Outcome.SENT: 1}
    assert office.said() == ["start a cycle"]


def test_a_worker_that_slept_and_was_taken_for_dead_posts_nothing(
    shared_office: PostOffice, monkeypatch: pytest.MonkeyPatch
) -> None:
    office = shared_office
    office.owes("start a cycle")
    sleeper, other = office.worker(), office.worker()
    found = sleeper._found  # noqa: SLF001 - between taking a message and posting it nothing else is called

    def falls_asleep(*args: Any) -> Any:
        monkeypatch.undo()
        other.outbox.take_all_back(now=office.clock.now())
        office.clock.set(office.clock.now() + SETTLED)
        assert other.drain() == {Outcome.SENT: 1}
        return found(*args)

    monkeypatch.setattr(sleeper, "_found", falls_asleep)
    assert sleeper.drain() == {}
    assert office.said() == ["start a cycle"]


def test_a_pause_between_two_workers_is_kept_by_both(office: PostOffice) -> None:
    office.owes("first")
    office.owes("second")
    office.faults.next["chat.postMessage"] = [Fault.RATE_LIMIT]
    assert office.worker().drain() == {Outcome.LATER: 1}
    assert office.worker().drain() == {}
    office.clock.set(office.clock.now() + timedelta(seconds=1))
    assert Counter(office.worker().drain()) == {Outcome.SENT: 2}
    assert office.said() == ["first", "second"]


def test_what_was_sent_is_written_down_when_the_database_is_back(
    office: PostOffice, monkeypatch: pytest.MonkeyPatch
) -> None:
    key, worker = office.owes("start a cycle"), office.worker()
    finish, away = worker.outbox.finish, [True, True]

    def sometimes(*args: Any, **rest: Any) -> None:
        if away:
            away.pop()
            raise OperationalError("COMMIT", None, Exception("the server closed the connection"))
        finish(*args, **rest)

    monkeypatch.setattr(worker.outbox, "finish", sometimes)
    assert worker.drain() == {Outcome.SENT: 1}
    row = office.row(key)
    assert (row.state, row.attempts, row.ts) == (MessageState.SENT, 1, office.arrived()[0].ts)
