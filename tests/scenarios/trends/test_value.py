"""What a cycle was worth: counted from runs and exceptions, or by the members themselves."""

from pathlib import Path

from storage.tables import CheckIn
from templates.contexts.checkins import CheckinForm, CheckinMessage
from templates.contexts.cycles import CycleClosed
from templates.contexts.history import Trace
from templates.contexts.overview.digests import Digest
from templates.contexts.overview.registry import Registry
from templates.contexts.overview.statuses import Status
from templates.contexts.waves import Compared
from tests.contexts import assert_golden, contexts, shown
from tests.harnesses import bot_harness
from tests.scenarios.plays import DESK, DESK_CHANNEL, REPLY, at, bot_dms, changed, posts, rows, start_cycle
from tests.scenarios.trends.weeks import AGENT, CURATOR, LEAD, asks, report, types

PRICED = ("runs_per_week: 40", "runs_per_week: 40\ncase: {worth: {amount: 6, unit: minutes}}")


def test_a_cycle_says_what_it_was_worth(tmp_path: Path) -> None:
    book = changed(REPLY, tmp_path, PRICED)
    with bot_harness(tmp_path, workspace=DESK, playbooks=[book]) as harness:
        start_cycle(harness)
        report(harness, 0, runs=20, number=14)
        types(harness, "/exception reply send wrong price", AGENT)
        types(harness, "/exception reply draft wrong name", AGENT)
        [row] = shown(asks(harness, "/cadence status"), Status).rows
        assert_golden("\n".join(row.standing), "worth-in-status")
        assert_golden(shown(asks(harness, "/cadence digest", CURATOR), Digest).value, "worth-in-digest")
        for week in (1, 2, 3):
            report(harness, week, runs=20, number=14)
        harness.play_until(at("2026-03-27 16:05"))
        [closed] = contexts(posts(harness, DESK_CHANNEL), CycleClosed)
        assert closed.number == 1
        assert_golden(closed.value, "worth-in-closing-post")
        [team] = shown(asks(harness, "/cadence compare reply"), Compared).rows
        assert_golden(team.worth, "worth-side-by-side")
        curator = harness.workspace.person(CURATOR)
        blocked = curator.types("/cadence playbook publish reply", channel=DESK_CHANNEL)
        assert blocked.message is not None
        curator.clicks(blocked.message, "Publish anyway")
        curator.submits({"reason": "Two more teams start with it on Monday."})
        harness.tick()
        [book_now] = shown(asks(harness, "/cadence registry"), Registry).rows
        assert [(one.kpi.target, one.worth) for one in book_now.teams] == [(15, team.worth)]


def test_members_say_how_many_runs_counted(tmp_path: Path) -> None:
    event = "\npillars: {value_event: a reply that was not reopened.}"
    book = changed(REPLY, tmp_path, (PRICED[0], PRICED[1] + event))
    with bot_harness(tmp_path, workspace=DESK, playbooks=[book]) as harness:
        start_cycle(harness)
        report(harness, 0, runs=20, number=14)
        agent = harness.workspace.person(AGENT)
        agent.clicks(bot_dms(harness, AGENT)[-1], "Change")
        agent.clicks(agent.form(), "Add details")
        asked = shown(agent.form(), CheckinForm)
        assert (asked.details, asked.event) == (True, "A reply that was not reopened")
        assert_golden(agent.form(), "form-asks-how-many-counted")
        refused = agent.submits({"runs": "20", "counted": "21"})
        assert_golden(refused.errors["counted"], "refused-more-than-the-runs")
        agent.submits({"runs": "20", "counted": "12"})
        harness.tick()
        [asked_row] = shown(bot_dms(harness, AGENT)[-1], CheckinMessage).rows
        assert asked_row.answer is not None
        assert (asked_row.answer.runs, asked_row.answer.value_events) == (20, 12)
        assert [row.value_events for row in rows(harness, CheckIn) if row.replaced_at is None] == [None, 12]
        [row] = shown(asks(harness, "/cadence status", LEAD), Status).rows
        assert_golden("\n".join(row.standing), "worth-of-what-counted")
        corrected = shown(asks(harness, "/cadence trace reply", LEAD), Trace).rows[0]
        assert corrected.member == AGENT
        assert_golden(f"{corrected.what}: {corrected.became}", "counted-in-trace")


def test_without_a_worth_nothing_is_asked_or_shown(tmp_path: Path) -> None:
    with bot_harness(tmp_path, workspace=DESK, playbooks=[REPLY]) as harness:
        start_cycle(harness)
        report(harness, 0, runs=20, number=14)
        [row] = shown(asks(harness, "/cadence status"), Status).rows
        assert row.standing == ()
        assert shown(asks(harness, "/cadence digest", CURATOR), Digest).value == ""
        [team] = shown(asks(harness, "/cadence compare reply"), Compared).rows
        assert team.worth == ""
