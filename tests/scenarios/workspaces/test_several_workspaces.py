"""Several workspaces install one bot: nothing of one is ever visible in another."""

import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlmodel import select

from bot.app import build_shared_bot
from bot.ops.commands import forget_workspace
from bot.sandbox.answers import Answer
from cadence.actor import Actor
from cadence.flows.people.profiles import ensure_workspace
from cadence.flows.workspaces import count_rows
from cadence.refusals import Refusal
from storage.outbox.queueing import NewMessage
from storage.queries import trail
from storage.tables import MessageState, SlackInstallation
from storage.work import UnitOfWork
from templates.contexts.checkins import Attested
from templates.contexts.numbers import TargetReached
from templates.contexts.overview.statuses import Status, StatusRow
from tests.contexts import assert_golden, contexts, shown
from tests.scenarios.houses import AGENT, CURATOR, LEAD, A, B, House, a_house
from tests.scenarios.plays import DESK_CHANNEL, at


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    """A bot that nobody has installed yet."""
    with a_house(tmp_path) as made:
        yield made


@pytest.fixture
def both(house: House) -> House:
    """Installed in A and in B, whose people and channels have the same IDs, with the same cycle in each."""
    for team in (A, B):
        house.install(team)
        house.prepare(team)
    return house


def answer(house: House, team: str, member: str, text: str, channel: str | None = None) -> Answer:
    return house.slack.workspaces[team].person(member).types(text, channel=channel)


def status(house: House, team: str) -> StatusRow:
    """What the owner sees of the one adoption there is in a workspace."""
    [row] = shown(answer(house, team, LEAD, "/cadence status reply", DESK_CHANNEL), Status).rows
    return row


def test_the_same_command_does_its_work_where_it_was_typed(both: House) -> None:
    both.play_until("2026-03-05 11:00")
    assert len(both.dms(A, AGENT)) == len(both.dms(B, AGENT)) == 1
    assert "12" in both.types(A, LEAD, "/kpi reply 12m")
    assert "31" in both.types(B, LEAD, "/kpi reply 31m")
    for team, mine, theirs in ((A, "12", "31"), (B, "31", "12")):
        said = both.types(team, LEAD, "/cadence status reply", DESK_CHANNEL)
        assert mine in said
        assert theirs not in said
    [attested] = shown(answer(both, A, AGENT, "/attest reply as-declared runs=4"), Attested).rows
    assert attested.answer.runs == 4
    assert [status(both, team).answered for team in (A, B)] == [1, 0]
    both.play_until("2026-03-06 11:00")
    assert [len(both.dms(team, AGENT)) for team in (A, B)] == [1, 2], "only B's agent is reminded"
    assert len(both.posts(B, DESK_CHANNEL)) == 2
    started, opened, _ = both.posts(A, DESK_CHANNEL)
    assert [started, opened] == both.posts(B, DESK_CHANNEL)
    reached = [contexts(both.slack.workspaces[team].history(DESK_CHANNEL), TargetReached) for team in (A, B)]
    assert [[one.kpi.value for one in posts] for posts in reached] == [[12], []], "only A's is at the target"


def test_who_takes_it_out_is_left_alone_and_goes_on_when_it_is_back(both: House) -> None:
    both.play_until("2026-03-05 11:00")
    agent = both.slack.workspaces[B].person(AGENT)
    asked = agent.last_dm()
    both.slack.uninstall(B)
    assert {bot.workspace_id for bot in both.bots()} == {A}
    with both.bot.db.read() as session:
        assert not session.exec(select(SlackInstallation).where(SlackInstallation.workspace_id == B)).all()
        told = trail.entries(UnitOfWork.around(session, Actor.system(B)), action="uninstalled")
    assert len(told) == 1, "Slack says so twice"
    both.play_until("2026-03-19 09:00")
    assert len(both.dms(A, AGENT)) == 4
    assert len(both.dms(B, AGENT)) == 1
    assert [one for one in both.owed(B) if one.created_at > at("2026-03-05 11:00")] == [], (
        "nothing is planned"
    )
    typed = both.types(B, LEAD, "/cadence status reply", DESK_CHANNEL)
    assert_golden(typed, "not-installed")
    clicked = agent.clicks(asked, "As planned")
    assert clicked.text == typed

    both.install(B)
    both.play_until("2026-03-19 12:00")
    assert len(both.dms(B, AGENT)) == 2, "this week's check-in, and none of those in between"
    assert status(both, B).week == 3
    assert [bot.workspace_id for bot in both.bots()] == [A, B]


