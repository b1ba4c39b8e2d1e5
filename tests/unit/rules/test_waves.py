"""When a wave of teams can open: the boundary of two thirds, and what the controlled wave needs."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cadence.rules.waves import (
    PilotFacts,
    StepAtClose,
    TeamFacts,
    TeamPlanned,
    TeamReady,
    judge_controlled,
    judge_gate,
    judge_team,
    needs_wave,
)

UNDER = StepAtClose("Send", 2, 40, 0.05)
OVER = StepAtClose("Send", 3, 40, 0.05)
HOLDS = TeamFacts("Support US", closed=True, met=True, steps=(UNDER,))
MISSED = replace(HOLDS, met=False)
READY = TeamReady("Support US", differs=True, champion=True, has_room=True, is_full=False)


@pytest.mark.parametrize(
    ("held", "teams", "opens", "needed"),
    [
        (0, 0, False, 1),
        (0, 1, False, 1),
        (1, 1, True, 1),
        (1, 2, False, 2),
        (2, 2, True, 2),
        (1, 3, False, 2),
        (2, 3, True, 2),
        (3, 5, False, 4),
        (4, 5, True, 4),
        (3, 6, False, 4),
        (4, 6, True, 4),
        (13, 20, False, 14),
        (14, 20, True, 14),
    ],
)
def test_two_thirds_of_the_teams_have_to_hold(held: int, teams: int, opens: bool, needed: int) -> None:
    verdict = judge_gate([HOLDS] * held + [MISSED] * (teams - held))
    assert (verdict.opens, verdict.held, verdict.teams, verdict.needed) == (opens, held, teams, needed)
    assert len(verdict.missing) == teams - held


@pytest.mark.parametrize(
    ("facts", "holds"),
    [
        (HOLDS, True),
        (TeamFacts("no cycle closed"), False),
        (replace(HOLDS, closed=False), False),
        (replace(HOLDS, met=None), False),
        (replace(HOLDS, met=False), False),
        (replace(HOLDS, steps=()), True),
        (replace(HOLDS, steps=(UNDER, OVER)), False),
    ],
)
def test_a_team_holds_with_a_closed_cycle_its_target_and_no_step_over_its_cap(
    facts: TeamFacts, holds: bool
) -> None:
    assert facts.holds is holds


@pytest.mark.parametrize(
    ("step", "over"),
    [
        (StepAtClose("at the cap", 2, 40, 0.05), False),
        (StepAtClose("over it", 3, 40, 0.05), True),
        (StepAtClose("no runs, no exceptions", 0, 0, 0.0), False),
        (StepAtClose("no runs reported", 1, 0, 0.5), True),
        (StepAtClose("a cap of zero", 1, 40, 0.0), True),
    ],
)
def test_at_its_cap_a_step_is_not_over_it(step: StepAtClose, over: bool) -> None:
    assert step.is_over is over


@given(st.lists(st.booleans(), max_size=30))
def test_one_more_team_that_holds_never_closes_the_gate(held: list[bool]) -> None:
    before = judge_gate([HOLDS if one else MISSED for one in held])
    after = judge_gate([HOLDS, *(HOLDS if one else MISSED for one in held)])
    assert after.opens or not before.opens
    assert before.opens == (bool(held) and 3 * before.held >= 2 * before.teams)


@pytest.mark.parametrize(
    ("planned", "differs", "has_room", "ready"),
    [
        (TeamPlanned("a", "support", "EMEA", True, True, 0), False, True, True),
        (TeamPlanned("a", "support", "emea", True, True, 1), False, True, True),
        (TeamPlanned("a", "sales", "EMEA", True, True, 1), True, True, True),
        (TeamPlanned("a", "support", "APAC", True, True, 2), True, False, False),
        (TeamPlanned("a", "support", "APAC", True, False, 0), True, False, False),
        (TeamPlanned("a", "support", "APAC", False, True, 0), True, True, False),
    ],
)
def test_a_planned_team_against_its_criteria(
    planned: TeamPlanned, differs: bool, has_room: bool, ready: bool
) -> None:
    found = judge_team(planned, function="support", region="EMEA", most=2)
    assert (found.differs, found.has_room, found.is_ready) == (differs, has_room, ready)
    assert found.is_full is (planned.running >= 2)


SAME = replace(READY, differs=False)
DONE = PilotFacts(assessed=True, cut_over=True, samples=5)


@pytest.mark.parametrize(
    ("pilot", "teams", "opens"),
    [
        (DONE, [READY, SAME], True),
        (DONE, [READY, SAME, SAME], True),
        (DONE, [READY], False),
        (DONE, [READY] * 4, False),
        (DONE, [SAME, SAME], False),
        (DONE, [READY, replace(READY, champion=False)], False),
        (DONE, [READY, replace(READY, has_room=False)], False),
        (replace(DONE, samples=4), [READY, SAME], False),
        (replace(DONE, assessed=False), [READY, SAME], False),
        (replace(DONE, cut_over=False), [READY, SAME], False),
        (DONE, [], False),
    ],
)
def test_the_controlled_wave_needs_everything(pilot: PilotFacts, teams: list[TeamReady], opens: bool) -> None:
    assert judge_controlled(pilot, teams).opens is opens


@pytest.mark.parametrize(
    ("has_waves", "others", "needed"),
    [(False, 0, False), (False, 2, False), (False, 3, True), (True, 0, True)],
)
def test_the_fourth_team_and_every_team_of_a_playbook_with_waves_needs_one(
    has_waves: bool, others: int, needed: bool
) -> None:
    assert needs_wave(has_waves=has_waves, others=others) is needed
