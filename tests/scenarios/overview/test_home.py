"""The Home tab: pending items with their buttons, updated when something happens (SPEC §7)."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from bot.ops.commands import BUILT_IN_TEAM
from bot.rehearsal.harness import BotHarness
from bot.sandbox import CantDo, Channel, User
from bot.sandbox.kinds import elements_of
from bot.workspaces.home_publisher import Homes
from cadence.actor import Actor
from cadence.flows.core.adoptions import adoption_by_id
from cadence.flows.overview import homes as flow
from cadence.flows.overview.homes import HomePace
from cadence.flows.promotions.proposing import judge_promotions
from cadence.rules.kpi import Outcome
from cadence.rules.promotions import GradedCycle
from storage.queries import people
from storage.queries.overview import homes
from storage.tables import CheckIn, Home, PromotionState
from storage.work import UnitOfWork
from tests.harnesses import bot_harness
from tests.scenarios.handoffs.test_handoffs import asked, hand_over, running
from tests.scenarios.plays import (
    CURATORS,
    DESK,
    DESK_CHANNEL,
    REPLY,
    InCycle,
    at,
    bot_dms,
    changed,
    posts,
    rows,
    says,
    start_cycle,
)
from tests.scenarios.promotions.test_promotions import TO_AI, promotion, solo
from tests.templates.seen import characters

LEAD, AGENT, CURATOR = "U01LEAD", "U01AGENT1", "U01CURATOR"


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[BotHarness]:
    """Thursday of week 1, the check-ins were sent: the lead reports the number, the agent doesn't."""
    with bot_harness(
        tmp_path, workspace=DESK, playbooks=[REPLY], played=InCycle("2026-03-05 10:42")
    ) as harness:
        yield harness


def published(harness: BotHarness) -> int:
    """How often a Home was published so far."""
    return sum(one.what == "views.publish" for one in harness.workspace.exchanges())


def test_a_check_in_is_answered_on_the_home_and_the_dm_follows(desk: BotHarness) -> None:
    agent = desk.workspace.person(AGENT)
    home = agent.opens_home()
    assert "1 item needs you" in home.words
    agent.clicks(home, "Check in")
    agent.submits({"runs": "14"})
    desk.tick()
    assert [row.runs for row in rows(desk, CheckIn)] == [14]
    assert bot_dms(desk, AGENT)[-1].buttons == ["Change"]
    caught_up = "You're all caught up 🎉\nYour next check-in comes Thu 12 Mar at 10:00."
    assert caught_up in agent.home().words
    assert "You: checked in · 14 runs" in agent.home().words


def test_an_answer_in_the_dm_takes_it_off_the_home_once(desk: BotHarness) -> None:
    agent = desk.workspace.person(AGENT)
    agent.opens_home()
    before = published(desk)
    agent.clicks(agent.last_dm(), "Didn't run it")
    agent.submits({})
    desk.tick()
    desk.tick()
    assert "You're all caught up" in agent.home().words
    assert published(desk) == before + 1


def test_whose_home_is_not_open_is_left_alone(desk: BotHarness) -> None:
    before = published(desk)
    desk.workspace.person(AGENT).clicks(desk.workspace.person(AGENT).last_dm(), "Didn't run it")
    desk.workspace.person(AGENT).submits({})
    desk.tick()
    assert published(desk) == before
    with pytest.raises(CantDo):
        desk.workspace.person(AGENT).home()


def test_a_home_nobody_looked_at_for_two_weeks_waits_until_it_is_opened(desk: BotHarness) -> None:
    lead = desk.workspace.person(LEAD)
    lead.opens_home()
    desk.play_until(at("2026-03-20 12:00"))
    before = published(desk)
    desk.workspace.person(AGENT).types("/exception reply draft wrong tone", channel=DESK_CHANNEL)
    desk.tick()
    assert published(desk) == before
    assert "week 3 of 4" in lead.opens_home().words


