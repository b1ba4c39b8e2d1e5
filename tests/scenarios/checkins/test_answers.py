"""Answering takes seconds; answering again corrects a mistake, and no answer is lost (SPEC §4, §9)."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.rehearsal.harness import BotHarness
from bot.sandbox.views import View
from cadence.links import is_link, kept_link
from cadence.refusals import Refusal
from cadence.rules.modes import Mode
from storage.tables import Attestation, CheckIn, DriftedStep, Reading
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
    return [option["text"]["text"] for option in block["element"]["options"]]


def types(harness: BotHarness, member: str, text: str) -> str:
    said = harness.workspace.person(member).types(text, channel=DESK_CHANNEL)
    harness.tick()
    return said.words


def test_a_second_answer_corrects_the_first_and_keeps_both(desk: BotHarness) -> None:
    assert "checked in · 14 runs" in types(desk, AGENT, "/attest as-declared runs=14")
    assert bot_dms(desk, AGENT)[-1].buttons == ["Change"]
    said = types(desk, AGENT, "/attest drifted draft=human-led runs=12 the model was down")
    assert "Before: 14 runs. We keep both answers." in said

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
    assert "Checked in · 12 runs · “Draft the reply” ran as human-led" in message.words


def test_the_same_answer_again_adds_nothing(desk: BotHarness) -> None:
    types(desk, AGENT, "/attest as-declared runs=14")
    types(desk, AGENT, "/attest as-declared runs=14")
    assert len(rows(desk, CheckIn)) == 1
    assert not entries(desk, "check-in-corrected")


def test_the_number_again_corrects_it_and_keeps_both(desk: BotHarness) -> None:
    assert "Recorded: First response time 24 min" in types(desk, LEAD, "/kpi 24m")
    said = types(desk, LEAD, "/kpi 22 one long weekend")
    assert "Replaces 24 min; we keep both." in said
    first, second = rows(desk, Reading)
    assert (first.value, first.typed, first.replaced_at) == (24, "24m", at("2026-03-05 10:42"))
    assert (second.value, second.note, second.replaced_at) == (22, "one long weekend", None)
    [correction] = entries(desk, "reading-corrected")
    assert (correction.before, correction.after) == (24, 22)


def test_week_n_answers_and_corrects_a_past_week(desk: BotHarness) -> None:
    types(desk, LEAD, "/kpi 24m")
    desk.play_until(at("2026-03-12 12:00"))
    assert "week of Mon 2 Mar" in types(desk, LEAD, "/kpi 20m week=1")
    assert "week 1" in types(desk, AGENT, "/attest as-declared runs=9 week=1")
    assert [(row.week, row.value) for row in rows(desk, Reading) if row.replaced_at is None] == [(1, 20)]
    assert "Week 3 of this cycle starts on Monday 16 March" in types(desk, LEAD, "/kpi 20m week=3")
    assert "A cycle has 4 weeks." in types(desk, LEAD, "/kpi 20m week=5")


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
    assert "week of Mon 9 Mar" in types(desk, LEAD, "/kpi 19m")


def test_from_wednesday_on_a_number_is_for_this_week(desk: BotHarness) -> None:
    desk.play_until(at("2026-03-11 09:00"))
    assert "week of Mon 9 Mar" in types(desk, LEAD, "/kpi 19m")


def test_early_in_a_week_the_bot_asks_which_week_an_answer_is_for(desk: BotHarness) -> None:
    desk.play_until(at("2026-03-09 09:00"))
    for typed in ("/attest as-declared runs=14", "/attest"):
        said = desk.workspace.person(AGENT).types(typed, channel=DESK_CHANNEL)
        assert "Is this for last week or this week? Add `week=1` or `week=2`." in said.words
        assert said.view is None
    assert "week 1" in types(desk, AGENT, "/attest as-declared runs=14 week=1")
    assert "week 2" in types(desk, AGENT, "/attest as-declared runs=10")


def test_last_week_is_meant_where_there_is_no_this_week(desk: BotHarness) -> None:
    desk.play_until(at("2026-03-27 12:00"))  # week 4 was asked about
    types(desk, LEAD, "/cadence cycle pause reply")
    desk.play_until(at("2026-03-30 12:00"))
    assert "week 4" in types(desk, AGENT, "/attest as-declared runs=10")
    assert "week of Mon 23 Mar" in types(desk, LEAD, "/kpi 19m")


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
    assert "isn't a number of minutes" in refused.errors["value"]
    assert not rows(desk, CheckIn)
    lead.clicks(lead.form(), "Add details")
    assert fields(lead.form()) == ["attestation", "runs", "value", "inputs", "note"]
    assert lead.submits({"value": "22m", "inputs": "13"}).closed
    desk.tick()
    assert "Checked in · 14 runs · First response time 22 min" in lead.last_dm().words
    assert [row.value for row in rows(desk, Reading)] == [22]
    assert rows(desk, CheckIn)[0].complete_inputs == 13


def test_a_number_far_from_the_baseline_is_asked_about_as_for_the_command(desk: BotHarness) -> None:
    lead = desk.workspace.person(LEAD)
    lead.clicks(lead.last_dm(), "As planned")
    lead.submits({"runs": "13", "value": "840m"})
    assert "That's 20 times the baseline of 42 min." in lead.form().words
    assert (filled(lead.form(), "runs"), filled(lead.form(), "value")) == ("13", "840m")
    assert (rows(desk, CheckIn), rows(desk, Reading)) == ([], [])
    lead.submits({"value": "1m"})
    assert "That's less than a twentieth of the baseline of 42 min." in lead.form().words
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
        for baseline in ("42 min", "12%"):
            assert f"times the baseline of {baseline}." in lead.form().words
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
    assert "Who led “Send the reply” instead?" in agent.form().words
    assert "AI-led" not in options(agent.form(), "mode:send"), "it was planned so"
    assert agent.submits({"mode:send": "collaborative"}).closed
    desk.tick()
    assert "Checked in · 12 runs · “Send the reply” ran as collaborative" in agent.last_dm().words


def test_what_was_typed_survives_every_change_of_mind(desk: BotHarness) -> None:
    lead = desk.workspace.person(LEAD)
    lead.clicks(lead.last_dm(), action_id="checkin.ran")
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
    lead.clicks(lead.last_dm(), action_id="checkin.not_run")
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
        ("checkin.ran", "as-declared"),
        ("checkin.drifted", "drifted"),
        ("checkin.not_run", "not-run"),
    ):
        opened = agent.clicks(asked, action_id=action).view
        assert opened is not None
        assert opened.title == "Check in"
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
    assert agent.last_dm().buttons == ["Change"]

    opened = agent.clicks(agent.last_dm(), "Change").view
    assert opened is not None
    assert filled(opened, "runs") == "14"
    assert agent.submits({"attestation": "Didn't run it"}).closed
    desk.tick()
    assert "didn't run" in agent.last_dm().words
    assert [(row.attestation, row.runs) for row in rows(desk, CheckIn)] == [
        (Attestation.AS_DECLARED, 14),
        (Attestation.NOT_RUN, 0),
    ]
    agent.clicks(agent.last_dm(), "Change")
    agent.submits(
        {"attestation": "Something changed", "changed": ["draft"], "mode:draft": "human-led", "runs": "7"}
    )
    desk.tick()
    assert "Checked in · 7 runs · “Draft the reply” ran as human-led" in agent.last_dm().words


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
        assert "2 of 2 check-ins open" in asked.words
        assert asked.buttons == [
            *["As planned", "Something changed", "Didn't run it"] * 2,
            "All as planned",
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
        assert "Both check-ins are in" in answered.words
        assert answered.buttons == ["Change", "Change"]
        assert [(row.adoption_id, row.runs) for row in rows(harness, CheckIn)] == [(1, 14), (2, 10)]

        which = lead.types("/kpi 22m", channel=DESK_CHANNEL).view
        assert which is not None
        assert "adoption" in fields(which)
        agent = harness.workspace.person(AGENT)
        agent.types("/attest triage as-declared runs=5", channel=DESK_CHANNEL)
        harness.tick()
        assert "1 of 2 check-ins open" in agent.last_dm().words


def test_bare_commands_open_their_forms(desk: BotHarness) -> None:
    lead = desk.workspace.person(LEAD)
    for typed, title in (
        ("/kpi", "Report the KPI"),
        ("/attest", "Check in"),
        ("/exception", "Log an exception"),
        ("/cadence why", "Why"),
        ("/cadence away", "Away"),
        ("/cadence cycle start", "Start a cycle"),
        ("/cadence playbook import", "Import a playbook"),
        ("/cadence team create", "New team"),
    ):
        opened = lead.types(typed, channel=DESK_CHANNEL).view
        assert opened is not None, typed
        assert title in opened.title, typed
        lead.closes()


def test_a_playbook_without_a_number_opens_the_form_on_it(tmp_path: Path) -> None:
    with bot_harness(tmp_path, workspace=DESK, playbooks=[REPLY, TRIAGE]) as harness:
        for playbook in ("reply", "triage"):
            start_cycle(harness, playbook)
        harness.play_until(at("2026-03-05 10:42"))
        lead = harness.workspace.person(LEAD)
        asked = lead.types("/kpi triage", channel=DESK_CHANNEL).view
        assert asked is not None
        assert "Triage" in asked.words
        assert "Reopen rate" in asked.words
        assert fields(asked) == ["week", "value", "note"]
        lead.closes()
        open_to_all = lead.types("/kpi", channel=DESK_CHANNEL).view
        assert open_to_all is not None
        assert "Triage · Desk: Reopen rate, percent" in open_to_all.words


def test_a_playbook_whose_cycle_is_closed_opens_the_form_for_its_last_week_and_later_says_who_goes_on(
    desk: BotHarness,
) -> None:
    lead, agent = desk.workspace.person(LEAD), desk.workspace.person(AGENT)
    desk.play_until(at("2026-03-27 17:00"))
    lead.types("/cadence cycle pause reply")
    desk.play_until(at("2026-03-30 09:15"))
    asked = agent.types("/kpi reply", channel=DESK_CHANNEL).view
    assert asked is not None
    assert "First response time" in asked.words
    agent.submits({"week": "Last week (week 4 of 4)", "value": "13m"})
    assert [row.week for row in rows(desk, Reading)] == [4]
    desk.play_until(at("2026-04-08 09:15"))
    over = "Cycle 1 of Reply is over. The owner (<@U01LEAD>) or a curator can start a new one"
    assert over in types(desk, AGENT, "/kpi reply")
    assert over in types(desk, AGENT, "/kpi 13m")


@pytest.mark.parametrize("link", ["javascript:alert(1)", "not a link", "https://a.example/x y"])
def test_what_is_no_link_is_refused_on_its_field(link: str) -> None:
    assert not is_link(link)
    with pytest.raises(Refusal, match="isn't a link we can use") as refused:
        kept_link(link)
    assert refused.value.field == "link"


def test_the_form_of_an_exception_keeps_links_only(desk: BotHarness) -> None:
    agent = desk.workspace.person(AGENT)
    agent.types("/exception", channel=DESK_CHANNEL)
    typed = {"step": "Send the reply (AI-led)", "reason": "tone was off"}
    assert "isn't a link" in agent.submits({**typed, "link": "javascript:alert(1)"}).errors["link"]
    assert agent.submits({"link": "https://acme.example/1"}).errors == {}


def test_a_mistyped_step_is_one_click_from_right(desk: BotHarness) -> None:
    agent = desk.workspace.person(AGENT)
    said = agent.types("/exception sned tone was off", channel=DESK_CHANNEL)
    assert "There's no step `sned`" in said.words
    assert "Did you mean `send`?" in said.words
    assert said.message is not None
    agent.clicks(said.message, "Log it on “Send the reply”")
    form = agent.form()
    assert filled(form, "reason") == "tone was off"
    result = agent.submits()
    assert not result.errors
    assert [entry.after["reason"] for entry in entries(desk, "exception")] == ["tone was off"]
    assert entries(desk, "exception")[0].subject == "adoption:1/send"


def test_a_mistyped_playbook_is_named_right(desk: BotHarness) -> None:
    assert "Did you mean `/kpi reply 14m`?" in types(desk, AGENT, "/kpi repyl 14m")
    assert "Did you mean" in types(desk, AGENT, "/cadence statsu")


def test_a_number_before_any_cycle_and_before_its_monday(tmp_path: Path) -> None:
    with bot_harness(tmp_path, workspace=DESK, playbooks=[REPLY]) as harness:
        for typed in ("/kpi 14m", "/attest as-declared", "/exception draft tone was off"):
            assert f"<@{LEAD}> can start it with `/cadence cycle start reply`" in types(harness, AGENT, typed)
        start_cycle(harness)
        said = types(harness, LEAD, "/kpi 14m")
        assert "starts on Monday 2 March. There's nothing to report before then." in said
        assert not rows(harness, Reading)


def test_a_weekend_belongs_to_the_week_before_it(desk: BotHarness) -> None:
    desk.play_until(at("2026-03-08 23:30"))
    assert "week of Mon 2 Mar" in types(desk, LEAD, "/kpi 21m")
    desk.play_until(at("2026-03-28 11:00"))  # Saturday after the close
    assert "week of Mon 23 Mar" in types(desk, LEAD, "/kpi 13m")
    assert [row.week for row in rows(desk, Reading)] == [1, 4]


def test_week_four_is_answered_late_on_the_next_monday(desk: BotHarness) -> None:
    desk.play_until(at("2026-03-30 09:15"))
    lead = desk.workspace.person(LEAD)
    assert "week 4" in types(desk, AGENT, "/attest as-declared runs=9 week=4")
    asked = lead.types("/kpi 13m", channel=DESK_CHANNEL)
    assert asked.view is not None
    lead.submits({"week": "Last week (week 4 of 4)"})
    late = [(row.week, row.cycle_id, row.value) for row in rows(desk, Reading)]
    assert late == [(4, 1, 13)]
    [answer] = [row for row in rows(desk, CheckIn) if row.member == AGENT]
    assert (answer.week, answer.cycle_id, answer.runs) == (4, 1, 9)
    old = [
        message
        for message in bot_dms(desk, AGENT)
        if "week 4 check-in" in message.words and "✓" in message.words
    ]
    assert old[-1].buttons == [], "its week is over; `/attest` corrects it until Tuesday"
