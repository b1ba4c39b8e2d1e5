"""The same thing twice: retries, double clicks, many people at once. Nothing is counted twice, nothing lost."""

import importlib
import inspect
import pkgutil
import re
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from datetime import UTC, date, datetime, timedelta
from threading import Barrier
from types import SimpleNamespace
from typing import Any, TypeVar

import pytest
from sqlmodel import Session, col, select

import cadence.flows
from bot.ops.commands import BUILT_IN_TEAM, import_into
from bot.rehearsal.harness import BotHarness
from cadence.actor import Actor
from cadence.flows.checkins.answers import AnswerGiven, answer
from cadence.flows.core.repeats import Repeated, kind_of, require_still_new
from cadence.flows.cycles.starting import CycleGiven, start_cycle
from cadence.flows.exceptions.logging import ExceptionGiven, log_exception
from cadence.flows.nudging import planning
from cadence.flows.nudging.planning import plan
from cadence.flows.numbers.kpis import NumberGiven, record_number
from cadence.flows.people.away import mute
from cadence.flows.people.profiles import Profile, ensure_workspace, save_profiles
from cadence.flows.people.teams import TeamGiven, create_team
from cadence.flows.playbooks.imports import import_typed
from cadence.flows.tokens.making import TokenGiven, draw_token, make_token
from cadence.flows.tokens.revoking import revoke_token
from cadence.flows.workspaces.settings import save_settings
from cadence.refusals import Refusal
from cadence.rules.modes import Mode
from handlers.listeners import once_a_request
from storage.engine import Database
from storage.tables import (
    Adoption,
    AdoptionStep,
    AnsweredRequest,
    ApiToken,
    Attestation,
    CheckIn,
    Curator,
    Cycle,
    Home,
    LoggedException,
    Member,
    MessageState,
    ModeChange,
    OutboxMessage,
    Playbook,
    PlaybookVersion,
    Reading,
    StepVerdict,
    Team,
    TeamMember,
    TrailEntry,
)
from storage.work import UnitOfWork
from templates.contexts.answers import Done, Refused
from templates.contexts.base import MessageContext
from templates.contexts.cycles import CycleStarted, TeamMoved
from templates.contexts.playbooks import PlaybookRetired
from templates.ids import Action, Callback
from templates.render import render
from tests.contexts import assert_golden, is_shown, shown
from tests.fuzz.arena import Arena, Reply
from tests.harnesses import EXAMPLES
from tests.security.test_roles import (
    CURATOR,
    DEEDS,
    HERE,
    MEMBER,
    NEW_PLAYBOOK,
    OWNER,
    WEEK,
    Deed,
    form,
    option,
    pressed,
    refusal,
    rows,
    sent,
    team_form,
    text,
    typed,
)
from tests.security.test_roles import (
    NEIGHBOUR as NEIGHBOR,
)

T = TypeVar("T")
Do = Callable[[Arena, str], Reply]


def _of(who: str, name: str, do: Callable[[Arena, str], Reply]) -> Deed:
    return Deed(name, do, frozenset({who}))


def _after(*first: Callable[[Arena, str], Reply], then: Callable[[Arena, str], Reply]) -> Do:
    """An action that requires earlier actions."""

    def do(arena: Arena, who: str) -> Reply:
        for one in first:
            one(arena, who)
        return then(arena, who)

    return do


RUNS, STEP = text("14"), option("1:draft")
SETUP = ("adopt variance-review team=support-apac champion=<@U02AGENT1>", Action.START_SETUP)
_PART = {"previous_view_id": "V0"}
_DRAFT = sent(form(Callback.IMPORT, yaml=text(NEW_PLAYBOOK)))
"""A draft of the owner's that no import on the command line approved."""
TRAINING = (
    sent(
        form(Callback.ADD_SAMPLE, step=option("1:draft"), text=text("Dear customer"), grade=option("accept"))
    ),
)
_ASSESSED = form(
    Callback.ASSESSMENT,
    {"slug": "variance-review"},
    manual_work=text("Copying numbers."),
    changed_for_ai=text("Shorter tickets."),
    local_knowledge=text("The refund rules."),
    feedback=text("The Friday review."),
)
_SORTED = form(Callback.PRACTICES, {"assessment": 1}, **{"practice:0": option("core")})
_MOVED = form(
    Callback.CUTOVER_ANYWAY, {"slug": "variance-review"}, reason=text("The board decided so on Friday.")
)
_REMOVE = form(Callback.REMOVE_SAMPLE, sample=option("1"))


def _made_champion(arena: Arena, who: str) -> Reply:
    """Make somebody the champion of adoption 1; they join the team if they aren't in it."""
    if who not in (MEMBER, OWNER):
        arena.types(OWNER, "/cadence", f"team join support-emea <@{who}>", "C0NOWHERE")
    view = form(Callback.ADOPTION_SETTINGS, {"a": 1}, champion={"selected_user": who})
    return arena.submits(OWNER, view)


