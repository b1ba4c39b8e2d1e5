"""Publishing: missing items, an immutable version, an override that stays visible, later drafts (SPEC §2)."""

from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import pytest
from sqlmodel import select

from bot.ops.commands import BUILT_IN_TEAM
from bot.rehearsal.harness import BotHarness
from bot.sandbox.answers import Answer, SubmitResult
from bot.sandbox.person import Person
from cadence.rules.modes import Mode
from storage.tables import (
    Adoption,
    AdoptionStep,
    Cycle,
    CycleState,
    Override,
    Playbook,
    PlaybookState,
    PlaybookVersion,
    RubricResult,
    Setup,
)
from templates.contexts.answers import Done
from templates.contexts.cycles import Submitted
from templates.contexts.overview.registry import Registry
from templates.contexts.overview.statuses import Status
from templates.contexts.playbooks import (
    PlaybookDiff,
    PlaybookImported,
    PlaybookPublished,
    PlaybookShown,
    PublishBlocked,
)
from templates.contexts.waves import WavesShown
from templates.ids import Action
from tests.contexts import actions, assert_golden, shown
from tests.harnesses import bot_harness
from tests.scenarios.plays import (
    CURATORS,
    DESK,
    DESK_CHANNEL,
    REPLY,
    SOLO_CHANNEL,
    at,
    changed,
    entries,
    posts,
    rows,
    start_cycle,
)

LEAD, AGENT, CURATOR = "U01LEAD", "U01AGENT1", "U01CURATOR"
PACKAGE = """
examples: [a late parcel]
checklist: [connect the queue]
pillars:
  value_event: a reply sent that the customer did not reopen within seven days
  input_contract: ticket text, refreshed hourly; the queue pauses when it is missing
  output_trust: sources are linked on each draft, and low confidence goes to a person
  operational_owner: the support lead owns the rules, the exception queue, training and adoption
  replication_template: this playbook, its checklist and its graded examples
"""
SETUP = timedelta(minutes=41)


def complete(folder: Path) -> Path:
    """The small playbook with a complete package."""
    file = folder / "reply-complete.yaml"
    file.write_text(REPLY.read_text(encoding="utf-8") + PACKAGE, encoding="utf-8")
    return file


@pytest.fixture
def ready(tmp_path: Path) -> Iterator[BotHarness]:
    """The Friday before, with a complete package that nobody has run."""
    with bot_harness(tmp_path, workspace=DESK, playbooks=[complete(tmp_path)]) as harness:
        yield harness


def types(harness: BotHarness, member: str, text: str, channel: str = DESK_CHANNEL) -> Answer:
    answer = harness.workspace.person(member).types(text, channel=channel)
    harness.tick()
    return answer


def prove(
    harness: BotHarness, *, cycles: int = 2, value: float = 14.0, samples: tuple[int, int] = (20, 19)
) -> None:
    """Record what publishing needs: closed cycles, a rubric result, a setup."""
    start_cycle(harness)
    start_cycle(harness, team="solo")
    first, second = rows(harness, Adoption)
    now = harness.clock.now()
    with harness.bot.db.write() as session:
        running = session.exec(select(Cycle).where(Cycle.adoption_id == first.id)).one()
        running.number = cycles + 1
        session.flush()
        for number in range(cycles):
            session.add(
                Cycle(
                    workspace_id=BUILT_IN_TEAM,
                    adoption_id=first.id or 0,
                    version_id=first.version_id,
                    number=number + 1,
                    starts_on=(now + timedelta(weeks=-4 * (cycles - number))).date(),
                    closes_on=(now + timedelta(weeks=-4 * (cycles - number), days=25)).date(),
                    state=CycleState.CLOSED,
                    started_by=LEAD,
                    started_at=now,
                    closed_at=now,
                    result="met" if value <= 15 else "not met",
                    kpi_value=value,
                )
            )
        session.add(
            RubricResult(
                workspace_id=BUILT_IN_TEAM,
                adoption_id=first.id or 0,
                cycle_id=1,
                step="draft",
                revision=1,
                samples=samples[0],
                passes=samples[1],
                member=LEAD,
                surface="command",
                source="graded",
                graded_at=now,
            )
        )
        session.add(
            Setup(
                workspace_id=BUILT_IN_TEAM,
                adoption_id=second.id or 0,
                version_id=second.version_id,
                started_by=LEAD,
                started_at=now - SETUP,
                done_by=LEAD,
                done_at=now,
            )
        )


