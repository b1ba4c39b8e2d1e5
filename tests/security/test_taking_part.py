"""Guests, people of other workspaces, deactivated people and apps take no part, on any surface (SPEC §8)."""

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlmodel import select

from bot.delivery.gateway import Gateway, SlackUnclear
from bot.ops.commands import BUILT_IN_TEAM
from bot.rehearsal.harness import BotHarness
from bot.sandbox.people import User
from bot.workspaces.profiles import member_profile
from cadence.actor import Actor
from cadence.documents import read_workspace
from cadence.flows.people.profiles import Profile
from cadence.flows.people.workspace_files import export_workspace
from storage.queries import people
from storage.tables import Member, OutboxMessage, TrailEntry, Workspace
from storage.work import UnitOfWork
from templates.contexts.answers import Refused
from templates.ids import Action, Callback, Field, Shortcut
from tests.contexts import assert_golden, is_shown, shown
from tests.fuzz.arena import Arena
from tests.security.test_roles import (
    CURATOR,
    DEEDS,
    MEMBER,
    OWNER,
    SETTINGS,
    WEEK,
    form,
    pressed,
    refusal,
    rows,
    sent,
    typed,
)

KINDS = {
    "guest": {"is_guest": True},
    "stranger": {"is_stranger": True},
    "deactivated": {"deleted": True},
    "app": {"is_bot": True},
}
TEAM = "C01SUPEMEA"


def becomes(arena: Arena, member: str, **flags: bool) -> None:
    """Set Slack's stored data on a person."""
    with arena.harness.bot.db.write() as session:
        row = people.member(UnitOfWork.around(session, Actor.system(BUILT_IN_TEAM)), member_id=member)
        row = row or Member(workspace_id=BUILT_IN_TEAM, id=member, seen_at=arena.harness.clock.now())
        row.name, row.is_guest, row.is_stranger = row.name or "Somebody", False, False
        for name, value in flags.items():
            setattr(row, name, value)
        session.add(row)


def allows_guests(arena: Arena) -> None:
    with arena.harness.bot.db.write() as session:
        workspace = session.get(Workspace, BUILT_IN_TEAM)
        assert workspace is not None
        workspace.guests_allowed = True
        session.add(workspace)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("who", [MEMBER, OWNER, CURATOR])
def test_people_who_take_no_part_can_do_nothing(arena: Arena, kind: str, who: str) -> None:
    """Not even by the owner or a curator, should they become a guest or leave."""
    becomes(arena, who, **KINDS[kind])
    with arena.harness.bot.db.read() as session:
        before = rows(session)
    told: set[str] = set()
    for deed in DEEDS:
        reply = deed.do(arena, who)
        if deed.name == "help":
            continue
        told.add(refusal(arena, reply))
    for shortcut in Shortcut:
        message = {"ts": "1.0", "text": "oops"} if shortcut is Shortcut.LOG_EXCEPTION else None
        told.add(refusal(arena, arena.shortcut(who, shortcut, message)))
    by = " by a curator" if (kind, who) == ("guest", CURATOR) else ""
    assert_golden("\n".join(sorted(told)), f"no-part:{kind}{by}")
    with arena.harness.bot.db.read() as session:
        assert rows(session) == before, "a refusal changes nothing"


@pytest.mark.parametrize("kind", KINDS)
def test_the_setting_lets_guests_in_teams_take_part_and_nobody_else(arena: Arena, kind: str) -> None:
    allows_guests(arena)
    becomes(arena, MEMBER, **KINDS[kind])
    becomes(arena, "U0OUTSIDE", **KINDS[kind])
    inside = sent(form(Callback.CHECKIN, {"a": 1, "w": WEEK, "k": "as-declared"}))(arena, MEMBER)
    if kind == "guest":
        assert arena.outcomes == ["ok"]
    else:
        assert_golden(refusal(arena, inside), f"no-part-of-a-team:{kind}")
    outside = typed("/cadence", "team join support-emea")(arena, "U0OUTSIDE")
    assert_golden(refusal(arena, outside), f"no-part-outside:{kind}")


@pytest.mark.parametrize("kind", KINDS)
def test_nobody_puts_them_into_a_team_or_in_charge(arena: Arena, kind: str) -> None:
    becomes(arena, "U0OUTSIDE", **KINDS[kind])
    chosen = {"selected_users": [CURATOR, "U0OUTSIDE"]}
    attempts = [
        typed("/cadence", "team join support-emea <@U0OUTSIDE>")(arena, OWNER),
        arena.submits(
            CURATOR,
            SETTINGS | {"state": {"values": SETTINGS["state"]["values"] | {"curators": {"c": chosen}}}},
        ),
        pressed(Action.ADD_CHAMPION, "support-reply:billing:U0OUTSIDE")(arena, CURATOR),
    ]
    with arena.harness.bot.db.read() as session:
        assert "U0OUTSIDE" not in people.curators(UnitOfWork.around(session, Actor.system(BUILT_IN_TEAM)))
        assert not people.teams_of(
            UnitOfWork.around(session, Actor.system(BUILT_IN_TEAM)), member_id="U0OUTSIDE"
        )
    assert all(attempt.errors or attempt.message for attempt in attempts)


