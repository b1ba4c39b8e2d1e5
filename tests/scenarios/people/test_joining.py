"""Joining a team: members of its channel at once, others after its owner or a curator approves."""

from datetime import timedelta
from threading import Thread

import pytest
from sqlmodel import select

from bot.rehearsal.harness import BotHarness
from bot.sandbox import payloads
from bot.sandbox.people import User
from storage.tables import JoinRequest, Team, TeamMember, TrailEntry
from templates.contexts.people import ChooseTeamForm, TeamShown
from templates.ids import Action
from tests.contexts import actions, assert_golden, is_shown, shown
from tests.scenarios.plays import at, rows

LEAD, AGENT, CURATOR = "U01LEAD", "U01AGENT1", "U01CURATOR"
CHANNEL = "C01SUPEMEA"
NEW = "U0NEW"
JOIN = "/cadence team join support-emea"


@pytest.fixture
def running(harness: BotHarness) -> BotHarness:
    """Support EMEA runs the lead's playbook; it is Monday morning there. Somebody is new in Slack."""
    harness.workspace.person(LEAD).types("/cadence cycle start support-reply 2026-03-02 team=support-emea")
    harness.workspace.save_user(User(NEW, "new", "New", tz="Europe/Berlin"))
    harness.play_until(at("2026-03-02 11:00"))
    return harness


def memberships(harness: BotHarness, member: str = NEW) -> list[TeamMember]:
    with harness.bot.db.read() as session:
        found = session.exec(select(TeamMember).where(TeamMember.member == member))
        return [row for row in found if row.left_at is None]


def requests(harness: BotHarness) -> list[JoinRequest]:
    with harness.bot.db.read() as session:
        return list(session.exec(select(JoinRequest)))


def test_a_member_of_the_channel_joins_at_once(running: BotHarness) -> None:
    running.workspace.invite(CHANNEL, NEW)
    said = running.workspace.person(NEW).types(JOIN)
    assert_golden(said, "joined")
    assert [row.self_joined for row in memberships(running)] == [True]
    assert requests(running) == []


def test_others_are_asked_of_the_owner(running: BotHarness) -> None:
    new, lead = running.workspace.person(NEW), running.workspace.person(LEAD)
    said = new.types(JOIN)
    assert_golden(said, "request-sent")
    assert new.types(JOIN).text == said.text
    assert len(requests(running)) == 1, "asked twice is asked once"
    assert memberships(running) == []
    running.tick()
    asked = lead.last_dm()
    assert_golden(asked, "asked-of-the-owner")
    assert Action.APPROVE_JOIN in actions(asked)

    assert_golden(lead.clicks(asked, "Approve"), "approved")
    assert [row.self_joined for row in memberships(running)] == [False]
    assert_golden(lead.clicks(asked, "Approve", stale=True), "approved-twice")
    assert len(memberships(running)) == 1, "nobody becomes a member twice"
    running.tick()
    [rewritten] = [one for one in running.workspace.dm(LEAD) if one.ts == asked.ts]
    assert_golden(rewritten, "request-approved")
    assert actions(rewritten) == []
    assert_golden(new.last_dm(), "told-approved")
    with running.bot.db.read() as session:
        done = [row.action for row in session.exec(select(TrailEntry))]
    assert [one for one in done if one.startswith("join-")] == ["join-asked", "join-answered"]


def test_a_request_can_be_declined_and_made_again(running: BotHarness) -> None:
    new, lead = running.workspace.person(NEW), running.workspace.person(LEAD)
    new.types(JOIN)
    running.tick()
    lead.clicks(lead.last_dm(), "Decline")
    running.tick()
    assert memberships(running) == []
    assert_golden(new.last_dm(), "told-declined")
    new.types(JOIN)
    assert [row.state for row in requests(running)] == ["declined", "open"]


