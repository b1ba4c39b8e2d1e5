"""Thousands of commands, buttons and forms: each is answered with a sentence, none with an unexpected error.

They are always the same ones. The database is put back after each.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterator

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from templates.ids import Action, Callback, Shortcut
from tests.fuzz.arena import CHANNELS, PEOPLE, Arena, Json, Reply, opened
from tests.fuzz.nasty import button_values, command_texts, filled_forms
from tests.security.test_roles import NEW_PLAYBOOK, form, text

pytestmark = pytest.mark.long
EACH_COMMAND = 400
EACH_BUTTON = 12
EACH_FORM = 80
EACH_FORGED = 12
FORMS = [callback for callback in Callback if callback is not Callback.INFO]

WEEK = "2026-03-09"
_CHECKINS = [f"1:{WEEK}", f"3:{WEEK}", "1:2026-03-02", f"4:{WEEK}"]
_OWNERS = ["1:2026-03-02", f"2:{WEEK}"]
_CYCLES = ["1:1", "2:2", "1:2", "4:4"]
_STEPS = ["1:draft", "1:send", "2:draft", "4:draft"]
_PLAYBOOKS = ["support-reply", "variance-review"]
REAL_VALUES = {
    Action.RAN_AS_DECLARED: _CHECKINS,
    Action.DRIFTED: _CHECKINS,
    Action.NOT_RUN: _CHECKINS,
    Action.CHANGE_CHECKIN: _CHECKINS,
    Action.REPORT_KPI: _CHECKINS,
    Action.NUDGE_AGAIN: _OWNERS,
    Action.THEY_ARE_AWAY: _OWNERS,
    Action.LOG_EXCEPTION: _STEPS,
    Action.SAY_WHAT_CHANGES: _STEPS,
    Action.SEE_EXCEPTIONS: _STEPS,
    Action.WHY: _STEPS,
    Action.SHOW_MATH: _STEPS,
    Action.REVISE_RUBRIC: _STEPS,
    Action.GRADE_AUDIT: [f"1:{WEEK}", f"4:{WEEK}"],
    Action.CHANGE_GRADES: ["1", "2"],
    Action.APPROVE_PROMOTION: ["1", "2"],
    Action.DECLINE_PROMOTION: ["1", "2"],
    Action.ALL_RAN: [WEEK],
    Action.CLOSE_CYCLE: ["1", "2", "4"],
    Action.PAUSE: ["1", "2", "4"],
    Action.RESUME: ["1", "2", "4"],
    Action.NEXT_TEAM: _CYCLES,
    Action.SUBMIT: _CYCLES,
    Action.SNOOZE: [
        f"hour:{WEEK}",
        f"tomorrow:{WEEK}",
        f"friday:{WEEK}",
        f"away:{WEEK}",
        f"mute:{WEEK}",
        "hour",
    ],
    Action.HOME_BACK: ["0", "1"],
    Action.HOME_ON: ["2", "999"],
    Action.START_CYCLE: _PLAYBOOKS,
    Action.SHOW_PLAYBOOK: _PLAYBOOKS,
    Action.PUBLISH: _PLAYBOOKS,
    Action.REVISE: _PLAYBOOKS,
    Action.SHOW_DIFF: _PLAYBOOKS,
    Action.PUBLISH_ANYWAY: [f"1:{slug}" for slug in _PLAYBOOKS],
    Action.SHOW_REGISTRY: ["all", "sales", "support:1"],
    Action.TURN_REGISTRY: ["all:2", "support:9"],
    Action.TEAM_HOLIDAYS: ["support-emea", ""],
    Action.CREATE_TEAM: ["support-emea", ""],
    Action.ADOPT: _PLAYBOOKS,
    Action.LEARN: _PLAYBOOKS,
    Action.ADD_CHAMPION: ["support-reply:support-apac:U01AGENT1", "variance-review:support-emea:U0STRANGER"],
    Action.START_SETUP: ["1", "2", "4"],
    Action.SETUP_DONE: ["1", "2", "4"],
    Action.TICK_ITEM: ["1:0:on", "1:0:off", "2:99:on", "4:0:on"],
    Action.START_ANYWAY: ["support-reply:support-apac:2026-04-06", "variance-review:support-emea:"],
    Action.ASSESS: _PLAYBOOKS,
    Action.SORT_PRACTICES: _PLAYBOOKS,
    Action.SHOW_ASSESSMENT: _PLAYBOOKS,
    Action.SHOW_CUTOVER: _PLAYBOOKS,
    Action.ASK_CUTOVER: _PLAYBOOKS,
    Action.APPROVE_CUTOVER: _PLAYBOOKS,
    Action.CUTOVER_ANYWAY: _PLAYBOOKS,
    Action.HOLD_CUTOVER: _PLAYBOOKS,
    Action.TRAIN: ["1", "2", "4"],
    Action.ADD_SAMPLE: _PLAYBOOKS,
    Action.REMOVE_SAMPLE: _PLAYBOOKS,
    Action.SHOW_TRAINING: _PLAYBOOKS,
    Action.READ_LESSONS: ["1", "2", "4"],
    Action.GRADE_AGAIN: ["1:1", "2:9", "4:1"],
    Action.START_FIRST: ["support-reply:support-apac:2026-04-06", "variance-review:support-emea:"],
    Action.SHOW_PILOT: [*_PLAYBOOKS, ""],
    Action.ASK_REVIEW: _PLAYBOOKS,
    Action.REVIEW_PILOT: _PLAYBOOKS,
    Action.APPROVE_PILOT: [f"0:1:{slug}" for slug in _PLAYBOOKS],
    Action.SEND_BACK_PILOT: [f"1:1:{slug}" for slug in _PLAYBOOKS],
    Action.NAME_OWNERS: [*_PLAYBOOKS, ""],
    Action.SEND_HANDOFF: ["1", "2", "4"],
    Action.ACCEPT_HANDOFF: ["1", "2"],
    Action.FAIL_HANDOFF: ["1", "2"],
    Action.FINISH_HANDOFF: ["1", "2"],
    Action.WITHDRAW_HANDOFF: ["1", "2"],
    Action.EDIT_PLAYBOOK: _PLAYBOOKS,
    Action.EDIT_PART: ["support-reply:basics", ":kpi", "support-reply:steps:send", ":steps:", "x:pillars"],
    Action.CHOOSE_KPI: ["own", "support:0", "finance:9"],
    Action.CHOOSE_ANSWER: ["as-declared", "drifted", "not-run", "nope"],
    Action.CHOOSE_CHANGED: ["send"],
    Action.CHOOSE_STEP: ["1:send", "1:nope", "9:draft"],
    Action.MAKE_TOKEN: [""],
    Action.SHOW_TOKENS: [""],
    Action.REVOKE_TOKEN: ["1", "2", "x"],
    Action.REQUEST: [*_PLAYBOOKS, ""],
    Action.TAKE_BACK_REQUEST: ["1", "2"],
    Action.PLAN_WAVE: _PLAYBOOKS,
    Action.SHOW_WAVES: _PLAYBOOKS,
    Action.SHOW_PROCESS: ["all", ""],
    Action.SHOW_MONTHS: ["1", "2", "4"],
    Action.SHOW_STATUS: [*_PLAYBOOKS, ""],
    Action.WATCH_WEEKLY: ["1", "2", "4"],
    Action.SETTLE_HANDOFF: ["1", "2"],
    Action.DECLARE_MODE: _STEPS,
    Action.BACK_TO_PLAN: _STEPS,
    Action.WAVE_TEAM: ["1", "2", "9"],
    Action.OPEN_WAVE: ["1", "2"],
    Action.OPEN_WAVE_ANYWAY: ["1", "2"],
    Action.CANCEL_WAVE: ["1", "2"],
    Action.COMPARE: [*_PLAYBOOKS, "support-reply:parts"],
    Action.POST_COMPARISON: _PLAYBOOKS,
    Action.ADAPT: ["1", "2", "4"],
    Action.LET_IN: ["support-reply:support-amer:U09LEAD", "support-reply:support-amer:", "x:y:"],
    Action.START_OVER: ["support-reply:", ":"],
    Action.TYPE_IT: [
        "/cadence status support-reply",
        "/cadence learn",
        "/cadence playbook retire x",
        "/nothing",
    ],
    Action.MENU: ["verdict.why|1:draft", "status.show|", "cycle.pause|2", "gone|1", "menu|menu", "|"],
    Action.ASK_THEM: ["U01LEAD:start a cycle", "U01CURATOR:change the settings"],
}
"""The values that buttons really carry; 4 is the adoption of another workspace."""
Opener = tuple[str, Callable[[Arena, str], Reply]]


def _typed(member: str, command: str, text: str = "", channel: str = "C01SUPEMEA") -> Opener:
    return member, lambda arena, who: arena.types(who, command, text, channel)


def _pressed(member: str, action: Action, value: str) -> Opener:
    return member, lambda arena, who: arena.presses(who, action, value)


def _in_two_teams(arena: Arena, who: str) -> Reply:
    """Two check-ins are open; by the time the form is sent, one of them is somebody else's again."""
    arena.types("U01LEAD", "/cadence", f"team join support-apac <@{who}>", "C02SUPAPAC")
    return arena.shortcut(who, Shortcut.CHECK_IN)