MORE_DEEDS = [
    _of(MEMBER, "log an exception, command", typed("/exception", "support-reply draft tone was off")),
    _of(
        MEMBER,
        "log an exception, workflow",
        lambda arena, who: arena.runs_step(
            who, "log_exception", playbook="support-reply", step="draft", reason="tone was off"
        ),
    ),
    _of(
        MEMBER,
        "report runs, workflow",
        lambda arena, who: arena.runs_step(who, "report_runs", playbook="support-reply", runs=5),
    ),
    _of(
        MEMBER,
        "log a critical one",
        sent(
            form(
                Callback.EXCEPTION,
                {"agreed": ["critical:1:draft"]},
                step=STEP,
                reason=text("tone was off"),
                critical={"selected_options": [{"value": "critical"}]},
            )
        ),
    ),
    _of(
        MEMBER,
        "take an exception back",
        _after(typed("/exception", "support-reply draft it was late"), then=typed("/exception", "undo")),
    ),
    _of(MEMBER, "report the number, command", typed("/kpi", "support-reply 14m a note")),
    _of(NEIGHBOR, "report the number, the long way", typed("/kpi", "support-reply 14m team=support-apac")),
    _of(MEMBER, "check in, command", typed("/attest", "support-reply drifted send=human-led")),
    _of(MEMBER, "check in, several", sent(form(Callback.CHECKIN_ALL, {"w": WEEK}, **{"runs:1": RUNS}))),
    _of(MEMBER, "check in, form of a command", sent(form(Callback.CHECKIN, {"a": 1, "k": "as-declared"}))),
    _of(MEMBER, "snooze, button", pressed(Action.SNOOZE, "tomorrow:2026-03-09")),
    _of(MEMBER, "snooze, command", typed("/cadence", "snooze friday")),
    _of(MEMBER, "mute, button", pressed(Action.SNOOZE, "mute:2026-03-09")),
    _of(MEMBER, "come back, button", pressed(Action.SNOOZE, "back:2026-03-09")),
    _of(MEMBER, "ask who may", pressed(Action.ASK_THEM, "U01LEAD:start a cycle")),
    _of(MEMBER, "come back", typed("/cadence", "away off")),
    _of(
        OWNER,
        "away from the list of the missing",
        sent(
            form(
                Callback.AWAY,
                {"a": 1},
                date={"selected_date": "2026-03-12"},
                until={"selected_date": "2026-03-20"},
                members={"selected_users": ["U01AGENT2"]},
            )
        ),
    ),
    _of(MEMBER, "leave a team", typed("/cadence", "team leave support-emea")),
    _of(MEMBER, "leave a team, button", pressed(Action.TEAM_LEAVE, "support-emea")),
    _of(NEIGHBOR, "join a team, button", pressed(Action.TEAM_JOIN, "support-emea")),
    _of(
        OWNER,
        "let somebody join",
        _after(
            lambda arena, _: arena.types(NEIGHBOR, "/cadence", "team join support-emea", HERE),
            then=pressed(Action.APPROVE_JOIN, "1"),
        ),
    ),
    _of(OWNER, "make a team", sent(team_form())),
    _of(OWNER, "declare a mode", typed("/cadence", "mode support-reply send collaborative it works")),
    _of(
        OWNER,
        "declare a mode, form",
        sent(
            form(
                Callback.MODE, step=option("1:tag"), mode=option("human-led"), reason=text("It is new to us.")
            )
        ),
    ),
    _of(
        OWNER,
        "back to the plan",
        sent(form(Callback.BACK_TO_PLAN, {"a": 1, "s": "draft"}, note=text("Shorter drafts."))),
    ),
    _of(OWNER, "record a sample", typed("/cadence", "rubric support-reply draft passes=19 samples=20")),
    _of(
        OWNER,
        "record a sample, form",
        sent(form(Callback.RUBRIC, step=STEP, samples=text("20"), passes=text("19"))),
    ),
    _of(
        OWNER,
        "revise a rubric",
        typed("/cadence", "rubric support-reply draft revise refunds name their case"),
    ),
    _of(
        OWNER,
        "revise a rubric, form",
        sent(form(Callback.REVISE_RUBRIC, step=STEP, reason=text("Named cases."))),
    ),
    _of(
        OWNER,
        "grade an audit",
        sent(form(Callback.AUDIT, **{"grade:1:0": option("pass"), "grade:1:1": option("fail")})),
    ),
    _of(OWNER, "learn, command", typed("/cadence", "learn support-reply short replies work")),
    _of(
        OWNER,
        "learn, form",
        sent(form(Callback.LEARN, playbook=option("support-reply"), note=text("Short replies work."))),
    ),
    _of(
        OWNER, "hand over, command", typed("/cadence", "handoff support-reply send billing refund for case 7")
    ),
    _of(
        OWNER, "name the next team", sent(form(Callback.NEXT_TEAM, {"a": 1, "c": 1}, reason=text("Not yet.")))
    ),
    _of(OWNER, "submit", pressed(Action.SUBMIT, "1:1")),
    _of(OWNER, "ask for a review", _after(_DRAFT, then=typed("/cadence", "pilot inbound-routing ask"))),
    _of(
        CURATOR, "approve a pilot", _after(_DRAFT, then=pressed(Action.APPROVE_PILOT, "0:1:inbound-routing"))
    ),
    _of(
        CURATOR,
        "send a draft back",
        _after(
            _DRAFT,
            then=sent(
                form(Callback.SEND_BACK_PILOT, {"ref": "0:1:inbound-routing"}, remark=text("Who owns it?"))
            ),
        ),
    ),
    _of(
        OWNER,
        "name the owners",
        sent(
            form(
                Callback.OWNERS,
                {"slug": "support-reply"},
                **{
                    duty: {"selected_user": OWNER}
                    for duty in ("rules", "updates", "exceptions", "adoption", "training")
                },
            )
        ),
    ),
    _of(OWNER, "pause", typed("/cadence", "cycle pause support-reply team=support-emea")),
    _of(OWNER, "pause, button", pressed(Action.PAUSE, "1")),
    _of(OWNER, "resume", typed("/cadence", "cycle resume support-reply team=support-emea")),
    _of(OWNER, "resume, button", pressed(Action.RESUME, "1")),
    _of(OWNER, "watch", typed("/cadence", "cycle watch support-reply team=support-emea")),
    _of(OWNER, "months", typed("/cadence", "trend support-reply team=support-emea")),
    _of(CURATOR, "months of the rollout", typed("/cadence", "digest months")),
    _of(MEMBER, "request a playbook", typed("/cadence", "request variance-review We plan budgets too")),
    _of("U07ANALYST", "take a request back", pressed(Action.TAKE_BACK_REQUEST, "1")),
    _of(
        OWNER,
        "change a planned wave",
        sent(
            form(
                Callback.WAVE,
                {"slug": "support-reply"},
                teams={"selected_options": [{"value": "billing"}, {"value": "sales-amer"}]},
                reason=text("The same customers"),
            )
        ),
    ),
    _of(OWNER, "revoke a token, command", typed("/cadence", "token revoke planted k1")),
    _of(OWNER, "post a comparison", pressed(Action.POST_COMPARISON, "support-reply")),
    _of(MEMBER, "adapt a part", typed("/cadence", "adapt support-reply tone guide We write formally")),
    _of(OWNER, "confirm a team of a wave", sent(form(Callback.WAVE_TEAM, {"r": 1}, champion={}, room={}))),
    _of(OWNER, "cancel a wave", pressed(Action.CANCEL_WAVE, "1")),
    _of(
        CURATOR,
        "open a wave anyway",
        sent(form(Callback.WAVE_ANYWAY, {"w": 1}, reason=text("The contract ends on Monday."))),
    ),
    _of(CURATOR, "adopt", typed("/cadence", SETUP[0])),
    _of(
        CURATOR,
        "adopt, form",
        sent(
            form(
                Callback.ADOPT,
                playbook=option("variance-review"),
                team=option("support-apac"),
                champion={"selected_user": "U02AGENT1"},
            )
        ),
    ),
    _of(
        CURATOR,
        "add a champion and adopt",
        pressed(Action.ADD_CHAMPION, f"variance-review:support-apac:{MEMBER}"),
    ),
    _of(CURATOR, "start setup", _after(typed("/cadence", SETUP[0]), then=pressed(SETUP[1], "5"))),
    _of(
        CURATOR,
        "tick",
        _after(typed("/cadence", SETUP[0]), pressed(SETUP[1], "5"), then=pressed(Action.TICK_ITEM, "5:0:on")),
    ),
    _of(
        CURATOR,
        "check off several",
        _after(
            typed("/cadence", SETUP[0]),
            pressed(SETUP[1], "5"),
            then=sent(
                form(
                    Callback.CHECKLIST,
                    {"adoption": 5},
                    items={"selected_options": [{"value": "0"}, {"value": "2"}]},
                )
            ),
        ),
    ),
    _of(
        CURATOR,
        "setup done",
        _after(
            typed("/cadence", SETUP[0]),
            pressed(SETUP[1], "5"),
            *(pressed(Action.TICK_ITEM, f"5:{item}:on") for item in range(3)),
            then=pressed(Action.SETUP_DONE, "5"),
        ),
    ),
    _of(OWNER, "add a training sample", TRAINING[0]),
    _of(OWNER, "remove a training sample", _after(TRAINING[0], then=sent(_REMOVE))),
    _of(
        CURATOR,
        "grade a training sample",
        _after(
            lambda arena, who: TRAINING[0](arena, OWNER),
            _made_champion,
            then=sent(form(Callback.GRADE_SAMPLE, {"adoption": 1, "sample": 1}, grade=option("accept"))),
        ),
    ),
    _of(
        MEMBER,
        "read the lessons",
        _after(
            lambda arena, who: arena.types("U02LEAD", "/cadence", "learn support-reply Load it", "C0NOWHERE"),
            _made_champion,
            then=pressed(Action.READ_LESSONS, "1"),
        ),
    ),
    _of(CURATOR, "assess a pilot", sent(_ASSESSED)),
    _of(CURATOR, "sort the practices", sent(_SORTED)),
    _of(
        CURATOR,
        "ask for the cutover",
        _after(sent(_SORTED), then=pressed(Action.ASK_CUTOVER, "variance-review")),
    ),
    _of(
        CURATOR,
        "hold the cutover",
        sent(form(Callback.HOLD_CUTOVER, {"slug": "variance-review"}, reason=text("Name who trains."))),
    ),
    _of(CURATOR, "move to production", _after(sent(_SORTED), then=sent(_MOVED))),
    _of(
        CURATOR,
        "move to production again",
        _after(sent(_MOVED), then=pressed(Action.APPROVE_CUTOVER, "variance-review")),
    ),
    _of(CURATOR, "move, command", typed("/cadence", "playbook move variance-review draft")),
    _of(
        CURATOR,
        "move, form",
        sent(form(Callback.MOVE, adoption=option("variance-review:finance-uk"), version=text("draft"))),
    ),
    _of(CURATOR, "publish", typed("/cadence", "playbook publish support-reply")),
    _of(
        CURATOR,
        "turn the Home's page",
        lambda arena, who: arena.presses(who, Action.HOME_ON, "2", on_home=True),
    ),
    _of(
        OWNER,
        "fill in a part",
        sent(form(Callback.PLAYBOOK_BASICS, {"slug": "support-reply"}, title=text("Reply")) | _PART),
    ),
    _of(
        OWNER,
        "save what was filled in",
        _after(
            sent(form(Callback.PLAYBOOK_BASICS, {"slug": "support-reply"}, title=text("Reply")) | _PART),
            then=sent(form(Callback.PLAYBOOK, {"slug": "support-reply"})),
        ),
    ),
]
ALL = [*DEEDS, *MORE_DEEDS]


