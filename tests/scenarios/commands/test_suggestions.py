"""One click corrects a mistyped command with everything that was typed, with the clicker's rights; somebody
who can't do a thing can ask who can, and can't flood them."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.rehearsal.harness import BotHarness
from bot.sandbox.answers import Answer
from storage.tables import CheckIn, Lesson, LoggedException, Playbook, PlaybookState, Reading
from templates.contexts.answers import Done, Help, Refused
from templates.contexts.exceptions import ExceptionForm
from templates.contexts.overview.statuses import Status
from templates.ids import Action
from tests.contexts import actions, assert_golden, is_shown, shown
from tests.harnesses import bot_harness
from tests.scenarios.plays import (
    DESK,
    DESK_CHANNEL,
    REPLY,
    InCycle,
    at,
    bot_dms,
    ledger,
    rows,
)

AGENT, LEAD, CURATOR = "U01AGENT1", "U01LEAD", "U01CURATOR"
NASTY = "<!channel> <https://evil.example|*click*> `x` _y_ <@U01LEAD|jana> &amp; 1 &lt; 2"
KEPT = NASTY.replace("<@U01LEAD|jana>", "@jana")
"""As Slack shows it: only mentions are special in what somebody types."""


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[BotHarness]:
    with bot_harness(tmp_path, workspace=DESK, playbooks=[REPLY], played=InCycle()) as harness:
        yield harness


def suggested(refused: Answer) -> str:
    """The command on the button of a refusal, which a click types."""
    offer = shown(refused, Refused).offer
    assert offer is not None
    assert offer.action == Action.TYPE_IT
    return offer.value


def test_a_click_types_the_command_that_was_meant(desk: BotHarness) -> None:
    member = desk.workspace.person(AGENT)
    refused = member.types("/cadence stauts reply", channel=DESK_CHANNEL)
    assert suggested(refused) == "/cadence status reply"
    assert_golden(refused, "did-you-mean-status")
    assert refused.message
    [row] = shown(member.clicks(refused.message, "/cadence status reply"), Status).rows
    assert (row.playbook, row.kpi.name) == ("Reply", "First response time")
    form = member.types("/cadence learnn", channel=DESK_CHANNEL)
    assert form.message
    assert member.clicks(form.message, "/cadence learn").view


def test_a_suggested_command_keeps_its_arguments_and_runs_with_the_clickers_rights(desk: BotHarness) -> None:
    right = "/cadence playbook retire reply nobody needs it"
    for member, case in ((LEAD, "owner"), (CURATOR, "curator")):
        person = desk.workspace.person(member)
        refused = person.types("/cadence playbook retrie reply nobody needs it")
        assert suggested(refused) == right
        assert_golden(refused, f"did-you-mean-retire:{case}")
        assert refused.message
        assert rows(desk, Playbook)[0].state is not PlaybookState.RETIRED
        assert_golden(person.clicks(refused.message, right), f"retired:{case}")
    assert rows(desk, Playbook)[0].state is PlaybookState.RETIRED


@pytest.mark.parametrize(
    ("wrong", "right"),
    [
        ("/kpi repyl 14m", "/kpi reply 14m"),
        ("/cadence why reply sned", "/cadence why reply send"),
        ("/cadence trace repyl", "/cadence trace reply"),
        ("/cadence team join dsek", "/cadence team join desk"),
        ("/cadence cycle show reply team=dsek", "/cadence cycle show reply team=desk"),
        ("/attest as-plannd runs=3", "/attest as-planned runs=3"),
        (
            "/cadence mode reply send colaborative it needs an editor",
            "/cadence mode reply send collaborative it needs an editor",
        ),
        ("/cadence registry suport", "/cadence registry support"),
        ("/cadence kpii 14m slow <morning", "/kpi 14m slow &lt;morning"),
    ],
)
def test_a_wrong_word_is_set_right_and_the_rest_stays(desk: BotHarness, wrong: str, right: str) -> None:
    owner = desk.workspace.person(LEAD)
    desk.play_until(at("2026-03-05 10:05"))
    refused = owner.types(wrong, channel=DESK_CHANNEL)
    assert suggested(refused) == right
    assert refused.message
    said = owner.clicks(refused.message, action_id=Action.TYPE_IT, value=right)
    assert said.failure is None
    assert not is_shown(said, Refused)


def test_a_nasty_argument_is_kept_and_can_do_nothing(desk: BotHarness) -> None:
    member = desk.workspace.person(AGENT)
    refused = member.types(f"/cadence larn reply {NASTY}", channel=DESK_CHANNEL)
    assert refused.message
    for block in refused.message.blocks:
        words = str(block.get("text", {}).get("text", ""))
        assert not any(trick in words for trick in ("<!", "<http", "<@")), words
    assert member.clicks(refused.message, action_id=Action.TYPE_IT).failure is None
    [lesson] = rows(desk, Lesson)
    assert lesson.text == KEPT


def test_a_command_too_long_for_a_button_is_still_named(desk: BotHarness) -> None:
    member = desk.workspace.person(AGENT)
    refused = member.types(f"/cadence larn reply {'word ' * 400}", channel=DESK_CHANNEL)
    assert_golden(refused, "too-long-for-a-button")
    assert refused.message
    assert not [block for block in refused.message.blocks if block["type"] == "actions"]


def test_an_exception_on_a_mistyped_step_is_logged_from_its_button(desk: BotHarness) -> None:
    desk.play_until(at("2026-03-05 12:00"))
    member = desk.workspace.person(AGENT)
    refused = member.types(f"/exception reply sned {NASTY}", channel=DESK_CHANNEL)
    assert_golden(refused, "no-such-step")
    assert refused.message
    form = member.clicks(refused.message, "Log it on “Send the reply”").view
    assert form
    assert not rows(desk, LoggedException)
    assert member.submits({}).errors == {}
    [logged] = rows(desk, LoggedException)
    assert (logged.step, logged.reason) == ("send", KEPT)


@pytest.mark.parametrize(("step", "said"), [("sned", ""), ("zzz", "zzz ")])
def test_an_exception_on_a_mistyped_step_keeps_every_option(desk: BotHarness, step: str, said: str) -> None:
    desk.play_until(at("2026-03-05 12:00"))
    member = desk.workspace.person(AGENT)
    link = "https://desk.slack.com/archives/C1/p1"
    typed = f"/exception reply {step} critical=yes promised a refund link={link} team=desk"
    refused = member.types(typed, channel=DESK_CHANNEL)
    assert refused.message
    form = shown(member.clicks(refused.message, action_id=Action.LOG_EXCEPTION), ExceptionForm)
    assert (form.critical, form.reason, form.link) == (True, f"{said}promised a refund", link)
    assert bool(form.selected) is (step == "sned")


def test_an_exception_on_a_mistyped_step_is_for_the_team_that_was_named(tmp_path: Path) -> None:
    with bot_harness(tmp_path, workspace=DESK, playbooks=[REPLY], played=InCycle()) as harness:
        curator = harness.workspace.person(CURATOR)
        for line in ("/cadence adopt reply team=solo", "/cadence cycle start reply 2026-03-09 team=solo"):
            curator.types(line)
        harness.play_until(at("2026-03-12 12:00"))
        chosen = set()
        for team in ("desk", "solo"):
            refused = curator.types(f"/exception reply sned off team={team}")
            assert refused.message
            form = shown(curator.clicks(refused.message, action_id=Action.LOG_EXCEPTION), ExceptionForm)
            chosen.add(form.selected)
            assert (
                shown(curator.types(f"/exception reply send team={team}"), ExceptionForm).selected
                == form.selected
            )
        assert len(chosen) == 2
        assert None not in chosen


def test_an_option_of_another_command_is_never_part_of_a_text(desk: BotHarness) -> None:
    desk.play_until(at("2026-03-05 12:00"))
    member = desk.workspace.person(AGENT)
    typed = ("/exception reply send off runs=3", "/attest as-planned critical=yes", "/kpi 14m runs=3")
    for line in (*typed, "/cadence learn reply samples=20 helped", "/cadence status reply link=x"):
        assert_golden(member.types(line, channel=DESK_CHANNEL), f"option-of-another:{line}")
    assert rows(desk, LoggedException) + rows(desk, Lesson) + rows(desk, CheckIn) + rows(desk, Reading) == []


def test_undo_alone_is_the_undo_of_an_exception(desk: BotHarness) -> None:
    said = desk.workspace.person(AGENT).types("/cadence undo", channel=DESK_CHANNEL)
    assert suggested(said) == "/exception undo"
    assert_golden(said, "undo-alone")


def names(told: Help) -> set[str]:
    """The commands that help lists as the reader's own."""
    return {entry.name for entry in told.entries}


