"""The guided playbook form: part after part, kept between sessions, and saved as a draft."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bot.rehearsal.harness import BotHarness
from bot.sandbox import payloads
from bot.sandbox.answers import Answer, SubmitResult
from bot.sandbox.kinds import words_of
from bot.sandbox.person import Person
from cadence.documents import playbook_from_data, read_playbook
from storage.tables import FormDraft, Playbook, PlaybookVersion
from templates.contexts.editor import PartRow, PlaybookHub
from templates.contexts.playbooks import PlaybookImported
from templates.ids import Action
from tests.contexts import actions, assert_golden, shown
from tests.harnesses import bot_harness
from tests.scenarios.plays import DESK, REPLY, at, rows

LEAD, AGENT, CURATOR = "U01LEAD", "U01AGENT1", "U01CURATOR"
BASICS = {"title": "Refund decision", "function": "support", "runs_per_week": "40", "pilot": "desk"}
NUMBER = {"baseline": "42m", "target": "15", "window_days": ""}
CASE = {"frequency": "4", "friction": "5", "worth": "", "worth_unit": "hours"}
"""A unit without an amount is left out."""
STEP = {"title": "Draft the decision", "mode": "collaborative", "exception_cap": "10%"}


@pytest.fixture
def harness(tmp_path: Path) -> Iterator[BotHarness]:
    """A desk with one small playbook that nobody has run."""
    with bot_harness(tmp_path, workspace=DESK, playbooks=[REPLY]) as ready:
        yield ready


def opens(harness: BotHarness, member: str = LEAD, text: str = "/cadence playbook new") -> Person:
    person = harness.workspace.person(member)
    assert person.types(text).failure is None
    return person


def fills(person: Person, part: str, values: dict[str, Any], *, slug: str = "") -> SubmitResult:
    """Open a part from the overview, fill it in and submit it."""
    person.clicks(person.form(), action_id="playbook.part", value=f"{slug}:{part}")
    return person.submits(values)


def hub(person: Person) -> PlaybookHub:
    """The overview of the parts, which is on top."""
    return shown(person.form(), PlaybookHub)


def part_row(person: Person, part: str, *, slug: str = "") -> PartRow:
    """A part in the overview, which is on top."""
    [row] = [one for one in hub(person).parts if one.value == f"{slug}:{part}"]
    return row


def errors_in(refused: SubmitResult) -> str:
    """What a form says under its fields, a line each."""
    return "\n".join(f"{field}: {said}" for field, said in refused.errors.items())


def test_part_after_part_becomes_a_draft_like_an_imported_one(harness: BotHarness) -> None:
    person = opens(harness)
    assert fills(person, "basics", BASICS).errors == {}
    assert len(harness.workspace.views.stack(LEAD)) == 1, "back at the overview"
    assert hub(person).heading == "Refund decision"
    fills(person, "kpi", {"catalogue": "support:0", **NUMBER})
    assert_golden(part_row(person, "kpi").text, "kpi-in-a-line")
    fills(
        person,
        "guardrails",
        {"name:1": "CSAT", "unit:1": "score", "direction:1": "higher", "limit:1": "4.6/5"},
    )
    fills(person, "steps:", {**STEP, "sample": "5", "why": "a person checks each amount"})
    fills(person, "steps:", {**STEP, "title": "Send it", "key": "send", "mode": "ai-led", "position": "1"})
    fills(
        person, "package", {"inputs": "- the ticket\n- the policy\n", "criteria": "tone", "threshold": "0.9"}
    )
    fills(person, "pillars", {"value_event": "a refund that was right the first time", **CASE})
    assert_golden(part_row(person, "pillars").text, "case-in-a-line")
    said = person.submits()
    created = shown(said, PlaybookImported)
    assert (created.title, created.version, created.new) == ("Refund decision", 1, True)
    assert Action.SHOW_PILOT in actions(said)
    spec = playbook_from_data(rows(harness, PlaybookVersion)[-1].spec)
    assert (spec.slug, spec.owner, spec.pilot, spec.runs_per_week) == ("refund-decision", LEAD, "desk", 40)
    assert (spec.kpi.name, spec.kpi.unit, spec.kpi.baseline, spec.kpi.target) == (
        "First response time",
        "minutes",
        42,
        15,
    )
    assert [(rail.name, rail.limit) for rail in spec.kpi.guardrails] == [("CSAT", 4.6)]
    assert [(step.key, step.exception_cap) for step in spec.steps] == [
        ("send", 0.1),
        ("draft-the-decision", 0.1),
    ]
    assert spec.steps[1].verify is not None
    assert spec.inputs == ("the ticket", "the policy")
    assert spec.rubric is not None
    assert spec.rubric.threshold == 0.9
    assert (spec.case.frequency, spec.case.friction, spec.case.structure, spec.case.worth) == (
        4,
        5,
        None,
        None,
    )
    assert (spec.steps[0].why, spec.steps[1].why) == (None, "a person checks each amount")


def test_every_mistake_is_shown_at_its_field_in_the_words_of_the_form(harness: BotHarness) -> None:
    person = opens(harness)
    wrong = fills(person, "basics", {**BASICS, "slug": "Refund!", "runs_per_week": "lots"})
    assert wrong.errors.keys() == {"slug", "runs_per_week"}
    assert_golden(errors_in(wrong), "mistakes-basics")
    person.submits({"slug": "", "runs_per_week": "40"})
    wrong = fills(
        person,
        "kpi",
        {"catalogue": "support:0", "baseline": "14m", "target": "12 quarts", "window_days": "40"},
    )
    assert wrong.errors.keys() == {"target", "window_days"}
    assert_golden(errors_in(wrong), "mistakes-kpi")
    wrong = person.submits({"target": "1h", "window_days": ""})
    assert wrong.errors.keys() == {"target"}
    assert_golden(errors_in(wrong), "mistakes-target-not-better")
    person.submits({"target": "10"})
    wrong = fills(person, "steps:", {**STEP, "key": "refund-decision", "accuracy": "1"})
    assert wrong.errors.keys() == {"accuracy"}
    assert_golden(errors_in(wrong), "mistakes-share-that-could-mean-two")
    wrong = person.submits({"accuracy": "", "exception_cap": "150%", "fallback": "collaborative"})
    assert wrong.errors.keys() == {"exception_cap", "fallback"}
    assert_golden(errors_in(wrong), "mistakes-step")
    wrong = person.submits({"exception_cap": "10", "fallback": "default"})
    assert list(wrong.errors) == ["key"]
    assert_golden(errors_in(wrong), "mistakes-short-name-of-the-playbook")
    person.submits({"key": "draft"})
    wrong = fills(person, "guardrails", {"name:0": "First response time", "unit:1": "score", "limit:1": "x"})
    assert {"unit:0", "direction:0", "limit:0", "name:1", "direction:1", "limit:1"} <= wrong.errors.keys()


def test_what_was_filled_in_waits_until_one_comes_back_and_is_nobody_elses(harness: BotHarness) -> None:
    harness.clock.set(at("2026-03-03 10:42"))
    person = opens(harness)
    fills(person, "basics", BASICS)
    person.closes()
    harness.clock.set(at("2026-03-05 09:00"))
    assert hub(opens(harness)).kept_at == at("2026-03-03 10:42")
    assert hub(opens(harness, CURATOR)).kept_at is None
    person = opens(harness)
    person.clicks(person.form(), "Start over")
    assert hub(person).heading == ""
    assert BASICS["title"] not in person.form().words
    assert rows(harness, FormDraft) == []


def test_what_is_missing_is_said_and_nothing_is_saved(harness: BotHarness) -> None:
    person = opens(harness)
    fills(person, "basics", BASICS)
    said = person.submits()
    refused = shown(said, PlaybookHub)
    assert len(refused.refused) == 2
    assert [one.title for one in refused.parts if not one.done] == [part_row(person, "kpi").title]
    assert_golden(said, "draft-not-created-yet")
    assert len(rows(harness, Playbook)) == 1
    assert len(rows(harness, FormDraft)) == 1


def test_the_newest_draft_is_edited_and_what_the_form_does_not_ask_stays(harness: BotHarness) -> None:
    person = harness.workspace.person(LEAD)
    answer = person.types("/cadence playbook show reply")
    person.clicks(answer.message, "Edit")  # type: ignore[arg-type]
    assert hub(person).revision == 1
    before = read_playbook(REPLY.read_text(encoding="utf-8"))
    fills(person, f"steps:{before.steps[0].key}", {"title": "Write it"}, slug="reply")
    saved = shown(person.submits(), PlaybookImported)
    assert (saved.version, saved.new) == (2, False)
    after = playbook_from_data(rows(harness, PlaybookVersion)[-1].spec)
    assert after.steps[0].title == "Write it"
    assert (after.kpi, after.inputs, after.steps[1:]) == (before.kpi, before.inputs, before.steps[1:])


def test_however_deep_one_is_the_form_still_opens(harness: BotHarness) -> None:
    person = opens(harness)
    for part, values in (("basics", BASICS), ("kpi", {"catalogue": "support:0", **NUMBER}), ("steps:", STEP)):
        fills(person, part, values)
    person.submits()
    person.clicks(person.form(), "Show it")
    person.clicks(person.form(), "Edit")
    assert len(harness.workspace.views.stack(LEAD)) == 3, "no more fit"
    done = fills(person, "basics", {"runs_per_week": "50"}, slug="refund-decision")
    assert done.errors == {}
    assert_golden(part_row(person, "basics", slug="refund-decision").text, "basics-in-a-line")


def test_a_draft_that_somebody_overtook_is_not_saved_over_theirs(harness: BotHarness) -> None:
    lead, curator = harness.workspace.person(LEAD), harness.workspace.person(CURATOR)
    for person, minutes in ((lead, "50"), (curator, "40")):
        person.clicks(person.types("/cadence playbook show reply").message, "Edit")  # type: ignore[arg-type]
        fills(person, "next-team", {"setup_minutes": minutes}, slug="reply")
    assert shown(curator.submits(), PlaybookImported).version == 2
    said = lead.submits()
    assert_golden("\n".join(shown(said, PlaybookHub).refused), "overtaken")
    assert len(rows(harness, PlaybookVersion)) == 2


def test_a_second_click_is_answered_as_the_first(harness: BotHarness) -> None:
    person = opens(harness)
    fills(person, "basics", BASICS)
    fills(person, "kpi", {"catalogue": "support:0", **NUMBER})
    fills(person, "steps:", STEP)
    click = payloads.view_submission(harness.workspace, person.user, person.form())
    first, second = (harness.workspace.deliver("interactive", click).json for _ in range(2))
    assert_golden(words_of(first["view"]["blocks"]), "created")
    assert second == first
    assert len(rows(harness, PlaybookVersion)) == 2


def test_a_step_sent_twice_is_added_or_removed_once(harness: BotHarness) -> None:
    person = opens(harness)

    def twice(step: str, values: dict[str, Any]) -> Any:
        person.clicks(person.form(), action_id="playbook.part", value=f":steps:{step}")
        person.fills(person.form(), values)
        click = payloads.view_submission(harness.workspace, person.user, person.form())
        first, second = (harness.workspace.deliver("interactive", click).json for _ in range(2))
        assert second == first
        person.closes()
        return rows(harness, FormDraft)[0].data["spec"].get("steps", [])

    assert len(twice("", STEP)) == 1
    assert twice(rows(harness, FormDraft)[0].data["spec"]["steps"][0]["key"], {"remove": ["remove"]}) == []
    person.clicks(person.form(), action_id="playbook.part", value=":steps:")
    refused = person.submits({**STEP, "key": "", "title": "下書き"})
    assert_golden(refused.errors["key"], "no-short-name-from-the-title")


def test_a_number_of_ones_own_asks_for_its_name_and_unit(harness: BotHarness) -> None:
    person = opens(harness)
    person.clicks(person.form(), action_id="playbook.part", value=":kpi")
    assert "unit" not in person.form().fields
    person.fills(person.form(), {"catalogue": "own", "baseline": "3"})
    assert {"name", "unit", "direction"} <= set(person.form().fields)
    done = person.submits({"name": "Refunds a day", "unit": "count", "direction": "higher", "target": "1.2k"})
    assert done.errors == {}
    assert_golden(part_row(person, "kpi").text, "own-kpi-in-a-line")


def test_an_outsider_reaches_no_draft(harness: BotHarness) -> None:
    person = harness.workspace.person(AGENT)
    answer: Answer = person.types("/cadence playbook new")
    assert answer.failure is None
    person.clicks(person.form(), action_id="playbook.part", value=":basics")
    refused = person.submits({**BASICS, "owner": LEAD})
    assert refused.errors.keys() == {"owner"}
    assert_golden(refused.errors["owner"], "refused-another-owner")


def test_the_worth_of_a_value_event_needs_an_amount_and_a_unit(harness: BotHarness) -> None:
    person = opens(harness)
    wrong = fills(person, "pillars", {"worth": "6"})
    assert wrong.errors.keys() == {"worth_unit"}
    wrong = person.submits({"worth": "-6", "worth_unit": "minutes"})
    assert wrong.errors.keys() == {"worth"}
    assert person.submits({"worth": "6"}).errors == {}
    person.clicks(person.form(), action_id="playbook.part", value=":pillars")
    assert person.submits({"worth": ""}).errors == {}