def _kept(arena: Arena) -> dict[str, list[tuple[object, ...]]]:
    """Every row; for a Home only the chosen page, because a click publishes it again."""
    with arena.harness.bot.db.read() as session:
        homes: list[tuple[object, ...]] = [
            (one.member, one.page) for one in session.exec(select(Home).order_by(Home.member))
        ]
        return rows(session) | {"home": homes}


@pytest.mark.parametrize("deed", ALL, ids=lambda deed: deed.name)
@pytest.mark.parametrize("retry", [None, 1], ids=["double click", "retry"])
def test_a_second_time_changes_nothing_and_is_answered_the_same(
    arena: Arena, deed: Deed, retry: int | None
) -> None:
    """What changed something keeps its answer."""
    clock = arena.harness.clock
    begun, untouched = clock.now(), _kept(arena)
    first = deed.do(arena, min(deed.may))
    before = _kept(arena)
    changed = {table for table in before if before[table] != untouched[table]} - {"request"}
    if changed:
        assert len(before["request"]) > len(untouched["request"]), (
            f"{changed} changed, and no answer was kept"
        )
    clock.set(begun + timedelta(seconds=2))
    try:
        again = arena.again(retry)
        assert _kept(arena) == before
    finally:
        clock.set(begun)
    asked = arena.last[1]
    if asked.get("trigger_id", "an event") in str(before["request"]) or "view" in asked:
        assert (again.message, again.errors, again.closed) == (first.message, first.errors, first.closed)


