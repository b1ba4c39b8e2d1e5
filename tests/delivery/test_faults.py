"""Whatever fails on the way to Slack, every message arrives once, or its row says why it didn't."""

from dataclasses import replace
from datetime import timedelta
from uuid import NAMESPACE_URL, uuid5

import pytest
from slack_sdk.errors import SlackApiError

from bot.delivery.attempt_recorder import BACKOFF, FIRST_LOOK_SECONDS, Outcome
from bot.delivery.gateway import SlackBusy, slack_error_of
from bot.delivery.sender import NOT_LOOKED_FOR
from bot.sandbox.capabilities import Capabilities
from bot.sandbox.faults import Fault
from cadence.actor import Actor
from cadence.flows.core.messages import Say
from cadence.flows.outbox.composing import compose
from storage.outbox.attempts import SETTLED
from storage.tables import MessageState
from storage.work import UnitOfWork
from tests.delivery.post_office import CHANNEL, MEMBER, NOON, QUIET, PostOffice

POST, HISTORY = "chat.postMessage", "conversations.history"


def _slow_to_answer(office: PostOffice) -> None:
    office.gateway.client.timeout = 0.2  # type: ignore[assignment]


def test_a_message_arrives_and_its_row_says_where(office: PostOffice) -> None:
    key = office.owes("start a cycle")
    assert office.sends() == {Outcome.SENT: 1}
    (message,) = office.arrived()
    row = office.row(key)
    assert (row.state, row.channel, row.ts, row.attempts) == (MessageState.SENT, CHANNEL, message.ts, 1)
    assert message.client_msg_id == str(uuid5(NAMESPACE_URL, key))


def test_a_pause_that_slack_asks_for_holds_the_workspaces_posting(office: PostOffice) -> None:
    first = office.owes("first")
    office.owes("second")
    office.owes("elsewhere", QUIET)
    office.faults.next[POST] = [Fault.RATE_LIMIT]
    assert office.sends() == {Outcome.LATER: 1}
    assert (office.said(), office.said(QUIET)) == ([], [])
    row = office.row(first)
    assert (row.reason, row.not_before) == ("ratelimited", NOON + timedelta(seconds=1))

    office.owes("third", QUIET)
    assert office.later(seconds=0.9) == {}, "nothing goes out before the pause is over"
    assert office.later(seconds=0.1) == {Outcome.SENT: 4}
    assert (office.said(), office.said(QUIET)) == (["first", "second"], ["elsewhere", "third"])


def test_a_pause_in_another_method_stops_only_what_needs_it(office: PostOffice) -> None:
    office.owes("to a person", MEMBER)
    office.owes("to another", "U02LEAD")
    office.owes("to a channel")
    office.faults.next["conversations.open"] = [Fault.RATE_LIMIT]
    assert office.sends() == {Outcome.LATER: 1, Outcome.SENT: 1}
    assert office.said() == ["to a channel"]
    assert len(office.faults.struck) == 1, "the other person's DM isn't asked for meanwhile"
    assert office.later(seconds=1)[Outcome.SENT] >= 1
    assert office.said("D01AGENT") == ["to a person"]


def test_too_many_messages_are_held_back_although_slack_answers_200(
    office: PostOffice, monkeypatch: pytest.MonkeyPatch
) -> None:
    office.owes("first")
    office.owes("elsewhere", QUIET)

    def refuses(*_args: object, **_rest: object) -> str:
        raise SlackApiError("", {"ok": False, "error": "message_limit_exceeded"})  # type: ignore[no-untyped-call]

    with monkeypatch.context() as patch:
        patch.setattr(office.gateway.client, "api_call", refuses)
        assert office.sends() == {Outcome.LATER: 1}
    assert office.later(seconds=29.9) == {}
    assert office.later(seconds=0.1) == {Outcome.SENT: 2}


