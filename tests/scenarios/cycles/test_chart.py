"""The chart in the closing post, or in its thread where Slack can't show it: uploaded once, else skipped."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlmodel import select

from bot.rehearsal.harness import BotHarness
from bot.sandbox.capabilities import Capabilities
from bot.sandbox.faults import Fault
from bot.sandbox.messages import Message
from storage.tables import MessageState, Workspace
from templates.chart import draw
from templates.contexts.cycles import CycleClosed
from tests.contexts import assert_golden, is_shown, shown
from tests.delivery.post_office import Script
from tests.harnesses import bot_harness
from tests.scenarios.plays import DESK, DESK_CHANNEL, REPLY, at, changed, ledger, start_cycle

CLOSE = at("2026-03-27 16:00")
LESSON = "Grade old replies first."


@pytest.fixture
def closing(tmp_path: Path) -> Iterator[BotHarness]:
    """A minute before the close, with two readings."""
    with bot_harness(
        tmp_path, workspace=DESK, playbooks=[REPLY], played=almost_four_weeks, draw=draw
    ) as harness:
        yield harness


def almost_four_weeks(harness: BotHarness) -> None:
    start_cycle(harness)
    harness.play_until(at("2026-03-05 11:00"))
    for week, number in ((1, "24m"), (3, "14m")):
        harness.play_until(at(f"2026-03-{7 * week - 2:02d} 12:00"))
        harness.workspace.person("U01LEAD").types(f"/kpi {number} week={week}", channel=DESK_CHANNEL)
    harness.play_until(at("2026-03-27 15:59"))


def closing_post(harness: BotHarness) -> Message:
    [post] = [one for one in harness.workspace.history(DESK_CHANNEL) if is_shown(one, CycleClosed)]
    return post


def pictures(harness: BotHarness) -> list[dict[str, Any]]:
    """The images in the closing post of the team's channel."""
    return [block for block in closing_post(harness).blocks if block["type"] == "image"]


def in_thread(harness: BotHarness) -> list[Message]:
    post = closing_post(harness)
    return [one for one in harness.workspace.messages.thread(DESK_CHANNEL, post.ts) if one.files]


def able(harness: BotHarness, **capabilities: Any) -> None:
    """Change what the workspace can do."""
    harness.workspace.capabilities = replace(harness.workspace.capabilities, **capabilities)


def test_the_chart_is_in_the_post_with_its_numbers_in_words(closing: BotHarness) -> None:
    closing.play_until(CLOSE)
    [picture] = pictures(closing)
    file = closing.workspace.files.get(picture["slack_file"]["id"])
    assert (file.name, file.title) == ("reply-cycle-1.png", "First response time by week, 2 Mar to 23 Mar")
    assert file.content is not None
    assert file.content.startswith(b"\x89PNG\r\n")
    assert len(file.content) > 5_000
    assert_golden(picture["alt_text"], "numbers-in-words")
    assert not in_thread(closing)
    closing.clock.set(CLOSE)
    closing.tick()
    assert len(ledger(closing, "cycle-chart", MessageState.SENT)) == 2  # the team's channel, the curators'


def test_it_comes_as_soon_as_slack_has_processed_it(closing: BotHarness) -> None:
    able(closing, file_scan=timedelta(seconds=8))
    closing.play_until(CLOSE + timedelta(seconds=1))
    assert not pictures(closing)
    closing.play_until(CLOSE + timedelta(minutes=2))
    assert len(pictures(closing)) == 1
    assert not in_thread(closing)


@pytest.mark.parametrize(
    "capabilities",
    [{"file_scan": timedelta(days=1)}, {"refused_blocks": frozenset({"image"})}],
    ids=["never processed", "images refused"],
)
def test_where_the_post_cannot_show_it_the_thread_does(
    closing: BotHarness, capabilities: dict[str, Any]
) -> None:
    able(closing, **capabilities)
    closing.play_until(CLOSE + timedelta(minutes=5))
    [answer] = in_thread(closing)
    assert closing.workspace.files.get(answer.files[0]).name == "reply-cycle-1.png"
    assert not pictures(closing)
    assert "table" in {block["type"] for block in closing_post(closing).blocks}  # nothing else became plain