@pytest.mark.parametrize(
    "again",
    [
        sent(_MOVED),
        pressed(Action.APPROVE_CUTOVER, "variance-review"),
        pressed(Action.ASK_CUTOVER, "variance-review"),
    ],
    ids=["form", "button", "asked for"],
)
def test_a_playbook_in_production_isnt_moved_twice(
    arena: Arena, again: Callable[[Arena, str], Reply]
) -> None:
    sent(_MOVED)(arena, CURATOR)
    before = {table: found for table, found in _kept(arena).items() if table != "request"}
    said = again(arena, CURATOR)
    assert_golden(shown(said.seen(), Done).text, "moved-already")
    assert {table: found for table, found in _kept(arena).items() if table != "request"} == before


def test_each_flow_that_changes_something_is_tried_twice(arena: Arena) -> None:
    """So that a new flow can't be forgotten: all flows under `once` are tried, and all that write."""
    tried = set()
    for deed in ALL:
        arena.reset()
        deed.do(arena, min(deed.may))
        with arena.harness.bot.db.read() as session:
            tried |= set(session.exec(select(AnsweredRequest.kind)))
    assert set(_under_once()) - tried == ONLY_LATER


ONLY_LATER = {"cycles.close_by_hand"}
"""Flows that can't run on the arena's Thursday; tests/scenarios/cycles/test_ending.py runs them twice."""
NO_CHANGE = {
    "promotions.decisions.decline_form": "holds the proposal while it makes a form of it",
    "handoffs.answers.fail_form": "holds the handoff while it makes a form of it",
    "tokens.authentication.note_call": "only the trail, which has every call",
    "workspaces.settings.settings_form": "the workspace's row, which every request may make",
    "playbooks.imports.import_document": "of the command line",
    "checkins.snoozing.menu_again": "has a message written again as it stands",
}
OF_THE_BOT = {
    "checkins.differences.ask_about_runs",
    "cycles.closing.close_cycle",
    "nudging.planning._plan_part",
    "nudging.planning._plan_workspace",
    "nudging.week_turns._judge",
    "trends.courses._judge_one",
    "overview.homes.claim",
    "overview.homes.note_click",
    "overview.homes.note_failed",
    "overview.homes._note_opened",
    "overview.homes.note_pause",
    "overview.homes.note_shown",
    "overview.homes.spread",
    "people.profiles.ensure_workspace",
    "people.profiles.remember_address",
    "people.profiles.save_profiles",
    "workspaces.installing.forget",
    "workspaces.installing.leave",
    "workspaces.installing.take_lease",
    "workspaces.replying.written",
    "workspaces.welcoming.invited",
}
"""Flows that no person's request runs: the clock, the worker, Slack's own events."""
OF_TOOLS = {"machines.pushing._carry_out"}
"""It keeps an answer for each item; tests/scenarios/machines sends items twice, also from two processes at once."""


