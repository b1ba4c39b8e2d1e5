"""A second team adopts a playbook, sets it up within its time limit, and starts its own cycle (SPEC §6)."""

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from bot.rehearsal.harness import BotHarness
from bot.sandbox import CantDo
from bot.sandbox.answers import Answer
from storage.tables import Adoption, ChecklistTick, Cycle, Setup, SetupEnd, TeamMember
from templates.contexts.answers import Done
from templates.contexts.checkins import Attested
from templates.contexts.cycles import CycleStarted
from templates.contexts.numbers import Recorded
from templates.contexts.overview.digests import Digest
from templates.contexts.overview.home import Home
from templates.contexts.overview.statuses import Status, StatusRow
from templates.contexts.setup import ChecklistForm, SetupPost
from templates.ids import Action
from tests.contexts import actions, assert_golden, contexts, is_shown, shown
from tests.harnesses import bot_harness
from tests.scenarios.plays import (
    CURATORS,
    DESK,
    DESK_CHANNEL,
    REPLY,
    SOLO_CHANNEL,
    InCycle,
    at,
    bot_dms,
    changed,
    entries,
    ledger,
    posts,
    rows,
)

LEAD, AGENT, SOLO, CURATOR = "U01LEAD", "U01AGENT1", "U01AGENT2", "U01CURATOR"
PACKAGE = """runs_per_week: 40
setup_minutes: 60
checklist: [connect the queue, "load <the> policy", grade 20 replies]
fixed: [rubric, caps]
adaptable: [tone guide]"""


@pytest.fixture
def run_once(tmp_path: Path) -> Iterator[BotHarness]:
    """Thursday of the desk's first week; nobody else runs the playbook."""
    file = changed(REPLY, tmp_path, ("runs_per_week: 40", PACKAGE))
    with bot_harness(
        tmp_path, workspace=DESK, playbooks=[file], played=InCycle("2026-03-05 10:42")
    ) as harness:
        yield harness


@pytest.fixture
def adopted(run_once: BotHarness) -> BotHarness:
    """The owner has brought the playbook to `solo`."""
    said = types(run_once, LEAD, "/cadence adopt reply #solo champion=@u01agent2")
    assert is_shown(said, Done), said
    return run_once


def types(harness: BotHarness, member: str, text: str, channel: str | None = DESK_CHANNEL) -> Answer:
    said = harness.workspace.person(member).types(text, channel=channel)
    harness.tick()
    return said


def presses(harness: BotHarness, member: str, label: str, value: str | None = None) -> Answer:
    said = harness.workspace.person(member).clicks(posts(harness, SOLO_CHANNEL)[0], label, value=value)
    harness.tick()
    return said


def setup_post(harness: BotHarness) -> SetupPost:
    """The only setup post in the channel of `solo`, as it is now."""
    [post] = contexts(posts(harness, SOLO_CHANNEL), SetupPost)
    return post


def status_row(harness: BotHarness, member: str, channel: str = DESK_CHANNEL) -> StatusRow:
    """A member's only row of `/cadence status`."""
    [row] = shown(types(harness, member, "/cadence status", channel), Status).rows
    return row


def test_a_team_adopts_it_and_is_told(adopted: BotHarness) -> None:
    first, second = rows(adopted, Adoption)
    assert (second.champion, second.version_id, second.playbook_id) == (SOLO, first.version_id, 1)
    (post,) = posts(adopted, SOLO_CHANNEL)
    setup = shown(post, SetupPost)
    assert (setup.playbook, setup.team, setup.state, setup.planned) == ("Reply", "Solo", "waiting", 60)
    assert [item.text for item in setup.items] == [
        "connect the queue",
        "load <the> policy",
        "grade 20 replies",
    ]
    assert (setup.fixed, setup.adaptable) == (("rubric", "caps"), ("tone guide",))
    assert actions(post) == [Action.START_SETUP, Action.SHOW_PLAYBOOK]
    assert_golden(post, "waiting")
    assert_golden(bot_dms(adopted, SOLO)[-1], "champion-told")
    (entry,) = entries(adopted, "adopted")
    assert entry.after == {"playbook": "reply", "team": "solo", "version": "draft 1", "champion": SOLO}


