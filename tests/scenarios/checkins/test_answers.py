"""Answering takes seconds; answering again corrects a mistake, and no answer is lost (SPEC §4, §9)."""

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from bot.rehearsal.harness import BotHarness
from bot.sandbox.answers import Answer
from bot.sandbox.messages import Message
from bot.sandbox.views import View
from cadence.links import is_link, kept_link
from cadence.refusals import Refusal
from cadence.rules.modes import Mode
from storage.tables import Attestation, CheckIn, DriftedStep, Reading
from templates.contexts.answers import Refused
from templates.contexts.checkins import Answer as Answered
from templates.contexts.checkins import (
    Attested,
    AttestedRow,
    CheckinAllForm,
    CheckinForm,
    CheckinMessage,
    CheckinRow,
    Drift,
)
from templates.contexts.numbers import KpiForm, Recorded
from templates.ids import Action, Callback
from tests.contexts import actions, assert_golden, is_shown, shown
from tests.harnesses import bot_harness
from tests.scenarios.plays import (
    DESK,
    DESK_CHANNEL,
    REPLY,
    TRIAGE,
    InCycle,
    at,
    bot_dms,
    entries,
    rows,
    start_cycle,
)

LEAD, AGENT = "U01LEAD", "U01AGENT1"
FIRST_MONDAY, FOURTH_MONDAY = date(2026, 3, 2), date(2026, 3, 23)


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[BotHarness]:
    """Thursday of week 1, the check-ins were sent: the lead reports the number, the agent doesn't."""
    with bot_harness(
        tmp_path, workspace=DESK, playbooks=[REPLY], played=InCycle("2026-03-05 10:42")
    ) as harness:
        yield harness


def fields(view: View) -> list[str]:
    return [block["block_id"] for block in view.blocks if block["type"] == "input"]


def filled(view: View, field: str) -> str | None:
    [block] = [block for block in view.blocks if block["block_id"] == field]
    value: str | None = block["element"].get("initial_value")
    return value


def options(view: View, field: str) -> list[str]:
    [block] = [block for block in view.blocks if block["block_id"] == field]
    return [option["value"] for option in block["element"]["options"]]


def types(harness: BotHarness, member: str, text: str) -> Answer:
    said = harness.workspace.person(member).types(text, channel=DESK_CHANNEL)
    harness.tick()
    return said


def attested(said: Answer) -> AttestedRow:
    """The check-in that an answer says was just answered."""
    [row] = shown(said, Attested).rows
    return row


def number_week(said: Answer) -> date:
    """The Monday of the week that a number was recorded for, as the newest message says."""
    assert said.message is not None
    return shown(said.message, Recorded).week_start


def asked_in(message: Message) -> CheckinRow:
    """The only check-in of a message."""
    [row] = shown(message, CheckinMessage).rows
    return row


def answer_in(message: Message) -> Answered:
    """The answer that a message with one check-in shows."""
    answer = asked_in(message).answer
    assert answer is not None
    return answer


def test_a_second_answer_corrects_the_first_and_keeps_both(desk: BotHarness) -> None:
    assert attested(types(desk, AGENT, "/attest as-declared runs=14")).answer.runs == 14
    assert actions(bot_dms(desk, AGENT)[-1]) == [Action.CHANGE_CHECKIN]
    said = types(desk, AGENT, "/attest drifted draft=human-led runs=12 the model was down")
    previous = attested(said).previous
    assert previous is not None
    assert previous.runs == 14
    assert_golden(said, "second-answer")

    first, second = rows(desk, CheckIn)
    assert (first.attestation, first.runs, first.replaced_at) == (
        Attestation.AS_DECLARED,
        14,
        at("2026-03-05 10:42"),
    )
    assert (second.attestation, second.runs, second.replaced_at) == (Attestation.DRIFTED, 12, None)
    assert [(row.check_in_id, row.step, row.mode) for row in rows(desk, DriftedStep)] == [
        (second.id, "draft", Mode.HUMAN_LED)
    ]
    [correction] = entries(desk, "check-in-corrected")
    assert (correction.member, correction.surface) == (AGENT, "command")
    assert (correction.before["runs"], correction.after["runs"]) == (14, 12)
    assert correction.after["note"] == "the model was down"
    [message] = bot_dms(desk, AGENT)
    answer = answer_in(message)
    assert (answer.runs, answer.drifts) == (12, (Drift(step="Draft the reply", mode="human-led"),))
    assert_golden(message, "message-after-the-second-answer")