def _flows() -> Iterator[tuple[str, Callable[..., Any]]]:
    for module in pkgutil.walk_packages(cadence.flows.__path__, "cadence.flows."):
        loaded = importlib.import_module(module.name)
        for name, found in inspect.getmembers(loaded, inspect.isfunction):
            if found.__module__ == loaded.__name__:
                yield f"{module.name.removeprefix('cadence.flows.')}.{name}", found


def _under_once() -> list[str]:
    return [kind_of(found) for _, found in _flows() if hasattr(found, "__wrapped__")]


def test_each_flow_of_a_person_that_writes_is_under_once() -> None:
    writes = re.compile(r"\buow\.write\(")
    loose = {
        name
        for name, found in _flows()
        if "uow" in inspect.signature(found).parameters
        and not hasattr(found, "__wrapped__")
        and writes.search(inspect.getsource(found))
    }
    assert loose == set(NO_CHANGE) | OF_THE_BOT | OF_TOOLS


def _by(who: str, make: Callable[..., Do]) -> Callable[..., Do]:
    """Somebody else does it."""
    return lambda *given: lambda arena, _: make(*given)(arena, who)


CORRECTIONS: list[tuple[str, Do, Do]] = [
    ("a number", typed("/kpi", "support-reply 14m"), typed("/kpi", "support-reply 22m")),
    (
        "a number, the long way",
        typed("/kpi", "support-reply 14m team=support-emea"),
        typed("/kpi", "support-reply 22m team=support-emea"),
    ),
    (
        "a number, form",
        sent(form(Callback.KPI, {"a": 1, "w": WEEK}, value=text("14m"))),
        sent(form(Callback.KPI, {"a": 1, "w": WEEK}, value=text("22m"))),
    ),
    ("a check-in", typed("/attest", "as-declared runs=14"), typed("/attest", "as-declared runs=9")),
    (
        "a team left",
        typed("/cadence", "team leave support-emea"),
        typed("/cadence", "team join support-emea"),
    ),
    (
        "a team left, button",
        pressed(Action.TEAM_LEAVE, "support-emea"),
        pressed(Action.TEAM_JOIN, "support-emea"),
    ),
    (
        "a page of the Home",
        lambda arena, who: arena.presses(who, Action.HOME_ON, "2", on_home=True),
        lambda arena, who: arena.presses(who, Action.HOME_ON, "3", on_home=True),
    ),
    ("days away", typed("/cadence", "away 2026-03-20"), typed("/cadence", "away off")),
    ("back again", typed("/cadence", "away off"), typed("/cadence", "away 2026-03-20")),
    ("reminders", typed("/cadence", "mute"), typed("/cadence", "mute off")),
    ("a snooze", typed("/cadence", "snooze friday"), typed("/cadence", "snooze tomorrow")),
    (
        "a mode",
        _by(OWNER, typed)("/cadence", "mode support-reply send collaborative it works"),
        _by(OWNER, typed)("/cadence", "mode support-reply send human-led it is new to us"),
    ),
    (
        "holidays",
        typed("/cadence", "team holidays support-emea DE-BY"),
        typed("/cadence", "team holidays support-emea FR"),
    ),
    (
        "settings of a team",
        _by(OWNER, sent)(form(Callback.ADOPTION_SETTINGS, {"a": 1}, champion={"selected_user": MEMBER})),
        _by(OWNER, sent)(form(Callback.ADOPTION_SETTINGS, {"a": 1}, champion={"selected_user": OWNER})),
    ),
    (
        "the next team",
        _by(OWNER, sent)(form(Callback.NEXT_TEAM, {"a": 1, "c": 1}, reason=text("Not yet."))),
        _by(OWNER, sent)(form(Callback.NEXT_TEAM, {"a": 1, "c": 1}, team=option("support-amer"))),
    ),
]