def test_the_checklist_is_ticked_against_the_clock(adopted: BotHarness) -> None:
    assert_golden(presses(adopted, SOLO, "Start setup"), "timer-started")
    adopted.play_until(at("2026-03-05 11:00"))
    for item in (0, 1, 2):
        presses(adopted, SOLO, "Check off", f"2:{item}:on")
    presses(adopted, SOLO, "Uncheck", "2:1:off")
    (post,) = posts(adopted, SOLO_CHANNEL)
    setup = shown(post, SetupPost)
    assert (setup.playbook, setup.state) == ("Reply", "running")
    assert [(item.text, item.ticked_by) for item in setup.items] == [
        ("connect the queue", SOLO),
        ("load <the> policy", None),
        ("grade 20 replies", SOLO),
    ]
    assert setup.items[0].ticked_at == at("2026-03-05 11:00")
    assert [item.value for item in setup.items] == ["2:0:off", "2:1:on", "2:2:off"]
    assert actions(post).count(Action.TICK_ITEM) == 3
    assert_golden(post, "two-of-three-items")
    presses(adopted, LEAD, "Check off", "2:1:on")
    adopted.play_until(at("2026-03-05 11:23"))
    assert_golden(presses(adopted, SOLO, "Setup done"), "set-up")
    (post,) = posts(adopted, SOLO_CHANNEL)
    setup = shown(post, SetupPost)
    assert (setup.playbook, setup.team, setup.state) == ("Reply", "Solo", "done")
    assert (setup.by_first_run, setup.minutes, setup.planned) == (False, 41, 60)
    assert actions(post) == [Action.SHOW_PLAYBOOK]
    assert_golden(post, "every-item-is-done")
    told = bot_dms(adopted, LEAD)[-1]
    assert_golden(told, "owner-told")
    assert actions(told) == [Action.START_CYCLE, Action.SHOW_PLAYBOOK]
    (row,) = rows(adopted, Setup)
    assert (row.ended, row.done_by) == (SetupEnd.SAID, SOLO)
    ticks = rows(adopted, ChecklistTick)
    assert [(one.item, one.unticked_at is None) for one in ticks] == [
        (0, True),
        (1, False),
        (2, True),
        (1, True),
    ]
    assert [len(entries(adopted, one)) for one in ("setup-started", "checklist-ticked", "setup-done")] == [
        1,
        4,
        1,
    ]


def test_several_items_are_checked_off_in_one_form_and_the_last_ones_finish_setup(
    adopted: BotHarness,
) -> None:
    presses(adopted, SOLO, "Start setup")
    presses(adopted, SOLO, "Check off", "2:1:on")
    adopted.play_until(at("2026-03-05 11:00"))
    presses(adopted, SOLO, "Setup done")
    solo = adopted.workspace.person(SOLO)
    [asked] = [block for block in solo.form().blocks if block.get("block_id") == "items"]
    assert asked["element"]["type"] == "checkboxes"
    options = [option["text"]["text"] for option in asked["element"]["options"]]
    assert options == ["connect the queue", "grade 20 replies"]
    form = shown(solo.form(), ChecklistForm)
    assert (form.playbook, form.team, [one.label for one in form.open_items]) == ("Reply", "Solo", options)
    assert_golden(solo.form(), "form-with-two-open-items")
    assert solo.submits({"items": ["0"]}).errors == {}
    assert_golden(solo.form(), "form-says-what-is-left")
    adopted.tick()
    setup = setup_post(adopted)
    assert (setup.playbook, setup.state) == ("Reply", "running")
    assert [(item.text, item.ticked_by) for item in setup.items] == [
        ("connect the queue", SOLO),
        ("load <the> policy", SOLO),
        ("grade 20 replies", None),
    ]
    assert setup.items[0].ticked_at == at("2026-03-05 11:00")
    assert rows(adopted, Setup)[0].done_at is None

    adopted.play_until(at("2026-03-05 11:23"))
    solo.clicks(solo.form(), "Check off more")
    assert solo.submits({"items": ["2"]}).errors == {}
    assert_golden(solo.form(), "form-says-that-it-is-set-up")
    adopted.tick()
    setup = setup_post(adopted)
    assert (setup.playbook, setup.team, setup.state) == ("Reply", "Solo", "done")
    (row,) = rows(adopted, Setup)
    assert (row.ended, row.done_by) == (SetupEnd.SAID, SOLO)
    assert [(one.item, one.member) for one in rows(adopted, ChecklistTick)] == [
        (1, SOLO),
        (0, SOLO),
        (2, SOLO),
    ]
    assert [one.after["text"] for one in entries(adopted, "checklist-ticked")][1:] == [
        "connect the queue",
        "grade 20 replies",
    ]
    assert len(entries(adopted, "setup-done")) == 1
    assert_golden(bot_dms(adopted, LEAD)[-1], "owner-told-after-the-form")


