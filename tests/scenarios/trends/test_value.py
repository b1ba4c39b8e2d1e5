"""What a cycle was worth: counted from runs and exceptions, or by the members themselves."""

from pathlib import Path

from storage.tables import CheckIn
from tests.harnesses import bot_harness
from tests.scenarios.plays import DESK, DESK_CHANNEL, REPLY, at, bot_dms, changed, posts, rows, start_cycle
from tests.scenarios.trends.weeks import AGENT, CURATOR, LEAD, report, types

PRICED = ("runs_per_week: 40", "runs_per_week: 40\ncase: {worth: {amount: 6, unit: minutes}}")


def test_a_cycle_says_what_it_was_worth(tmp_path: Path) -> None:
    book = changed(REPLY, tmp_path, PRICED)
    with bot_harness(tmp_path, workspace=DESK, playbooks=[book]) as harness:
        start_cycle(harness)
        report(harness, 0, runs=20, number=14)
        types(harness, "/exception reply send wrong price", AGENT)
        types(harness, "/exception reply draft wrong name", AGENT)
        worth = "about 3.8 hours saved, estimated from 38 runs that counted, at 6 min each"
        assert f"Worth {worth}" in types(harness, "/cadence status")
        assert "about 3.8 hours saved (from 38 runs that counted) in 4 weeks, estimated" in types(
            harness, "/cadence digest", CURATOR
        )
        for week in (1, 2, 3):
            report(harness, week, runs=20, number=14)
        harness.play_until(at("2026-03-27 16:05"))
        closed = next(post for post in posts(harness, DESK_CHANNEL) if "in cycle 1" in post.text)
        assert (
            "Worth about 16 hours saved, estimated from 158 runs that counted, at 6 min each" in closed.words
        )
        assert "about 16 hours saved" in types(harness, "/cadence compare reply")
        curator = harness.workspace.person(CURATOR)
        blocked = curator.types("/cadence playbook publish reply", channel=DESK_CHANNEL)
        assert blocked.message is not None
        curator.clicks(blocked.message, "Publish anyway")
        curator.submits({"reason": "Two more teams start with it on Monday."})
        harness.tick()
        assert "(target 15 min) · worth about 16 hours saved" in types(harness, "/cadence registry")


def test_members_say_how_many_runs_counted(tmp_path: Path) -> None:
    event = "\npillars: {value_event: a reply that was not reopened.}"
    book = changed(REPLY, tmp_path, (PRICED[0], PRICED[1] + event))
    with bot_harness(tmp_path, workspace=DESK, playbooks=[book]) as harness:
        start_cycle(harness)
        report(harness, 0, runs=20, number=14)
        agent = harness.workspace.person(AGENT)
        agent.clicks(bot_dms(harness, AGENT)[-1], "Change")
        agent.clicks(agent.form(), "Add details")
        what = "A reply that was not reopened. Leave blank if every run without an exception counted."
        assert f"Runs that counted\n{what}" in agent.form().words
        refused = agent.submits({"runs": "20", "counted": "21"})
        assert "can't be more than the 20 runs" in str(refused.errors)
        agent.submits({"runs": "20", "counted": "12"})
        harness.tick()
        assert "20 runs (12 counted)" in bot_dms(harness, AGENT)[-1].words
        assert [row.value_events for row in rows(harness, CheckIn) if row.replaced_at is None] == [None, 12]
        assert "from 32 runs that counted" in types(harness, "/cadence status", LEAD)
        assert "12 counted" in types(harness, "/cadence trace reply", LEAD)


def test_without_a_worth_nothing_is_asked_or_shown(tmp_path: Path) -> None:
    with bot_harness(tmp_path, workspace=DESK, playbooks=[REPLY]) as harness:
        start_cycle(harness)
        report(harness, 0, runs=20, number=14)
        assert "Worth" not in types(harness, "/cadence status")
        assert "Value" not in types(harness, "/cadence digest", CURATOR)
        assert "Worth" not in types(harness, "/cadence compare reply")