def test_a_corrected_number_brings_a_new_chart(closing: BotHarness) -> None:
    closing.play_until(CLOSE)
    [before] = pictures(closing)
    closing.workspace.person("U01LEAD").types("/kpi 20m week=3", channel=DESK_CHANNEL)
    closing.play_until(CLOSE + timedelta(minutes=5))
    [after] = pictures(closing)
    assert_golden(after["alt_text"], "corrected-number")
    assert after["slack_file"] != before["slack_file"]


def test_it_stays_when_the_post_is_rewritten(closing: BotHarness) -> None:
    closing.play_until(CLOSE)
    [before] = pictures(closing)
    closing.workspace.person("U01LEAD").types(f'/cadence learn reply "{LESSON}"', channel=DESK_CHANNEL)
    closing.play_until(CLOSE + timedelta(minutes=5))
    assert LESSON in shown(closing_post(closing), CycleClosed).lessons
    assert [one["slack_file"] for one in pictures(closing)] == [before["slack_file"]]


def test_a_chart_whose_file_was_deleted_comes_back_with_the_next_rewrite(closing: BotHarness) -> None:
    closing.play_until(CLOSE)
    [before] = pictures(closing)
    closing.workspace.files.remove(before["slack_file"]["id"])
    learn = '/cadence learn reply "{}"'
    lead = closing.workspace.person("U01LEAD")
    lead.types(learn.format(LESSON), channel=DESK_CHANNEL)
    closing.play_until(CLOSE + timedelta(minutes=5))
    [again] = pictures(closing)
    assert again["slack_file"] != before["slack_file"]
    assert LESSON in shown(closing_post(closing), CycleClosed).lessons
    assert "table" in {block["type"] for block in closing_post(closing).blocks}
    drawn = len(ledger(closing, "cycle-chart"))
    lead.types(learn.format("Then the new ones."), channel=DESK_CHANNEL)
    closing.play_until(CLOSE + timedelta(minutes=10))
    assert [one["slack_file"] for one in pictures(closing)] == [again["slack_file"]]
    assert len(ledger(closing, "cycle-chart")) == drawn, "it isn't drawn again without need"


def test_what_is_said_with_it_pings_nobody_and_links_nowhere(tmp_path: Path) -> None:
    named = ("First response time", '"<!channel> <https://evil.example|Sign in>"')
    with bot_harness(tmp_path, workspace=DESK, playbooks=[changed(REPLY, tmp_path, named)]) as harness:
        start_cycle(harness)
        harness.play_until(at("2026-03-05 11:00"))
        harness.workspace.person("U01LEAD").types("/kpi 24m", channel=DESK_CHANNEL)
        able(harness, refused_blocks=frozenset({"image"}))
        harness.play_until(CLOSE)
        [answer] = in_thread(harness)
        assert_golden(answer.text, "escaped-name")


def test_it_still_comes_with_a_post_that_waits_for_monday(closing: BotHarness) -> None:
    with closing.bot.db.write() as session:
        session.exec(
            select(Workspace)
        ).one().timezone = "Pacific/Auckland"  # Saturday, where the curators are
    closing.play_until(CLOSE)
    assert {row.recipient for row in ledger(closing, "cycle-closed", MessageState.SENT)} == {DESK_CHANNEL}
    closing.play_until(CLOSE + timedelta(days=3))
    assert len(ledger(closing, "cycle-closed", MessageState.SENT)) == 2
    assert [row.state for row in ledger(closing, "cycle-chart")] == [MessageState.SENT] * 2


def test_without_the_right_the_post_does_without_it(tmp_path: Path, closing: BotHarness) -> None:
    closing.workspace.capabilities = Capabilities(scopes=closing.workspace.scopes - {"files:write"})
    closing.play_until(CLOSE)
    assert {(row.state, row.reason) for row in ledger(closing, "cycle-chart")} == {
        (MessageState.SKIPPED, "no chart: missing_scope")
    }
    assert shown(closing_post(closing), CycleClosed).readings == (24, None, 14, None)
    assert not pictures(closing)


def charts(harness: BotHarness) -> int:
    """How many charts the team's channel shows."""
    return len(pictures(harness)) + len(in_thread(harness))


SHARE = "files.completeUploadExternal"