def test_an_item_somebody_else_checked_off_meanwhile_is_kept_as_theirs(adopted: BotHarness) -> None:
    presses(adopted, SOLO, "Start setup")
    presses(adopted, SOLO, "Setup done")
    presses(adopted, LEAD, "Check off", "2:0:on")
    solo = adopted.workspace.person(SOLO)
    assert solo.submits({"items": ["0", "1", "2"]}).errors == {}
    ticks = rows(adopted, ChecklistTick)
    assert [(one.item, one.member) for one in ticks] == [(0, LEAD), (1, SOLO), (2, SOLO)]
    assert rows(adopted, Setup)[0].done_by == SOLO


def test_clicks_made_twice_change_nothing(adopted: BotHarness) -> None:
    solo = adopted.workspace.person(SOLO)
    (waiting,) = posts(adopted, SOLO_CHANNEL)
    solo.clicks(waiting, "Start setup")
    solo.clicks(waiting, "Start setup", stale=True)
    adopted.tick()
    (running,) = posts(adopted, SOLO_CHANNEL)
    solo.clicks(running, value="2:0:on")
    solo.clicks(running, value="2:0:on", stale=True)
    adopted.tick()
    assert len(rows(adopted, Setup)) == 1
    assert len(rows(adopted, ChecklistTick)) == 1
    assert len(ledger(adopted, "setup")) == 1


def test_only_the_team_ticks(adopted: BotHarness) -> None:
    presses(adopted, SOLO, "Start setup")
    presses(adopted, AGENT, "Check off", "2:0:on")
    presses(adopted, AGENT, "Setup done")
    with pytest.raises(CantDo):
        adopted.workspace.person(AGENT).form()
    assert rows(adopted, ChecklistTick) == []


def test_the_first_cycle_starts_from_the_post_and_the_first_run_ends_setup(adopted: BotHarness) -> None:
    presses(adopted, SOLO, "Start setup")
    monday = date(2026, 3, 9)
    started = shown(types(adopted, LEAD, f"/cadence cycle start reply {monday} team=solo"), CycleStarted)
    assert (started.playbook, started.starts, started.number) == ("Reply", monday, 1)
    (post, _) = posts(adopted, SOLO_CHANNEL)
    assert shown(post, SetupPost).cycle_starts == monday
    adopted.play_until(at("2026-03-12 10:42"))
    [checkin] = shown(types(adopted, SOLO, "/attest as-declared runs=5", SOLO_CHANNEL), Attested).rows
    assert (checkin.answer.attestation, checkin.answer.runs) == ("as-declared", 5)
    (row,) = rows(adopted, Setup)
    assert (row.ended, row.done_by) == (SetupEnd.FIRST_RUN, None)
    setup = setup_post(adopted)
    assert (setup.state, setup.by_first_run) == ("done", True)
    assert (setup.minutes, setup.planned) == (10_080, 60)