@pytest.mark.parametrize(
    ("do", "correct"), [pair[1:] for pair in CORRECTIONS], ids=[pair[0] for pair in CORRECTIONS]
)
def test_a_retry_of_what_was_corrected_since_leaves_the_correction(arena: Arena, do: Do, correct: Do) -> None:
    asked_before = len(_kept(arena)["request"])
    first = do(arena, MEMBER)
    asked = arena.last
    correct(arena, MEMBER)
    before = _kept(arena)
    assert len(before["request"]) == asked_before + 2, "both were carried out"
    again = arena.again(of=asked)
    assert _kept(arena) == before
    assert again.message == first.message
    assert again.errors == {}


@pytest.mark.parametrize(
    ("do", "correct"), [pair[1:] for pair in CORRECTIONS], ids=[pair[0] for pair in CORRECTIONS]
)
def test_asking_again_counts_as_a_new_request(arena: Arena, do: Do, correct: Do) -> None:
    """The same text from a person who decided to repeat it: another trigger, another form."""
    do(arena, MEMBER)
    correct(arena, MEMBER)
    before = _kept(arena)
    do(arena, MEMBER)
    assert _kept(arena) != before


def test_a_form_sent_again_with_something_corrected_is_a_new_request(arena: Arena) -> None:
    """It timed out in the person's client, although it was carried out: their corrections mustn't be lost."""
    for value in ("14m", "22m"):
        view = form(Callback.KPI, {"a": 1, "w": WEEK}, value=text(value))
        arena.submits(OWNER, view, reopened=False)
    with arena.harness.bot.db.read() as session:
        found = session.exec(select(Reading).where(Reading.adoption_id == 1).order_by(col(Reading.id))).all()
    assert [one.value for one in found if one.replaced_at is None][-1] == 22


def test_what_was_refused_is_tried_again(arena: Arena) -> None:
    before = _kept(arena)["request"]
    refused = arena.types(OWNER, "/cadence", "mode support-reply send human-led it is new to us", HERE)
    asked = arena.last
    assert_golden(refusal(arena, refused), "same-mode")
    assert _kept(arena)["request"] == before
    arena.types(OWNER, "/cadence", "mode support-reply send collaborative it works", HERE)
    arena.again(of=asked)
    assert arena.outcomes == ["ok"]
    assert len(_kept(arena)["request"]) == len(before) + 2


def test_an_answer_is_kept_two_days(arena: Arena) -> None:
    now = arena.harness.clock.now()
    arena.types(MEMBER, "/cadence", "mute", HERE)
    for hours, left in ((47, 1), (49, 0)):
        planning.forget(arena.harness.bot.db)
        plan(arena.harness.bot.db, now=now + timedelta(hours=hours))
        assert len([row for row in _kept(arena)["request"] if row[3] == "people.mute"]) == left


DONE_ONCE = [
    ("adopt variance-review team=support-apac champion=<@U02AGENT1>", Done),
    ("cycle start support-reply 2026-04-06 team=support-amer", CycleStarted),
    ("playbook retire variance-review nobody needs it", PlaybookRetired),
    ("playbook move variance-review draft", TeamMoved),
]


@pytest.mark.parametrize(("words", "answer"), DONE_ONCE)
def test_a_request_that_succeeded_is_answered_the_same_the_second_time(
    arena: Arena, words: str, answer: type[MessageContext]
) -> None:
    first = arena.types("U01CURATOR", "/cadence", words, "C0NOWHERE")
    assert is_shown(first.seen(), answer)
    assert_golden(first.seen(), f"done-once:{answer.__name__}")
    assert arena.again().message == first.message


def test_a_snooze_pressed_twice_comes_back_once(arena: Arena) -> None:
    """An hour from now is another instant a second later: the last one counts."""
    clock = arena.harness.clock
    begun = clock.now()
    arena.presses(MEMBER, Action.SNOOZE, "hour:2026-03-09")
    clock.set(begun + timedelta(seconds=1))
    arena.presses(MEMBER, Action.SNOOZE, "hour:2026-03-09")
    clock.set(begun)
    with arena.harness.bot.db.read() as session:
        found = session.exec(select(OutboxMessage).where(OutboxMessage.kind == "checkin-snoozed")).all()
    due = [row.due_at for row in found if row.state is MessageState.DUE]
    assert due == [begun + timedelta(hours=1, seconds=1)]