def test_a_message_to_rewrite_that_is_gone_leaves_nothing_to_do(
    office: PostOffice, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = office.owes("start a cycle")
    said = compose(UnitOfWork(office.db, Actor.system(office.row(key).workspace_id), NOON), office.row(key))
    assert isinstance(said, Say)
    rewrite = replace(said, rewrites=(CHANNEL, "1.000001"))
    monkeypatch.setattr("bot.delivery.sender.compose", lambda *_args, **_rest: rewrite)
    assert office.sends() == {Outcome.SKIPPED: 1}
    assert (office.row(key).state, office.row(key).reason) == (MessageState.SKIPPED, "message_not_found")


@pytest.mark.parametrize(
    ("header", "seconds"), [("7", 7), ("0", 1), ("inf", 3600), ("nan", 1), ("soon", 30), ("", 30)]
)
def test_an_odd_pause_is_kept_to_what_makes_sense(header: str, seconds: float) -> None:
    class Response:
        status_code = 429
        data = {"error": "ratelimited"}  # noqa: RUF012
        headers = {"Retry-After": header}  # noqa: RUF012

    class Raised:
        response = Response

    busy = slack_error_of(Raised)  # type: ignore[arg-type]
    assert isinstance(busy, SlackBusy)
    assert busy.retry_after == seconds


@pytest.mark.parametrize(
    "fault", [Fault.SERVER_ERROR, Fault.BAD_GATEWAY, Fault.RESET, Fault.DROPPED, Fault.SLOW]
)
def test_an_unclear_answer_is_settled_before_anything_is_repeated(office: PostOffice, fault: Fault) -> None:
    if fault is Fault.SLOW:
        _slow_to_answer(office)
    key = office.owes("start a cycle")
    office.faults.next[POST] = [fault]
    assert office.sends() == {Outcome.LATER: 1}
    arrived = fault in (Fault.DROPPED, Fault.SLOW)
    if arrived:
        assert office.workspace.wait_until(lambda: len(office.arrived()) == 1)
    assert len(office.arrived()) == int(arrived)
    looked_at = BACKOFF[0] if fault is Fault.SERVER_ERROR else FIRST_LOOK_SECONDS
    assert office.later(seconds=looked_at - 0.1) == {}
    if fault in (Fault.BAD_GATEWAY, Fault.RESET):  # not found, but Slack may still post it
        assert office.later(seconds=0.1) == {Outcome.LATER: 1}
        office.clock.set(NOON + SETTLED - timedelta(seconds=0.1))
        assert office.sends() == {}
    assert office.later(seconds=0.1) == {Outcome.SENT: 1}
    (message,) = office.arrived()
    assert (office.row(key).ts, office.row(key).reason) == (message.ts, "")


def test_a_message_is_found_behind_many_others(office: PostOffice) -> None:
    office.owes("start a cycle")
    office.faults.next[POST] = [Fault.DROPPED]
    office.sends()
    person = office.workspace.person(MEMBER)
    for number in range(450):
        person.says(f"chatter {number}", CHANNEL)
    assert office.later(seconds=FIRST_LOOK_SECONDS) == {Outcome.SENT: 1}
    assert len([message for message in office.arrived() if message.bot_id]) == 1


def test_a_message_is_found_although_the_clocks_differ(office: PostOffice) -> None:
    office.owes("start a cycle")
    office.faults.next[POST] = [Fault.DROPPED]
    office.clock.set(NOON)
    delivery = office.worker(ahead=timedelta(minutes=4))
    delivery.drain()
    office.clock.set(NOON + timedelta(minutes=5))
    delivery.drain()
    assert len(office.arrived()) == 1


@pytest.mark.parametrize("fault", [Fault.DROPPED, Fault.RESET])
def test_a_server_that_drops_metadata_is_asked_by_the_words(office: PostOffice, fault: Fault) -> None:
    office.workspace.capabilities = Capabilities(metadata=False)
    office.owes("start a cycle")
    assert office.sends() == {Outcome.SENT: 1}
    again = office.owes("start a cycle", kind="asked")
    assert office.sends() == {}, "the same key is owed once"
    with_same_words = office.owes("start a cycle, really")
    office.faults.next[POST] = [fault]
    office.sends()
    office.later(seconds=FIRST_LOOK_SECONDS)
    office.later(seconds=SETTLED.total_seconds())
    assert len(office.arrived()) == 2
    assert office.row(with_same_words).ts == office.arrived()[1].ts
    assert office.row(again).ts == office.arrived()[0].ts


def test_the_words_of_another_message_are_not_taken_for_this_one(office: PostOffice) -> None:
    office.workspace.capabilities = Capabilities(metadata=False)
    office.workspace.messages.save = _without_client_ids(office)  # type: ignore[method-assign]
    first, second = (office.owes(f"start a cycle{' ' * spaces}") for spaces in (0, 1))
    with office.db.write() as session:
        for key in (first, second):
            row = office.row(key)
            row.subject = {"by": "U02LEAD", "what": "start a cycle"}
            session.merge(row)
    office.faults.next[POST] = [None, Fault.RESET]
    office.sends()
    office.later(seconds=SETTLED.total_seconds())
    assert [message.text for message in office.arrived()] == [office.arrived()[0].text] * 2
    assert {office.row(first).ts, office.row(second).ts} == {message.ts for message in office.arrived()}


def _without_client_ids(office: PostOffice):  # type: ignore[no-untyped-def]
    save = office.workspace.messages.save
    return lambda message: save(replace(message, client_msg_id=None))


def test_a_server_without_a_history_gets_no_post_on_a_guess(office: PostOffice) -> None:
    office.workspace.capabilities = Capabilities(unknown_methods=frozenset({HISTORY}))
    key = office.owes("start a cycle")
    office.faults.next[POST] = [Fault.DROPPED]
    office.sends()
    assert office.later(seconds=FIRST_LOOK_SECONDS) == {Outcome.FAILED: 1}
    assert len(office.arrived()) == 1
    assert (office.row(key).state, office.row(key).reason) == (MessageState.FAILED, NOT_LOOKED_FOR)


def test_trouble_while_looking_is_waited_out(office: PostOffice) -> None:
    office.owes("start a cycle")
    office.faults.next[POST] = [Fault.DROPPED]
    office.faults.next[HISTORY] = [Fault.RATE_LIMIT, Fault.SERVER_ERROR, Fault.DROPPED]
    office.sends()
    for seconds in (FIRST_LOOK_SECONDS, 1, BACKOFF[2], BACKOFF[3]):
        office.later(seconds=seconds)
    assert office.unsent() == []
    assert len(office.arrived()) == 1
    assert len(office.faults.struck) == 4


def test_the_waits_grow_and_end_when_the_message_is_no_use_any_more(office: PostOffice) -> None:
    key = office.owes("start a cycle", hours=1)
    office.faults.next[POST] = [Fault.SERVER_ERROR] * 1_000
    waits = []
    office.sends()
    while office.row(key).state is MessageState.DUE:
        at = office.row(key).not_before
        waits.append((at - office.clock.now()).total_seconds())
        office.clock.set(at)
        office.sends()
    assert waits[:7] == [2, 5, 10, 20, 60, 300, 300]
    assert (office.row(key).state, office.row(key).reason) == (MessageState.FAILED, "status 500")
    assert office.clock.now() <= NOON + timedelta(hours=1)
    assert office.arrived() == []


def test_the_waits_grow_for_a_dm_that_cannot_be_opened_too(office: PostOffice) -> None:
    key = office.owes("start a cycle", MEMBER)
    office.faults.next["conversations.open"] = [Fault.SERVER_ERROR, Fault.SERVER_ERROR]
    office.sends()
    assert office.row(key).not_before - office.clock.now() == timedelta(seconds=2)
    office.later(seconds=2)
    assert office.row(key).not_before - office.clock.now() == timedelta(seconds=5)
    assert office.later(seconds=5) == {Outcome.SENT: 1}
    assert office.row(key).channel == office.workspace.dm_with(MEMBER).id
    assert office.said("D01AGENT") == ["start a cycle"]


def test_a_channel_the_bot_is_not_in_is_tried_again_every_hour(office: PostOffice) -> None:
    office.workspace.remove(CHANNEL, office.workspace.app.user)
    invited, forgotten = office.owes("invited", hours=30), office.owes("forgotten", hours=2)
    office.sends()
    assert office.row(invited).reason == "not_in_channel"
    for _ in range(3):
        assert office.later(minutes=59) == {}
        assert office.later(minutes=1) != {}
    assert office.row(invited).state is MessageState.DUE
    assert office.row(invited).attempts == 4
    office.workspace.invite(CHANNEL, office.workspace.app.user)
    office.later(hours=1)
    assert office.said() == ["invited"]
    assert office.row(forgotten).state is MessageState.SKIPPED
    assert office.row(forgotten).reason == "no longer useful after downtime"


def test_a_message_to_a_channel_without_the_bot_fails_with_the_reason(office: PostOffice) -> None:
    office.workspace.remove(CHANNEL, office.workspace.app.user)
    key = office.owes("start a cycle", hours=3)
    office.sends()
    for _ in range(4):
        office.later(hours=1)
    assert (office.row(key).state, office.row(key).reason) == (MessageState.FAILED, "not_in_channel")


def test_a_message_to_an_archived_channel_fails_at_once_with_the_reason(office: PostOffice) -> None:
    office.workspace.archive(CHANNEL)
    key = office.owes("start a cycle")
    assert office.sends() == {Outcome.FAILED: 1}
    assert (office.row(key).state, office.row(key).reason) == (MessageState.FAILED, "is_archived")
    assert office.unsent() == []


def test_a_person_who_left_and_was_never_written_to_cannot_be(office: PostOffice) -> None:
    office.workspace.change_user(MEMBER, tell=False, deleted=True)
    key = office.owes("start a cycle", MEMBER)
    assert office.sends() == {Outcome.FAILED: 1}
    assert office.row(key).reason == "user_disabled"


def test_a_message_that_cannot_be_written_stops_no_other(office: PostOffice) -> None:
    broken = office.owes("nobody knows this kind", kind="unheard-of")
    office.owes("start a cycle")
    assert office.sends() == {Outcome.LATER: 1, Outcome.SENT: 1}
    assert office.said() == ["start a cycle"]
    row = office.row(broken)
    assert (row.state, row.reason) == (MessageState.DUE, "couldn't be written: KeyError")
    assert row.not_before == NOON + timedelta(hours=1)


def test_a_message_that_never_goes_out_holds_the_others_up_for_a_while_only(office: PostOffice) -> None:
    stuck = office.owes("stuck")
    office.owes("behind")
    office.faults.next[POST] = [Fault.SERVER_ERROR] * 5
    office.sends()
    for seconds in BACKOFF[:4]:
        assert office.said() == []
        office.later(seconds=seconds)
    office.faults.next[POST] = [Fault.SERVER_ERROR]
    assert office.later(seconds=BACKOFF[4]) == {Outcome.LATER: 1, Outcome.SENT: 1}
    assert office.said() == ["behind"]
    assert office.row(stuck).attempts == 6
    office.later(seconds=BACKOFF[-1])
    assert office.said() == ["behind", "stuck"]


def test_a_token_that_was_revoked_is_tried_again_every_hour(office: PostOffice) -> None:
    office.workspace.revoked = True
    key = office.owes("start a cycle")
    office.sends()
    assert (office.row(key).state, office.row(key).reason) == (MessageState.DUE, "token_revoked")
    office.workspace.revoked = False
    assert office.later(hours=1) == {Outcome.SENT: 1}