def test_the_same_answer_again_adds_nothing(desk: BotHarness) -> None:
    types(desk, AGENT, "/attest as-declared runs=14")
    types(desk, AGENT, "/attest as-declared runs=14")
    assert len(rows(desk, CheckIn)) == 1
    assert not entries(desk, "check-in-corrected")


def test_a_correction_without_runs_keeps_those_that_were_reported(desk: BotHarness) -> None:
    types(desk, AGENT, "/attest as-declared runs=10")
    desk.play_until(at("2026-03-12 10:42"))
    for text in ("runs=40", "", "", "only the tone was off"):
        row = attested(types(desk, AGENT, f"/attest as-declared {text}"))
        assert row.answer.runs == 40
    types(desk, AGENT, "/attest not-run")
    row = attested(types(desk, AGENT, "/attest as-declared"))
    assert row.answer.runs == 10, "as usual: an answer of this week doesn't count"


def test_the_number_again_corrects_it_and_keeps_both(desk: BotHarness) -> None:
    first_said = types(desk, LEAD, "/kpi 24m")
    assert (shown(first_said, Recorded).kpi.value, shown(first_said, Recorded).replaced) == (24, None)
    assert_golden(first_said, "first-number")
    said = types(desk, LEAD, "/kpi 22 one long weekend")
    assert (shown(said, Recorded).kpi.value, shown(said, Recorded).replaced) == (22, 24)
    assert_golden(said, "second-number")
    first, second = rows(desk, Reading)
    assert (first.value, first.typed, first.replaced_at) == (24, "24m", at("2026-03-05 10:42"))
    assert (second.value, second.note, second.replaced_at) == (22, "one long weekend", None)
    [correction] = entries(desk, "reading-corrected")
    assert (correction.before, correction.after) == (24, 22)


def test_week_n_answers_and_corrects_a_past_week(desk: BotHarness) -> None:
    types(desk, LEAD, "/kpi 24m")
    desk.play_until(at("2026-03-12 12:00"))
    number, answer = (
        types(desk, LEAD, "/kpi 20m week=1"),
        types(desk, AGENT, "/attest as-declared runs=9 week=1"),
    )
    assert (number_week(number), attested(answer).week) == (FIRST_MONDAY, 1)
    assert_golden(number, "number-of-a-past-week")
    assert_golden(answer, "answer-of-a-past-week")
    for week in (3, 5):
        assert_golden(types(desk, LEAD, f"/kpi 20m week={week}"), f"refused-week:{week}")
    assert [(row.week, row.value) for row in rows(desk, Reading) if row.replaced_at is None] == [(1, 20)]


@pytest.mark.parametrize("day", ["2026-03-09 09:00", "2026-03-10 17:00"])
def test_early_in_a_week_the_bot_asks_which_week_a_number_is_for(desk: BotHarness, day: str) -> None:
    desk.play_until(at(day))
    lead = desk.workspace.person(LEAD)
    asked = lead.types("/kpi 22m", channel=DESK_CHANNEL)
    assert asked.view is not None
    assert fields(asked.view) == ["week", "value", "note"]
    assert filled(asked.view, "value") == "22m"
    lead.submits({"week": "Last week (week 1 of 4)"})
    assert [(row.week, row.value) for row in rows(desk, Reading)] == [(1, 22)]
    assert number_week(types(desk, LEAD, "/kpi 19m")) == date(2026, 3, 9)


def test_from_wednesday_on_a_number_is_for_this_week(desk: BotHarness) -> None:
    desk.play_until(at("2026-03-11 09:00"))
    assert number_week(types(desk, LEAD, "/kpi 19m")) == date(2026, 3, 9)


def test_early_in_a_week_the_bot_asks_which_week_an_answer_is_for(desk: BotHarness) -> None:
    desk.play_until(at("2026-03-09 09:00"))
    for case, typed in (("answer", "/attest as-declared runs=14"), ("no-answer", "/attest")):
        said = desk.workspace.person(AGENT).types(typed, channel=DESK_CHANNEL)
        assert_golden(said, f"asked-which-week:{case}")
        assert said.view is None
    assert rows(desk, CheckIn) == []
    assert attested(types(desk, AGENT, "/attest as-declared runs=14 week=1")).week == 1
    assert attested(types(desk, AGENT, "/attest as-declared runs=10")).week == 2


