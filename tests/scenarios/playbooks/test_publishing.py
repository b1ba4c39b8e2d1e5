"""Publishing: missing items, an immutable version, an override that stays visible, later drafts (SPEC §2)."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from bot.ops.commands import BUILT_IN_TEAM
from bot.rehearsal.harness import BotHarness
from bot.sandbox.answers import Answer
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
        for number in range(cycles):
            session.add(
                Cycle(
                    workspace_id=BUILT_IN_TEAM,
                    adoption_id=first.id or 0,
                    version_id=first.version_id,
                    number=number - cycles,  # before the one that runs
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


def revise(harness: BotHarness, *replacements: tuple[str, str], member: str = LEAD) -> str:
    """Revise the playbook by its form, with some words replaced; returns the form's answer."""
    person = harness.workspace.person(member)
    person.types("/cadence playbook revise reply", channel=DESK_CHANNEL)
    yaml = typed_in(person)
    for old, new in replacements:
        assert old in yaml, yaml
        yaml = yaml.replace(old, new)
    result = person.submits({"yaml": yaml})
    assert not result.errors
    assert result.view is not None
    assert "✓ Saved: " in result.view.words, result.view.words
    return result.view.words


def test_what_is_missing_is_listed_with_a_button_for_each(tmp_path: Path) -> None:
    with bot_harness(tmp_path, workspace=DESK, playbooks=[REPLY]) as harness:
        start_cycle(harness)
        said = types(harness, LEAD, "/cadence playbook publish reply")
        assert "4 items before v1 can be published" in said.words
        assert "at its target of 15 min in 2 closed cycles in a row: none yet" in said.words
        assert (
            "Complete the playbook's package for other teams. Missing: examples, checklist, pillars"
            in said.words
        )
        assert "Graded results with at least 90% passed" in said.words
        assert "A second team set up within 60 min: none yet" in said.words
        assert said.message is not None
        offered = said.message.buttons
        assert "Next to count: cycle 1 of Desk, closing Fri 27 Mar" in said.words
        assert offered == [
            "Edit the playbook",
            "Record a rubric result",
            "Bring it to another team",
        ]
        curator = types(harness, CURATOR, "/cadence playbook publish reply")
        assert curator.message is not None
        assert curator.message.buttons[-1] == "Publish anyway"
        assert not [row for row in rows(harness, PlaybookVersion) if row.number]


RAIL = (
    "window_days: 28}",
    "window_days: 28, guardrails: [{name: CSAT, unit: score, direction: higher, limit: 4.6}]}",
)


def test_a_guardrail_past_its_limit_is_named_for_what_it_kept_back(tmp_path: Path) -> None:
    with bot_harness(tmp_path, workspace=DESK, playbooks=[changed(REPLY, tmp_path, RAIL)]) as harness:
        assert "Start another cycle" in publish_buttons(harness)
        start_cycle(harness)
        for day in ("2026-03-05", "2026-03-12", "2026-03-19"):
            harness.play_until(at(f"{day} 12:00"))
            types(harness, LEAD, "/kpi 14m CSAT=4.5")
        harness.play_until(at("2026-03-27 17:00"))
        said = types(harness, LEAD, "/cadence playbook publish reply").words
        assert (
            "closed cycles in a row: none yet. In Desk, CSAT was past its limit in cycle 1 (4.5, limit 4.6)."
            in said
        )
        assert "Next to count: cycle 2 of Desk, closing Fri 24 Apr" in said
        assert "Start another cycle" not in publish_buttons(harness)


def publish_buttons(harness: BotHarness) -> list[str]:
    message = types(harness, LEAD, "/cadence playbook publish reply").message
    assert message is not None
    return message.buttons


def test_a_submitted_playbook_that_is_ready_comes_with_its_button(ready: BotHarness) -> None:
    prove(ready)
    ready.play_until(at("2026-03-23 09:30"))
    lead = ready.workspace.person(LEAD)
    said = lead.clicks(posts(ready, DESK_CHANNEL)[-1], "Submit to the registry").words
    assert "We've told the curators. It's ready to publish." in said
    ready.tick()
    told = posts(ready, CURATORS)[-1]
    assert told.text == "⏳ Ready to publish: Reply"
    assert "Publish" in told.buttons


def test_a_member_learns_who_may_publish(ready: BotHarness) -> None:
    said = types(ready, AGENT, "/cadence playbook publish reply").words
    assert f"Only a curator can publish Reply: <@{CURATOR}>." in said


def test_a_ready_playbook_is_published_once_and_announced(ready: BotHarness) -> None:
    prove(ready)
    refused = types(ready, LEAD, "/cadence playbook publish reply").words
    assert "Only a curator can publish Reply" in refused  # nothing is missing, so the owner asks a curator
    said = types(ready, CURATOR, "/cadence playbook publish reply").words
    assert "Reply v1 is published" in said
    assert "Desk: First response time 42 min → 14 min (target 15 min)" in said
    for channel in (DESK_CHANNEL, SOLO_CHANNEL, CURATORS):
        assert posts(ready, channel)[-1].text == "🎉 Reply v1 is published"
    [version] = rows(ready, PlaybookVersion)
    assert (version.number, version.published_at) == (1, ready.clock.now())
    assert rows(ready, Playbook)[0].state is PlaybookState.SCALING  # two teams run it
    again = types(ready, CURATOR, "/cadence playbook publish reply").words
    assert "Reply v1 is already published, and there's no newer draft." in again
    assert len(entries(ready, "playbook-published")) == 1
    assert "Reply: scaling, v1" in types(ready, AGENT, "/cadence playbook show reply").words
    assert (
        "*Published*\nFri 27 Feb by <@U01CURATOR>"
        in types(ready, AGENT, "/cadence playbook show reply").words
    )