def test_an_exception_shows_on_everybodys_home_around_it(desk: BotHarness) -> None:
    three = [desk.workspace.person(one) for one in (LEAD, AGENT, CURATOR)]
    for person in three:
        person.opens_home()
    before = published(desk)
    says(three[1], "/exception reply draft critical leaked a name", channel=DESK_CHANNEL)
    desk.tick()
    assert published(desk) == before + 3
    for person in three[:2]:
        assert "🔴 Demoted Thu 5 Mar: “Draft the reply”" in person.home().words
    for person in (three[0], three[2]):
        assert "*🔴 Update the rubric*" in person.home().words
    assert "Update the rubric" not in three[1].home().words


def test_homes_are_published_at_slacks_pace_and_per_person_more_slowly(desk: BotHarness) -> None:
    bot = desk.bot
    publisher = Homes(bot.db, gateway_for=lambda _: bot.gateway, clock=desk.clock, pace=HomePace())
    for one in (LEAD, AGENT):
        desk.workspace.person(one).opens_home()
    desk.clock.set(at("2026-03-05 11:00"))
    done: list[int] = []
    for second in (0, 0, 1, 2, 6, 9):
        desk.clock.set(at("2026-03-05 11:00") + timedelta(seconds=second))
        desk.workspace.person(LEAD).types(f"/exception reply draft tone {len(done)}", channel=DESK_CHANNEL)
        done.append(publisher.work())
    assert done == [1, 0, 1, 0, 1, 1]


def test_a_publication_that_nobody_ended_is_made_again_and_a_change_meanwhile_is_not_lost(
    desk: BotHarness,
) -> None:
    """A worker is killed while it publishes; another one's publication overlaps with an action."""
    db, now, pace = desk.bot.db, desk.clock.now(), HomePace()

    def claim(at: datetime) -> flow.Claimed | None:
        return flow.claim(UnitOfWork(db, Actor.system(BUILT_IN_TEAM), at), member=LEAD, pace=pace)

    lead, agent = desk.workspace.person(LEAD), desk.workspace.person(AGENT)
    lead.opens_home()
    agent.types("/exception reply draft wrong tone", channel=DESK_CHANNEL)
    flow.spread(UnitOfWork(db, Actor.system(BUILT_IN_TEAM), now))
    assert claim(now)
    assert claim(now + timedelta(seconds=14)) is None
    later = now + timedelta(seconds=16)
    crossed = claim(later)
    assert crossed
    says(agent, "/exception reply draft critical leaked a name", channel=DESK_CHANNEL)
    flow.spread(UnitOfWork(db, Actor.system(BUILT_IN_TEAM), later))
    flow.note_shown(
        UnitOfWork(db, Actor.system(BUILT_IN_TEAM), later),
        member=LEAD,
        claimed=crossed,
        digest="old",
        pace=pace,
    )
    desk.clock.set(later + pace.each)
    desk.tick()
    assert "🔴 Demoted Thu 5 Mar: “Draft the reply”" in lead.home().words


def test_a_home_slack_refuses_waits_until_it_is_opened(desk: BotHarness) -> None:
    now = desk.clock.now()
    ghost = Home(
        workspace_id=BUILT_IN_TEAM, member="U0GHOST", opened_at=now, stale_at=now, not_before=now, changes=1
    )
    with desk.bot.db.write() as session:
        session.add(ghost)
    desk.tick()
    with desk.bot.db.read() as session:
        row = homes.get(UnitOfWork.around(session, Actor.system(BUILT_IN_TEAM)), member="U0GHOST")
        assert row is not None
        assert (row.problem, row.stale_at) == ("user_not_found", None)


@pytest.mark.parametrize(
    ("choice", "said"),
    [
        ("Mute reminders", "type `/cadence mute off`"),
        ("Tomorrow", "To change the time, type `/cadence snooze`."),
    ],
)
def test_the_dms_menu_says_how_to_take_it_back(desk: BotHarness, choice: str, said: str) -> None:
    agent = desk.workspace.person(AGENT)
    assert said in agent.chooses(agent.last_dm(), "checkin.snooze", choice).words


def test_away_from_the_dm_opens_its_form(desk: BotHarness) -> None:
    agent = desk.workspace.person(AGENT)
    agent.chooses(agent.last_dm(), "checkin.snooze", "I'm away")
    agent.submits({"until": "2026-03-13"})
    assert "Type `/cadence away off`" in agent.form().words