def test_last_week_is_meant_where_there_is_no_this_week(desk: BotHarness) -> None:
    desk.play_until(at("2026-03-27 12:00"))  # week 4 was asked about
    types(desk, LEAD, "/cadence cycle pause reply")
    desk.play_until(at("2026-03-30 12:00"))
    assert attested(types(desk, AGENT, "/attest as-declared runs=10")).week == 4
    assert number_week(types(desk, LEAD, "/kpi 19m")) == FOURTH_MONDAY


def test_the_form_knows_the_usual_number_of_runs(desk: BotHarness) -> None:
    agent = desk.workspace.person(AGENT)
    opened = agent.clicks(agent.last_dm(), "As planned")
    assert opened.view is not None
    assert filled(opened.view, "runs") == "20"  # an even share of 40 between two
    agent.submits({"runs": "14"})
    for day, runs in (("2026-03-12 12:00", 30), ("2026-03-19 12:00", 16)):
        desk.play_until(at(day))
        types(desk, AGENT, f"/attest as-declared runs={runs}")
    desk.play_until(at("2026-03-26 12:00"))
    opened = agent.clicks(agent.last_dm(), "As planned")
    assert opened.view is not None
    assert filled(opened.view, "runs") == "16"  # the median of 14, 30 and 16


def test_only_the_reporter_is_asked_for_the_number(desk: BotHarness) -> None:
    lead, agent = desk.workspace.person(LEAD), desk.workspace.person(AGENT)
    for_lead = lead.clicks(lead.last_dm(), "As planned").view
    for_agent = agent.clicks(agent.last_dm(), "As planned").view
    assert for_lead is not None
    assert for_agent is not None
    assert fields(for_lead) == ["attestation", "runs", "value"]
    assert fields(for_agent) == ["attestation", "runs"]

    refused = lead.submits({"runs": "14", "value": "12 quarts"})
    assert_golden(refused.errors["value"], "refused-no-number")
    assert not rows(desk, CheckIn)
    lead.clicks(lead.form(), "Add details")
    assert fields(lead.form()) == ["attestation", "runs", "value", "inputs", "note"]
    assert lead.submits({"value": "22m", "inputs": "13"}).closed
    desk.tick()
    assert (answer_in(lead.last_dm()).runs, answer_in(lead.last_dm()).kpi) == (14, 22)
    assert_golden(lead.last_dm(), "message-with-runs-and-number")
    assert [row.value for row in rows(desk, Reading)] == [22]
    assert rows(desk, CheckIn)[0].complete_inputs == 13


def test_a_number_far_from_the_baseline_is_asked_about_as_for_the_command(desk: BotHarness) -> None:
    lead = desk.workspace.person(LEAD)
    lead.clicks(lead.last_dm(), "As planned")
    lead.submits({"runs": "13", "value": "840m"})
    assert shown(lead.form(), CheckinForm).doubt == 840
    assert_golden(lead.form(), "form-with-a-number-far-above")
    assert (filled(lead.form(), "runs"), filled(lead.form(), "value")) == ("13", "840m")
    assert (rows(desk, CheckIn), rows(desk, Reading)) == ([], [])
    lead.submits({"value": "1m"})
    assert shown(lead.form(), CheckinForm).doubt == 1
    assert_golden(lead.form(), "form-with-a-number-far-below")
    assert rows(desk, CheckIn) == []
    assert lead.submits().closed, "the second time confirms it"
    assert [(row.runs, row.attestation) for row in rows(desk, CheckIn)] == [(13, Attestation.AS_DECLARED)]
    assert [row.value for row in rows(desk, Reading)] == [1]
    desk.tick()
    lead.clicks(lead.last_dm(), "Change")
    assert lead.submits({"runs": "12"}).closed, "the same number again needs no question"