def test_help_is_by_role_and_by_task(desk: BotHarness) -> None:
    told = {who: desk.workspace.person(who).types("/cadence help") for who in (AGENT, LEAD, CURATOR)}
    member, owner, curator = (shown(one, Help) for one in told.values())
    starting, retiring = "/cadence cycle start", "/cadence playbook retire"
    assert starting not in names(member)
    assert starting in names(owner)
    assert retiring not in names(owner)
    assert {starting, retiring} <= names(curator)
    assert starting in member.others[0].names
    assert [retiring in one.names for one in owner.others] == [True]
    assert curator.others == ()
    for case, one in (("member", member), ("owner", owner)):
        assert_golden("\n".join(rest.who for rest in one.others), f"help-for-others:{case}")
    headings = [line for line in told[CURATOR].words.splitlines() if line.startswith("*")]
    assert headings == [f"*{group.task}*" for group in curator.groups]
    assert_golden("\n".join(headings), "help-headings")
    first, second = member.groups[:2]
    assert "/attest" in {entry.name for entry in first.entries}
    words = told[AGENT].words
    assert words.index(first.task) < words.index("`/attest`") < words.index(second.task)


def test_who_can_do_it_is_asked_once_a_day(desk: BotHarness) -> None:
    member = desk.workspace.person(AGENT)
    refused = member.types("/cadence cycle close reply", channel=DESK_CHANNEL)
    assert_golden(refused, "close-not-owner")
    assert refused.message
    assert_golden(member.clicks(refused.message, "Ask them"), "asked-once")
    assert_golden(member.clicks(refused.message, "Ask them"), "asked-twice")
    desk.play_until(at("2026-03-02 11:00"))
    [asked] = [dm for dm in bot_dms(desk, LEAD) if is_shown(dm, Done)]
    assert_golden(asked, "asked-by-dm")


