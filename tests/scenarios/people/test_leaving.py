"""A former member can't report for a team, even from forms that are still open."""

from pathlib import Path

from storage.tables import CheckIn
from templates.contexts.checkins import Attested
from templates.ids import Callback
from tests.contexts import assert_golden, shown
from tests.harnesses import bot_harness
from tests.scenarios.plays import DESK, DESK_CHANNEL, REPLY, at, rows, start_cycle

AGENT, CURATOR = "U01AGENT1", "U01CURATOR"


def test_who_was_taken_out_of_a_team_answers_no_check_in(tmp_path: Path) -> None:
    with bot_harness(tmp_path, workspace=DESK, playbooks=[REPLY]) as harness:
        start_cycle(harness)
        harness.play_until(at("2026-03-05 10:42"))
        agent, curator = harness.workspace.person(AGENT), harness.workspace.person(CURATOR)
        home = agent.opens_home()
        agent.clicks(agent.last_dm(), "As planned")
        curator.types(f"/cadence team leave desk <@{AGENT}>")

        errors = agent.submits({"runs": "300"}).errors  # the form was open
        assert_golden(errors["attestation"], "refused-in-the-form")
        while agent.view() is not None:
            agent.closes()
        refused = agent.clicks(home, "Check in", stale=True).view
        assert refused is not None
        assert_golden(refused, "refused-in-home")
        assert refused.callback_id != Callback.CHECKIN
        agent.closes()
        typed = agent.types("/attest reply as-declared runs=300", channel=DESK_CHANNEL)
        assert_golden(typed, "refused-by-command")
        assert rows(harness, CheckIn) == []

        curator.types(f"/cadence team join desk <@{AGENT}>")
        said = agent.types("/attest reply as-declared runs=14", channel=DESK_CHANNEL)
        [answered] = shown(said, Attested).rows
        assert answered.answer.runs == 14
