"""Two people decide at once, on PostgreSQL: the second waits for the first, and then sees what was decided.

On SQLite one transaction writes at a time, so there's nothing to try.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlmodel import select

from bot.rehearsal.harness import BotHarness
from cadence.flows.adoption import AdoptionGiven, AdoptionSettings, adopt, save_adoption
from cadence.flows.cutover import approve_cutover
from cadence.flows.cycles import CycleGiven, start_cycle
from cadence.flows.pilots import PilotRef, approve_pilot, send_back
from cadence.flows.playbooks import retire
from cadence.flows.training import grade_sample, remove_sample
from cadence.flows.waves import (
    AdaptGiven,
    RequestGiven,
    adapt_part,
    cancel_wave,
    confirm_team,
    open_wave,
    request_playbook,
    take_back_request,
)
from storage.tables import (
    Adaptation,
    Adoption,
    AdoptionRequest,
    Cutover,
    CutoverState,
    Cycle,
    CycleState,
    PilotReview,
    Playbook,
    PlaybookState,
    Team,
    TrainingGrade,
    TrainingSample,
    Wave,
    WaveState,
    WaveTeam,
)
from tests.contexts import assert_golden
from tests.harnesses import bot_harness
from tests.scenarios.at_once import Do, at_once, on_postgres, work
from tests.scenarios.pilots.drafts import bring_in
from tests.scenarios.plays import DESK, REPLY, TRIAGE, changed, entries, ledger, rows
from tests.scenarios.waves.floor import (
    AGENT,
    APAC,
    APAC_AGENT,
    CURATOR,
    LEAD,
    NIGHT,
    SALES,
    SOLO,
    confirm,
    floor,
    plan,
    ready_for_waves,
    running,
)

pytestmark = pytest.mark.postgres
REASON = "Two other teams do this work already."


@pytest.fixture
def harness(tmp_path: Path, postgres_socket: str) -> Iterator[BotHarness]:
    """The floor, whose pilot is finished."""
    with on_postgres(postgres_socket), floor(tmp_path) as ready:
        yield ready


@pytest.fixture
def planned(harness: BotHarness) -> BotHarness:
    """A first wave of three teams with champions is planned, and could open."""
    ready_for_waves(harness)
    plan(harness, "apac", "sales", "solo")
    for team, champion in (("apac", APAC), ("sales", SALES), ("solo", SOLO)):
        confirm(harness, team, champion)
    return harness


def finish(harness: BotHarness) -> None:
    """Plant the end of the pilot's cycle."""
    with harness.bot.db.write() as session:
        cycle = session.exec(select(Cycle)).one()
        cycle.state, cycle.result, cycle.kpi_value = CycleState.CLOSED, "met", 13.0
        cycle.closed_at = harness.clock.now()
        session.add(cycle)


def wave_id(harness: BotHarness) -> int:
    (wave,) = rows(harness, Wave)
    return wave.id or 0


def place_of(harness: BotHarness, team: str) -> WaveTeam:
    with harness.bot.db.read() as session:
        return session.exec(select(WaveTeam).join(Team).where(Team.slug == team)).one()


def test_a_wave_that_was_just_canceled_does_not_open(planned: BotHarness) -> None:
    number = wave_id(planned)
    refused = at_once(
        planned, (LEAD, lambda uow: cancel_wave(uow, number)), (CURATOR, lambda uow: open_wave(uow, number))
    )
    assert_golden(refused, "refused-canceled-wave")
    assert [one.state for one in rows(planned, Wave)] == [WaveState.CANCELED]
    assert running(planned) == {"desk"}


def test_a_wave_opens_once(planned: BotHarness) -> None:
    number = wave_id(planned)
    again: Do = lambda uow: open_wave(uow, number)  # noqa: E731
    assert at_once(planned, (CURATOR, again), (CURATOR, again)) == ""
    assert len(entries(planned, "wave-opened")) == 1
    assert len(entries(planned, "adopted")) == 3


