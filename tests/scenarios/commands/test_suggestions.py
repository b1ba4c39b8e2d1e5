"""One click corrects a mistyped command, with the clicker's rights; help lists the reader's commands, and
who can use the others."""

from pathlib import Path

from tests.harnesses import bot_harness
from tests.scenarios.plays import DESK, DESK_CHANNEL, REPLY, start_cycle


def test_a_click_types_the_command_that_was_meant(tmp_path: Path) -> None:
    with bot_harness(tmp_path, workspace=DESK, playbooks=[REPLY]) as harness:
        start_cycle(harness)
        member = harness.workspace.person("U01AGENT1")
        refused = member.types("/cadence stauts reply", channel=DESK_CHANNEL)
        assert "Did you mean `/cadence status reply`?" in refused.words
        assert refused.message
        shown = member.clicks(refused.message, "/cadence status reply")
        assert "Reply" in shown.words
        assert "First response time" in shown.words
        form = member.types("/cadence learnn", channel=DESK_CHANNEL)
        assert form.message
        assert member.clicks(form.message, "/cadence learn").view

        owner = harness.workspace.person("U01LEAD")
        retires = owner.types("/cadence playbook retrie reply nobody needs it")
        assert "Did you mean `/cadence playbook retire` (for " in retires.words
        assert retires.message
        assert not [block for block in retires.message.blocks if block["type"] == "actions"]


def test_undo_alone_is_the_undo_of_an_exception(tmp_path: Path) -> None:
    with bot_harness(tmp_path, workspace=DESK, playbooks=[REPLY]) as harness:
        start_cycle(harness)
        said = harness.workspace.person("U01AGENT1").types("/cadence undo", channel=DESK_CHANNEL)
    assert "Did you mean `/exception undo`?" in said.words


def test_help_is_by_role(tmp_path: Path) -> None:
    with bot_harness(tmp_path, workspace=DESK, playbooks=[REPLY]) as harness:
        told = {
            who: harness.workspace.person(who).types("/cadence help").words
            for who in ("U01AGENT1", "U01LEAD", "U01CURATOR")
        }
    member, owner, curator = told.values()
    assert "`/cadence cycle start`: " not in member
    assert "_For owners and curators:_ " in member
    assert "`/cadence cycle start`: " in owner
    assert "_For curators:_ " in owner
    assert "`/cadence playbook retire`: " in curator
    assert "_For" not in curator
