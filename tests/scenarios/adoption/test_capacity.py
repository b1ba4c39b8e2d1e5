"""The limit of two running cycles per team, and a curator's override (SPEC §5)."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.ops.commands import BUILT_IN_TEAM
from bot.rehearsal.harness import BotHarness
from bot.sandbox.answers import Answer
from cadence.actor import Actor
from cadence.flows.adoption.capacity import capacity_form
from cadence.flows.cycles.starting import CycleGiven
from cadence.flows.cycles.starting import start_cycle as start_cycle_flow
from cadence.refusals import NotAllowed
from storage.queries import people
from storage.tables import Cycle, Override, OverrideKind
from storage.work import UnitOfWork
from templates.contexts.adoption import CapacityForm, CapacityOverridden
from templates.ids import Action
from tests.contexts import actions, assert_golden, is_shown, shown
from tests.harnesses import bot_harness
from tests.scenarios.plays import (
    CURATORS,
    DESK,
    DESK_CHANNEL,
    REPLY,
    TRIAGE,
    at,
    changed,
    entries,
    posts,
    rows,
    start_cycle,
)

LEAD, CURATOR = "U01LEAD", "U01CURATOR"


@pytest.fixture
def full(tmp_path: Path) -> Iterator[BotHarness]:
    """The desk runs two playbooks; a third one is ready to start."""
    third = changed(
        REPLY, tmp_path, ("playbook: reply", "playbook: refund"), ("title: Reply", "title: Refund")
    )
    with bot_harness(
        tmp_path, workspace=DESK, playbooks=[REPLY, TRIAGE, third], played=two_cycles
    ) as harness:
        yield harness


def two_cycles(harness: BotHarness) -> None:
    start_cycle(harness)
    start_cycle(harness, "triage")
    harness.play_until(at("2026-03-03 11:00"))


def test_a_third_cycle_needs_a_curator(full: BotHarness) -> None:
    lead = full.workspace.person(LEAD)
    refused = lead.types("/cadence cycle start refund 2026-03-09 team=desk", channel=DESK_CHANNEL)
    assert_golden(refused, "refused-at-the-limit")
    assert actions(refused) == [Action.ASK_THEM]
    lead.types("/cadence cycle start", channel=DESK_CHANNEL)
    errors = lead.submits({"playbook": "refund", "team": "desk", "date": "2026-03-09"}).errors
    assert_golden(errors["team"], "refused-in-the-form")
    assert len(rows(full, Cycle)) == 2


def test_a_curator_starts_it_anyway_and_everybody_is_told_why(full: BotHarness) -> None:
    curator = full.workspace.person(CURATOR)
    refused = curator.types("/cadence cycle start refund 2026-03-09 team=desk", channel=DESK_CHANNEL)
    assert refused.message is not None
    curator.clicks(refused.message, "Start anyway")
    assert_golden(curator.submits({"reason": "  "}).errors["reason"], "refused-without-a-reason")
    assert_golden(curator.submits({"reason": "because"}).errors["reason"], "refused-short-reason")
    curator.submits({"reason": "Triage ends <soon>"})
    full.tick()
    cycle = rows(full, Cycle)[-1]
    assert f"{cycle.starts_on}" == "2026-03-09"
    (row,) = rows(full, Override)
    assert (row.kind, row.member, row.adoption_id) == (OverrideKind.CAPACITY, CURATOR, cycle.adoption_id)
    assert row.passed_over == {"team": "Desk", "running": ["Reply", "Triage"], "limit": 2}
    for channel in (DESK_CHANNEL, CURATORS):
        [post] = [one for one in posts(full, channel) if is_shown(one, CapacityOverridden)]
        assert shown(post, CapacityOverridden).reason == "Triage ends <soon>"
        assert_golden(post, f"everybody-told:{channel}")
    assert len(entries(full, "capacity-overridden")) == 1


def test_a_curator_who_is_there_is_asked(full: BotHarness) -> None:
    uow = UnitOfWork(full.bot.db, Actor.system(BUILT_IN_TEAM), full.clock.now())
    with uow.write():
        people.set_curators(uow, members=["U01AGENT1", "U01AGENT2", CURATOR])
    full.workspace.person("U01AGENT1").types("/cadence away 2026-03-03..2026-03-05")
    lead = full.workspace.person(LEAD)

    def asked() -> Answer:
        refused = lead.types("/cadence cycle start refund 2026-03-09 team=desk", channel=DESK_CHANNEL)
        assert refused.message is not None
        return lead.clicks(refused.message, "Ask them")

    assert_golden(asked(), "asked-the-one-who-is-there")
    with uow.write():
        member = people.member(uow, member_id="U01AGENT2")
        assert member is not None
        member.deleted = True
        uow.session.add(member)
    assert_golden(asked(), "asked-the-last-one")


def test_the_curators_form_goes_on_to_the_reason(full: BotHarness) -> None:
    curator = full.workspace.person(CURATOR)
    curator.types("/cadence cycle start", channel=DESK_CHANNEL)
    curator.submits({"playbook": "refund", "team": "desk", "date": "2026-03-09"})
    form = shown(curator.form(), CapacityForm)
    assert (form.playbook, form.team, form.running, form.most) == ("Refund", "Desk", ("Reply", "Triage"), 2)
    curator.submits({"reason": "The board asked"})
    assert len(rows(full, Override)) == 1
    assert len(rows(full, Cycle)) == 3


def test_adopting_says_in_advance_that_the_team_is_full(full: BotHarness) -> None:
    full.workspace.person(LEAD).types(
        "/cadence cycle start refund 2026-03-09 team=solo", channel=DESK_CHANNEL
    )
    said = full.workspace.person(LEAD).types(f"/cadence adopt refund team=desk champion=<@{LEAD}>")
    assert_golden(said, "adopting-while-full")


def test_a_reason_from_somebody_else_starts_nothing(full: BotHarness) -> None:
    owner = Actor(BUILT_IN_TEAM, LEAD, "form", request="forged")
    given = CycleGiven("refund", team="desk", override="because")
    with pytest.raises(NotAllowed):
        start_cycle_flow(UnitOfWork(full.bot.db, owner, full.clock.now()), given)
    with pytest.raises(NotAllowed):
        capacity_form(UnitOfWork(full.bot.db, owner, full.clock.now()), playbook="refund", team="desk")
    assert rows(full, Override) == []
    assert len(rows(full, Cycle)) == 2