def typed_in(person: Person) -> str:
    """The YAML in the form."""
    [block] = [one for one in person.form().blocks if one.get("block_id") == "yaml"]
    return str(block["element"]["initial_value"])


def revise(harness: BotHarness, *replacements: tuple[str, str], member: str = LEAD) -> SubmitResult:
    """Revise the playbook by its form, with some words replaced; returns the form's answer."""
    person = harness.workspace.person(member)
    person.types("/cadence playbook revise reply", channel=DESK_CHANNEL)
    yaml = typed_in(person)
    for old, new in replacements:
        assert old in yaml, yaml
        yaml = yaml.replace(old, new)
    result = person.submits({"yaml": yaml})
    assert not result.errors
    saved = shown(result, PlaybookImported)
    assert not saved.new
    assert saved.changes
    return result


def test_what_is_missing_is_listed_with_a_button_for_each(tmp_path: Path) -> None:
    with bot_harness(tmp_path, workspace=DESK, playbooks=[REPLY]) as harness:
        start_cycle(harness)
        said = types(harness, LEAD, "/cadence playbook publish reply")
        blocked = shown(said, PublishBlocked)
        assert (blocked.number, len(blocked.gaps)) == (1, 4)
        assert_golden(said, "everything-missing")
        assert actions(said) == [Action.EDIT_PLAYBOOK, Action.RUBRIC_RECORD, Action.ADOPT]
        curator = types(harness, CURATOR, "/cadence playbook publish reply")
        assert actions(curator)[-1] == Action.PUBLISH_ANYWAY
        assert not [row for row in rows(harness, PlaybookVersion) if row.number]


RAIL = (
    "window_days: 28}",
    "window_days: 28, guardrails: [{name: CSAT, unit: score, direction: higher, limit: 4.6}]}",
)


def test_a_guardrail_past_its_limit_is_named_for_what_it_kept_back(tmp_path: Path) -> None:
    with bot_harness(tmp_path, workspace=DESK, playbooks=[changed(REPLY, tmp_path, RAIL)]) as harness:
        assert Action.START_CYCLE in actions(types(harness, LEAD, "/cadence playbook publish reply"))
        start_cycle(harness)
        for day in ("2026-03-05", "2026-03-12", "2026-03-19"):
            harness.play_until(at(f"{day} 12:00"))
            types(harness, LEAD, "/kpi 14m CSAT=4.5")
        harness.play_until(at("2026-03-27 17:00"))
        said = types(harness, LEAD, "/cadence playbook publish reply")
        assert_golden(said, "guardrail-past-its-limit")
        assert Action.START_CYCLE not in actions(said)


def test_a_submitted_playbook_that_is_ready_comes_with_its_button(ready: BotHarness) -> None:
    prove(ready)
    ready.play_until(at("2026-03-23 09:30"))
    lead = ready.workspace.person(LEAD)
    said = lead.clicks(posts(ready, DESK_CHANNEL)[-1], action_id=Action.SUBMIT)
    assert_golden(said, "submitted")
    ready.tick()
    told = posts(ready, CURATORS)[-1]
    assert (shown(told, Submitted).playbook, shown(told, Submitted).gaps) == ("Reply", ())
    assert_golden(told.text, "ready-to-publish-in-short")
    assert Action.PUBLISH in actions(told)


def test_a_member_learns_who_may_publish(ready: BotHarness) -> None:
    refused = types(ready, AGENT, "/cadence playbook publish reply")
    assert_golden(refused, "refused-to-a-member")
    assert [row.number for row in rows(ready, PlaybookVersion)] == [None]