def test_who_reports_the_number_is_asked_for_it_alone(desk: BotHarness) -> None:
    lead = desk.workspace.person(LEAD)
    lead.types("/attest reply as-declared runs=9", channel=DESK_CHANNEL)
    home = lead.opens_home()
    assert "*📊 Report*\nFirst response time · Reply, week 1 of 4" in home.words
    lead.clicks(home, "Report")
    lead.submits({"value": "24m"})
    desk.tick()
    assert "📊" not in lead.home().words
    assert "*First response time*\n24 min → target 15 min" in lead.home().words


def propose(harness: BotHarness, monkeypatch: pytest.MonkeyPatch) -> None:
    """The evaluation for promotion at the close of a cycle in which all 40 samples passed."""
    shown = GradedCycle(
        number=1, samples=40, passes=40, risky=0, over_cap=0, answered=4, expected=4, kpi=Outcome.MET
    )
    monkeypatch.setattr("cadence.flows.promotions.proposing.graded_cycles", lambda *_: [shown])
    now = harness.clock.now()
    with harness.bot.db.write() as session:
        run = adoption_by_id(UnitOfWork.around(session, Actor.system(BUILT_IN_TEAM), now), adoption_id=1)
        assert run.cycle
        judge_promotions(UnitOfWork.around(session, Actor.system(run.workspace.id), now), run, run.cycle)
    harness.tick()


