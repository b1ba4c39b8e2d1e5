"""Five owners by name, and what happens when one of them leaves (SPEC §6)."""

from bot.ops.commands import BUILT_IN_TEAM
from bot.rehearsal.harness import BotHarness
from cadence.actor import Actor
from cadence.flows.people.profiles import Profile, save_profiles
from storage.tables import Duty, DutyKind
from storage.work import UnitOfWork
from templates.contexts.history import Trace
from templates.contexts.overview.digests import Digest
from templates.contexts.pilots import DUTY_TITLES, DUTY_WORDS, DutyOpen
from templates.contexts.playbooks import PlaybookShown
from templates.ids import Action
from tests.contexts import actions, assert_golden, contexts, shown
from tests.scenarios.pilots.drafts import AGENT, CURATOR, LEAD
from tests.scenarios.plays import CURATORS, at, bot_dms, entries, posts, rows

OTHER = "U01AGENT2"


def name(harness: BotHarness, **members: str) -> None:
    lead = harness.workspace.person(LEAD)
    lead.types("/cadence owners")
    done = lead.submits(members)
    assert not done.errors, done.errors
    lead.closes()


def leaves(harness: BotHarness, member: str, *, deleted: bool = True) -> None:
    uow = UnitOfWork(harness.bot.db, Actor.system(BUILT_IN_TEAM), harness.clock.now())
    save_profiles(uow, profiles=[Profile(member, "Somebody", "Europe/Berlin", deleted=deleted)])
    harness.clock.set(max(harness.clock.now(), at("2026-02-27 14:00")))
    harness.tick()


def asked(harness: BotHarness) -> list[DutyOpen]:
    return contexts([*posts(harness, CURATORS), *bot_dms(harness, LEAD)], DutyOpen)


def test_the_owner_is_suggested_and_each_duty_has_a_person(harness: BotHarness) -> None:
    name(harness, exceptions=AGENT)
    held = {row.duty: row.member for row in rows(harness, Duty)}
    assert held == {**dict.fromkeys(DutyKind, LEAD), DutyKind.EXCEPTIONS: AGENT}
    playbook = shown(harness.workspace.person(AGENT).types("/cadence playbook show reply"), PlaybookShown)
    assert (DUTY_TITLES["exceptions"], AGENT) in playbook.owners
    (entry,) = entries(harness, "duties-named")
    assert entry.after["exceptions"] == AGENT
    newest = shown(harness.workspace.person(LEAD).types("/cadence trace"), Trace).rows[0]
    assert newest.member == LEAD
    assert_golden(f"{newest.what}\n{newest.became}", "trace-owners-named")


def test_a_change_ends_the_old_row(harness: BotHarness) -> None:
    name(harness, exceptions=AGENT)
    name(harness, exceptions=OTHER)
    name(harness)
    ended = [(row.duty, row.member) for row in rows(harness, Duty) if row.ended_at is not None]
    assert ended == [(DutyKind.EXCEPTIONS, AGENT)]
    assert len(rows(harness, Duty)) == 6
    assert len(entries(harness, "duties-named")) == 2


def test_only_owners_and_curators_name_them(harness: BotHarness) -> None:
    refused = harness.workspace.person(AGENT).types("/cadence owners reply")
    assert_golden(refused, "refused-not-owner")
    assert rows(harness, Duty) == []
    curator = harness.workspace.person(CURATOR)
    curator.types("/cadence owners reply")
    assert curator.submits({"training": AGENT}).errors == {}


def test_when_one_leaves_the_owner_and_the_curators_are_asked_once(harness: BotHarness) -> None:
    name(harness, exceptions=AGENT, training=AGENT)
    leaves(harness, AGENT)
    leaves(harness, AGENT)
    left = (DUTY_WORDS["exceptions"], DUTY_WORDS["training"])
    assert [(one.member, one.duties) for one in asked(harness)] == [(AGENT, left)] * 2
    [decision] = shown(harness.workspace.person(CURATOR).types("/cadence digest"), Digest).decisions
    assert decision.offer is not None
    assert (decision.offer.action, decision.offer.value) == (Action.NAME_OWNERS, "reply")
    assert Action.NAME_OWNERS in home(harness, LEAD)
    assert Action.NAME_OWNERS in home(harness, CURATOR)
    name(harness, exceptions=OTHER, training=LEAD)
    harness.tick()
    assert [one.duties for one in asked(harness)] == [(), ()]
    assert Action.NAME_OWNERS not in home(harness, LEAD)


def home(harness: BotHarness, member: str) -> list[str]:
    """What their Home offers."""
    return actions(harness.workspace.person(member).opens_home())


def test_a_person_who_left_cant_be_named(harness: BotHarness) -> None:
    leaves(harness, AGENT)
    lead = harness.workspace.person(LEAD)
    lead.types("/cadence owners")
    assert_golden(lead.submits({"rules": AGENT}).errors["rules"], "refused-deactivated")