def test_a_champion_changes_before_a_wave_opens_or_not_at_all(planned: BotHarness) -> None:
    number, row = wave_id(planned), place_of(planned, "apac").id or 0
    refused = at_once(
        planned,
        (CURATOR, lambda uow: open_wave(uow, number)),
        (LEAD, lambda uow: confirm_team(uow, row_id=row, champion=APAC_AGENT, room=True)),
    )
    assert_golden(refused, "refused-opened-wave")
    assert place_of(planned, "apac").champion == APAC


def test_two_confirm_a_team_and_the_trail_says_what_each_changed(planned: BotHarness) -> None:
    row = place_of(planned, "apac").id or 0
    assert (
        at_once(
            planned,
            (LEAD, lambda uow: confirm_team(uow, row_id=row, champion=APAC_AGENT, room=True)),
            (CURATOR, lambda uow: confirm_team(uow, row_id=row, champion=APAC, room=False)),
        )
        == ""
    )
    before, after = entries(planned, "wave-team-confirmed")[-2:]
    assert (before.before["champion"], before.after["champion"]) == (APAC, APAC_AGENT)
    assert (after.before["champion"], after.after["champion"]) == (APAC_AGENT, APAC)


@pytest.mark.parametrize(
    ("case", "second"),
    [
        ("cycle", lambda uow: start_cycle(uow, CycleGiven("reply", team="night"))),
        (
            "adoption",
            lambda uow: adopt(uow, AdoptionGiven("reply", team="night", champion=NIGHT, reason=REASON)),
        ),
        ("cutover", lambda uow: approve_cutover(uow, "reply", reason=REASON)),
        (
            "part",
            lambda uow: adapt_part(uow, AdaptGiven("queue", "by hand", playbook="reply", team="desk")),
        ),
    ],
    ids=["start a cycle", "adopt", "cutover", "adapt a part"],
)
def test_nothing_begins_with_a_playbook_that_was_just_retired(
    harness: BotHarness, case: str, second: Do
) -> None:
    ready_for_waves(harness, cutover=CutoverState.HELD)
    finish(harness)
    cycles, decided = len(rows(harness, Cycle)), len(rows(harness, Cutover))
    refused = at_once(
        harness, (CURATOR, lambda uow: retire(uow, "reply", "Something better came.")), (CURATOR, second)
    )
    assert_golden(refused, f"refused-retired:{case}")
    assert [one.state for one in rows(harness, Playbook)] == [PlaybookState.RETIRED]
    assert running(harness) == {"desk"}
    assert (len(rows(harness, Cycle)), len(rows(harness, Cutover))) == (cycles, decided)


def test_a_team_adopts_once_and_has_the_champion_named_first(harness: BotHarness) -> None:
    def adopting(champion: str) -> Do:
        given = AdoptionGiven("reply", team="night", champion=champion, reason=REASON)
        return lambda uow: adopt(uow, given)

    ready_for_waves(harness)
    refused = at_once(harness, (CURATOR, adopting(NIGHT)), (CURATOR, adopting(LEAD)))
    assert_golden(refused, "refused-runs-already")
    assert [one.champion for one in rows(harness, Adoption)][1:] == [NIGHT]


def test_two_curators_move_a_playbook_to_production_once(harness: BotHarness) -> None:
    ready_for_waves(harness, cutover=CutoverState.ASKED)
    finish(harness)
    move: Do = lambda uow: approve_cutover(uow, "reply", reason=REASON)  # noqa: E731
    assert at_once(harness, (CURATOR, move), (CURATOR, move)) == ""
    states = [one.state for one in rows(harness, Cutover)]
    assert states == [CutoverState.ASKED, CutoverState.OVERRIDDEN]


def test_two_people_adapt_a_part_and_the_earlier_text_is_kept(harness: BotHarness) -> None:
    def adapting(text: str) -> Do:
        return lambda uow: adapt_part(uow, AdaptGiven("queue", text, playbook="reply", team="desk"))

    at_once(harness, (LEAD, adapting("by hand")), (AGENT, adapting("by topic")))
    found = [(one.text, one.replaced_at is None) for one in rows(harness, Adaptation)]
    assert found == [("by hand", False), ("by topic", True)]