def test_queued_messages_are_skipped_after_an_uninstall(both: House) -> None:
    both.play_until("2026-03-02 09:00")
    both.clock.set(at("2026-03-05 10:00"))
    both.bot.worker.plan()
    waiting = {one.key for one in both.owed(B) if one.state is MessageState.DUE}
    assert waiting
    both.slack.uninstall(B)
    mine = {one.key: (one.state, one.reason) for one in both.owed(B)}
    assert {mine[key] for key in waiting} == {(MessageState.SKIPPED, "uninstalled")}
    both.bot.worker.tick()
    assert both.dms(B, AGENT) == []
    assert len(both.dms(A, AGENT)) == 1, "A's are sent"
    both.install(B)
    both.bot.worker.tick()
    assert both.dms(B, AGENT) == [], "what was skipped stays so"


def test_due_messages_of_unserved_workspaces_do_not_move_the_clock(both: House) -> None:
    both.bot.worker.tick()  # the cycle's start is told
    before = both.bot.worker.next_event()
    now = both.clock.now()
    ensure_workspace(UnitOfWork(both.bot.db, Actor.system("T0OLD"), now), name="Served by nobody")
    message = NewMessage("set-away", LEAD, {}, about=("left",))
    with both.bot.db.write() as session:
        UnitOfWork.around(session, Actor.system("T0OLD"), now).send(message)
    assert before is not None
    assert both.bot.worker.next_event() == before > now + timedelta(hours=1)


def test_an_uninstall_that_nobody_heard_of_is_found_out(both: House) -> None:
    both.slack.uninstall(B, tell=())
    both.clock.set(at("2026-03-02 09:30"))
    both.bot.worker.tick()
    assert both.bot.installations.served() == [A, B], "it took a message to notice"
    both.bot.worker.tick()
    assert both.bot.installations.served() == [A]
    assert {one.reason for one in both.owed(B) if one.kind != "cycle-started"} == {"uninstalled"}
    assert len(both.posts(A, DESK_CHANNEL)) == 1


def test_a_late_uninstall_event_does_not_undo_a_reinstall(both: House) -> None:
    assert both.slack.event(B, {"type": "app_uninstalled"}, at=time.time() - 60) == 200
    assert both.slack.event(B, {"type": "tokens_revoked", "tokens": {"oauth": [LEAD]}}) == 200
    assert both.slack.event(B, {"type": "tokens_revoked", "tokens": "nonsense"}) == 400
    assert both.slack.event(B, {"type": "tokens_revoked", "tokens": {"bot": ["U0OTHER"]}}) == 200
    assert both.bot.installations.served() == [A, B]


def test_installing_again_keeps_one_token(both: House) -> None:
    before = {bot.workspace_id: bot.bot_token for bot in both.bots()}
    both.install(B, by=CURATOR, enterprise={"id": "E0ORG", "name": "Org"})
    after = {bot.workspace_id: bot.bot_token for bot in both.bots()}
    assert len(both.bots()) == 2
    assert after[A] == before[A]
    assert after[B] != before[B]
    both.play_until("2026-03-02 10:00")
    assert len(both.posts(B, DESK_CHANNEL)) == 2


def test_another_process_learns_of_it(both: House, tmp_path: Path) -> None:
    other = build_shared_bot(both.bot.settings, db=both.bot.db, signing_secret=None, clock=both.clock.now)
    assert other.installations.served() == [A, B]
    other.installations.look_again()  # type: ignore[attr-defined]  # a second later
    both.slack.uninstall(B)
    assert other.installations.post_for(B) is None
    assert other.installations.post_for(A) is not None


def test_who_took_it_out_can_be_forgotten(both: House) -> None:
    settings = both.bot.settings.model_copy(update={"database_url": both.bot.db.url})
    with pytest.raises(Refusal) as refused:
        forget_workspace(settings, B, really=True)
    assert_golden(str(refused.value), "forget:still-installed")
    assert both.owed(B)
    both.clock.set(at("2026-03-02 09:30"))
    both.bot.worker.tick()
    both.slack.uninstall(B)
    count, _ = count_rows(UnitOfWork(both.bot.db, Actor.system(B)))
    with pytest.raises(Refusal) as refused:
        forget_workspace(settings, B, really=False)
    assert_golden(str(refused.value).replace(f"{count:,}", "COUNT"), "forget:unconfirmed")
    assert both.owed(B)
    deleted = forget_workspace(settings, B, really=True)
    assert_golden(deleted.replace(f"{count:,}", "COUNT"), "forget:deleted")
    assert both.owed(B) == []
    assert both.owed(A)
    with pytest.raises(Refusal) as refused:
        forget_workspace(settings, B, really=True)
    assert_golden(str(refused.value), "forget:unknown")
