"""How many teams are in their first cycle at once: a limit that a curator can override (SPEC §6)."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.ops.commands import BUILT_IN_TEAM
from bot.rehearsal.harness import BotHarness
from cadence.actor import Actor
from cadence.flows.people.workspace_files import export_workspace
from storage.tables import Cycle, Override, OverrideKind, Workspace
from storage.work import UnitOfWork
from tests.harnesses import bot_harness
from tests.scenarios.pilots.drafts import AGENT, CURATOR, LEAD, bring_in
from tests.scenarios.plays import (
    CURATORS,
    DESK,
    DESK_CHANNEL,
    REPLY,
    SOLO_CHANNEL,
    TRIAGE,
    at,
    changed,
    entries,
    posts,
    rows,
    start_cycle,
)

ONE = ("  country: DE\n", "  country: DE\n  first_cycles: 1\n")
REASON = "The refund season starts next week."


@pytest.fixture
def full(tmp_path: Path) -> Iterator[BotHarness]:
    """A workspace with a limit of one, and the desk in its first cycle; triage is ready to start."""
    small = changed(DESK, tmp_path, ONE)
    with bot_harness(tmp_path, workspace=small, playbooks=[REPLY, TRIAGE]) as harness:
        start_cycle(harness)
        yield harness


def test_over_the_limit_the_bot_names_those_running(full: BotHarness) -> None:
    lead = full.workspace.person(LEAD)
    refused = lead.types("/cadence cycle start triage 2026-03-02 team=solo")
    assert "A team is already in a first cycle: Reply in Desk. The limit is 1." in refused.words
    assert refused.words.endswith("Ask them")
    lead.types("/cadence cycle start")
    errors = lead.submits({"playbook": "triage", "team": "solo", "date": "2026-03-02"}).errors
    assert "A curator can start it anyway" in errors["playbook"]
    assert len(rows(full, Cycle)) == 1


def test_a_curator_overrides_it_with_a_reason_that_is_announced(full: BotHarness) -> None:
    curator = full.workspace.person(CURATOR)
    refused = curator.types("/cadence cycle start triage 2026-03-02 team=solo")
    assert refused.message is not None
    curator.clicks(refused.message, "Start anyway")
    assert "Reply in Desk" in curator.form().words
    assert "in a sentence" in curator.submits({"reason": "soon"}).errors["reason"]
    curator.submits({"reason": REASON})
    digest = curator.types("/cadence digest").words
    assert "started another first cycle, of Triage, over the limit" in digest
    full.clock.set(at("2026-03-02 09:00"))
    full.tick()
    (row,) = rows(full, Override)
    assert (row.kind, row.member, row.reason) == (OverrideKind.FIRST_CYCLES, CURATOR, REASON)
    assert row.passed_over == {"team": "Solo", "running": ["Reply in Desk"], "limit": 1}
    for channel in (SOLO_CHANNEL, CURATORS):
        assert [one for one in posts(full, channel) if "over the limit" in one.text and REASON in one.words]
    assert not [one for one in posts(full, DESK_CHANNEL) if "over the limit" in one.text]
    assert len(entries(full, "first-cycles-overridden")) == 1


def test_the_form_asks_a_curator_for_the_reason_next(full: BotHarness) -> None:
    curator = full.workspace.person(CURATOR)
    curator.types("/cadence cycle start")
    asked = curator.submits({"playbook": "triage", "team": "solo", "date": "2026-03-02"})
    assert asked.view is not None
    assert "The limit is 1" in asked.view.words
    done = curator.submits({"reason": REASON})
    assert done.view is not None
    assert "Triage starts Mon 2 Mar" in done.view.words


def test_one_reason_covers_both_limits_if_the_form_showed_both(full: BotHarness) -> None:
    curator = full.workspace.person(CURATOR)
    curator.types("/cadence cycle start triage 2026-03-02 team=desk")
    refused = curator.types("/cadence cycle start triage 2026-03-02 team=desk")
    assert refused.message is not None
    curator.clicks(refused.message, "Start anyway")
    assert "running cycles itself" not in curator.form().words
    curator.submits({"reason": REASON})
    bring_in(full, slug="refund", title="Refund")
    curator.types("/cadence pilot refund approve")
    again = curator.types("/cadence cycle start refund 2026-03-02 team=desk")
    assert again.message is not None
    curator.clicks(again.message, "Start anyway")
    assert "Desk already has 2 running cycles itself" in curator.form().words
    curator.submits({"reason": REASON})
    kinds = sorted(row.kind for row in rows(full, Override))
    assert kinds == [OverrideKind.CAPACITY, OverrideKind.FIRST_CYCLES, OverrideKind.FIRST_CYCLES]


def test_only_curators_override(full: BotHarness) -> None:
    for member in (LEAD, AGENT):
        person = full.workspace.person(member)
        refused = person.types("/cadence cycle start triage 2026-03-02 team=solo")
        assert "Start anyway" not in refused.words


def test_a_cycle_that_closes_before_doesnt_count_and_neither_does_a_second_one(full: BotHarness) -> None:
    lead = full.workspace.person(LEAD)
    full.play_until(at("2026-03-24 12:00"))
    answer = lead.types("/cadence cycle start triage 2026-03-30 team=solo")
    assert "Triage starts Mon 30 Mar" in answer.words
    full.play_until(at("2026-03-31 12:00"))
    numbers = [(one.adoption_id, one.number) for one in rows(full, Cycle)]
    assert numbers == [(1, 1), (2, 1), (1, 2)], "Reply goes on with its second cycle"


def test_the_limit_is_a_setting(full: BotHarness) -> None:
    curator = full.workspace.person(CURATOR)
    curator.types("/cadence settings")
    assert "from 1 to 100" in curator.submits({"first_cycles": "0"}).errors["first_cycles"]
    curator.submits({"first_cycles": "2"})
    assert rows_of_workspace(full).first_cycles == 2
    assert (
        "Triage starts"
        in full.workspace.person(LEAD).types("/cadence cycle start triage 2026-03-02 team=solo").words
    )
    assert entries(full, "settings")[-1].after["first_cycles"] == 2
    exported = export_workspace(UnitOfWork(full.bot.db, Actor(BUILT_IN_TEAM, "command line", "cli")))
    assert "first_cycles: 2" in exported


def rows_of_workspace(harness: BotHarness) -> Workspace:
    (workspace,) = rows(harness, Workspace)
    return workspace


def test_curators_see_how_many_teams_are_changing(full: BotHarness) -> None:
    bring_in(full)
    bring_in(full, slug="refund", title="Refund")
    said = full.workspace.person(CURATOR).types("/cadence pilot").words
    assert "1 of 1 first cycle running." in said
    assert "The limit is reached" in said
    assert "1. Refund" in said
    assert "80 of 125: comes all day, hurts a lot, inputs well structured" in said
