"""The clock, the timestamps, and what a restart finds again."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from slack_sdk import WebClient

from bot.sandbox import SandboxClock, SandboxServer, Store, Workspace, build_workspace
from tests.sandbox.fake_app import field, modal

START = datetime(2026, 12, 3, 9, 0, tzinfo=UTC)


def test_a_frozen_clock_changes_only_when_moved() -> None:
    clock = SandboxClock(START, frozen=True)
    assert clock() == clock.now() == START
    assert clock.advance(timedelta(hours=1)) == START + timedelta(hours=1)
    clock.set(START)
    assert clock() == START
    with pytest.raises(ValueError, match="aware"):
        clock.set(datetime(2026, 1, 1))  # noqa: DTZ001


def test_a_running_clock_keeps_its_offset() -> None:
    clock = SandboxClock(START)
    assert START <= clock() < START + timedelta(minutes=1)
    clock.advance(timedelta(days=1))
    assert START + timedelta(days=1) <= clock() < START + timedelta(days=1, minutes=1)
    assert abs(SandboxClock().offset) < timedelta(seconds=5)


def test_timestamps_only_grow(workspace: Workspace) -> None:
    first, second = workspace.messages.next_ts(), workspace.messages.next_ts()
    assert first == f"{int(START.timestamp())}.000000"
    assert second == f"{int(START.timestamp())}.000001"
    workspace.clock.advance(-timedelta(days=1))
    assert workspace.messages.next_ts() > second


def test_waiting_for_another_thread(workspace: Workspace) -> None:
    from threading import Thread

    other = Thread(target=lambda: workspace.person("U01LEAD").says("hi", "C01SUPEMEA"))
    other.start()
    assert workspace.wait_until(lambda: len(workspace.history("C01SUPEMEA")) == 1)
    other.join()
    assert not workspace.wait_until(lambda: False, seconds=0.01)


def small(frozen: bool = True) -> Workspace:
    return build_workspace(
        clock=SandboxClock(START, frozen=frozen),
        members=[{"id": "U01LEAD", "name": "lead"}],
        channels=[{"id": "C01", "name": "one", "members": ["U01LEAD"]}],
    )


def test_a_restart_finds_everything_again(tmp_path: Path) -> None:
    path = tmp_path / "var" / "workspace.db"
    before = small()
    store = Store(path, before)
    with SandboxServer(before) as server:
        client = WebClient(before.app.token, base_url=server.api_url)
        kept = client.chat_postMessage(
            channel="U01LEAD", text="kept", metadata={"event_type": "e", "event_payload": {}}
        )
        gone = client.chat_postMessage(channel="C01", text="gone")
        client.chat_delete(channel="C01", ts=gone["ts"])
        client.reactions_add(channel=kept["channel"], timestamp=kept["ts"], name="eyes")
        client.files_upload_v2(channel="C01", content="a,b", filename="a.csv")
        form = modal(field("f", {"type": "plain_text_input"}))
        opened = client.views_open(trigger_id=before.tickets.trigger("U01LEAD"), view=form)["view"]
        before.person("U01LEAD").fills(before.views.find(opened["id"]), {"f": "typed"})
        client.views_publish(user_id="U01LEAD", view={"type": "home", "blocks": [{"type": "divider"}]})
    before.change_user("U01LEAD", tz="Asia/Tokyo")
    before.archive("C01")
    before.clock.advance(timedelta(days=2))
    store.close()

    after = small()
    again = Store(path, after)
    assert after.messages.everywhere() == before.messages.everywhere()
    assert after.views.stack("U01LEAD") == before.views.stack("U01LEAD")
    assert after.person("U01LEAD").form().state == {
        "f": {"f": {"type": "plain_text_input", "value": "typed"}}
    }
    assert after.person("U01LEAD").home() == before.person("U01LEAD").home()
    assert after.user("U01LEAD").tz == "Asia/Tokyo"
    assert after.channel("C01").archived
    assert after.files.get("F0000001").content == b"a,b"
    assert after.clock() == START + timedelta(days=2)
    assert after.messages.next_ts() > kept["ts"]
    assert after.pulse.new_id("V") not in (opened["id"], after.person("U01LEAD").home().id)
    again.close()


def test_a_running_clock_goes_on_ahead(tmp_path: Path) -> None:
    first = build_workspace()
    store = Store(tmp_path / "w.db", first)
    first.clock.advance(timedelta(days=3))
    store.close()
    second = build_workspace()
    store = Store(tmp_path / "w.db", second)
    assert timedelta(days=2, hours=23) < second.clock.offset < timedelta(days=3, hours=1)
    store.close()
