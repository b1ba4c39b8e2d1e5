"""How many teams are in their first cycle at once: a limit that a curator can override (SPEC §6)."""

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from bot.ops.commands import BUILT_IN_TEAM
from bot.rehearsal.harness import BotHarness
from cadence.actor import Actor
from cadence.documents import read_workspace
from cadence.flows.people.workspace_files import export_workspace
from storage.tables import Cycle, Override, OverrideKind, Workspace
from storage.work import UnitOfWork
from templates.contexts.answers import Refused
from templates.contexts.cycles import CycleStarted
from templates.contexts.overview.digests import Digest
from templates.contexts.pilots import FirstCyclesForm, FirstCyclesOverridden, PilotDrafts
from templates.ids import Action
from tests.contexts import actions, assert_golden, contexts, is_shown, shown
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
    assert_golden(refused, "refused-over-the-limit")
    assert actions(refused) == [Action.ASK_THEM]
    lead.types("/cadence cycle start")
    errors = lead.submits({"playbook": "triage", "team": "solo", "date": "2026-03-02"}).errors
    assert_golden(errors["playbook"], "form-refused-over-the-limit")
    assert len(rows(full, Cycle)) == 1


def test_a_curator_overrides_it_with_a_reason_that_is_announced(full: BotHarness) -> None:
    curator = full.workspace.person(CURATOR)
    refused = curator.types("/cadence cycle start triage 2026-03-02 team=solo")
    assert refused.message is not None
    curator.clicks(refused.message, "Start anyway")
    assert shown(curator.form(), FirstCyclesForm).running == ("Reply in Desk",)
    assert_golden(curator.submits({"reason": "soon"}).errors["reason"], "reason-too-short")
    curator.submits({"reason": REASON})
    [note] = shown(curator.types("/cadence digest"), Digest).notes
    assert_golden(note, "digest-note")
    full.clock.set(at("2026-03-02 09:00"))
    full.tick()
    (row,) = rows(full, Override)
    assert (row.kind, row.member, row.reason) == (OverrideKind.FIRST_CYCLES, CURATOR, REASON)
    assert row.passed_over == {"team": "Solo", "running": ["Reply in Desk"], "limit": 1}
    for channel in (SOLO_CHANNEL, CURATORS):
        [announced] = contexts(posts(full, channel), FirstCyclesOverridden)
        assert (announced.playbook, announced.team, announced.most) == ("Triage", "Solo", 1)
        assert (announced.curator, announced.reason) == (CURATOR, REASON)
    assert not contexts(posts(full, DESK_CHANNEL), FirstCyclesOverridden)
    assert len(entries(full, "first-cycles-overridden")) == 1


def test_the_form_asks_a_curator_for_the_reason_next(full: BotHarness) -> None:
    curator = full.workspace.person(CURATOR)
    curator.types("/cadence cycle start")
    asked = curator.submits({"playbook": "triage", "team": "solo", "date": "2026-03-02"})
    assert shown(asked, FirstCyclesForm).most == 1
    started = shown(curator.submits({"reason": REASON}), CycleStarted)
    assert (started.slug, started.starts) == ("triage", date(2026, 3, 2))


def test_one_reason_covers_both_limits_if_the_form_showed_both(full: BotHarness) -> None:
    curator = full.workspace.person(CURATOR)
    curator.types("/cadence cycle start triage 2026-03-02 team=desk")
    refused = curator.types("/cadence cycle start triage 2026-03-02 team=desk")
    assert refused.message is not None
    curator.clicks(refused.message, "Start anyway")
    assert shown(curator.form(), FirstCyclesForm).of_team == ()
    curator.submits({"reason": REASON})
    bring_in(full, slug="refund", title="Refund")
    curator.types("/cadence pilot refund approve")
    again = curator.types("/cadence cycle start refund 2026-03-02 team=desk")
    assert again.message is not None
    curator.clicks(again.message, "Start anyway")
    form = shown(curator.form(), FirstCyclesForm)
    assert (form.team, form.of_team) == ("Desk", ("Reply", "Triage"))
    curator.submits({"reason": REASON})
    kinds = sorted(row.kind for row in rows(full, Override))
    assert kinds == [OverrideKind.CAPACITY, OverrideKind.FIRST_CYCLES, OverrideKind.FIRST_CYCLES]


def test_only_curators_override(full: BotHarness) -> None:
    for member in (LEAD, AGENT):
        person = full.workspace.person(member)
        refused = person.types("/cadence cycle start triage 2026-03-02 team=solo")
        assert is_shown(refused, Refused)
        assert not {Action.START_FIRST, Action.START_ANYWAY} & set(actions(refused))


def test_a_cycle_that_closes_before_doesnt_count_and_neither_does_a_second_one(full: BotHarness) -> None:
    lead = full.workspace.person(LEAD)
    full.play_until(at("2026-03-24 12:00"))
    started = shown(lead.types("/cadence cycle start triage 2026-03-30 team=solo"), CycleStarted)
    assert (started.slug, started.starts) == ("triage", date(2026, 3, 30))
    full.play_until(at("2026-03-31 12:00"))
    numbers = [(one.adoption_id, one.number) for one in rows(full, Cycle)]
    assert numbers == [(1, 1), (2, 1), (1, 2)], "Reply goes on with its second cycle"


def test_the_limit_is_a_setting(full: BotHarness) -> None:
    curator = full.workspace.person(CURATOR)
    curator.types("/cadence settings")
    assert_golden(curator.submits({"first_cycles": "0"}).errors["first_cycles"], "limit-out-of-range")
    curator.submits({"first_cycles": "2"})
    assert rows_of_workspace(full).first_cycles == 2
    started = full.workspace.person(LEAD).types("/cadence cycle start triage 2026-03-02 team=solo")
    assert shown(started, CycleStarted).slug == "triage"
    assert entries(full, "settings")[-1].after["first_cycles"] == 2
    exported = export_workspace(UnitOfWork(full.bot.db, Actor(BUILT_IN_TEAM, "command line", "cli")))
    assert read_workspace(exported).first_cycles == 2


def rows_of_workspace(harness: BotHarness) -> Workspace:
    (workspace,) = rows(harness, Workspace)
    return workspace


def test_curators_see_how_many_teams_are_changing(full: BotHarness) -> None:
    bring_in(full)
    bring_in(full, slug="refund", title="Refund")
    drafts = shown(full.workspace.person(CURATOR).types("/cadence pilot"), PilotDrafts)
    assert (drafts.running, drafts.most) == (1, 1)
    assert (drafts.rows[0].title, drafts.rows[0].points) == ("Refund", 80)
    assert_golden(drafts.rows[0].reason, "case-in-words")
