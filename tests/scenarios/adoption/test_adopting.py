"""A second team adopts a playbook, sets it up within its time limit, and starts its own cycle (SPEC §6)."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.rehearsal.harness import BotHarness
from bot.sandbox import CantDo
from storage.tables import Adoption, ChecklistTick, Cycle, Setup, SetupEnd, TeamMember
from tests.harnesses import bot_harness
from tests.scenarios.plays import (
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
    assert "is adopting" in said, said
    return run_once


def types(harness: BotHarness, member: str, text: str, channel: str = DESK_CHANNEL) -> str:
    said = harness.workspace.person(member).types(text, channel=channel)
    harness.tick()
    return said.words


def presses(harness: BotHarness, member: str, label: str, value: str | None = None) -> str:
    said = harness.workspace.person(member).clicks(posts(harness, SOLO_CHANNEL)[0], label, value=value)
    harness.tick()
    return said.words


def test_a_team_adopts_it_and_is_told(adopted: BotHarness) -> None:
    first, second = rows(adopted, Adoption)
    assert (second.champion, second.version_id, second.playbook_id) == (SOLO, first.version_id, 1)
    (post,) = posts(adopted, SOLO_CHANNEL)
    assert post.text.startswith("Set up Reply in Solo")
    assert "Takes up to 60 min. Timer starts when you click *Start setup*." in post.words
    assert "load &lt;the&gt; policy" in post.words
    assert "rubric" in post.words
    assert "tone guide" in post.words
    assert post.buttons == ["Start setup", "Show the playbook"]
    assert bot_dms(adopted, SOLO)[-1].text.startswith("You're the champion of Reply in Solo")
    (entry,) = entries(adopted, "adopted")
    assert entry.after == {"playbook": "reply", "team": "solo", "version": "draft 1", "champion": SOLO}


def test_the_checklist_is_ticked_against_the_clock(adopted: BotHarness) -> None:
    assert "Timer started" in presses(adopted, SOLO, "Start setup")
    adopted.play_until(at("2026-03-05 11:00"))
    for item in (0, 1, 2):
        presses(adopted, SOLO, "Check off", f"2:{item}:on")
    presses(adopted, SOLO, "Uncheck", "2:1:off")
    (post,) = posts(adopted, SOLO_CHANNEL)
    assert post.text.startswith("Setting up Reply: 2 of 3 done")
    assert f"☑ connect the queue · <@{SOLO}>, Thu 5 Mar 11:00" in post.words
    assert post.buttons.count("Check off") == 1
    presses(adopted, LEAD, "Check off", "2:1:on")
    adopted.play_until(at("2026-03-05 11:23"))
    assert "set up: 41 min (60 planned)" in presses(adopted, SOLO, "Setup done")
    (post,) = posts(adopted, SOLO_CHANNEL)
    assert post.text == "✓ Reply is set up in Solo"
    assert "Every item is done, in 41 min (planned: 60)." in post.words
    assert post.buttons == ["Show the playbook"]
    assert f"Next, <@{LEAD}> or a curator can start the first cycle." in post.words
    told = bot_dms(adopted, LEAD)[-1]
    assert told.text.startswith("Solo set up Reply in 41 min (60 planned).")
    assert told.buttons == ["Start the first cycle", "Show the playbook"]
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
    shown = [option["text"]["text"] for option in asked["element"]["options"]]
    assert shown == ["connect the queue", "grade 20 replies"]
    assert "*Reply* (Solo): 2 open items" in solo.form().words
    assert solo.submits({"items": ["0"]}).errors == {}
    assert "2 of 3 items done. To do: grade 20 replies." in solo.form().words
    adopted.tick()
    (post,) = posts(adopted, SOLO_CHANNEL)
    assert post.text == "Setting up Reply: 2 of 3 done"
    assert f"☑ connect the queue · <@{SOLO}>, Thu 5 Mar 11:00" in post.words
    assert "☐ grade 20 replies" in post.words
    assert rows(adopted, Setup)[0].done_at is None

    adopted.play_until(at("2026-03-05 11:23"))
    solo.clicks(solo.form(), "Check off more")
    assert solo.submits({"items": ["2"]}).errors == {}
    assert "Reply is set up: 41 min (60 planned)." in solo.form().words
    adopted.tick()
    (post,) = posts(adopted, SOLO_CHANNEL)
    assert post.text == "✓ Reply is set up in Solo"
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
    assert bot_dms(adopted, LEAD)[-1].text.startswith("Solo set up Reply in 41 min (60 planned).")


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
    assert types(adopted, LEAD, "/cadence cycle start reply 2026-03-09 team=solo").startswith(
        "✓ Reply starts Mon 9 Mar · cycle 1"
    )
    (post, _) = posts(adopted, SOLO_CHANNEL)
    assert "first cycle starts Mon 9 Mar" in post.words
    adopted.play_until(at("2026-03-12 10:42"))
    assert "not run" not in types(adopted, SOLO, "/attest as-declared runs=5", SOLO_CHANNEL)
    (row,) = rows(adopted, Setup)
    assert (row.ended, row.done_by) == (SetupEnd.FIRST_RUN, None)
    (post,) = [one for one in posts(adopted, SOLO_CHANNEL) if "set up" in one.text]
    assert "Finished by the first check-in with runs" in post.words
    assert "Finished by the first check-in with runs, in 10,080 min (planned: 60)." in post.words


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
    status = types(adopted, LEAD, "/cadence status reply")
    assert "Solo" in status
    assert "Setup hasn't started" in status
    assert "1 decision" not in types(adopted, CURATOR, "/cadence digest")


@pytest.mark.parametrize(
    ("member", "text", "right"),
    [
        (AGENT, "/cadence adopt reply team=solo", "Only the owner (<@U01LEAD>) or a curator"),
        (
            LEAD,
            f"/cadence adopt reply team=desk champion=<@{LEAD}>",
            "Desk already runs Reply, since 27 Feb 2026",
        ),
        (
            LEAD,
            f"/cadence adopt reply team=solo champion=<@{AGENT}>",
            "isn't in Solo, and its champion has to be",
        ),
        (LEAD, "/cadence adopt reply <#C01CURATORS|curators>", "doesn't belong to a team yet"),
        (LEAD, "/cadence adopt rply team=solo", "Did you mean"),
        (LEAD, f"/cadence adopt reply <#{DESK_CHANNEL}|desk> team=solo", "isn't Solo's channel"),
        (LEAD, "/cadence adopt reply team=solo champion=bob", "isn't a member"),
    ],
)
def test_what_cannot_be_adopted_is_said(run_once: BotHarness, member: str, text: str, right: str) -> None:
    assert right in types(run_once, member, text)
    assert len(rows(run_once, Adoption)) == 1


def test_a_draft_nobody_ran_is_not_handed_on(tmp_path: Path) -> None:
    with bot_harness(tmp_path, workspace=DESK, playbooks=[REPLY]) as harness:
        said = harness.workspace.person(LEAD).types(f"/cadence adopt reply team=solo champion=<@{SOLO}>")
        assert "a draft that no team has run yet" in said.words
        assert said.words.endswith("Start a cycle")


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
    assert "isn't in Solo" in error
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
    said = types(run_once, SOLO, "/cadence status", SOLO_CHANNEL)
    assert "Pilot team's latest (Desk): 14 min" in said
    run_once.play_until(at("2026-04-02 11:00"))
    types(run_once, SOLO, "/kpi 22m", SOLO_CHANNEL)
    assert "Pilot team's latest (Desk): 14 min; here, 8 min higher" in types(
        run_once, SOLO, "/cadence status", SOLO_CHANNEL
    )
    assert "Pilot team" not in types(run_once, AGENT, "/cadence status")


def test_who_reports_for_both_teams_isnt_asked_about_the_one_still_setting_up(adopted: BotHarness) -> None:
    assert "Kept" not in types(adopted, LEAD, "/kpi reply 20m", "C01CURATORS")
    assert "20 min" in types(adopted, CURATOR, "/kpi reply 20m", "C01CURATORS")


def test_a_playbook_that_is_retired_is_not_set_up_any_more(adopted: BotHarness) -> None:
    waiting = posts(adopted, SOLO_CHANNEL)[0]
    assert "Start setup" in waiting.buttons
    types(adopted, CURATOR, "/cadence playbook retire reply The desk is gone")
    adopted.play_until(at("2026-03-05 12:00"))
    asked, told = posts(adopted, SOLO_CHANNEL)[0], bot_dms(adopted, SOLO)[0]
    assert (asked.buttons, told.buttons) == (["Show the playbook"], ["Show the playbook"])
    assert "Reply is retired" in asked.text
    solo = adopted.workspace.person(SOLO)
    assert "Set up" not in solo.opens_home().words
    assert "is retired" in solo.clicks(waiting, "Start setup", stale=True).words
    assert "Start the first cycle" not in str(adopted.workspace.person(LEAD).opens_home().blocks)
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
    assert "Reply is retired" in str(solo.submits({"items": ["0", "1", "2"]}).errors)
    adopted.tick()
    assert [row.done_at for row in rows(adopted, Setup)] == [None]
    assert len(bot_dms(adopted, LEAD)) == before