def _bring_in(arena: Arena) -> None:
    """The lead brings in a draft, which nobody has reviewed."""
    arena.submits("U01LEAD", form(Callback.IMPORT, yaml=text(NEW_PLAYBOOK)))


def _shortcut(member: str, shortcut: Shortcut, message: Json | None = None) -> Opener:
    return member, lambda arena, who: arena.shortcut(who, shortcut, message)


OPENERS: dict[Callback, list[Opener]] = {
    Callback.CHECKIN: [
        _pressed("U01AGENT1", Action.RAN_AS_DECLARED, f"1:{WEEK}"),
        _pressed("U01LEAD", Action.DRIFTED, f"1:{WEEK}"),
        _pressed("U07ANALYST", Action.CHANGE_CHECKIN, f"3:{WEEK}"),
        _typed("U01AGENT1", "/attest"),
    ],
    Callback.CHECKIN_ALL: [_pressed("U01AGENT1", Action.ALL_RAN, WEEK)],
    Callback.KPI: [_typed("U01LEAD", "/kpi"), _typed("U01CURATOR", "/kpi")],
    Callback.EXCEPTION: [
        _typed("U01AGENT1", "/exception"),
        _typed("U01CURATOR", "/exception"),
        _pressed("U01LEAD", Action.CHOOSE_STEP, "1:send"),
        _shortcut("U01AGENT1", Shortcut.LOG_EXCEPTION, {"ts": "1.0", "user": "U01LEAD", "text": "<!here> x"}),
    ],
    Callback.EXPORT: [_typed("U01LEAD", "/cadence", "export"), _typed("U01CURATOR", "/cadence", "export")],
    Callback.CHOOSE_CHECKIN: [("U01AGENT1", _in_two_teams)],
    Callback.IMPORT: [_typed("U01LEAD", "/cadence", "playbook import")],
    Callback.CHOOSE_PLAYBOOK: [
        _typed("U01CURATOR", "/cadence", "playbook publish"),
        _typed("U01CURATOR", "/cadence", "playbook revise"),
        _typed("U01AGENT1", "/cadence", "playbook diff"),
        _typed("U01AGENT1", "/cadence", "playbook export"),
    ],
    Callback.PLAYBOOK: [
        _typed("U01AGENT1", "/cadence", "playbook new"),
        _pressed("U01LEAD", Action.EDIT_PLAYBOOK, "support-reply"),
    ],
    Callback.PLAYBOOK_BASICS: [
        _pressed("U01AGENT1", Action.EDIT_PART, ":basics"),
        _pressed("U01CURATOR", Action.EDIT_PART, "support-reply:basics"),
    ],
    Callback.PLAYBOOK_KPI: [
        _pressed("U01LEAD", Action.EDIT_PART, "support-reply:kpi"),
        _pressed("U01CURATOR", Action.CHOOSE_KPI, "own"),
    ],
    Callback.PLAYBOOK_GUARDRAILS: [_pressed("U01LEAD", Action.EDIT_PART, "support-reply:guardrails")],
    Callback.PLAYBOOK_STEP: [
        _pressed("U01LEAD", Action.EDIT_PART, "support-reply:steps:draft"),
        _pressed("U01AGENT1", Action.EDIT_PART, ":steps:"),
    ],
    Callback.PLAYBOOK_PACKAGE: [_pressed("U01LEAD", Action.EDIT_PART, "support-reply:package")],
    Callback.PLAYBOOK_NEXT_TEAM: [_pressed("U01LEAD", Action.EDIT_PART, "support-reply:next-team")],
    Callback.PLAYBOOK_PILLARS: [_pressed("U01LEAD", Action.EDIT_PART, "support-reply:pillars")],
    Callback.MOVE: [_typed("U01CURATOR", "/cadence", "playbook move variance-review")],
    Callback.RETIRE: [_typed("U01CURATOR", "/cadence", "playbook retire")],
    Callback.PUBLISH_ANYWAY: [_pressed("U01CURATOR", Action.PUBLISH_ANYWAY, "1:support-reply")],
    Callback.CYCLE_START: [_pressed("U01LEAD", Action.START_CYCLE, "")],
    Callback.NEXT_TEAM: [_pressed("U01LEAD", Action.NEXT_TEAM, "1:1")],
    Callback.TEAM: [
        _typed("U01LEAD", "/cadence", "team create Night Shift"),
        _pressed("U01LEAD", Action.CREATE_TEAM, "support-emea"),
    ],
    Callback.CHOOSE_TEAM: [
        _typed("U01CURATOR", "/cadence", "team members", "C01CURATORS"),
        _typed("U01CURATOR", "/cadence", "team join <@U01AGENT1>", "C01CURATORS"),
        _typed("U01CURATOR", "/cadence", "team leave", "C01CURATORS"),
    ],
    Callback.HOLIDAYS: [
        _pressed("U01LEAD", Action.TEAM_HOLIDAYS, "support-emea"),
        _pressed("U01CURATOR", Action.TEAM_HOLIDAYS, ""),
    ],
    Callback.SETTINGS: [_typed("U01CURATOR", "/cadence", "settings")],
    Callback.ADOPTION_SETTINGS: [
        _typed("U01LEAD", "/cadence", "settings support-reply team=support-emea"),
        _typed("U01CURATOR", "/cadence", "settings support-reply team=support-emea"),
    ],
    Callback.WATCH_ANSWER: [_pressed("U01LEAD", Action.SAY_WHAT_CHANGES, "1:draft")],
    Callback.AWAY: [
        _typed("U01AGENT1", "/cadence", "away"),
        _pressed("U01AGENT1", Action.SNOOZE, f"away:{WEEK}"),
        _pressed("U01LEAD", Action.THEY_ARE_AWAY, "1:2026-03-02"),
    ],
    Callback.RUBRIC: [
        _typed("U01LEAD", "/cadence", "rubric"),
        _typed("U01CURATOR", "/cadence", "rubric support-reply draft"),
    ],
    Callback.REVISE_RUBRIC: [
        _pressed("U01LEAD", Action.REVISE_RUBRIC, "1:draft"),
        _typed("U01CURATOR", "/cadence", "rubric support-reply draft revise"),
    ],
    Callback.BACK_TO_PLAN: [_pressed("U01LEAD", Action.BACK_TO_PLAN, "1:draft")],
    Callback.MODE: [_typed("U01LEAD", "/cadence", "mode"), _typed("U01CURATOR", "/cadence", "mode")],
    Callback.ADOPT: [
        _typed("U01CURATOR", "/cadence", "adopt team=support-amer champion=<@U09AGENT1>"),
        _typed("U01CURATOR", "/cadence", "adopt team=support-amer champion=<@U09LEAD>"),
    ],
    Callback.CHECKLIST: [
        _pressed("U02LEAD", Action.SETUP_DONE, "2"),
        _pressed("U01CURATOR", Action.SETUP_DONE, "2"),
    ],
    Callback.LEARN: [
        _typed("U01AGENT1", "/cadence", "learn"),
        _pressed("U01CURATOR", Action.LEARN, "support-reply"),
    ],
    Callback.CAPACITY: [
        _pressed("U01CURATOR", Action.START_ANYWAY, "variance-review:support-emea:2026-04-06"),
    ],
    Callback.CHOOSE_PILOT: [_typed("U01AGENT1", "/cadence", "pilot")],
    Callback.SEND_BACK_PILOT: [_pressed("U01CURATOR", Action.SEND_BACK_PILOT, "0:1:inbound-routing")],
    Callback.PILOT_REVIEW: [_pressed("U01CURATOR", Action.REVIEW_PILOT, "inbound-routing")],
    Callback.FIRST_CYCLES: [
        _pressed("U01CURATOR", Action.START_FIRST, "variance-review:support-emea:2026-04-06"),
    ],
    Callback.OWNERS: [
        _typed("U01LEAD", "/cadence", "owners support-reply"),
        _pressed("U01CURATOR", Action.NAME_OWNERS, "support-reply"),
    ],
    Callback.CHOOSE_OWNERS: [_typed("U01CURATOR", "/cadence", "owners")],
    Callback.HANDOFF: [
        _typed("U01AGENT1", "/cadence", "handoff"),
        _pressed("U01CURATOR", Action.SEND_HANDOFF, "1"),
    ],
    Callback.HANDOFF_FAIL: [
        _pressed("U07ANALYST", Action.FAIL_HANDOFF, "1"),
        _typed("U01CURATOR", "/cadence", "handoff fail #1"),
    ],
    Callback.AUDIT: [
        _pressed("U01LEAD", Action.GRADE_AUDIT, f"1:{WEEK}"),
        _pressed("U01CURATOR", Action.CHANGE_GRADES, "1"),
    ],
    Callback.ASSESSMENT: [
        _typed("U07LEAD", "/cadence", "assess variance-review"),
        _pressed("U01CURATOR", Action.ASSESS, "variance-review"),
    ],
    Callback.PRACTICES: [_pressed("U07LEAD", Action.SORT_PRACTICES, "variance-review")],
    Callback.CUTOVER_ANYWAY: [_pressed("U01CURATOR", Action.CUTOVER_ANYWAY, "variance-review")],
    Callback.HOLD_CUTOVER: [_pressed("U01CURATOR", Action.HOLD_CUTOVER, "variance-review")],
    Callback.CHOOSE_CUTOVER: [_typed("U01CURATOR", "/cadence", "cutover")],
    Callback.ADD_SAMPLE: [
        _typed("U01LEAD", "/cadence", "train support-reply add"),
        _pressed("U01CURATOR", Action.ADD_SAMPLE, ""),
    ],
    Callback.REMOVE_SAMPLE: [_typed("U01LEAD", "/cadence", "train support-reply remove")],
    Callback.GRADE_SAMPLE: [_pressed("U02LEAD", Action.TRAIN, "2")],
    Callback.DECLINE_PROMOTION: [_pressed("U01LEAD", Action.DECLINE_PROMOTION, "1")],
    Callback.REQUEST: [
        _typed("U09AGENT1", "/cadence", "request"),
        _pressed("U09LEAD", Action.REQUEST, "support-reply"),
    ],
    Callback.ADAPT: [
        _pressed("U01AGENT1", Action.ADAPT, "1"),
        _typed("U01CURATOR", "/cadence", "adapt support-reply team=support-emea"),
    ],
    Callback.WAVE: [
        _pressed("U01LEAD", Action.PLAN_WAVE, "support-reply"),
        _typed("U01CURATOR", "/cadence", "wave variance-review plan"),
    ],
    Callback.WAVE_TEAM: [
        _pressed("U01LEAD", Action.WAVE_TEAM, "1"),
        _pressed("U01CURATOR", Action.WAVE_TEAM, "2"),
    ],
    Callback.WAVE_ANYWAY: [_pressed("U01CURATOR", Action.OPEN_WAVE_ANYWAY, "1")],
    Callback.LET_IN: [
        _pressed("U01CURATOR", Action.LET_IN, "support-reply:support-amer:U09LEAD"),
    ],
    Callback.TOKEN: [
        _typed("U01LEAD", "/cadence", "token"),
        _pressed("U01CURATOR", Action.MAKE_TOKEN, ""),
        _typed("U07ANALYST", "/cadence", "token"),
    ],
    Callback.WHY: [_typed("U01AGENT1", "/cadence", "why")],
}
"""The command that opens each form, so that it is filled in as it really looks."""
FIRST = dict.fromkeys((Callback.CHOOSE_PILOT, Callback.SEND_BACK_PILOT, Callback.PILOT_REVIEW), _bring_in)
"""What a form needs that the database doesn't hold."""