def test_a_snooze_can_be_taken_back_to_what_it_was(arena: Arena) -> None:
    for until in ("friday", "tomorrow", "friday"):
        arena.types("U02AGENT1", "/cadence", f"snooze {until}", "C0NOWHERE")
    with arena.harness.bot.db.read() as session:
        found = session.exec(select(OutboxMessage).where(OutboxMessage.kind == "checkin-snoozed")).all()
    assert len([row for row in found if row.state is MessageState.DUE]) == 1


def test_a_trigger_that_was_used_gets_a_sentence(harness: BotHarness) -> None:
    """The second click of a double click on a button that opens a form: Slack refuses the trigger."""
    agent = harness.workspace.person("U01AGENT1")
    harness.workspace.person("U01LEAD").types(
        "/cadence cycle start support-reply 2026-03-02", channel="C01SUPEMEA"
    )
    harness.play_until(datetime(2026, 3, 5, 9, 0, tzinfo=UTC))
    agent.clicks(agent.last_dm(), "As planned")
    sent = [one for one in harness.workspace.exchanges() if one.what == "block_actions"][-1]
    ack = harness.workspace.deliver("interactive", sent.request)
    assert ack.failure is None
    assert_golden(shown(agent.ephemerals()[-1], Refused).text, "trigger-used")


# --- at the same moment -----------------------------------------------------------------------------------------

MONDAY, NOW = date(2026, 3, 2), datetime(2026, 3, 5, 10, tzinfo=UTC)


@pytest.fixture
def running(db: Database) -> Database:
    """Support reply in its first week, on SQLite and on PostgreSQL."""
    start = datetime(2026, 2, 27, 12, tzinfo=UTC)
    ensure_workspace(UnitOfWork(db, Actor.system(BUILT_IN_TEAM), start), name="Team")
    _, refused = import_into(
        db, BUILT_IN_TEAM, [EXAMPLES / "workspace.yaml", EXAMPLES / "support-reply.yaml"], now=start
    )
    assert not refused
    start_cycle(
        UnitOfWork(db, _caller("U01LEAD", "start"), start), CycleGiven("support-reply", starts_on=MONDAY)
    )
    return db


def _caller(member: str, request: str) -> Actor:
    return Actor(BUILT_IN_TEAM, member, "command", request=request)


def _ask(db: Database, caller: Actor, work: Callable[[], T]) -> T | dict[str, Any] | None:
    """Do it as a listener does; returns the stored answer if it was done before."""
    turn: Any = SimpleNamespace(require_still_new=lambda: require_still_new(UnitOfWork(db, caller)))
    try:
        return once_a_request(turn, work)
    except Repeated as before:
        return before.answer


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
            log_exception(UnitOfWork(running, _caller(member, f"{thread}.{number}"), NOW), given)

    _at_once(work)
    with running.read() as session:
        logged, verdicts = _all(session, LoggedException), _all(session, StepVerdict)
        changes = [one for one in _all(session, ModeChange) if one.kind == "demotion"]
        (step,) = [one for one in _all(session, AdoptionStep) if one.step == "draft"]
        alerts = [one for one in _all(session, OutboxMessage) if one.kind == "demoted"]
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
    with running.read() as session:
        agreed = frozenset(f"critical:{one.id}:draft" for one in _all(session, Adoption))
    given = ExceptionGiven(step="draft", reason="tone was off", critical=True, agreed=agreed)
    caller = _caller("U01AGENT1", "the same")
    answers = _at_once(
        lambda _: _ask(running, caller, lambda: log_exception(UnitOfWork(running, caller, NOW), given))
    )
    with running.read() as session:
        assert len(_all(session, LoggedException)) == 1
        assert len([one for one in _all(session, ModeChange) if one.kind == "demotion"]) == 1
    told = [one if isinstance(one, dict) else asdict(render(one)) for one in answers if one]
    assert len(told) == 8
    assert all(one == told[0] for one in told)


def test_one_form_submitted_by_eight_threads_is_one_answer(running: Database) -> None:
    given = AnswerGiven(Attestation.AS_DECLARED, adoption_id=_adoption(running), week_start=MONDAY, runs=14)
    caller = _caller("U01AGENT1", "the same")
    _at_once(lambda _: _ask(running, caller, lambda: answer(UnitOfWork(running, caller, NOW), [given])))
    with running.read() as session:
        assert [(one.runs, one.replaced_at) for one in _all(session, CheckIn)] == [(14, None)]


@pytest.mark.parametrize("member", ["U01AGENT1", "U01LEAD"])
def test_one_number_sent_by_eight_threads_is_kept_once(running: Database, member: str) -> None:
    caller = _caller(member, "the same")
    given = NumberGiven("14m")
    _at_once(lambda _: _ask(running, caller, lambda: record_number(UnitOfWork(running, caller, NOW), given)))
    with running.read() as session:
        assert [(one.value, one.replaced_at) for one in _all(session, Reading)] == [(14, None)]
        kinds = [one.kind for one in session.exec(select(AnsweredRequest)) if one.request == "the same"]
        assert kinds == ["numbers.record_number"]