def test_several_numbers_far_from_their_baselines_are_asked_about_one_by_one(tmp_path: Path) -> None:
    with bot_harness(tmp_path, workspace=DESK, playbooks=[REPLY, TRIAGE]) as harness:
        start_cycle(harness, "reply")
        start_cycle(harness, "triage")
        harness.play_until(at("2026-03-05 10:42"))
        lead = harness.workspace.person(LEAD)
        lead.clicks(lead.last_dm(), "All as planned")
        lead.submits({"runs:1": "13", "value:1": "840m", "value:2": "900%"})
        for doubts in ([840, None], [None, 900]):
            assert [row.doubt for row in shown(lead.form(), CheckinAllForm).rows] == doubts
            assert_golden(lead.form(), f"form-with-a-number-far-above:{'first' if doubts[0] else 'second'}")
            assert (filled(lead.form(), "runs:1"), filled(lead.form(), "value:2")) == ("13", "900%")
            assert rows(harness, CheckIn) == []
            closed = lead.submits().closed
        assert closed
        assert [(row.adoption_id, row.runs) for row in rows(harness, CheckIn)] == [(1, 13), (2, 10)]


def test_the_drift_form_asks_which_step_and_which_mode(desk: BotHarness) -> None:
    agent = desk.workspace.person(AGENT)
    opened = agent.clicks(agent.last_dm(), "Something changed").view
    assert opened is not None
    assert fields(opened) == ["attestation", "changed", "runs"]
    assert list(agent.submits({"runs": "12"}).errors) == ["changed"]
    agent.fills(opened, {"changed": ["Send the reply"]})
    assert fields(agent.form()) == ["attestation", "changed", "mode:send", "runs"]
    assert_golden(agent.form(), "form-with-a-changed-step")
    assert options(agent.form(), "mode:send") == ["human-led", "collaborative"], "it was planned AI-led"
    assert agent.submits({"mode:send": "collaborative"}).closed
    desk.tick()
    answer = answer_in(agent.last_dm())
    assert (answer.runs, answer.drifts) == (12, (Drift(step="Send the reply", mode="collaborative"),))


def test_what_was_typed_survives_every_change_of_mind(desk: BotHarness) -> None:
    lead = desk.workspace.person(LEAD)
    lead.clicks(lead.last_dm(), action_id=Action.RAN_AS_DECLARED)
    lead.fills(lead.form(), {"runs": "14", "value": "22m"})
    lead.clicks(lead.form(), "Add details")
    lead.fills(lead.form(), {"inputs": "13", "note": "A long weekend."})
    lead.fills(lead.form(), {"attestation": "Something changed", "changed": ["send"]})
    lead.fills(lead.form(), {"mode:send": "human-led", "attestation": "Didn't run it"})
    assert fields(lead.form()) == ["attestation", "value", "note"]
    lead.fills(lead.form(), {"attestation": "Something changed"})
    assert fields(lead.form()) == [
        *("attestation", "changed", "mode:send", "runs", "value", "inputs", "note")
    ]
    # a step that is unticked and ticked again
    lead.fills(lead.form(), {"changed": ["draft"]})
    lead.fills(lead.form(), {"changed": ["send"]})
    assert lead.submits().closed
    [row] = rows(desk, CheckIn)
    assert (row.attestation, row.runs, row.complete_inputs, row.note) == (
        Attestation.DRIFTED,
        14,
        13,
        "A long weekend.",
    )
    assert [(step.step, step.mode) for step in rows(desk, DriftedStep)] == [("send", Mode.HUMAN_LED)]
    assert [reading.value for reading in rows(desk, Reading)] == [22]


def test_a_refusal_stands_at_its_field_after_a_change_of_mind(desk: BotHarness) -> None:
    lead = desk.workspace.person(LEAD)
    lead.clicks(lead.last_dm(), action_id=Action.NOT_RUN)
    lead.fills(lead.form(), {"attestation": "As planned"})
    refused = lead.submits({"runs": "5000", "value": "12 quarts"})
    assert list(refused.errors) == ["runs"]
    assert list(lead.submits({"runs": "12"}).errors) == ["value"]
    assert not rows(desk, CheckIn)
    assert lead.submits({"value": "22m"}).closed
    assert [(row.attestation, row.runs) for row in rows(desk, CheckIn)] == [(Attestation.AS_DECLARED, 12)]