def _fixed(count: int) -> settings:
    return settings(
        max_examples=count,
        derandomize=True,
        deadline=None,
        database=None,
        phases=(Phase.generate, Phase.shrink),
        suppress_health_check=list(HealthCheck),
    )


@pytest.fixture(scope="module")
def arena(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Arena]:
    with opened(tmp_path_factory.mktemp("fuzz")) as ready:
        yield ready


@pytest.mark.parametrize("command", ["/kpi", "/attest", "/exception", "/cadence"])
def test_whatever_is_typed_is_answered(arena: Arena, command: str) -> None:
    before = arena.asked

    @_fixed(EACH_COMMAND)
    @given(text=command_texts(command), member=st.sampled_from(PEOPLE), channel=st.sampled_from(CHANNELS))
    def run(text: str, member: str, channel: str) -> None:
        arena.reset()
        reply = arena.types(member, command, text, channel)
        assert reply.message or reply.views

    run()
    assert arena.asked - before >= EACH_COMMAND


@pytest.mark.parametrize("action", list(Action))
def test_whatever_a_button_carries_is_answered(arena: Arena, action: Action) -> None:
    before = arena.asked

    @_fixed(EACH_BUTTON)
    @given(
        value=button_values(REAL_VALUES.get(action, [])),
        member=st.sampled_from(PEOPLE),
        in_view=st.booleans(),
    )
    def run(value: str, member: str, in_view: bool) -> None:
        arena.reset()
        reply = arena.presses(member, action, value, in_view=in_view)
        assert reply.message or reply.views

    run()
    assert arena.asked - before >= EACH_BUTTON