def test_different_answers_at_once_leave_one_and_keep_the_others(running: Database) -> None:
    def work(number: int) -> None:
        given = AnswerGiven(
            Attestation.AS_DECLARED, adoption_id=_adoption(running), week_start=MONDAY, runs=number + 1
        )
        answer(UnitOfWork(running, _caller("U01AGENT1", str(number)), NOW), [given])

    _at_once(work)
    with running.read() as session:
        found = _all(session, CheckIn)
    assert sorted(one.runs for one in found) == list(range(1, 9))
    assert len([one for one in found if one.replaced_at is None]) == 1


def test_numbers_at_once_leave_one_and_keep_the_others(running: Database) -> None:
    _at_once(
        lambda number: record_number(
            UnitOfWork(running, _caller("U01LEAD", str(number)), NOW), NumberGiven(f"{number + 10}m")
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
            caller = _caller("U01LEAD", str(number))
            _ask(running, caller, lambda: start_cycle(UnitOfWork(running, caller, NOW), given))
        except Refusal:
            return False
        return True

    assert sorted(_at_once(work)) == [False] * 7 + [True]
    with running.read() as session:
        assert [one.number for one in _all(session, Cycle)] == [1, 1]


def test_one_playbook_comes_in_however_many_bring_it(running: Database) -> None:
    text = (EXAMPLES / "variance-review.yaml").read_text()

    def work(number: int) -> None:
        caller = _caller("U01CURATOR", str(number))
        _ask(running, caller, lambda: import_typed(UnitOfWork(running, caller, NOW), text))

    _at_once(work)
    with running.read() as session:
        assert sorted(one.slug for one in _all(session, Playbook)) == ["support-reply", "variance-review"]
        assert [one.revision for one in _all(session, PlaybookVersion)] == [1, 1]


def test_one_team_is_made_however_many_make_it(running: Database) -> None:
    given = TeamGiven("night-shift", "Night shift", "support", "C0NIGHT", "Europe/Berlin", ("U01LEAD",))

    def work(number: int) -> None:
        caller = _caller("U01LEAD", str(number))
        _ask(running, caller, lambda: create_team(UnitOfWork(running, caller, NOW), given))

    _at_once(work)
    with running.read() as session:
        (team,) = [one for one in _all(session, Team) if one.slug == "night-shift"]
        assert [one.member for one in _all(session, TeamMember) if one.team_id == team.id] == ["U01LEAD"]


def test_one_token_of_a_name_is_made_and_is_revoked_once(running: Database) -> None:
    given = TokenGiven(name="Desk", use="tool", scopes=("write",), playbook="support-reply")

    def make(number: int) -> bool:
        caller = _caller("U01LEAD", f"make {number}")
        try:
            make_token(UnitOfWork(running, caller, NOW), given, draw_token(BUILT_IN_TEAM))
        except Refusal:
            return False
        return True

    assert sum(_at_once(make)) == 1
    with running.read() as session:
        (token,) = _all(session, ApiToken)
    _at_once(
        lambda number: revoke_token(
            UnitOfWork(running, _caller("U01LEAD", f"revoke {number}"), NOW), token_id=token.id or 0
        )
    )
    with running.read() as session:
        assert len([one for one in _all(session, TrailEntry) if one.action == "token-revoked"]) == 1


def test_somebody_unknown_can_do_things_at_once(running: Database) -> None:
    def work(number: int) -> None:
        caller = _caller("U0NEW", str(number))
        _ask(running, caller, lambda: mute(UnitOfWork(running, caller, NOW), muted=True))

    _at_once(work)
    with running.read() as session:
        assert [one.muted for one in session.exec(select(Member).where(Member.id == "U0NEW"))] == [True]


def test_settings_saved_at_once_leave_one_of_them_whole(running: Database) -> None:
    named = frozenset({"U01CURATOR"})
    people = [Profile(f"U0CURATOR{number}", "Some One") for number in range(8)]
    save_profiles(UnitOfWork(running, Actor.system(BUILT_IN_TEAM), NOW), profiles=people)

    def work(number: int) -> None:
        curators = ("U01CURATOR", f"U0CURATOR{number}")
        given = {"curators": curators, "timezone": "Europe/Berlin", "rule": "balanced"}
        caller = _caller("U01CURATOR", str(number))
        _ask(running, caller, lambda: save_settings(UnitOfWork(running, caller, NOW), given, named=named))

    _at_once(work)
    with running.read() as session:
        found = {one.member for one in session.exec(select(Curator))}
    assert len(found) == 2
    assert "U01CURATOR" in found


def _adoption(db: Database) -> int:
    with db.read() as session:
        return _all(session, Cycle)[0].adoption_id
