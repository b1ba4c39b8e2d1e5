"""Nudge hours set for a workspace or a team: by authorized people, and each nudge still once (SPEC §4)."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from ruamel.yaml import YAML
from sqlmodel import select

from bot.ops.commands import BUILT_IN_TEAM, export_file, import_files
from bot.ops.plan import planned_lines
from bot.rehearsal.harness import BotHarness
from bot.settings import Settings
from cadence.actor import Actor
from cadence.flows.core.nudge_hours import hours_of, lines_of, parse_hours, save_hours
from cadence.nudges import Unless
from cadence.refusals import NotAllowed, Refusal
from storage.tables import Adoption, Cycle, CycleState, Workspace
from storage.work import UnitOfWork
from templates.contexts.checkins import CheckinMessage, CheckinReminder
from templates.contexts.cycles import CycleStarted
from tests.contexts import Shown, assert_golden, contexts, is_shown, shown
from tests.harnesses import bot_harness
from tests.scenarios.plays import (
    CURATORS,
    DESK,
    DESK_CHANNEL,
    REPLY,
    TRIAGE,
    InCycle,
    at,
    bot_dms,
    changed,
    entries,
    ledger,
    local_times,
    posts,
    rows,
    start_cycle,
)

LEAD, AGENT, NEWCOMER, CURATOR = "U01LEAD", "U01AGENT1", "U01AGENT2", "U01CURATOR"


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[BotHarness]:
    """Monday morning of week 1, nothing sent yet."""
    with bot_harness(
        tmp_path, workspace=DESK, playbooks=[REPLY], played=InCycle("2026-03-02 09:00")
    ) as harness:
        yield harness


def set_hours(harness: BotHarness, member: str, text: str, *, playbook: str | None = "reply") -> None:
    with harness.bot.db.write() as session:
        adoption = session.exec(select(Adoption).order_by(Adoption.id)).first() if playbook else None  # type: ignore[arg-type]
        save_hours(
            UnitOfWork.around(session, Actor(BUILT_IN_TEAM, member, "form"), harness.clock.now()),
            adoption_id=adoption.id if adoption else None,
            hours=parse_hours(text),
        )
    harness.tick()


def asked(harness: BotHarness, member: str = AGENT) -> list[str]:
    return local_times(bot_dms(harness, member), "Europe/Berlin")


def first_checkin(said: Shown) -> tuple[str, int]:
    """When the first check-in of a cycle that goes on comes, and how many get it."""
    resumed = shown(said, CycleStarted)
    assert resumed.resumed
    return f"{resumed.first_checkin:%a %d}", resumed.members


def gets_check_in(harness: BotHarness, member: str) -> None:
    """Check that somebody's only message is a check-in that is open, not a reminder."""
    [dm] = bot_dms(harness, member)
    [row] = shown(dm, CheckinMessage).rows
    assert row.answer is None


def test_an_owner_sets_the_hours_of_a_team_and_a_curator_those_of_the_workspace(desk: BotHarness) -> None:
    set_hours(desk, CURATOR, "digest: Mon 09:00\ncheck-in: Thu 09:00", playbook=None)
    set_hours(desk, LEAD, "check-in: Wed 15:30\ncheck-in reminder: Thu 16:00\nwho is missing: Tue 08:00")
    desk.play_until(at("2026-03-10 12:00"))
    assert asked(desk) == ["Wed 15:30", "Thu 16:00"]
    assert local_times(posts(desk, CURATORS), "Europe/Berlin") == ["Mon 09:00"]
    assert asked(desk, LEAD)[-1] == "Tue 08:00"
    told = [
        (one.member, one.subject.partition(":")[0], one.before, one.after)
        for one in entries(desk, "hours-set")
    ]
    assert told[0] == (
        CURATOR,
        "workspace",
        {"check-in": "Thu 10:00", "digest": "Mon 11:00"},
        {"check-in": "Thu 09:00", "digest": "Mon 09:00"},
    )
    assert told[1][1:] == (
        "adoption",
        {"check-in": "Thu 09:00", "check-in reminder": "Fri 10:00", "who is missing": "Mon 10:00"},
        {"check-in": "Wed 15:30", "check-in reminder": "Thu 16:00", "who is missing": "Tue 08:00"},
    )


def test_working_days_that_would_drop_a_nudge_are_refused(desk: BotHarness) -> None:
    curator = desk.workspace.person(CURATOR)
    curator.types("/cadence settings")
    refused = curator.submits({"working_days": ["mon", "tue", "wed", "thu"]})
    assert_golden(refused.errors["hours"], "nudges-without-day")
    assert not rows(desk, Workspace)[0].settings.get("working_days")


