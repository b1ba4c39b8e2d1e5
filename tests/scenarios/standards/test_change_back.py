"""Right after a step's mode changed, the person who changed it is offered the way back."""

from pathlib import Path

from cadence.rules.modes import Mode
from storage.tables import AdoptionStep
from templates.ids import Action
from tests.contexts import actions, assert_golden
from tests.harnesses import bot_harness
from tests.scenarios.plays import DESK, DESK_CHANNEL, REPLY, rows, start_cycle

LEAD, CURATOR = "U01LEAD", "U01CURATOR"


def test_change_back_opens_the_form_with_the_earlier_mode(tmp_path: Path) -> None:
    with bot_harness(tmp_path, workspace=DESK, playbooks=[REPLY]) as harness:
        start_cycle(harness)
        lead = harness.workspace.person(LEAD)
        changed = lead.types("/cadence mode reply draft human-led the model is down", channel=DESK_CHANNEL)
        assert changed.message is not None
        lead.clicks(changed.message, "Change back")
        back = lead.submits({"reason": "it is up again"}).view
        assert back is not None
        assert_golden(back, "changed-back")
        assert actions(back) == [Action.DECLARE_MODE]
        modes = {row.step: row.mode for row in rows(harness, AdoptionStep)}
        assert modes["draft"] is Mode.COLLABORATIVE


def test_only_a_curator_is_offered_the_way_back_to_ai_led(tmp_path: Path) -> None:
    with bot_harness(tmp_path, workspace=DESK, playbooks=[REPLY]) as harness:
        start_cycle(harness)
        for member, step_back in ((LEAD, []), (CURATOR, [Action.DECLARE_MODE])):
            person = harness.workspace.person(member)
            said = person.types("/cadence mode reply send collaborative for now")
            assert said.message is not None, said.words
            assert actions(said) == step_back
            person = harness.workspace.person(CURATOR)
            person.types("/cadence mode reply send ai-led again")