def test_all_three_answers_open_one_form(desk: BotHarness) -> None:
    agent = desk.workspace.person(AGENT)
    asked = agent.last_dm()
    for action, chosen in (
        (Action.RAN_AS_DECLARED, "as-declared"),
        (Action.DRIFTED, "drifted"),
        (Action.NOT_RUN, "not-run"),
    ):
        opened = agent.clicks(asked, action_id=action).view
        assert opened is not None
        assert opened.callback_id == Callback.CHECKIN
        [radio] = [block for block in opened.blocks if block["block_id"] == "attestation"]
        assert radio["element"]["initial_option"]["value"] == chosen
        agent.closes()


def test_a_form_from_before_the_checkboxes_is_still_taken(desk: BotHarness) -> None:
    """A menu a step, and the answer in the form's metadata: what an update finds open on people's screens."""
    workspace = desk.workspace
    view = workspace.views.open(
        AGENT,
        {
            "type": "modal",
            "title": {"type": "plain_text", "text": "Something drifted"},
            "submit": {"type": "plain_text", "text": "Send"},
            "callback_id": "form.checkin",
            "private_metadata": '{"a": 1, "w": "2026-03-02", "k": "drifted"}',
            "blocks": [menu("draft", "as-declared"), menu("send", "collaborative")],
        },
    )
    assert view.callback_id == "form.checkin"
    assert workspace.person(AGENT).submits().closed
    [row] = rows(desk, CheckIn)
    assert (row.attestation, row.runs) == (Attestation.DRIFTED, 20)
    assert [(step.step, step.mode) for step in rows(desk, DriftedStep)] == [("send", Mode.COLLABORATIVE)]


def menu(step: str, chosen: str) -> dict[str, object]:
    """An input of the earlier form: who led a step."""
    option = {"text": {"type": "plain_text", "text": chosen}, "value": chosen}
    return {
        "type": "input",
        "block_id": f"mode:{step}",
        "label": {"type": "plain_text", "text": step},
        "element": {
            "type": "static_select",
            "action_id": f"mode:{step}",
            "options": [option],
            "initial_option": option,
        },
    }


def test_after_an_answer_only_change_is_left_and_it_works(desk: BotHarness) -> None:
    agent = desk.workspace.person(AGENT)
    asked = agent.last_dm()
    agent.clicks(asked, "As planned")
    agent.submits({"runs": "14"})
    desk.tick()
    assert agent.last_dm().ts == asked.ts
    assert actions(agent.last_dm()) == [Action.CHANGE_CHECKIN]

    opened = agent.clicks(agent.last_dm(), "Change").view
    assert opened is not None
    assert filled(opened, "runs") == "14"
    assert agent.submits({"attestation": "Didn't run it"}).closed
    desk.tick()
    assert answer_in(agent.last_dm()).attestation == Attestation.NOT_RUN
    assert_golden(agent.last_dm(), "message-after-not-run")
    assert [(row.attestation, row.runs) for row in rows(desk, CheckIn)] == [
        (Attestation.AS_DECLARED, 14),
        (Attestation.NOT_RUN, 0),
    ]
    agent.clicks(agent.last_dm(), "Change")
    agent.submits(
        {"attestation": "Something changed", "changed": ["draft"], "mode:draft": "human-led", "runs": "7"}
    )
    desk.tick()
    answer = answer_in(agent.last_dm())
    assert (answer.runs, answer.drifts) == (7, (Drift(step="Draft the reply", mode="human-led"),))


def test_a_double_click_on_a_button_that_is_gone_answers_once(desk: BotHarness) -> None:
    agent = desk.workspace.person(AGENT)
    asked = agent.last_dm()
    for _ in range(2):
        agent.clicks(asked, "As planned", stale=True)
        agent.submits({"runs": "14"})
        desk.tick()
    assert len(rows(desk, CheckIn)) == 1
    assert len(bot_dms(desk, AGENT)) == 1


