"""One click corrects a mistyped command with everything that was typed, with the clicker's rights; somebody
who can't do a thing can ask who can, and can't flood them."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.rehearsal.harness import BotHarness
from storage.tables import Lesson, LoggedException, Playbook, PlaybookState
from templates.ids import Action
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


def test_a_click_types_the_command_that_was_meant(desk: BotHarness) -> None:
    member = desk.workspace.person(AGENT)
    refused = member.types("/cadence stauts reply", channel=DESK_CHANNEL)
    assert "Did you mean `/cadence status reply`?" in refused.words
    assert refused.message
    shown = member.clicks(refused.message, "/cadence status reply")
    assert "Reply" in shown.words
    assert "First response time" in shown.words
    form = member.types("/cadence learnn", channel=DESK_CHANNEL)
    assert form.message
    assert member.clicks(form.message, "/cadence learn").view


def test_a_suggested_command_keeps_its_arguments_and_runs_with_the_clickers_rights(desk: BotHarness) -> None:
    right = "/cadence playbook retire reply nobody needs it"
    for member, told in ((LEAD, "Only a curator can retire Reply"), (CURATOR, "retired")):
        person = desk.workspace.person(member)
        refused = person.types("/cadence playbook retrie reply nobody needs it")
        assert f"Did you mean `{right}` (for curators)?" in refused.words
        assert refused.message
        assert told in person.clicks(refused.message, right).words
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
    assert "Did you mean" in refused.words
    assert refused.message
    said = owner.clicks(refused.message, action_id=Action.TYPE_IT, value=right)
    assert said.failure is None
    assert "Did you mean" not in said.words


def test_a_nasty_argument_is_kept_and_can_do_nothing(desk: BotHarness) -> None:
    member = desk.workspace.person(AGENT)
    refused = member.types(f"/cadence larn reply {NASTY}", channel=DESK_CHANNEL)
    assert refused.message
    for block in refused.message.blocks:
        shown = str(block.get("text", {}).get("text", ""))
        assert not any(trick in shown for trick in ("<!", "<http", "<@")), shown
    assert member.clicks(refused.message, action_id=Action.TYPE_IT).failure is None
    [lesson] = rows(desk, Lesson)
    assert lesson.text == KEPT


def test_a_command_too_long_for_a_button_is_still_named(desk: BotHarness) -> None:
    member = desk.workspace.person(AGENT)
    refused = member.types(f"/cadence larn reply {'word ' * 400}", channel=DESK_CHANNEL)
    assert "Did you mean `/cadence learn reply word" in refused.words
    assert refused.message
    assert not [block for block in refused.message.blocks if block["type"] == "actions"]


def test_an_exception_on_a_mistyped_step_is_logged_from_its_button(desk: BotHarness) -> None:
    desk.play_until(at("2026-03-05 12:00"))
    member = desk.workspace.person(AGENT)
    refused = member.types(f"/exception reply sned {NASTY}", channel=DESK_CHANNEL)
    assert "There's no step `sned` in Reply. Did you mean `send`?" in refused.words
    assert refused.message
    form = member.clicks(refused.message, "Log it on “Send the reply”").view
    assert form
    assert not rows(desk, LoggedException)
    assert member.submits({}).errors == {}
    [logged] = rows(desk, LoggedException)
    assert (logged.step, logged.reason) == ("send", KEPT)


def test_undo_alone_is_the_undo_of_an_exception(desk: BotHarness) -> None:
    said = desk.workspace.person(AGENT).types("/cadence undo", channel=DESK_CHANNEL)
    assert "Did you mean `/exception undo`?" in said.words


def test_help_is_by_role_and_by_task(desk: BotHarness) -> None:
    told = {who: desk.workspace.person(who).types("/cadence help").words for who in (AGENT, LEAD, CURATOR)}
    member, owner, curator = told.values()
    assert "`/cadence cycle start`: " not in member
    assert "_For owners and curators:_ " in member
    assert "`/cadence cycle start`: " in owner
    assert "_For curators:_ " in owner
    assert "`/cadence playbook retire`: " in curator
    assert "_For" not in curator
    headings = [line for line in curator.splitlines() if line.startswith("*")]
    assert headings == [
        "*This week*",
        "*Exceptions and steps*",
        "*Playbooks*",
        "*Rollout*",
        "*From one team to many*",
        "*Teams and settings*",
    ]
    assert member.index("*This week*") < member.index("`/attest`: ") < member.index("*Exceptions and steps*")


def test_who_can_do_it_is_asked_once_a_day(desk: BotHarness) -> None:
    member = desk.workspace.person(AGENT)
    refused = member.types("/cadence cycle close reply", channel=DESK_CHANNEL)
    assert f"Only the owner (<@{LEAD}>) or a curator can close a cycle." in refused.words
    assert refused.message
    assert member.clicks(refused.message, "Ask them").words == f"Asked <@{LEAD}>."
    assert (
        member.clicks(refused.message, "Ask them").words
        == f"You've already asked <@{LEAD}> about this today."
    )
    desk.play_until(at("2026-03-02 11:00"))
    [asked] = [dm for dm in bot_dms(desk, LEAD) if "would like to" in dm.words]
    assert (
        asked.words == f"<@{AGENT}> would like to close a cycle (Reply). Only you or a curator can do that."
    )


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
        told.append(member.clicks(refused.message, "Ask them").words)
    assert [said.startswith("Asked ") for said in told] == [True] * 5 + [False] * 2
    assert told[-1] == "You've asked for several things today. Ask again tomorrow, or message them yourself."
    assert len(ledger(desk, "asked")) == 5
    first = member.types(lines[0], channel=DESK_CHANNEL)
    assert first.message
    assert "already asked" in member.clicks(first.message, "Ask them").words


def test_somebody_who_left_is_not_asked(desk: BotHarness) -> None:
    desk.workspace.change_user(LEAD, deleted=True)
    desk.play_until(at("2026-03-03 10:00"))
    member = desk.workspace.person(AGENT)
    refused = member.types("/cadence cycle close reply", channel=DESK_CHANNEL)
    assert refused.message
    assert member.clicks(refused.message, "Ask them").words == f"Asked <@{CURATOR}>."


def test_a_check_in_of_another_team_offers_to_join(desk: BotHarness) -> None:
    desk.play_until(at("2026-03-05 12:00"))
    outsider = desk.workspace.person(CURATOR)
    refused = outsider.types("/attest reply as-planned team=desk")
    assert "Only members of Desk can answer its check-in." in refused.words
    assert refused.message
    assert outsider.clicks(refused.message, "Join Desk").failure is None