@pytest.mark.parametrize("callback", FORMS)
def test_whatever_a_form_holds_is_answered(arena: Arena, callback: Callback) -> None:
    prepare = FIRST.get(callback, lambda _arena: None)
    arena.reset()
    prepare(arena)
    replies = [(member, ask(arena, member)) for member, ask in OPENERS[callback]]
    views = [
        (member, view)
        for member, reply in replies
        for view in reply.views
        if view.get("callback_id") == callback
    ]
    assert len(views) == len(OPENERS[callback]), [reply.message for _, reply in replies]
    before = arena.asked
    outcomes: Counter[str] = Counter()

    @_fixed(EACH_FORM)
    @given(submitted=filled_forms(views))
    def run(submitted: tuple[str, Json]) -> None:
        arena.reset()
        prepare(arena)
        member, view = submitted
        reply = arena.submits(member, view)
        assert set(reply.errors) <= {block.get("block_id") for block in view["blocks"]}
        again = any(shown.get("callback_id") == callback for shown in reply.views)
        outcomes["refused" if reply.errors or again else "taken"] += 1

    run()
    assert arena.asked - before >= EACH_FORM
    assert min(outcomes["refused"], outcomes["taken"]) >= EACH_FORM // 10, outcomes


@pytest.mark.parametrize("callback", FORMS)
def test_whatever_ids_a_form_holds_it_is_answered(arena: Arena, callback: Callback) -> None:
    prepare = FIRST.get(callback, lambda _arena: None)
    arena.reset()
    prepare(arena)
    views = [
        (member, forged)
        for member, ask in OPENERS[callback]
        for view in ask(arena, member).views
        if view.get("callback_id") == callback
        for forged in _forged(view)
    ]

    @_fixed(EACH_FORGED)
    @given(submitted=filled_forms(views))
    def run(submitted: tuple[str, Json]) -> None:
        arena.reset()
        prepare(arena)
        arena.submits(*submitted)

    if views:
        run()


def _forged(view: Json) -> Iterator[Json]:
    """A form with each of its ids replaced by those of other rows, of another workspace, and of none."""
    pieces = re.split(r"([0-9]+)", view.get("private_metadata") or "")
    for at in range(1, len(pieces), 2):
        for other in ("2", "4", "5", "99", "0"):
            yield view | {"private_metadata": "".join([*pieces[:at], other, *pieces[at + 1 :]])}