def test_several_playbooks_come_in_one_message(tmp_path: Path) -> None:
    with bot_harness(tmp_path, workspace=DESK, playbooks=[REPLY, TRIAGE]) as harness:
        start_cycle(harness, "reply")
        start_cycle(harness, "triage")
        harness.play_until(at("2026-03-05 10:42"))
        lead = harness.workspace.person(LEAD)
        [asked] = bot_dms(harness, LEAD)
        assert [row.answer for row in shown(asked, CheckinMessage).rows] == [None, None]
        assert_golden(asked, "message-with-two-open")
        assert actions(asked) == [
            Action.SNOOZE,
            *[Action.RAN_AS_DECLARED, Action.DRIFTED, Action.NOT_RUN] * 2,
            Action.ALL_RAN,
        ]

        opened = lead.clicks(asked, "All as planned").view
        assert opened is not None
        assert fields(opened) == ["runs:1", "value:1", "runs:2", "value:2"]
        refused = lead.submits({"runs:1": "14", "value:1": "22m", "value:2": "a few"})
        assert list(refused.errors) == ["value:2"]
        assert not rows(harness, CheckIn)  # all or none
        assert lead.submits({"value:2": "8%"}).closed
        harness.tick()
        [answered] = bot_dms(harness, LEAD)
        assert [row.answer is None for row in shown(answered, CheckinMessage).rows] == [False, False]
        assert_golden(answered, "message-with-two-answered")
        assert actions(answered) == [Action.CHANGE_CHECKIN] * 2
        assert [(row.adoption_id, row.runs) for row in rows(harness, CheckIn)] == [(1, 14), (2, 10)]

        which = lead.types("/kpi 22m", channel=DESK_CHANNEL).view
        assert which is not None
        assert "adoption" in fields(which)
        agent = harness.workspace.person(AGENT)
        agent.types("/attest triage as-declared runs=5", channel=DESK_CHANNEL)
        harness.tick()
        found = [(row.playbook, row.answer is None) for row in shown(agent.last_dm(), CheckinMessage).rows]
        assert sorted(found) == [("Reply", True), ("Triage", False)]
        assert_golden(agent.last_dm(), "message-with-one-of-two-open")


def test_bare_commands_open_their_forms(desk: BotHarness) -> None:
    lead = desk.workspace.person(LEAD)
    for typed, form in (
        ("/kpi", Callback.KPI),
        ("/attest", Callback.CHECKIN),
        ("/exception", Callback.EXCEPTION),
        ("/cadence why", Callback.WHY),
        ("/cadence away", Callback.AWAY),
        ("/cadence cycle start", Callback.CYCLE_START),
        ("/cadence playbook import", Callback.IMPORT),
        ("/cadence team create", Callback.TEAM),
    ):
        opened = lead.types(typed, channel=DESK_CHANNEL).view
        assert opened is not None, typed
        assert opened.callback_id == form, typed
        lead.closes()


def test_a_playbook_without_a_number_opens_the_form_on_it(tmp_path: Path) -> None:
    with bot_harness(tmp_path, workspace=DESK, playbooks=[REPLY, TRIAGE]) as harness:
        for playbook in ("reply", "triage"):
            start_cycle(harness, playbook)
        harness.play_until(at("2026-03-05 10:42"))
        lead = harness.workspace.person(LEAD)
        asked = lead.types("/kpi triage", channel=DESK_CHANNEL).view
        assert asked is not None
        form = shown(asked, KpiForm)
        assert form.kpi is not None
        assert (form.playbook, form.kpi.name) == ("Triage", "Reopen rate")
        assert fields(asked) == ["week", "value", "note"]
        lead.closes()
        open_to_all = lead.types("/kpi", channel=DESK_CHANNEL).view
        assert open_to_all is not None
        assert len(shown(open_to_all, KpiForm).adoptions) == 2
        assert_golden(open_to_all, "form-for-the-number-of-any-playbook")


def test_a_playbook_whose_cycle_is_closed_opens_the_form_for_its_last_week_and_later_says_who_goes_on(
    desk: BotHarness,
) -> None:
    lead, agent = desk.workspace.person(LEAD), desk.workspace.person(AGENT)
    desk.play_until(at("2026-03-27 17:00"))
    lead.types("/cadence cycle pause reply")
    desk.play_until(at("2026-03-30 09:15"))
    asked = agent.types("/kpi reply", channel=DESK_CHANNEL).view
    assert asked is not None
    form = shown(asked, KpiForm)
    assert form.kpi is not None
    assert form.kpi.name == "First response time"
    agent.submits({"week": "Last week (week 4 of 4)", "value": "13m"})
    assert [row.week for row in rows(desk, Reading)] == [4]
    agent.closes()
    desk.play_until(at("2026-04-08 09:15"))
    for case, typed in (("no-number", "/kpi reply"), ("number", "/kpi 13m")):
        assert_golden(types(desk, AGENT, typed), f"refused-after-the-cycle:{case}")
    assert len(rows(desk, Reading)) == 1