def test_nobody_else_decides(running: BotHarness) -> None:
    running.workspace.person(NEW).types(JOIN)
    running.tick()
    asked = running.workspace.person(LEAD).last_dm()
    approve = next(
        element
        for block in asked.blocks
        for element in block.get("elements", ())
        if element.get("action_id") == Action.APPROVE_JOIN
    )
    for who in (AGENT, NEW):
        body = payloads.message_action(running.workspace, running.workspace.user(who), asked, approve, {})
        running.workspace.deliver("interactive", body)
        assert memberships(running) == []
    assert [row.state for row in requests(running)] == ["open"]


def test_who_gets_in_another_way_closes_the_request(running: BotHarness) -> None:
    running.workspace.person(NEW).types(JOIN)
    running.tick()
    asked = running.workspace.person(LEAD).last_dm()
    running.workspace.person(CURATOR).types(f"{JOIN} <@{NEW}>")
    running.tick()
    assert [row.state for row in requests(running)] == ["joined"]
    assert_golden(running.workspace.messages.get(asked.channel, asked.ts), "request-overtaken")
    assert len(memberships(running)) == 1


def test_two_who_approve_at_once_add_one_member(running: BotHarness) -> None:
    running.workspace.person(NEW).types(JOIN)
    running.tick()
    asked = running.workspace.person(LEAD).last_dm()
    lead = running.workspace.person(LEAD)
    clicks = [Thread(target=lambda: lead.clicks(asked, "Approve", stale=True)) for _ in range(4)]
    for click in clicks:
        click.start()
    for click in clicks:
        click.join()
    assert len(memberships(running)) == 1


def test_joining_by_oneself_gives_no_say_over_the_team(running: BotHarness) -> None:
    running.workspace.invite(CHANNEL, NEW)
    new = running.workspace.person(NEW)
    new.types(JOIN)
    assert_golden(new.types(f"/cadence team leave support-emea <@{AGENT}>"), "refused-to-remove")
    assert len(memberships(running, AGENT)) == 1
    team = next(row for row in rows(running, Team) if row.slug == "support-emea")
    before = team.reporter, team.country
    new.types("/cadence team create support-emea")
    refused = new.submits({"reporter": NEW})
    assert_golden(refused.errors["members"], "refused-to-edit")
    new.closes()
    assert_golden(new.types("/cadence team holidays support-emea FR"), "refused-holidays")
    team = next(row for row in rows(running, Team) if row.slug == "support-emea")
    assert (team.reporter, team.country) == before


def test_the_owner_is_told_who_left_and_who_was_removed(running: BotHarness) -> None:
    agent, lead = running.workspace.person(AGENT), running.workspace.person(LEAD)
    agent.types("/cadence team leave support-emea")
    running.tick()
    assert_golden(lead.last_dm(), "left")
    running.workspace.person(CURATOR).types("/cadence team leave support-emea <@U01AGENT2>")
    running.tick()
    assert_golden(lead.last_dm(), "removed")
    before = len(running.workspace.dm(LEAD))
    lead.types("/cadence team leave support-emea <@U01AGENT3>")
    running.clock.set(running.clock.now() + timedelta(minutes=1))
    running.tick()
    assert len(running.workspace.dm(LEAD)) == before, "they did it themselves"


def test_a_team_that_is_not_named_is_chosen_in_a_form(running: BotHarness) -> None:
    running.workspace.invite(CHANNEL, NEW)
    new = running.workspace.person(NEW)
    new.types("/cadence team")
    assert "support-emea" in [one.value for one in shown(new.form(), ChooseTeamForm).teams]
    assert new.submits().errors.keys() == {"team"}
    assert shown(new.submits({"team": "support-emea"}), TeamShown).slug == "support-emea"
    new.closes()
    new.types("/cadence team join")
    new.submits({"team": "support-emea"})
    new.closes()
    assert [row.self_joined for row in memberships(running)] == [True]
    curator = running.workspace.person(CURATOR)
    curator.types(f"/cadence team leave <@{NEW}>")
    curator.submits({"team": "support-emea"})
    assert memberships(running) == []
    new.types("/cadence team leave")
    assert not is_shown(new.form(), TeamShown)