def test_who_may_not_sets_nothing(desk: BotHarness) -> None:
    with pytest.raises(NotAllowed) as refused:
        set_hours(desk, LEAD, "check-in: Fri 09:00", playbook=None)
    assert_golden(str(refused.value), "refused-workspace-hours")
    with pytest.raises(NotAllowed) as refused:
        set_hours(desk, AGENT, "check-in: Fri 09:00")
    assert_golden(str(refused.value), "refused-team-hours")
    assert entries(desk, "hours-set") == []


@pytest.mark.parametrize(
    ("case", "lines"),
    [
        ("not-a-working-day", "check-in: Sat 10:00"),
        ("reminder-before", "check-in: Fri 10:00"),
        ("same-day", "check-in: Wed 09:00\ncheck-in reminder: Wed 15:00"),
    ],
)
def test_hours_that_cant_be_are_refused(desk: BotHarness, case: str, lines: str) -> None:
    for playbook in ("reply", None):
        with pytest.raises(Refusal) as refused:
            set_hours(desk, CURATOR, lines, playbook=playbook)
        assert_golden(refused.value.plain, f"refused:{case}")
    assert entries(desk, "hours-set") == []


@pytest.mark.parametrize(
    ("when", "moved", "comes"),
    [
        ("2026-03-05 12:00", "check-in: Thu 09:00", ["Thu 10:00", "Fri 10:00", "Thu 09:00"]),
        ("2026-03-05 12:00", "check-in: Tue 09:00", ["Thu 10:00", "Fri 10:00", "Tue 09:00"]),
        ("2026-03-04 12:00", "check-in: Thu 16:00", ["Thu 16:00", "Fri 10:00", "Thu 16:00"]),
        ("2026-03-04 12:00", "check-in: Mon 09:00", ["Wed 12:00", "Fri 10:00", "Mon 09:00"]),
    ],
    ids=[
        "earlier after it was sent",
        "long before, too",
        "later before it was sent",
        "earlier, and past",
    ],
)
def test_an_hour_changed_in_the_middle_of_a_week_loses_and_doubles_nothing(
    desk: BotHarness, when: str, moved: str, comes: list[str]
) -> None:
    desk.play_until(at(when))
    set_hours(desk, LEAD, moved)
    desk.play_until(at("2026-03-12 17:00"))
    assert asked(desk) == comes


def test_an_hour_taken_back_is_the_workspaces_again(desk: BotHarness) -> None:
    set_hours(desk, LEAD, "check-in: Wed 09:00")
    set_hours(desk, CURATOR, "check-in: Thu 11:00", playbook=None)
    desk.play_until(at("2026-03-04 12:00"))
    assert asked(desk) == ["Wed 09:00"]
    set_hours(desk, LEAD, "")
    desk.play_until(at("2026-03-12 12:00"))
    assert asked(desk) == ["Wed 09:00", "Fri 10:00", "Thu 11:00"]
    with desk.bot.db.read() as session:
        lines = lines_of(
            hours_of(UnitOfWork.around(session, Actor.system(BUILT_IN_TEAM)), adoption_id=1), of_adoption=True
        )
    assert parse_hours(lines)["checkin"] == parse_hours("check-in: Thu 11:00")["checkin"]


def test_a_cycle_closes_at_its_own_hour(desk: BotHarness) -> None:
    set_hours(desk, LEAD, "cycle closes: 12:00")
    desk.play_until(at("2026-03-27 11:59"))
    assert rows(desk, Cycle)[0].state is CycleState.RUNNING
    desk.play_until(at("2026-03-27 12:00"))
    assert rows(desk, Cycle)[0].state is CycleState.CLOSED


def test_a_member_asked_after_the_close_gets_nothing_about_the_closed_cycle(desk: BotHarness) -> None:
    set_hours(desk, LEAD, "cycle closes: 08:00")
    desk.play_until(at("2026-03-26 12:00"))
    before = len(asked(desk)), len(asked(desk, LEAD))
    desk.play_until(at("2026-03-29 20:00"))
    assert (len(asked(desk)), len(asked(desk, LEAD))) == before
    for kind in ("checkin-reminder", "kpi-missing", "gate-due"):
        assert ledger(desk, kind)[-1].reason == Unless.CLOSED


def test_the_plan_says_what_an_early_close_leaves_unsent(desk: BotHarness) -> None:
    set_hours(desk, LEAD, "cycle closes: 14:00")
    settings = Settings(_env_file=None, database_url=desk.bot.db.url)
    friday = f"{at('2026-03-27 12:00'):%a %Y-%m-%d}"
    plans = planned_lines(settings, now=at("2026-03-26 12:00"), weeks=1)
    lines = [line for line in plans if line.startswith(friday)]
    assert [line.endswith(Unless.CLOSED) for line in lines] == [False, False, True, True]
    assert_golden("\n".join(lines), "plan-of-friday")