@pytest.mark.parametrize("link", ["javascript:alert(1)", "not a link", "https://a.example/x y"])
def test_what_is_no_link_is_refused_on_its_field(link: str) -> None:
    assert not is_link(link)
    with pytest.raises(Refusal) as refused:
        kept_link(link)
    assert_golden(str(refused.value), "refused-link")
    assert refused.value.field == "link"


def test_the_form_of_an_exception_keeps_links_only(desk: BotHarness) -> None:
    agent = desk.workspace.person(AGENT)
    agent.types("/exception", channel=DESK_CHANNEL)
    typed = {"step": "Send the reply (AI-led)", "reason": "tone was off"}
    refused = agent.submits({**typed, "link": "javascript:alert(1)"})
    assert_golden(refused.errors["link"], "refused-link-of-an-exception")
    assert entries(desk, "exception") == []
    assert agent.submits({"link": "https://acme.example/1"}).errors == {}


def test_a_mistyped_step_is_one_click_from_right(desk: BotHarness) -> None:
    agent = desk.workspace.person(AGENT)
    said = agent.types("/exception sned tone was off", channel=DESK_CHANNEL)
    assert_golden(said, "refused-mistyped-step")
    assert said.message is not None
    agent.clicks(said.message, "Log it on “Send the reply”")
    form = agent.form()
    assert filled(form, "reason") == "tone was off"
    result = agent.submits()
    assert not result.errors
    assert [entry.after["reason"] for entry in entries(desk, "exception")] == ["tone was off"]
    assert entries(desk, "exception")[0].subject == "adoption:1/send"


def test_a_mistyped_playbook_is_named_right(desk: BotHarness) -> None:
    assert_golden(types(desk, AGENT, "/kpi repyl 14m"), "refused-mistyped-playbook")
    assert_golden(types(desk, AGENT, "/cadence statsu"), "refused-mistyped-command")
    assert rows(desk, Reading) == []


def test_a_number_before_any_cycle_and_before_its_monday(tmp_path: Path) -> None:
    with bot_harness(tmp_path, workspace=DESK, playbooks=[REPLY]) as harness:
        for case, typed in (
            ("number", "/kpi 14m"),
            ("answer", "/attest as-declared"),
            ("exception", "/exception draft tone was off"),
        ):
            refused = types(harness, AGENT, typed)
            assert is_shown(refused, Refused)
            assert_golden(refused, f"refused-before-any-cycle:{case}")
        start_cycle(harness)
        assert_golden(types(harness, LEAD, "/kpi 14m"), "refused-before-its-monday")
        assert not rows(harness, Reading)


def test_a_weekend_belongs_to_the_week_before_it(desk: BotHarness) -> None:
    desk.play_until(at("2026-03-08 23:30"))
    assert number_week(types(desk, LEAD, "/kpi 21m")) == FIRST_MONDAY
    desk.play_until(at("2026-03-28 11:00"))  # Saturday after the close
    assert number_week(types(desk, LEAD, "/kpi 13m")) == FOURTH_MONDAY
    assert [row.week for row in rows(desk, Reading)] == [1, 4]


def test_week_four_is_answered_late_on_the_next_monday(desk: BotHarness) -> None:
    desk.play_until(at("2026-03-30 09:15"))
    lead = desk.workspace.person(LEAD)
    assert attested(types(desk, AGENT, "/attest as-declared runs=9 week=4")).week == 4
    asked = lead.types("/kpi 13m", channel=DESK_CHANNEL)
    assert asked.view is not None
    lead.submits({"week": "Last week (week 4 of 4)"})
    late = [(row.week, row.cycle_id, row.value) for row in rows(desk, Reading)]
    assert late == [(4, 1, 13)]
    [answer] = [row for row in rows(desk, CheckIn) if row.member == AGENT]
    assert (answer.week, answer.cycle_id, answer.runs) == (4, 1, 9)
    messages = [one for one in bot_dms(desk, AGENT) if is_shown(one, CheckinMessage)]
    old = [one for one in messages if asked_in(one).week == 4 and asked_in(one).answer is not None]
    assert actions(old[-1]) == [], "its week is over; `/attest` corrects it until Tuesday"
