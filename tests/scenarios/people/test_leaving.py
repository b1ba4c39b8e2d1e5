"""A former member can't report for a team, even from forms that are still open."""

from pathlib import Path

from storage.tables import CheckIn
from templates.ids import Callback
from tests.harnesses import bot_harness
from tests.scenarios.plays import DESK, DESK_CHANNEL, REPLY, at, rows, start_cycle

AGENT, CURATOR = "U01AGENT1", "U01CURATOR"
ONLY = "Only members of Desk can answer its check-in."


def test_who_was_taken_out_of_a_team_answers_no_check_in(tmp_path: Path) -> None:
    with bot_harness(tmp_path, workspace=DESK, playbooks=[REPLY]) as harness:
        start_cycle(harness)
        harness.play_until(at("2026-03-05 10:42"))
        agent, curator = harness.workspace.person(AGENT), harness.workspace.person(CURATOR)
        home = agent.opens_home()
        agent.clicks(agent.last_dm(), "As planned")
        curator.types(f"/cadence team leave desk <@{AGENT}>")

        assert ONLY in str(agent.submits({"runs": "300"}).errors)  # the form was open
        while agent.view() is not None:
            agent.closes()
        refused = agent.clicks(home, "Check in", stale=True).view
        assert refused is not None
        assert ONLY in refused.words
        assert refused.callback_id != Callback.CHECKIN
        assert (
            "by other teams" in agent.types("/attest reply as-declared runs=300", channel=DESK_CHANNEL).words
        )
        assert rows(harness, CheckIn) == []

        curator.types(f"/cadence team join desk <@{AGENT}>")
        assert "14 runs" in agent.types("/attest reply as-declared runs=14", channel=DESK_CHANNEL).words