def test_after_setup_the_owner_starts_the_cycle_of_that_team(adopted: BotHarness) -> None:
    presses(adopted, SOLO, "Start setup")
    for item in (0, 1, 2):
        presses(adopted, SOLO, "Check off", f"2:{item}:on")
    presses(adopted, SOLO, "Setup done")
    lead = adopted.workspace.person(LEAD)
    lead.clicks(bot_dms(adopted, LEAD)[-1], "Start the first cycle")
    assert lead.submits({"date": "2026-03-09"}).errors == {}
    cycle = rows(adopted, Cycle)[-1]
    assert (cycle.adoption_id, cycle.number) == (2, 1)
    assert rows(adopted, Adoption)[1].champion == SOLO


def test_nobody_is_nudged_before_the_first_cycle(adopted: BotHarness) -> None:
    adopted.play_until(at("2026-03-13 18:00"))
    asked = [one.kind for one in ledger(adopted, "checkin") if one.recipient == SOLO]
    assert asked == []
    assert len(bot_dms(adopted, SOLO)) == 1
    status = shown(types(adopted, LEAD, "/cadence status reply"), Status)
    [solo] = [row for row in status.rows if row.team == "Solo"]
    assert_golden("\n".join(solo.standing), "setup-in-status")
    assert shown(types(adopted, CURATOR, "/cadence digest"), Digest).decision_count == 0


@pytest.mark.parametrize(
    ("case", "member", "text"),
    [
        ("not-owner", AGENT, "/cadence adopt reply team=solo"),
        ("runs-it", LEAD, f"/cadence adopt reply team=desk champion=<@{LEAD}>"),
        ("champion-outside", LEAD, f"/cadence adopt reply team=solo champion=<@{AGENT}>"),
        ("no-team-there", LEAD, "/cadence adopt reply <#C01CURATORS|curators>"),
        ("typo", LEAD, "/cadence adopt rply team=solo"),
        ("another-channel", LEAD, f"/cadence adopt reply <#{DESK_CHANNEL}|desk> team=solo"),
        ("champion-unknown", LEAD, "/cadence adopt reply team=solo champion=bob"),
    ],
)
def test_what_cannot_be_adopted_is_said(run_once: BotHarness, case: str, member: str, text: str) -> None:
    assert_golden(types(run_once, member, text), f"refused:{case}")
    assert len(rows(run_once, Adoption)) == 1


def test_a_draft_nobody_ran_is_not_handed_on(tmp_path: Path) -> None:
    with bot_harness(tmp_path, workspace=DESK, playbooks=[REPLY]) as harness:
        said = harness.workspace.person(LEAD).types(f"/cadence adopt reply team=solo champion=<@{SOLO}>")
        assert_golden(said, "refused-before-anybody-ran-it")
        assert actions(said) == [Action.START_CYCLE]


def test_a_champion_from_outside_is_added_by_those_who_may(run_once: BotHarness) -> None:
    for member, taken in ((LEAD, False), (CURATOR, True)):
        person = run_once.workspace.person(member)
        refused = person.types(f"/cadence adopt reply team=solo champion=<@{AGENT}>", channel=DESK_CHANNEL)
        assert refused.message is not None
        person.clicks(refused.message, "Add them and adopt")
        assert (len(rows(run_once, Adoption)) == 2) is taken
    assert AGENT in {row.member for row in rows(run_once, TeamMember) if row.team_id == 2}


def test_bare_it_asks_by_form(run_once: BotHarness) -> None:
    lead = run_once.workspace.person(LEAD)
    opened = lead.types("/cadence adopt", channel=SOLO_CHANNEL).view
    assert opened is not None
    error = lead.submits({"champion": AGENT}).errors["champion"]
    assert_golden(error, "refused-champion-in-the-form")
    assert AGENT not in error
    assert lead.submits({"champion": SOLO}).closed is False
    assert len(rows(run_once, Adoption)) == 2