def test_a_curator_approves_on_the_home_and_nobody_else_can(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with solo(tmp_path, TO_AI) as harness:
        propose(harness, monkeypatch)
        curator, owner = harness.workspace.person(CURATOR), harness.workspace.person(LEAD)
        home = curator.opens_home()
        assert "collaborative → AI-led: 40 of 40 samples passed" in home.words
        assert "a curator decides" in owner.opens_home().words
        assert "Approve" not in owner.home().buttons

        [block] = [
            block for block, one in elements_of(home.blocks) if one.get("action_id") == "promotion.approve"
        ]
        forged = harness.workspace.views.replace(replace(owner.home(), body=home.body))
        owner.clicks(forged, "Approve", block_id=block["block_id"], stale=True)
        assert "Only a curator" in owner.form().words
        assert promotion(harness).state is PromotionState.OPEN

        curator.clicks(home, "Approve")
        assert promotion(harness).state is PromotionState.APPROVED
        assert "Ready for promotion" not in curator.home().words, "shown at once, before anything is sent"
        harness.tick()
        assert any(one.text.startswith("Promoted: “Draft the reply”") for one in posts(harness, CURATORS))


def test_long_homes_are_paged_and_keep_their_page(tmp_path: Path) -> None:
    thirty = []
    for number in range(30):
        folder = tmp_path / str(number)
        folder.mkdir()
        longest = ("title: Reply", f"title: {'W' * 77}{number:03}")
        thirty.append(changed(REPLY, folder, ("playbook: reply", f"playbook: reply-{number:02}"), longest))
    with bot_harness(tmp_path, workspace=DESK, playbooks=thirty) as harness:
        lead = harness.workspace.person(LEAD)
        for number in range(2):
            start_cycle(harness, f"reply-{number:02}")
        home = lead.opens_home()
        assert "28 items need you" in home.words
        assert home.buttons[-1] == "Next page"
        for page in range(2, 5):
            assert characters(home.blocks) <= 13_000
            lead.clicks(home, "Next page")
            home = lead.home()
            assert f"Page {page} of 4" in home.words
        assert home.buttons[-1] == "Previous page"
        lead.types("/cadence mute")
        harness.tick()
        assert "Page 4 of 4" in lead.home().words
        harness.clock.set(at("2026-02-28 12:00"))
        assert "Page 1 of 4" in lead.opens_home().words


def test_what_is_handed_over_is_accepted_on_the_home(tmp_path: Path) -> None:
    with running(tmp_path) as harness:
        analyst = harness.workspace.person("U07ANALYST")
        analyst.opens_home()
        hand_over(harness)
        home = analyst.home()
        assert "*⏳ Accept a handoff*\nrefund for case 4711: Support EMEA → Billing" in home.words
        assert "due Wed 4 Mar 09:00" in home.words, "in their own zone"
        analyst.clicks(home, "Accept")
        assert "*⏳ Finish a handoff*\nrefund for case 4711, from Support EMEA" in analyst.home().words
        harness.tick()
        assert asked(harness).text == "✓ Accepted by Billing: refund for case 4711"
        analyst.clicks(analyst.home(), "Done")
        assert "4711" not in analyst.home().words


# --- first contact --------------------------------------------------------------------------------------------


def test_an_invited_bot_says_hello_once(desk: BotHarness) -> None:
    bot = desk.workspace.app.user
    desk.workspace.save_channel(Channel("C9NEW", "new", "public", frozenset({AGENT})))
    desk.workspace.invite("C9NEW", bot)
    desk.tick()
    [hello] = posts(desk, "C9NEW")
    assert hello.words.count("\n•") == 3
    assert hello.buttons == ["Make this channel a team"]
    desk.workspace.person(CURATOR).clicks(hello, "Make this channel a team")
    assert "C9NEW" in str(desk.workspace.person(CURATOR).form().body)
    desk.workspace.remove("C9NEW", bot)
    desk.workspace.invite("C9NEW", bot)
    desk.tick()
    assert len(posts(desk, "C9NEW")) == 1
    desk.workspace.remove(DESK_CHANNEL, bot)
    desk.workspace.invite(DESK_CHANNEL, bot)
    desk.tick()
    again = posts(desk, DESK_CHANNEL)[-1]
    assert "Reply, owned by <@U01LEAD>" in again.words
    assert again.buttons == ["Status"]


def test_a_first_home_says_what_this_is_until_the_first_step(desk: BotHarness) -> None:
    stranger = desk.workspace.save_user(User("U09NEW", "new", "New")).id
    newcomer = desk.workspace.person(stranger)
    home = newcomer.opens_home()
    assert "Join the team you work in." in home.words
    assert "What I do" in home.words
    desk.workspace.invite(DESK_CHANNEL, stranger)
    newcomer.clicks(home, "Join Desk")
    desk.tick()
    assert "What I do" not in newcomer.home().words
    assert "*Reply* · week 1 of 4" in newcomer.home().words


def test_a_first_home_tells_a_curator_of_the_digest_and_a_team_without_playbook_how_to_ask(
    tmp_path: Path,
) -> None:
    with bot_harness(tmp_path, workspace=DESK, playbooks=[REPLY]) as harness:
        home = harness.workspace.person(CURATOR).opens_home()
        assert "*What you'll get:* a digest in the curators' channel on Monday" in home.words
        assert "check-in a week" not in home.words
        home = harness.workspace.person(AGENT).opens_home()
        assert "ask for one with `/cadence request`" in home.words
        assert "one 30-second check-in a week by DM" in home.words


@pytest.mark.parametrize("curators", [True, False])
def test_an_empty_home_says_where_to_begin(tmp_path: Path, curators: bool) -> None:
    with bot_harness(tmp_path, workspace=DESK, playbooks=[]) as harness:
        if not curators:
            with harness.bot.db.write() as session:
                people.set_curators(
                    UnitOfWork.around(session, Actor.system(BUILT_IN_TEAM), harness.clock.now()), members=[]
                )
        boss = harness.workspace.save_user(User("U09BOSS", "boss", "Boss", is_admin=True)).id
        harness.bot.worker.refresh()
        who = harness.workspace.person(CURATOR if curators else boss)
        home = who.opens_home()
        first = "New playbook" if curators else "Set up"
        assert first in home.buttons
        who.clicks(home, first)
        assert who.form()


def test_last_weeks_number_is_still_asked_for_on_monday(desk: BotHarness) -> None:
    lead = desk.workspace.person(LEAD)
    lead.types("/attest reply as-declared runs=9", channel=DESK_CHANNEL)
    desk.clock.set(at("2026-03-09 09:00"))
    home = lead.opens_home()
    assert "*📊 Report*\nFirst response time · Reply, week 1 of 4" in home.words
    assert "Report" in home.buttons
    assert "🟢 2 on track" in home.words
