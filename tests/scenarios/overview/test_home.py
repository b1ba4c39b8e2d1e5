"""The Home tab: pending items with their buttons, updated when something happens (SPEC §7)."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path

import pytest

from bot.ops.commands import BUILT_IN_TEAM
from bot.rehearsal.harness import BotHarness
from bot.sandbox import CantDo, Channel, User
from bot.sandbox.kinds import elements_of
from bot.sandbox.views import View
from bot.workspaces.home_publisher import Homes
from cadence.actor import Actor
from cadence.flows.core.adoptions import adoption_by_id
from cadence.flows.overview import homes as flow
from cadence.flows.overview.homes import HomePace
from cadence.flows.promotions.proposing import judge_promotions
from cadence.rules.kpi import Outcome
from cadence.rules.modes import Mode
from cadence.rules.promotions import GradedCycle
from storage.queries import people
from storage.queries.overview import homes
from storage.tables import Attestation, CheckIn, HandoffState, ModeChange, PromotionState
from storage.tables import Home as HomeRow
from storage.work import UnitOfWork
from templates.contexts.handoffs import HandoffPost
from templates.contexts.overview.digests import Digest
from templates.contexts.overview.home import Home, HomeNeed, HomeNumber, HomePlaybook
from templates.contexts.people import TeamForm
from templates.contexts.promotions import Promoted
from templates.contexts.workspaces import Welcome, WelcomedPlaybook
from templates.ids import Action
from tests.contexts import actions, assert_golden, contexts, shown
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


def needs(home: View, action: Action, *, kind: str = "need") -> list[HomeNeed]:
    """What needs the reader and is done with this action."""
    found = [one.need for one in shown(home, Home).items if one.need is not None and one.kind == kind]
    return [one for one in found if action in {offer.action for offer in one.offers}]


def numbers(home: View) -> list[HomeNumber]:
    return [one.number for one in shown(home, Home).items if one.number is not None]


def playbook(home: View) -> HomePlaybook:
    """The only playbook."""
    [found] = [one.playbook for one in shown(home, Home).items if one.playbook is not None]
    return found


def demoted(home: View) -> dict[str, date]:
    """When each demoted step of the only playbook was demoted, by its title."""
    steps = [one for one in playbook(home).steps if one.state == "demoted"]
    return {one.title: one.judged_at.date() for one in steps if one.judged_at is not None}


def published(harness: BotHarness) -> int:
    """How often a Home was published so far."""
    return sum(one.what == "views.publish" for one in harness.workspace.exchanges())


def test_a_check_in_is_answered_on_the_home_and_the_dm_follows(desk: BotHarness) -> None:
    agent = desk.workspace.person(AGENT)
    home = agent.opens_home()
    assert shown(home, Home).waiting == 1
    agent.clicks(home, "Check in")
    agent.submits({"runs": "14"})
    desk.tick()
    assert [row.runs for row in rows(desk, CheckIn)] == [14]
    assert actions(bot_dms(desk, AGENT)[-1]) == [Action.CHANGE_CHECKIN]
    caught_up = shown(agent.home(), Home)
    assert (caught_up.waiting, caught_up.welcome, caught_up.begin) == (0, False, ())
    assert caught_up.next_checkin is not None
    assert caught_up.next_checkin.isoformat() == "2026-03-12T10:00:00+01:00"
    own = playbook(agent.home()).own
    assert own is not None
    assert (own.attestation, own.runs) == (Attestation.AS_DECLARED, 14)


def test_an_answer_in_the_dm_takes_it_off_the_home_once(desk: BotHarness) -> None:
    agent = desk.workspace.person(AGENT)
    agent.opens_home()
    before = published(desk)
    agent.clicks(agent.last_dm(), "Didn't run it")
    agent.submits({})
    desk.tick()
    desk.tick()
    assert shown(agent.home(), Home).waiting == 0
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
    assert playbook(lead.opens_home()).week == 3


def test_an_exception_shows_on_everybodys_home_around_it(desk: BotHarness) -> None:
    three = [desk.workspace.person(one) for one in (LEAD, AGENT, CURATOR)]
    for person in three:
        person.opens_home()
    before = published(desk)
    says(three[1], "/exception reply draft critical leaked a name", channel=DESK_CHANNEL)
    desk.tick()
    assert published(desk) == before + 3
    for person in three[:2]:
        assert demoted(person.home()) == {"Draft the reply": date(2026, 3, 5)}
    for person in (three[0], three[2]):
        [need] = needs(person.home(), Action.REVISE_RUBRIC)
        assert_golden(f"{need.title}\n{need.text}", "rubric-to-update")
    assert not needs(three[1].home(), Action.REVISE_RUBRIC)


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
    assert demoted(lead.home()) == {"Draft the reply": date(2026, 3, 5)}


def test_a_home_slack_refuses_waits_until_it_is_opened(desk: BotHarness) -> None:
    now = desk.clock.now()
    ghost = HomeRow(
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
    ("choice", "case"),
    [("Mute reminders", "mute"), ("Tomorrow", "tomorrow")],
)
def test_the_dms_menu_says_how_to_take_it_back(desk: BotHarness, choice: str, case: str) -> None:
    agent = desk.workspace.person(AGENT)
    assert_golden(agent.chooses(agent.last_dm(), "checkin.snooze", choice), f"chosen:{case}")


def test_away_from_the_dm_opens_its_form(desk: BotHarness) -> None:
    agent = desk.workspace.person(AGENT)
    agent.chooses(agent.last_dm(), "checkin.snooze", "I'm away")
    agent.submits({"until": "2026-03-13"})
    assert_golden(agent.form(), "away")


def test_who_reports_the_number_is_asked_for_it_alone(desk: BotHarness) -> None:
    lead = desk.workspace.person(LEAD)
    lead.types("/attest reply as-declared runs=9", channel=DESK_CHANNEL)
    home = lead.opens_home()
    [number] = numbers(home)
    assert (number.kpi.name, number.playbook, number.week) == ("First response time", "Reply", 1)
    lead.clicks(home, "Report")
    lead.submits({"value": "24m"})
    desk.tick()
    assert not numbers(lead.home())
    kpi = playbook(lead.home()).kpi
    assert (kpi.name, kpi.value, kpi.target) == ("First response time", 24, 15)


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
        [need] = needs(home, Action.APPROVE_PROMOTION)
        assert_golden(f"{need.title}\n{need.text}", "promotion-for-curators")
        [need] = needs(owner.opens_home(), Action.WHY, kind="curator")
        assert not needs(owner.home(), Action.WHY), "it doesn't need the owner"
        assert "primary" not in [
            one.get("style")
            for _, one in elements_of(owner.home().blocks)
            if one.get("text", {}).get("text") == "Why"
        ]
        assert_golden(f"{need.title}\n{need.text}", "promotion-for-its-owner")
        assert Action.APPROVE_PROMOTION not in actions(owner.home())

        [block] = [
            block for block, one in elements_of(home.blocks) if one.get("action_id") == "promotion.approve"
        ]
        forged = harness.workspace.views.replace(replace(owner.home(), body=home.body))
        owner.clicks(forged, "Approve", block_id=block["block_id"], stale=True)
        assert_golden(owner.form(), "refused-not-a-curator")
        assert promotion(harness).state is PromotionState.OPEN

        curator.clicks(home, "Approve")
        assert promotion(harness).state is PromotionState.APPROVED
        at_once = needs(curator.home(), Action.APPROVE_PROMOTION)
        assert not at_once, "shown at once, before anything is sent"
        harness.tick()
        [promoted] = contexts(posts(harness, CURATORS), Promoted)
        assert (promoted.step, promoted.after, promoted.approved_by) == (
            "Draft the reply",
            Mode.AI_LED,
            CURATOR,
        )


def test_a_curator_sees_apart_what_waits_for_owners_and_it_isnt_counted(tmp_path: Path) -> None:
    draft = changed(
        REPLY,
        tmp_path,
        ("playbook: reply", "playbook: second"),
        ("title: Reply", "title: Second"),
        ("pilot: desk\n", ""),
    )
    with bot_harness(
        tmp_path, workspace=DESK, playbooks=[REPLY, draft], played=InCycle("2026-03-05 12:00")
    ) as harness:
        says(harness.workspace.person(AGENT), "/exception send critical it promised a refund")
        harness.tick()
        home = harness.workspace.person(CURATOR).opens_home()
        jobs = [one.need for one in shown(home, Home).items if one.kind == "owner" and one.need]
        assert [one.offers[0].action for one in jobs] == [Action.START_CYCLE]
        assert (shown(home, Home).waiting, len(needs(home, Action.REVISE_RUBRIC))) == (1, 1)
        assert_golden(home, "a-curators-home-with-owners-jobs")
        owners = harness.workspace.person(LEAD).opens_home()
        assert needs(owners, Action.REVISE_RUBRIC)
        assert needs(owners, Action.START_CYCLE)


def test_a_decision_leaves_the_digest_and_a_second_press_names_nobody_to_themselves(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with solo(tmp_path, TO_AI) as harness:
        harness.play_until(at("2026-03-09 12:00"))
        propose(harness, monkeypatch)
        harness.play_until(at("2026-03-16 12:00"))
        curator = harness.workspace.person(CURATOR)
        digest = posts(harness, CURATORS)[-1]
        before = shown(digest, Digest)
        [decision] = [
            one for one in before.decisions if one.offer and one.offer.action == Action.APPROVE_PROMOTION
        ]
        assert_golden(f"{decision.title}: {decision.text}", "promotion-in-the-digest")

        curator.clicks(digest, "Approve")
        harness.tick()
        assert promotion(harness).state is PromotionState.APPROVED
        [now] = [one for one in posts(harness, CURATORS) if one.ts == digest.ts]
        assert shown(now, Digest).decision_count == before.decision_count - 1
        assert Action.APPROVE_PROMOTION not in actions(now)
        again = curator.clicks(digest, "Approve", stale=True)
        assert_golden(again, "approved-by-oneself")
        assert len([one for one in rows(harness, ModeChange) if one.kind == "promotion"]) == 1


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
        assert shown(home, Home).waiting == 28
        assert actions(home)[-1] == Action.HOME_ON
        for page in range(2, 5):
            assert characters(home.blocks) <= 13_000
            lead.clicks(home, "Next page")
            home = lead.home()
            assert (shown(home, Home).page, shown(home, Home).pages) == (page, 4)
        assert actions(home)[-1] == Action.HOME_BACK
        lead.types("/cadence mute")
        harness.tick()
        assert shown(lead.home(), Home).page == 4
        harness.clock.set(at("2026-02-28 12:00"))
        assert shown(lead.opens_home(), Home).page == 1


def test_what_is_handed_over_is_accepted_on_the_home(tmp_path: Path) -> None:
    with running(tmp_path) as harness:
        analyst = harness.workspace.person("U07ANALYST")
        analyst.opens_home()
        hand_over(harness)
        home = analyst.home()
        [need] = needs(home, Action.ACCEPT_HANDOFF)
        assert_golden(f"{need.title}\n{need.text}", "handoff-to-accept")  # due in their own zone
        analyst.clicks(home, "Accept")
        [need] = needs(analyst.home(), Action.FINISH_HANDOFF)
        assert_golden(f"{need.title}\n{need.text}", "handoff-to-finish")
        harness.tick()
        handoff = shown(asked(harness), HandoffPost).handoff
        assert (handoff.state, handoff.to) == (HandoffState.ACCEPTED, "Billing")
        analyst.clicks(analyst.home(), "Done")
        assert shown(analyst.home(), Home).waiting == 0
        assert handoff.what not in analyst.home().words


# --- first contact --------------------------------------------------------------------------------------------


def test_an_invited_bot_says_hello_once(desk: BotHarness) -> None:
    bot = desk.workspace.app.user
    desk.workspace.save_channel(Channel("C9NEW", "new", "public", frozenset({AGENT})))
    desk.workspace.invite("C9NEW", bot)
    desk.tick()
    [hello] = posts(desk, "C9NEW")
    assert_golden(hello, "hello")
    assert actions(hello) == [Action.CREATE_TEAM]
    desk.workspace.person(CURATOR).clicks(hello, action_id=Action.CREATE_TEAM)
    assert shown(desk.workspace.person(CURATOR).form(), TeamForm).channel == "C9NEW"
    desk.workspace.remove("C9NEW", bot)
    desk.workspace.invite("C9NEW", bot)
    desk.tick()
    assert len(posts(desk, "C9NEW")) == 1
    desk.workspace.remove(DESK_CHANNEL, bot)
    desk.workspace.invite(DESK_CHANNEL, bot)
    desk.tick()
    again = posts(desk, DESK_CHANNEL)[-1]
    assert shown(again, Welcome).runs == (WelcomedPlaybook(title="Reply", owner=LEAD),)
    assert actions(again) == [Action.SHOW_STATUS]


def test_a_first_home_says_what_this_is_until_the_first_step(desk: BotHarness) -> None:
    stranger = desk.workspace.save_user(User("U09NEW", "new", "New")).id
    newcomer = desk.workspace.person(stranger)
    home = newcomer.opens_home()
    assert_golden(home, "first-home-without-a-team")
    desk.workspace.invite(DESK_CHANNEL, stranger)
    newcomer.clicks(home, "Join Desk")
    desk.tick()
    assert not shown(newcomer.home(), Home).welcome
    assert (playbook(newcomer.home()).playbook, playbook(newcomer.home()).week) == ("Reply", 1)


def test_a_first_home_tells_a_curator_of_the_digest_and_a_team_without_playbook_how_to_ask(
    tmp_path: Path,
) -> None:
    with bot_harness(tmp_path, workspace=DESK, playbooks=[REPLY]) as harness:
        home = harness.workspace.person(CURATOR).opens_home()
        assert_golden(home, "first-home-of-a-curator")
        home = harness.workspace.person(AGENT).opens_home()
        assert_golden(home, "first-home-without-a-playbook")


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
        first = Action.NEW_PLAYBOOK if curators else Action.OPEN_SETTINGS
        assert first in actions(home)
        who.clicks(home, action_id=first)
        assert who.form()


def test_last_weeks_number_is_still_asked_for_on_monday(desk: BotHarness) -> None:
    lead = desk.workspace.person(LEAD)
    lead.types("/attest reply as-declared runs=9", channel=DESK_CHANNEL)
    desk.clock.set(at("2026-03-09 09:00"))
    home = lead.opens_home()
    [number] = numbers(home)
    assert (number.kpi.name, number.playbook, number.week) == ("First response time", "Reply", 1)
    assert Action.REPORT_KPI in actions(home)
    assert [one.state for one in playbook(home).steps] == ["on-track", "on-track"]