def test_a_ready_playbook_is_published_once_and_announced(ready: BotHarness) -> None:
    prove(ready)
    refused = types(ready, LEAD, "/cadence playbook publish reply")
    assert_golden(refused, "refused-to-the-owner")  # nothing is missing, so the owner asks a curator
    assert [row.number for row in rows(ready, PlaybookVersion)] == [None]
    said = types(ready, CURATOR, "/cadence playbook publish reply")
    assert_golden(said, "published")
    assert shown(said, Done).offers[0].action == Action.SHOW_PLAYBOOK, "a line and a link, not the post again"
    published = shown(posts(ready, DESK_CHANNEL)[-1], PlaybookPublished)
    delta = published.deltas[0]
    assert (published.slug, published.number, delta.team) == ("reply", 1, "Desk")
    assert (delta.kpi.baseline, delta.kpi.value, delta.kpi.target) == (42, 14, 15)
    for channel in (DESK_CHANNEL, SOLO_CHANNEL, CURATORS):
        announced = posts(ready, channel)[-1]
        assert shown(announced, PlaybookPublished).number == 1
        assert_golden(announced.text, "published-in-short")
    [version] = rows(ready, PlaybookVersion)
    assert (version.number, version.published_at) == (1, ready.clock.now())
    assert rows(ready, Playbook)[0].state is PlaybookState.SCALING  # two teams run it
    assert_golden(types(ready, CURATOR, "/cadence playbook publish reply"), "refused-twice")
    assert len(entries(ready, "playbook-published")) == 1
    phases = shown(types(ready, CURATOR, "/cadence wave reply show"), WavesShown).phases
    places = [one.name for one in phases if one.done]
    assert places[-1] == "Published", "next to what comes next"
    said = types(ready, AGENT, "/cadence playbook show reply")
    page = shown(said, PlaybookShown)
    assert (page.slug, page.state, page.number) == ("reply", "scaling", 1)
    assert (page.published_on, page.published_by) == (date(2026, 2, 27), CURATOR)
    assert_golden(said, "shown-once-published")


@pytest.mark.parametrize(
    ("case", "proof"),
    [
        ("one-cycle", {"cycles": 1}),
        ("target-missed", {"value": 16.0}),
        ("grades-too-low", {"samples": (20, 17)}),
    ],
)
def test_one_thing_missing_is_enough(ready: BotHarness, case: str, proof: dict[str, float]) -> None:
    prove(ready, **proof)  # type: ignore[arg-type]
    said = types(ready, CURATOR, "/cadence playbook publish reply")
    blocked = shown(said, PublishBlocked)
    assert (blocked.number, len(blocked.gaps)) == (1, 1)
    assert_golden(said, f"one-thing-missing:{case}")


def test_an_override_needs_a_reason_is_announced_and_stays_visible(ready: BotHarness) -> None:
    start_cycle(ready)
    curator = ready.workspace.person(CURATOR)
    blocked = curator.types("/cadence playbook publish reply", channel=DESK_CHANNEL)
    assert blocked.message is not None
    curator.clicks(blocked.message, "Publish anyway")
    short = curator.submits({"reason": "because"})
    assert_golden(short.errors["reason"], "refused-reason")
    assert rows(ready, Override) == []
    reason = "The board wants it in <every> region this quarter."
    said = curator.submits({"reason": reason})
    ready.tick()
    assert said.view is not None
    announced = posts(ready, DESK_CHANNEL)[-1]
    published = shown(announced, PlaybookPublished)
    assert published.override is not None
    assert (published.number, published.override.member, published.override.reason) == (1, CURATOR, reason)
    assert len(published.override.passed_over) == 3
    assert_golden(announced, "published-anyway")
    [override] = rows(ready, Override)
    assert (override.member, override.reason, len(override.passed_over["gaps"])) == (CURATOR, reason, 3)
    page = shown(types(ready, AGENT, "/cadence playbook show reply"), PlaybookShown)
    assert [(one.member, one.reason) for one in page.overrides] == [(CURATOR, reason)]
    listed = types(ready, AGENT, "/cadence registry")
    [playbook] = shown(listed, Registry).rows
    assert len(playbook.overrides) == 1
    assert_golden(listed, "registry-with-the-override")
    owner = ready.workspace.person(LEAD)
    owner.types("/cadence playbook publish reply", channel=DESK_CHANNEL)
    assert len(rows(ready, Override)) == 1