def test_a_later_team_sees_the_number_of_the_first(run_once: BotHarness) -> None:
    for thursday, number in (("2026-03-05", "18m"), ("2026-03-12", "14m"), ("2026-03-19", "12m")):
        run_once.play_until(at(f"{thursday} 11:00"))
        types(run_once, LEAD, f"/kpi {number}")
    run_once.play_until(at("2026-03-27 17:00"))
    types(run_once, LEAD, f"/cadence adopt reply team=solo champion=<@{SOLO}>")
    types(run_once, LEAD, "/cadence cycle start reply 2026-03-30 team=solo")
    before = status_row(run_once, SOLO, SOLO_CHANNEL)
    assert_golden("\n".join(before.standing), "number-of-the-pilot-team")
    run_once.play_until(at("2026-04-02 11:00"))
    types(run_once, SOLO, "/kpi 22m", SOLO_CHANNEL)
    after = status_row(run_once, SOLO, SOLO_CHANNEL)
    assert_golden("\n".join(after.standing), "number-of-the-pilot-team-and-ones-own")
    pilot = status_row(run_once, AGENT)
    assert (pilot.team, pilot.standing) == ("Desk", ())


def test_who_reports_for_both_teams_isnt_asked_about_the_one_still_setting_up(adopted: BotHarness) -> None:
    for member, channel in ((LEAD, None), (CURATOR, CURATORS)):
        recorded = shown(types(adopted, member, "/kpi reply 20m", channel), Recorded)
        assert (recorded.team, recorded.kpi.value) == ("Desk", 20)


def test_a_playbook_that_is_retired_is_not_set_up_any_more(adopted: BotHarness) -> None:
    waiting = posts(adopted, SOLO_CHANNEL)[0]
    assert Action.START_SETUP in actions(waiting)
    types(adopted, CURATOR, "/cadence playbook retire reply The desk is gone")
    adopted.play_until(at("2026-03-05 12:00"))
    asked, told = posts(adopted, SOLO_CHANNEL)[0], bot_dms(adopted, SOLO)[0]
    assert actions(asked) == actions(told) == [Action.SHOW_PLAYBOOK]
    setup = shown(asked, SetupPost)
    assert (setup.playbook, setup.state) == ("Reply", "retired")
    solo = adopted.workspace.person(SOLO)
    home = shown(solo.opens_home(), Home)
    assert (home.waiting, [item.need for item in home.items if item.need is not None]) == (0, [])
    assert_golden(solo.clicks(waiting, "Start setup", stale=True), "refused-retired")
    assert Action.START_CYCLE.value not in str(adopted.workspace.person(LEAD).opens_home().blocks)
    assert rows(adopted, Setup) == []


def test_a_setup_that_waits_for_the_morning_is_not_asked_for_once_its_playbook_is_retired(
    run_once: BotHarness,
) -> None:
    run_once.play_until(at("2026-03-05 20:00"))
    types(run_once, LEAD, "/cadence adopt reply #solo champion=@u01agent2")
    types(run_once, CURATOR, "/cadence playbook retire reply The desk is gone")
    run_once.play_until(at("2026-03-06 12:00"))
    waited = [*ledger(run_once, "setup"), *ledger(run_once, "champion")]
    assert {(row.state, row.reason) for row in waited} == {("skipped", "the playbook is retired")}


def test_a_form_that_is_open_while_the_playbook_is_retired_finishes_nothing(adopted: BotHarness) -> None:
    presses(adopted, SOLO, "Start setup")
    presses(adopted, SOLO, "Setup done")
    types(adopted, CURATOR, "/cadence playbook retire reply The desk is gone")
    solo, before = adopted.workspace.person(SOLO), len(bot_dms(adopted, LEAD))
    refused = solo.submits({"items": ["0", "1", "2"]})
    assert_golden("\n".join(refused.errors.values()), "refused-retired-in-the-form")
    adopted.tick()
    assert [row.done_at for row in rows(adopted, Setup)] == [None]
    assert len(bot_dms(adopted, LEAD)) == before