@pytest.mark.parametrize(
    ("proof", "told"),
    [
        ({"cycles": 1}, "in 2 closed cycles in a row: 1 so far, in Desk"),
        ({"value": 16.0}, "in 2 closed cycles in a row: none yet"),
        (
            {"samples": (20, 17)},
            "Graded results with at least 90% passed (so far “Draft the reply” 17 of 20)",
        ),
    ],
)
def test_one_thing_missing_is_enough(ready: BotHarness, proof: dict[str, float], told: str) -> None:
    prove(ready, **proof)  # type: ignore[arg-type]
    said = types(ready, CURATOR, "/cadence playbook publish reply").words
    assert "1 item before v1 can be published" in said
    assert told in said


def test_an_override_needs_a_reason_is_announced_and_stays_visible(ready: BotHarness) -> None:
    start_cycle(ready)
    curator = ready.workspace.person(CURATOR)
    blocked = curator.types("/cadence playbook publish reply", channel=DESK_CHANNEL)
    assert blocked.message is not None
    curator.clicks(blocked.message, "Publish anyway")
    short = curator.submits({"reason": "because"})
    assert "Say in a sentence why it can't wait" in short.errors["reason"]
    reason = "The board wants it in <every> region this quarter."
    shown = curator.submits({"reason": reason})
    ready.tick()
    assert shown.view is not None
    announced = posts(ready, DESK_CHANNEL)[-1]
    assert announced.text == "🎉 Reply v1 is published"
    assert "The board wants it in &lt;every&gt; region this quarter." in announced.words
    assert "Missing then: A second team set up within 60 min: none yet" in announced.words
    [override] = rows(ready, Override)
    assert (override.member, override.reason, len(override.passed_over["gaps"])) == (CURATOR, reason, 3)
    for command in ("/cadence playbook show reply", "/cadence registry"):
        assert "The board wants it in &lt;every&gt; region" in types(ready, AGENT, command).words
    owner = ready.workspace.person(LEAD)
    owner.types("/cadence playbook publish reply", channel=DESK_CHANNEL)
    assert len(rows(ready, Override)) == 1


def test_a_revision_is_a_draft_and_the_published_version_stays(ready: BotHarness) -> None:
    prove(ready)
    types(ready, CURATOR, "/cadence playbook publish reply")
    said = revise(ready, ("exception_cap: 0.1", "exception_cap: 0.08"), ("target: 15", "target: 12"))
    assert "This is a draft. v1 doesn't change" in said
    assert "Cap of “Draft the reply”: 10% → 8%" in said
    diff = types(ready, AGENT, "/cadence playbook diff reply").words
    assert "Reply, v1 → draft 2: 3 changes" in diff
    assert "KPI target: 15 min → 12 min" in diff
    assert "Cap of “Send the reply”: 10% → 8%" in diff
    first, second = rows(ready, PlaybookVersion)
    assert (first.number, first.spec["kpi"]["target"]) == (1, 15)
    assert (second.number, second.spec["kpi"]["target"]) == (None, 12)
    shown = types(ready, AGENT, "/cadence playbook show reply").words
    assert "*In progress*\ndraft 2" in shown
    assert "42 min → target 15 min (lower is better)" in shown
    # cycles that met the looser target don't meet a tighter one
    blocked = types(ready, CURATOR, "/cadence playbook publish reply").words
    assert "at its target of 12 min in 2 closed cycles in a row: none yet" in blocked


def test_two_who_revise_at_once_dont_undo_each_other(ready: BotHarness) -> None:
    lead, curator = ready.workspace.person(LEAD), ready.workspace.person(CURATOR)
    for person in (lead, curator):
        person.types("/cadence playbook revise reply", channel=DESK_CHANNEL)
    yaml = typed_in(lead)
    assert not lead.submits({"yaml": yaml.replace("target: 15", "target: 12")}).errors
    late = curator.submits({"yaml": yaml.replace("baseline: 42", "baseline: 40")})
    assert late.view is not None
    assert f"<@{LEAD}> saved draft 2 in the meantime" in late.view.words
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
    assert "target 15 min" in types(ready, LEAD, "/cadence status").words
    assert {row.mode for row in rows(ready, AdoptionStep)} == {Mode.COLLABORATIVE, Mode.AI_LED}


def test_an_imported_change_is_a_draft_too(ready: BotHarness, tmp_path: Path) -> None:
    prove(ready)
    types(ready, CURATOR, "/cadence playbook publish reply")
    lead = ready.workspace.person(LEAD)
    lead.types("/cadence playbook import")
    yaml = changed(complete(tmp_path), tmp_path, ("target: 15", "target: 13")).read_text(encoding="utf-8")
    result = lead.submits({"yaml": yaml})
    assert result.view is not None
    assert "v1 doesn't change" in result.view.words
    assert "KPI target: 15 min → 13 min" in result.view.words
