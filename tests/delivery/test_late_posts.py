"""A Slack that carries out a call long after it was abandoned: no duplicates, and nobody else waits."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from bot.delivery.attempt_recorder import FIRST_LOOK_SECONDS, Outcome
from bot.delivery.gateway import Gateway
from bot.delivery.sender import NOT_LOOKED_FOR
from bot.ops.manifest import scopes
from bot.sandbox.capabilities import Capabilities
from bot.sandbox.faults import Fault
from cadence.flows.core import Urgency
from cadence.flows.core.messages import Say
from cadence.flows.outbox import KINDS, compose
from storage.outbox.attempts import ANSWERED, SETTLED
from storage.tables import MessageState
from tests.delivery.post_office import CHANNEL, MEMBER, NOON, QUIET, PostOffice
from tests.delivery.test_restarts import Killed
from tests.processes.programs import free_port

POST = "chat.postMessage"


def looks(office: PostOffice) -> int:
    return sum(one.what == "conversations.history" for one in office.workspace.exchanges())


def plays(office: PostOffice, seconds: int, *, landing: int | None = None) -> None:
    """Play second by second; late calls are carried out at one of them."""
    for second in range(1, seconds + 1):
        if second == landing:
            office.faults.land()
        office.later(seconds=1)


@pytest.mark.parametrize("recipient", [CHANNEL, MEMBER])
@pytest.mark.parametrize("landing", [1, 4, 6, 12, 13, 20, 25, 33])
def test_a_post_that_is_carried_out_late_is_not_repeated(
    office: PostOffice, landing: int, recipient: str
) -> None:
    key = office.owes("first", recipient)
    office.owes("second", recipient)
    office.faults.next[POST] = [Fault.LATE]
    assert office.sends() == {Outcome.LATER: 1}
    office.owes("elsewhere", QUIET)
    assert office.sends() == {Outcome.SENT: 1}
    assert office.said(QUIET) == ["elsewhere"], "nobody else waits"
    plays(office, 40, landing=landing)
    room = recipient if recipient == CHANNEL else office.workspace.dm_with(recipient).id
    assert office.said(room) == ["first", "second"]
    assert office.row(key).ts == office.arrived(room)[0].ts


def test_what_never_arrives_is_looked_for_twice_and_then_posted(office: PostOffice) -> None:
    office.owes("first")
    office.owes("second")
    office.faults.next[POST] = [Fault.BAD_GATEWAY]
    office.sends()
    assert office.later(seconds=FIRST_LOOK_SECONDS - 0.1) == {}
    assert office.later(seconds=0.1) == {Outcome.LATER: 1}
    assert looks(office) == 1
    office.clock.set(NOON + SETTLED - timedelta(seconds=0.1))
    assert office.sends() == {}, "Slack may still post it"
    assert office.later(seconds=0.1) == {Outcome.SENT: 2}
    assert looks(office) == 2
    assert office.said() == ["first", "second"]


def test_a_message_that_never_reached_slack_is_posted_soon(office: PostOffice) -> None:
    office.owes("first")
    there = office.gateway.client.base_url
    office.gateway.client.base_url = f"http://127.0.0.1:{free_port()}/api/"
    assert office.sends() == {Outcome.LATER: 1}
    office.gateway.client.base_url = there
    assert office.later(seconds=2) == {Outcome.SENT: 1}


def test_a_worker_that_is_killed_with_a_post_on_its_way_doubles_nothing(office: PostOffice) -> None:
    office.owes("first")
    worker, post = office.worker(), office.gateway.post

    def dies(**message: Any) -> str:
        office.faults.next[POST] = [Fault.LATE]
        with pytest.raises(Exception, match="RemoteDisconnected"):
            post(**message)
        raise Killed

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(office.gateway, "post", dies)
        with pytest.raises(Killed):
            worker.drain()
    office.delivery = office.worker()
    office.delivery.outbox.take_all_back(now=office.clock.now())
    office.clock.set(NOON + ANSWERED)
    assert office.sends() == {Outcome.LATER: 1}
    office.faults.land()
    office.clock.set(NOON + SETTLED)
    assert office.sends() == {Outcome.SENT: 1}
    assert office.said() == ["first"]


def test_an_older_rewrite_that_lands_late_does_not_undo_a_newer_one(
    office: PostOffice, monkeypatch: pytest.MonkeyPatch
) -> None:
    office.owes("posted")
    office.sends()
    (posted,) = office.arrived()

    def rewriting(*args: Any, **rest: Any) -> Any:
        said = compose(*args, **rest)
        assert isinstance(said, Say)
        return replace(said, rewrites=(CHANNEL, posted.ts))

    monkeypatch.setattr("bot.delivery.sender.compose", rewriting)
    office.owes("older")
    office.owes("newer")
    office.faults.next["chat.update"] = [Fault.LATE]
    office.sends()
    plays(office, 40, landing=33)
    assert office.unsent() == []
    assert office.said() == ["newer"]


BLIND = Capabilities(scopes=frozenset(scopes()) - {"channels:history", "groups:history"})


def test_where_the_history_cannot_be_read_a_post_is_not_repeated_on_a_guess(office: PostOffice) -> None:
    office.workspace.capabilities = BLIND
    key = office.owes("first")
    office.faults.next[POST] = [Fault.DROPPED]
    office.sends()
    plays(office, 40)
    assert office.said() == ["first"]
    assert (office.row(key).state, office.row(key).reason) == (MessageState.FAILED, NOT_LOOKED_FOR)


@pytest.mark.parametrize("fault", [Fault.SERVER_ERROR, Fault.RATE_LIMIT])
def test_a_refused_message_is_repeated_without_reading_the_history(office: PostOffice, fault: Fault) -> None:
    office.workspace.capabilities = BLIND
    key = office.owes("first")
    office.faults.next[POST] = [fault]
    office.sends()
    assert office.later(seconds=2) == {Outcome.SENT: 1}
    assert (office.row(key).state, office.row(key).reason) == (MessageState.SENT, "")


def test_where_the_history_cannot_be_read_an_alert_is_rather_said_twice(
    office: PostOffice, monkeypatch: pytest.MonkeyPatch
) -> None:
    office.workspace.capabilities = BLIND
    monkeypatch.setitem(KINDS, "asked", replace(KINDS["asked"], urgency=Urgency.ALERT))
    key = office.owes("first")
    office.faults.next[POST] = [Fault.LATE]
    office.sends()
    plays(office, 40)
    assert office.said() == ["first"]
    assert office.row(key).reason == "possibly repeated: the channel's history can't be read"


def test_without_the_history_a_person_is_still_looked_after(office: PostOffice) -> None:
    office.workspace.capabilities = BLIND
    office.owes("first", MEMBER)
    office.faults.next[POST] = [Fault.DROPPED]
    office.sends()
    plays(office, 40)
    assert office.said(office.workspace.dm_with(MEMBER).id) == ["first"]


def test_a_bot_that_was_removed_looks_for_nothing_until_it_is_back(office: PostOffice) -> None:
    key = office.owes("first")
    office.faults.next[POST] = [Fault.DROPPED]
    office.sends()
    office.workspace.remove(CHANNEL, office.workspace.app.user)
    office.later(seconds=40)
    assert office.row(key).reason == "not_in_channel"
    office.workspace.invite(CHANNEL, office.workspace.app.user)
    assert office.later(hours=1) == {Outcome.SENT: 1}
    assert office.said() == ["first"]


def test_only_a_refused_connection_is_known_not_to_have_reached_slack() -> None:
    gateway = Gateway(token="xoxb-1", api_url=f"http://127.0.0.1:{free_port()}/api/")
    with pytest.raises(Exception, match="URLError") as caught:
        gateway.open_dm("U1")
    assert caught.value.may_land is False  # type: ignore[attr-defined]