@pytest.mark.parametrize(
    "refused", [frozenset[str](), frozenset({"image"})], ids=["in the post", "in the thread"]
)
@pytest.mark.parametrize(
    "faults",
    [
        {SHARE: [Fault.SERVER_ERROR]},
        {SHARE: [Fault.BAD_GATEWAY]},
        {SHARE: [Fault.RESET, Fault.RESET]},
        {SHARE: [Fault.DROPPED]},
        {SHARE: [Fault.LATE]},
        {SHARE: [Fault.DROPPED], "files.info": [Fault.SERVER_ERROR, Fault.RATE_LIMIT]},
        {"files.getUploadURLExternal": [Fault.DROPPED, Fault.RESET]},
        {"chat.update": [Fault.DROPPED]},
        {"chat.update": [Fault.LATE]},
        {"files.info": [Fault.SERVER_ERROR, Fault.RATE_LIMIT]},
    ],
    ids=lambda faults: ", ".join(
        f"{name.partition('.')[2]} {' '.join(each)}" for name, each in faults.items()
    ),
)
def test_it_comes_once_whatever_happens_to_its_upload(
    closing: BotHarness, faults: dict[str, list[Fault | None]], refused: frozenset[str]
) -> None:
    able(closing, refused_blocks=refused)
    script = Script()
    script.next |= faults
    closing.server.faults = script
    closing.play_until(CLOSE + timedelta(seconds=30))
    script.land()
    closing.play_until(CLOSE + timedelta(minutes=5))
    assert charts(closing) == 1
    assert {row.state for row in ledger(closing, "cycle-chart")} == {MessageState.SENT}


def test_an_upload_lost_by_slack_is_repeated(closing: BotHarness, monkeypatch: pytest.MonkeyPatch) -> None:
    finish, lost = closing.workspace.files.finish, [True, True]

    def loses(file_id: object, title: str, *, scanned_at: datetime) -> object:
        return finish("F0NOBODY" if lost and lost.pop() else file_id, title, scanned_at=scanned_at)

    monkeypatch.setattr(closing.workspace.files, "finish", loses)
    closing.play_until(CLOSE + timedelta(minutes=2))
    assert charts(closing) == 1
    assert {row.state for row in ledger(closing, "cycle-chart")} == {MessageState.SENT}


def test_where_files_cannot_be_looked_at_a_chart_is_not_shared_twice(closing: BotHarness) -> None:
    closing.workspace.capabilities = Capabilities(scopes=closing.workspace.scopes - {"files:read"})
    script = Script()
    script.next[SHARE] = [Fault.DROPPED]
    closing.server.faults = script
    closing.play_until(CLOSE + timedelta(minutes=2))
    states = {row.recipient: (row.state, row.reason) for row in ledger(closing, "cycle-chart")}
    assert (MessageState.SKIPPED, "no chart: missing_scope") in states.values()
    assert charts(closing) == 1


@pytest.mark.parametrize("fault", [Fault.RATE_LIMIT, Fault.SERVER_ERROR])
def test_where_files_cannot_be_looked_at_a_refused_upload_is_repeated(
    closing: BotHarness, fault: Fault
) -> None:
    closing.workspace.capabilities = Capabilities(scopes=closing.workspace.scopes - {"files:read"})
    script = Script()
    script.next[SHARE] = [fault]
    closing.server.faults = script
    closing.play_until(CLOSE + timedelta(minutes=5))
    assert [row.state for row in ledger(closing, "cycle-chart")] == [MessageState.SENT] * 2
    assert len(in_thread(closing)) == 1


def test_a_repeated_attempt_draws_the_numbers_of_now(closing: BotHarness) -> None:
    able(closing, file_scan=timedelta(seconds=8))
    closing.play_until(CLOSE + timedelta(seconds=1))
    closing.workspace.person("U01LEAD").types("/kpi 20m week=3", channel=DESK_CHANNEL)
    closing.play_until(CLOSE + timedelta(minutes=5))
    files = closing.workspace.files
    for row in ledger(closing, "cycle-chart", MessageState.SENT):
        assert row.file is not None
        assert files.get(row.file).alt_text == row.text
    [picture] = pictures(closing)
    assert_golden(picture["alt_text"], "numbers-of-now")