def test_a_cycle_closed_by_hand_is_asked_about_no_more(desk: BotHarness) -> None:
    desk.play_until(at("2026-03-26 12:00"))
    owner = desk.workspace.person(LEAD)
    assert_golden(owner.types("/cadence cycle close reply"), "closed-by-hand")
    cycle = rows(desk, Cycle)[0]
    assert (cycle.state, cycle.result) == (CycleState.CLOSED, "insufficient")
    desk.play_until(at("2026-03-29 20:00"))
    assert asked(desk)[-1] == "Thu 10:00"
    assert ledger(desk, "kpi-missing")[-1].reason == Unless.CLOSED


def test_the_reminder_names_only_what_is_still_running(tmp_path: Path) -> None:
    with bot_harness(tmp_path, workspace=DESK, playbooks=[REPLY, TRIAGE]) as harness:
        start_cycle(harness)
        start_cycle(harness, "triage")
        set_hours(harness, LEAD, "cycle closes: 08:00")
        harness.play_until(at("2026-03-27 10:05"))
        reminder = shown(bot_dms(harness, AGENT)[-1], CheckinReminder)
        assert [(row.playbook, row.week) for row in reminder.rows] == [("Triage", 4)]


def test_who_lives_far_west_of_the_team_still_has_a_fourth_friday(tmp_path: Path) -> None:
    with bot_harness(tmp_path, workspace=DESK, playbooks=[REPLY]) as harness:
        harness.workspace.change_user(LEAD, tz="America/Los_Angeles")
        start_cycle(harness)
        harness.play_until(at("2026-03-29 20:00"))
        assert local_times(bot_dms(harness, LEAD), "America/Los_Angeles")[-2:] == ["Fri 10:00", "Fri 14:00"]


def test_who_runs_two_playbooks_is_asked_once_at_the_earlier_hour(tmp_path: Path) -> None:
    with bot_harness(tmp_path, workspace=DESK, playbooks=[REPLY, TRIAGE]) as harness:
        start_cycle(harness)
        start_cycle(harness, "triage")
        set_hours(harness, LEAD, "check-in: Wed 09:00")
        harness.play_until(at("2026-03-04 12:00"))
        [dm] = bot_dms(harness, AGENT)
        assert [row.playbook for row in shown(dm, CheckinMessage).rows] == ["Reply", "Triage"]
        harness.play_until(at("2026-03-06 12:00"))
        assert asked(harness) == ["Wed 09:00", "Fri 10:00"]


def test_a_team_that_goes_on_after_a_pause_is_asked_at_the_next_hour_there_is(tmp_path: Path) -> None:
    with bot_harness(tmp_path, workspace=DESK, playbooks=[REPLY, TRIAGE]) as harness:
        start_cycle(harness)
        start_cycle(harness, "triage")
        harness.play_until(at("2026-03-02 08:00"))
        set_hours(harness, LEAD, "check-in: Mon 09:00\ncheck-in reminder: Tue 09:00")
        owner = harness.workspace.person(LEAD)
        owner.types("/cadence cycle pause reply")
        harness.play_until(at("2026-03-04 12:00"))
        assert first_checkin(owner.types("/cadence cycle start reply")) == ("Thu 05", 2)
        harness.play_until(at("2026-03-06 12:00"))
        assert asked(harness) == ["Thu 10:00", "Fri 10:00"]


def test_a_team_that_goes_on_late_in_the_week_gets_the_check_in_and_no_reminder(desk: BotHarness) -> None:
    owner = desk.workspace.person(LEAD)
    owner.types("/cadence cycle pause reply")
    desk.play_until(at("2026-03-06 14:00"))
    assert first_checkin(owner.types("/cadence cycle start reply")) == ("Fri 06", 2)
    desk.play_until(at("2026-03-06 18:00"))
    assert asked(desk) == ["Fri 14:00"]
    gets_check_in(desk, AGENT)


def test_who_joins_late_in_the_week_gets_the_check_in_and_no_reminder(desk: BotHarness) -> None:
    desk.play_until(at("2026-03-06 13:00"))
    desk.workspace.invite(DESK_CHANNEL, NEWCOMER)
    desk.workspace.person(NEWCOMER).types("/cadence team join desk")
    desk.play_until(at("2026-03-06 18:00"))
    assert asked(desk, NEWCOMER) == ["Fri 13:00"]
    gets_check_in(desk, NEWCOMER)


