"""The same thing twice: retries, double clicks, many people at once. Nothing is counted twice, nothing lost."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from threading import Barrier
from typing import TypeVar

import pytest
from sqlmodel import Session, col, select

from bot.commands import BUILT_IN_TEAM, import_into
from bot.stage import Stage
from cadence.flows.callers import Caller
from cadence.flows.checkin_checks import AnswerGiven
from cadence.flows.checkins import answer
from cadence.flows.cycles import CycleGiven, start_cycle
from cadence.flows.exceptions import ExceptionGiven, log_exception
from cadence.flows.kpis import NumberGiven, record_number
from cadence.flows.people import mute
from cadence.flows.playbook_imports import import_document
from cadence.flows.profiles import Profile, ensure_workspace, save_profiles
from cadence.flows.settings import SettingsGiven, save_settings
from cadence.flows.team_checks import TeamGiven
from cadence.flows.teams import create_team
from cadence.refusals import Refusal
from cadence.rules.modes import Mode
from handlers.listeners import _twice
from storage.engine import Database
from storage.tables import (
    AdoptionStep,
    Attestation,
    CheckIn,
    Curator,
    Cycle,
    LoggedException,
    Member,
    MessageState,
    ModeChange,
    OwedMessage,
    Playbook,
    PlaybookVersion,
    Reading,
    StepVerdict,
    Team,
    TeamMember,
)
from templates.ids import Action
from tests.fuzz.arena import Arena
from tests.security.test_roles import DEEDS, MEMBER, Deed, pressed, rows, typed
from tests.staging import EXAMPLES

T = TypeVar("T")
MORE_DEEDS = [
    Deed(
        "log an exception, command",
        typed("/exception", "support-reply draft tone was off"),
        frozenset({MEMBER}),
    ),
    Deed(
        "log a critical one",
        typed("/exception", "support-reply draft critical tone was off"),
        frozenset({MEMBER}),
    ),
    Deed("report the number, command", typed("/kpi", "support-reply 14m a note"), frozenset({MEMBER})),
    Deed("check in, command", typed("/attest", "support-reply drifted send=human-led"), frozenset({MEMBER})),
    Deed("snooze, button", pressed(Action.SNOOZE, "tomorrow:2026-03-09"), frozenset({MEMBER})),
    Deed("snooze, command", typed("/cadence", "snooze friday"), frozenset({MEMBER})),
    Deed("ask who may", pressed(Action.ASK_THEM, "U01LEAD:start a cycle"), frozenset({MEMBER})),
    Deed("come back", typed("/cadence", "away off"), frozenset({MEMBER})),
]


@pytest.mark.parametrize("deed", [*DEEDS, *MORE_DEEDS], ids=lambda deed: deed.name)
@pytest.mark.parametrize("retry", [None, 1], ids=["double click", "retry"])
def test_a_second_time_changes_nothing(arena: Arena, deed: Deed, retry: int | None) -> None:
    clock = arena.stage.clock
    begun = clock.now()
    deed.do(arena, min(deed.may))
    with arena.stage.bot.db.read() as session:
        before = rows(session)
    clock.set(begun + timedelta(seconds=2))
    try:
        arena.again(retry)
        with arena.stage.bot.db.read() as session:
            assert rows(session) == before
    finally:
        clock.set(begun)


DONE_ONCE = [
    ("adopt variance-review team=support-apac champion=<@U02AGENT1>", "takes up"),
    ("cycle start support-reply 2026-04-06 team=support-amer", "cycle 1"),
    ("playbook retire variance-review nobody needs it", "retired"),
    ("playbook move variance-review draft", "draft 2"),
]


@pytest.mark.parametrize(("words", "answer"), DONE_ONCE)
def test_a_request_that_succeeded_is_answered_the_same_the_second_time(
    arena: Arena, words: str, answer: str
) -> None:
    first = arena.types("U01CURATOR", "/cadence", words, "C0NOWHERE").message
    assert answer in str(first), first
    assert arena.again().message == first


def test_a_snooze_pressed_twice_comes_back_once(arena: Arena) -> None:
    """An hour from now is another instant a second later: the last one holds."""
    clock = arena.stage.clock
    begun = clock.now()
    arena.presses(MEMBER, Action.SNOOZE, "hour:2026-03-09")
    clock.set(begun + timedelta(seconds=1))
    arena.presses(MEMBER, Action.SNOOZE, "hour:2026-03-09")
    clock.set(begun)
    with arena.stage.bot.db.read() as session:
        found = session.exec(select(OwedMessage).where(OwedMessage.kind == "checkin-snoozed")).all()
    due = [row.due_at for row in found if row.state is MessageState.DUE]
    assert due == [begun + timedelta(hours=1, seconds=1)]


def test_a_snooze_can_be_taken_back_to_what_it_was(arena: Arena) -> None:
    for until in ("friday", "tomorrow", "friday"):
        arena.types("U02AGENT1", "/cadence", f"snooze {until}", "C0NOWHERE")
    with arena.stage.bot.db.read() as session:
        found = session.exec(select(OwedMessage).where(OwedMessage.kind == "checkin-snoozed")).all()
    assert len([row for row in found if row.state is MessageState.DUE]) == 1


def test_a_trigger_that_was_used_gets_a_sentence(stage: Stage) -> None:
    """The second click of a double click on a button that opens a form: Slack refuses the trigger."""
    agent = stage.workspace.person("U01AGENT1")
    stage.workspace.person("U01LEAD").types(
        "/cadence cycle start support-reply 2026-03-02", channel="C01SUPEMEA"
    )
    stage.play_until(datetime(2026, 3, 5, 9, 0, tzinfo=UTC))
    agent.clicks(agent.last_dm(), "Ran as declared")
    sent = [one for one in stage.workspace.exchanges() if one.what == "block_actions"][-1]
    ack = stage.workspace.deliver("interactive", sent.request)
    assert ack.failure is None
    assert agent.ephemerals()[-1].text == (
        "That took too long for Slack, and nothing was changed. Please try once more."
    )


# --- at the same moment -----------------------------------------------------------------------------------------

MONDAY, NOW = date(2026, 3, 2), datetime(2026, 3, 5, 10, tzinfo=UTC)


@pytest.fixture
def running(db: Database) -> Database:
    """Support reply in its first week, on SQLite and on PostgreSQL."""
    start = datetime(2026, 2, 27, 12, tzinfo=UTC)
    ensure_workspace(db, workspace_id=BUILT_IN_TEAM, name="Team", now=start)
    _, refused = import_into(
        db, BUILT_IN_TEAM, [EXAMPLES / "workspace.yaml", EXAMPLES / "support-reply.yaml"], now=start
    )
    assert not refused
    start_cycle(db, _caller("U01LEAD", "start"), CycleGiven("support-reply", starts_on=MONDAY), now=start)
    return db


def _caller(member: str, request: str) -> Caller:
    return Caller(BUILT_IN_TEAM, member, "command", request=request)


def _at_once(work: Callable[[int], T], times: int = 8) -> list[T]:
    barrier = Barrier(times)

    def run(number: int) -> T:
        barrier.wait(30)
        return work(number)

    with ThreadPoolExecutor(times) as pool:
        return [future.result(60) for future in [pool.submit(run, number) for number in range(times)]]


def _all(session: Session, table: type[T]) -> list[T]:
    return list(session.exec(select(table).order_by(col(table.id))))  # type: ignore[attr-defined]


def test_exceptions_from_eight_threads_are_all_counted_and_demote_once(running: Database) -> None:
    def work(thread: int) -> None:
        member = ("U01AGENT1", "U01AGENT2")[thread % 2]
        for number in range(3):
            given = ExceptionGiven(step="draft", reason=f"reason {thread}.{number}")
            log_exception(running, _caller(member, f"{thread}.{number}"), given, now=NOW)

    _at_once(work)
    with running.read() as session:
        logged, verdicts = _all(session, LoggedException), _all(session, StepVerdict)
        changes = [one for one in _all(session, ModeChange) if one.kind == "demotion"]
        (step,) = [one for one in _all(session, AdoptionStep) if one.step == "draft"]
        alerts = [one for one in _all(session, OwedMessage) if one.kind == "demoted"]
    assert len(logged) == len({one.reason for one in logged}) == 24
    assert [one.cause for one in verdicts] == [f"exception:{one.id}" for one in logged]
    assert [(one.before, one.after) for one in changes] == [(Mode.COLLABORATIVE, Mode.HUMAN_LED)]
    demotion = next(one for one in verdicts if one.id == changes[0].verdict_id)
    assert demotion.exceptions == 7, "7 of 40 runs against a cap of 10%"
    assert [one.exceptions for one in verdicts[:7]] == [1, 2, 3, 4, 5, 6, 7]
    assert [one.exceptions for one in verdicts[7:]] == list(range(1, 18)), "the window begins anew"
    assert step.mode is Mode.HUMAN_LED
    assert len(alerts) == 2, "the team's channel and the curators'"


def test_one_exception_sent_by_eight_threads_is_logged_once(running: Database) -> None:
    given = ExceptionGiven(step="draft", reason="tone was off", critical=True)
    answers = _at_once(lambda _: log_exception(running, _caller("U01AGENT1", "the same"), given, now=NOW))
    with running.read() as session:
        assert len(_all(session, LoggedException)) == 1
        assert len([one for one in _all(session, ModeChange) if one.kind == "demotion"]) == 1
    assert sorted(one.duplicate for one in answers) == [False] + [True] * 7


def test_one_form_submitted_by_eight_threads_is_one_answer(running: Database) -> None:
    given = AnswerGiven(Attestation.AS_DECLARED, adoption_id=_adoption(running), week_start=MONDAY, runs=14)
    _at_once(lambda _: answer(running, _caller("U01AGENT1", "the same"), [given], now=NOW))
    with running.read() as session:
        assert [(one.runs, one.replaced_at) for one in _all(session, CheckIn)] == [(14, None)]


def test_different_answers_at_once_leave_one_and_keep_the_others(running: Database) -> None:
    def work(number: int) -> None:
        given = AnswerGiven(
            Attestation.AS_DECLARED, adoption_id=_adoption(running), week_start=MONDAY, runs=number + 1
        )
        answer(running, _caller("U01AGENT1", str(number)), [given], now=NOW)

    _at_once(work)
    with running.read() as session:
        found = _all(session, CheckIn)
    assert sorted(one.runs for one in found) == list(range(1, 9))
    assert len([one for one in found if one.replaced_at is None]) == 1


def test_numbers_at_once_leave_one_and_keep_the_others(running: Database) -> None:
    _at_once(
        lambda number: record_number(
            running, _caller("U01LEAD", str(number)), NumberGiven(f"{number + 10}m"), now=NOW
        )
    )
    with running.read() as session:
        found = _all(session, Reading)
    assert sorted(one.value for one in found) == list(range(10, 18))
    assert len([one for one in found if one.replaced_at is None]) == 1


def test_one_cycle_starts_however_many_start_it(running: Database) -> None:
    given = CycleGiven("support-reply", team="support-apac", starts_on=date(2026, 3, 9))

    def work(number: int) -> bool:
        try:
            _twice(lambda: start_cycle(running, _caller("U01LEAD", str(number)), given, now=NOW))
        except Refusal:
            return False
        return True

    assert sorted(_at_once(work)) == [False] * 7 + [True]
    with running.read() as session:
        assert [one.number for one in _all(session, Cycle)] == [1, 1]


def test_one_playbook_comes_in_however_many_bring_it(running: Database) -> None:
    text = (EXAMPLES / "variance-review.yaml").read_text()
    _at_once(
        lambda number: _twice(
            lambda: import_document(running, _caller("U01CURATOR", str(number)), text, now=NOW)
        )
    )
    with running.read() as session:
        assert sorted(one.slug for one in _all(session, Playbook)) == ["support-reply", "variance-review"]
        assert [one.revision for one in _all(session, PlaybookVersion)] == [1, 1]


def test_one_team_is_made_however_many_make_it(running: Database) -> None:
    given = TeamGiven("night-shift", "Night shift", "support", "C0NIGHT", "Europe/Berlin", ("U01LEAD",))
    _at_once(
        lambda number: _twice(lambda: create_team(running, _caller("U01LEAD", str(number)), given, now=NOW))
    )
    with running.read() as session:
        (team,) = [one for one in _all(session, Team) if one.slug == "night-shift"]
        assert [one.member for one in _all(session, TeamMember) if one.team_id == team.id] == ["U01LEAD"]


def test_somebody_unknown_can_do_things_at_once(running: Database) -> None:
    _at_once(lambda number: _twice(lambda: mute(running, _caller("U0NEW", str(number)), muted=True, now=NOW)))
    with running.read() as session:
        assert [one.muted for one in session.exec(select(Member).where(Member.id == "U0NEW"))] == [True]


def test_settings_saved_at_once_leave_one_of_them_whole(running: Database) -> None:
    named = frozenset({"U01CURATOR"})
    people = [Profile(f"U0CURATOR{number}", "Some One") for number in range(8)]
    save_profiles(running, workspace_id=BUILT_IN_TEAM, profiles=people, now=NOW)

    def work(number: int) -> None:
        given = SettingsGiven(("U01CURATOR", f"U0CURATOR{number}"), None, "Europe/Berlin", "balanced")
        _twice(
            lambda: save_settings(running, _caller("U01CURATOR", str(number)), given, named=named, now=NOW)
        )

    _at_once(work)
    with running.read() as session:
        found = {one.member for one in session.exec(select(Curator))}
    assert len(found) == 2
    assert "U01CURATOR" in found


def _adoption(db: Database) -> int:
    with db.read() as session:
        return _all(session, Cycle)[0].adoption_id