def test_two_of_a_team_ask_for_a_playbook_and_the_owner_hears_of_it_once(harness: BotHarness) -> None:
    def asking(reason: str) -> Do:
        return lambda uow: request_playbook(uow, RequestGiven("reply", reason, team="apac"))

    assert at_once(harness, (APAC, asking("Nights are slow")), (APAC_AGENT, asking("Days too"))) == ""
    assert [one.reason for one in rows(harness, AdoptionRequest)] == ["Nights are slow", "Days too"]
    assert len(ledger(harness, "adoption-requested")) == 1


def test_a_request_is_taken_back_once(harness: BotHarness) -> None:
    request_playbook(work(harness, APAC, 0), RequestGiven("reply", "Nights are slow", team="apac"))
    (row,) = rows(harness, AdoptionRequest)
    again: Do = lambda uow: take_back_request(uow, row.id or 0)  # noqa: E731
    assert at_once(harness, (APAC, again), (APAC, again)) == ""
    assert len(entries(harness, "request-taken-back")) == 1


def test_a_sample_is_removed_once(harness: BotHarness) -> None:
    ready_for_waves(harness)
    sample = rows(harness, TrainingSample)[0].id or 0
    again: Do = lambda uow: remove_sample(uow, sample_id=sample)  # noqa: E731
    assert at_once(harness, (LEAD, again), (CURATOR, again)) == ""
    assert len(entries(harness, "training-sample-removed")) == 1


@pytest.mark.parametrize(
    ("case", "first"),
    [
        ("no-sample", lambda uow: remove_sample(uow, sample_id=1)),
        ("no-champion", lambda uow: save_adoption(uow, AdoptionSettings(1, champion=LEAD))),
    ],
    ids=["the sample is removed", "somebody else becomes the champion"],
)
def test_a_grade_meets_a_change_that_came_first(harness: BotHarness, case: str, first: Do) -> None:
    ready_for_waves(harness)
    with harness.bot.db.write() as session:
        session.exec(select(Adoption)).one().champion = AGENT
    refused = at_once(
        harness,
        (CURATOR, first),
        (AGENT, lambda uow: grade_sample(uow, adoption_id=1, sample_id=1, grade="accept")),
    )
    assert_golden(refused, f"refused-grade:{case}")
    assert rows(harness, TrainingGrade) == []


def test_two_curators_decide_about_a_draft_and_the_first_decision_counts(
    tmp_path: Path, postgres_socket: str
) -> None:
    with on_postgres(postgres_socket), bot_harness(tmp_path, workspace=DESK, playbooks=[]) as harness:
        bring_in(harness)
        (slug,) = (one.slug for one in rows(harness, Playbook))
        harness.workspace.person(LEAD).types(f"/cadence pilot {slug} ask")
        (asked,) = rows(harness, PilotReview)
        ref = PilotRef(slug, asked.id, 1)
        assert (
            at_once(
                harness,
                (CURATOR, lambda uow: send_back(uow, ref, "What does it cost today?")),
                (CURATOR, lambda uow: approve_pilot(uow, ref)),
            )
            == ""
        )
        (row,) = rows(harness, PilotReview)
        assert (row.state, row.remark) == ("sent-back", "What does it cost today?")


@pytest.mark.parametrize("limit", [1, 2], ids=["the last is taken", "there is room for both"])
def test_first_cycles_that_start_at_once_count(tmp_path: Path, postgres_socket: str, limit: int) -> None:
    def starting(playbook: str, team: str) -> Do:
        return lambda uow: start_cycle(uow, CycleGiven(playbook, team=team))

    small = changed(DESK, tmp_path, ("  country: DE\n", f"  country: DE\n  first_cycles: {limit}\n"))
    with (
        on_postgres(postgres_socket),
        bot_harness(tmp_path, workspace=small, playbooks=[REPLY, TRIAGE]) as harness,
    ):
        refused = at_once(harness, (LEAD, starting("reply", "desk")), (CURATOR, starting("triage", "solo")))
        if limit == 1:
            assert_golden(refused, "refused-limit-of-first-cycles")
        else:
            assert refused == ""
        assert len(rows(harness, Cycle)) == limit