@pytest.mark.parametrize("way", ["form", "file"])
def test_who_is_added_late_in_the_week_gets_the_check_in_and_no_reminder(
    desk: BotHarness, tmp_path: Path, way: str
) -> None:
    desk.play_until(at("2026-03-06 13:00"))
    lead = desk.workspace.person(LEAD)
    if way == "form":
        lead.types("/cadence team create desk")
        assert not lead.submits({"members": [LEAD, "U01AGENT1", NEWCOMER]}).errors
    else:
        file = changed(DESK, tmp_path, ("[U01LEAD, U01AGENT1]", "[U01LEAD, U01AGENT1, U01AGENT2]"))
        _, refused = import_files(
            Settings(_env_file=None, database_url=desk.bot.db.url), [file], now=desk.clock.now()
        )
        assert not refused
    desk.tick()
    desk.play_until(at("2026-03-06 18:00"))
    assert asked(desk, NEWCOMER) == ["Fri 13:00"]
    gets_check_in(desk, NEWCOMER)


def test_a_champion_added_late_in_the_week_gets_the_check_in_and_no_reminder(tmp_path: Path) -> None:
    with bot_harness(tmp_path, workspace=DESK, playbooks=[REPLY, TRIAGE]) as harness:
        start_cycle(harness)
        start_cycle(harness, "triage", team="solo")
        harness.play_until(at("2026-03-06 13:00"))
        curator = harness.workspace.person(CURATOR)
        offered = curator.types(f"/cadence adopt triage team=desk champion=<@{CURATOR}>").message
        assert offered is not None
        curator.clicks(offered, "Add them and adopt")
        harness.tick()
        harness.play_until(at("2026-03-06 18:00"))
        told = bot_dms(harness, CURATOR)
        [asked_once] = contexts(told, CheckinMessage)
        assert [row.playbook for row in asked_once.rows] == ["Reply"]
        assert not [one for one in told if is_shown(one, CheckinReminder)]


@pytest.mark.parametrize("day", ["2026-03-04 12:00", "2026-03-03 15:00"])
def test_who_joins_a_second_team_after_its_hour_is_asked_at_the_firsts(tmp_path: Path, day: str) -> None:
    with bot_harness(tmp_path, workspace=DESK, playbooks=[REPLY, TRIAGE]) as harness:
        start_cycle(harness)
        start_cycle(harness, "triage", team="solo")
        harness.play_until(at("2026-03-02 08:00"))
        set_hours(harness, LEAD, "check-in: Mon 09:00\ncheck-in reminder: Tue 09:00")
        harness.play_until(at(day))
        harness.workspace.invite(DESK_CHANNEL, NEWCOMER)
        harness.workspace.person(NEWCOMER).types("/cadence team join desk")
        harness.play_until(at("2026-03-06 12:00"))
        assert asked(harness, NEWCOMER) == ["Thu 10:00", "Fri 10:00"]


def test_the_workspace_file_sets_hours_and_gives_them_back(tmp_path: Path) -> None:
    own = "  nudges:\n    checkin: Wed 09:30\n    digest: tuesday 8.00\nteams:\n"
    file = changed(DESK, tmp_path, ("teams:\n", own))
    with bot_harness(tmp_path, workspace=file, playbooks=[REPLY]) as harness:
        start_cycle(harness)
        harness.play_until(at("2026-03-05 12:00"))
        assert asked(harness) == ["Wed 09:30"]
        configured = Settings(_env_file=None, database_url=harness.bot.db.url)
        out = tmp_path / "out.yaml"
        out.write_text(export_file(configured, None), encoding="utf-8")
        document = YAML(typ="safe").load(out.read_text(encoding="utf-8"))
        assert document["workspace"]["nudges"] == {"checkin": "Wed 09:30", "digest": "Tue 08:00"}
        _, refused = import_files(configured, [out], now=harness.clock.now())
        assert not refused
        assert len(entries(harness, "hours-set")) == 1
        wrong = changed(out, tmp_path, ("Wed 09:30", "Wed 23:00"), ("digest", "digets"))
        _, refused = import_files(configured, [wrong], now=harness.clock.now())
        assert_golden(problems(refused, tmp_path), "file-with-wrong-hours")
        assert len(entries(harness, "hours-set")) == 1


def problems(refused: list[str], folder: Path) -> str:
    """The problems of refused files, wherever those are."""
    return "\n".join(refused).replace(f"{folder}/", "")


@pytest.mark.parametrize(
    ("case", "head"),
    [
        ("three-days", "  working_days: [mon, tue, wed]\n"),
        ("four-days", "  working_days: [mon, tue, wed, thu]\n  nudges:\n    checkin: Wed 10:00\n"),
    ],
)
def test_a_file_whose_working_days_would_drop_a_nudge_is_refused(
    tmp_path: Path, case: str, head: str
) -> None:
    with bot_harness(tmp_path, workspace=DESK, playbooks=[REPLY]) as harness:
        file = changed(DESK, tmp_path, ("teams:\n", head + "teams:\n"))
        _, refused = import_files(
            Settings(_env_file=None, database_url=harness.bot.db.url), [file], now=harness.clock.now()
        )
        assert_golden(problems(refused, tmp_path), f"file-without-day:{case}")
        assert not rows(harness, Workspace)[0].settings.get("working_days")