def test_somebody_new_is_looked_up_in_slack_once(harness: BotHarness) -> None:
    harness.workspace.save_user(User("U0NEW", "new", "New", is_restricted=True))
    harness.workspace.save_user(User("U0FAR", "far", "Far", team="T0FAR"))
    for who in ("U0NEW", "U0FAR"):
        for _ in range(3):
            said = harness.workspace.person(who).types("/cadence status")
            assert_golden(shown(said, Refused).text, f"looked-up:{who}")
    asked = [one.what for one in harness.workspace.exchanges() if one.what == "users.info"]
    assert len(asked) == 2


def test_while_slack_is_silent_newcomers_wait_and_named_people_continue(
    harness: BotHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    with harness.bot.db.write() as session:
        for row in session.exec(select(Member)):
            session.delete(row)
    harness.workspace.save_user(User("U0NEW", "new", "New"))
    asked: list[str] = []

    def silent(_gateway: Gateway, member: str) -> Profile:
        asked.append(member)
        raise SlackUnclear("timeout")

    newcomer = harness.workspace.person("U0NEW")
    with monkeypatch.context() as patch:
        patch.setattr(Gateway, "profile", silent)
        for who in (MEMBER, OWNER, CURATOR):
            assert not is_shown(harness.workspace.person(who).types("/cadence status"), Refused)
        for _ in range(3):
            assert_golden(shown(newcomer.types("/cadence status"), Refused).text, "unchecked")
    assert asked.count("U0NEW") == 1, "nobody waits for Slack again and again"
    harness.clock.set(harness.clock.now() + timedelta(minutes=1))
    assert not is_shown(newcomer.types("/cadence status"), Refused)


def test_a_guest_sees_on_their_home_who_can_let_them_in(harness: BotHarness) -> None:
    harness.workspace.save_user(User("U0GUEST", "guest", "Guest", is_ultra_restricted=True))
    assert_golden(harness.workspace.person("U0GUEST").opens_home(), "home:guest")
    harness.workspace.save_user(User("U0FAR", "far", "Far", is_stranger=True, team="T0FAR"))
    assert_golden(harness.workspace.person("U0FAR").opens_home(), "home:stranger")


def test_a_curator_who_becomes_a_guest_is_not_sent_to_themselves(harness: BotHarness) -> None:
    harness.workspace.change_user(CURATOR, is_restricted=True)
    said = harness.workspace.person(CURATOR).types("/cadence status")
    assert_golden(shown(said, Refused).text, "guest-curator")
    assert CURATOR not in said.words


def test_a_member_who_becomes_a_guest_is_asked_nothing_until_guests_are_let_in(harness: BotHarness) -> None:
    curator = harness.workspace.person(CURATOR)
    curator.types("/cadence cycle start support-reply 2026-03-02 team=support-emea")
    harness.workspace.change_user(MEMBER, is_restricted=True)
    harness.play_until(harness.clock.now().replace(month=3, day=6))
    assert not [one for one in harness.workspace.dm(MEMBER) if one.bot_id]

    curator.types("/cadence settings")
    curator.submits({Field.GUESTS: ["yes"]})
    with harness.bot.db.read() as session:
        last = [row for row in session.exec(select(TrailEntry)) if row.action == "settings"][-1]
        assert (last.before["guests"], last.after["guests"]) == (False, True)
    harness.play_until(harness.clock.now().replace(month=3, day=13))
    assert [one for one in harness.workspace.dm(MEMBER) if one.bot_id]
    with harness.bot.db.read() as session:
        asked = {row.recipient for row in session.exec(select(OutboxMessage)) if row.kind == "checkin"}
        assert MEMBER in asked


def test_the_setting_travels_in_the_workspace_file(harness: BotHarness) -> None:
    caller = Actor(BUILT_IN_TEAM, "command line", "cli")
    assert "guests" not in export_workspace(UnitOfWork(harness.bot.db, caller))
    with harness.bot.db.write() as session:
        workspace = session.get(Workspace, BUILT_IN_TEAM)
        assert workspace is not None
        workspace.guests_allowed = True
        session.add(workspace)
    written = export_workspace(UnitOfWork(harness.bot.db, caller))
    spec = read_workspace(written)
    assert spec.guests is True
    off = written.replace("guests: true", "guests: false")
    curator = harness.workspace.person(CURATOR)
    curator.types("/cadence playbook import")
    curator.submits({Field.YAML: off})
    with harness.bot.db.read() as session:
        workspace = session.get(Workspace, BUILT_IN_TEAM)
        assert workspace is not None
        assert workspace.guests_allowed is False


def test_a_person_of_two_workspaces_of_one_organization_takes_part_in_both(harness: BotHarness) -> None:
    profile = member_profile(
        {
            "id": "U0GRID",
            "name": "grid",
            "team_id": "T0OTHER",
            "enterprise_user": {"id": "U0GRID", "enterprise_id": "E1", "teams": ["T0OTHER", BUILT_IN_TEAM]},
        }
    )
    harness.bot.directory.changed(BUILT_IN_TEAM, profile)
    harness.bot.directory.changed(
        BUILT_IN_TEAM, replace(profile, member="U0FAR", homes=frozenset({"T0OTHER"}))
    )
    with harness.bot.db.read() as session:
        known = people.members(
            UnitOfWork.around(session, Actor.system(BUILT_IN_TEAM)), member_ids=["U0GRID", "U0FAR"]
        )
        assert (known["U0GRID"].is_stranger, known["U0FAR"].is_stranger) == (False, True)