def test_nobody_can_flood_a_decider_with_requests(desk: BotHarness) -> None:
    member = desk.workspace.person(AGENT)
    lines = (
        *("/cadence cycle close reply", "/cadence cycle pause reply", "/cadence settings reply"),
        *("/cadence adopt reply team=solo", "/cadence export reply", "/cadence playbook publish reply"),
        "/cadence playbook retire reply no need",
    )
    told = []
    for line in lines:
        refused = member.types(line, channel=DESK_CHANNEL)
        assert refused.message, line
        told.append(member.clicks(refused.message, "Ask them"))
    assert [is_shown(said, Done) for said in told] == [True] * 5 + [False] * 2
    assert_golden(told[-1], "asked-too-often")
    assert len(ledger(desk, "asked")) == 5
    first = member.types(lines[0], channel=DESK_CHANNEL)
    assert first.message
    assert_golden(member.clicks(first.message, "Ask them"), "asked-before-the-flood")
    assert len(ledger(desk, "asked")) == 5


def test_somebody_who_left_is_not_asked(desk: BotHarness) -> None:
    desk.workspace.change_user(LEAD, deleted=True)
    desk.play_until(at("2026-03-03 10:00"))
    member = desk.workspace.person(AGENT)
    refused = member.types("/cadence cycle close reply", channel=DESK_CHANNEL)
    assert refused.message
    assert_golden(member.clicks(refused.message, "Ask them"), "asked-a-curator")


def test_a_check_in_of_another_team_offers_to_join(desk: BotHarness) -> None:
    desk.play_until(at("2026-03-05 12:00"))
    outsider = desk.workspace.person(CURATOR)
    refused = outsider.types("/attest reply as-planned team=desk")
    assert_golden(refused, "check-in-not-a-member")
    assert rows(desk, CheckIn) == []
    assert refused.message
    assert actions(refused.message) == [Action.TEAM_JOIN]
    assert outsider.clicks(refused.message, "Join Desk").failure is None