def test_a_revision_is_a_draft_and_the_published_version_stays(ready: BotHarness) -> None:
    prove(ready)
    types(ready, CURATOR, "/cadence playbook publish reply")
    said = revise(ready, ("exception_cap: 0.1", "exception_cap: 0.08"), ("target: 15", "target: 12"))
    saved = shown(said, PlaybookImported)
    assert (saved.version, saved.published, len(saved.changes)) == (2, 1, 3)
    assert_golden(said, "revised")
    said_of_diff = types(ready, AGENT, "/cadence playbook diff reply")
    assert len(shown(said_of_diff, PlaybookDiff).changes) == 3
    assert_golden(said_of_diff, "what-the-draft-changes")
    first, second = rows(ready, PlaybookVersion)
    assert (first.number, first.spec["kpi"]["target"]) == (1, 15)
    assert (second.number, second.spec["kpi"]["target"]) == (None, 12)
    page = shown(types(ready, AGENT, "/cadence playbook show reply"), PlaybookShown)
    assert (page.number, page.draft) == (1, 2)
    assert (page.kpi.baseline, page.kpi.target, page.kpi.direction) == (42, 15, "lower")
    # cycles that met the looser target don't meet a tighter one
    blocked = types(ready, CURATOR, "/cadence playbook publish reply")
    assert len(shown(blocked, PublishBlocked).gaps) == 1
    assert_golden(blocked, "target-became-tighter")


def test_two_who_revise_at_once_dont_undo_each_other(ready: BotHarness) -> None:
    lead, curator = ready.workspace.person(LEAD), ready.workspace.person(CURATOR)
    for person in (lead, curator):
        person.types("/cadence playbook revise reply", channel=DESK_CHANNEL)
    yaml = typed_in(lead)
    assert not lead.submits({"yaml": yaml.replace("target: 15", "target: 12")}).errors
    late = curator.submits({"yaml": yaml.replace("baseline: 42", "baseline: 40")})
    assert_golden(late, "refused-to-the-second")
    assert len(rows(ready, PlaybookVersion)) == 2


def test_a_team_stays_on_its_version_at_the_next_cycle(ready: BotHarness, tmp_path: Path) -> None:
    start_cycle(ready)
    ready.play_until(at("2026-03-10 12:00"))
    curator = ready.workspace.person(CURATOR)
    blocked = curator.types("/cadence playbook publish reply", channel=DESK_CHANNEL)
    assert blocked.message is not None
    curator.clicks(blocked.message, "Publish anyway")
    curator.submits({"reason": "Two more teams start with it on Monday."})
    revise(ready, ("target: 15", "target: 12"))
    ready.play_until(at("2026-03-30 12:00"))
    first, second = rows(ready, Cycle)
    assert first.version_id == second.version_id == rows(ready, PlaybookVersion)[0].id
    assert [row.kpi.target for row in shown(types(ready, LEAD, "/cadence status"), Status).rows] == [15]
    assert {row.mode for row in rows(ready, AdoptionStep)} == {Mode.COLLABORATIVE, Mode.AI_LED}


def test_an_imported_change_is_a_draft_too(ready: BotHarness, tmp_path: Path) -> None:
    prove(ready)
    types(ready, CURATOR, "/cadence playbook publish reply")
    lead = ready.workspace.person(LEAD)
    lead.types("/cadence playbook import")
    yaml = changed(complete(tmp_path), tmp_path, ("target: 15", "target: 13")).read_text(encoding="utf-8")
    result = lead.submits({"yaml": yaml})
    saved = shown(result, PlaybookImported)
    assert (saved.version, saved.published, len(saved.changes)) == (2, 1, 1)
    assert_golden(result, "imported-change")
