"""The bot learns names and time zones of people who came by an import, while it runs."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from bot.delivery.gateway import Gateway, SlackBusy, SlackError, SlackRefused, SlackUnclear
from bot.ops.commands import BUILT_IN_TEAM, import_into
from bot.rehearsal.harness import BotHarness
from bot.runtime import embedded_runner
from bot.sandbox.people import User
from bot.workspaces.directory import ASK_AGAIN, FEW, Directory
from cadence.actor import Actor
from cadence.flows.people.profiles import Profile, has_profile
from storage.work import UnitOfWork
from tests.processes.programs import eventually

WORKSPACE = """
workspace:
  curators: [U01CURATOR]
  curator_channel: C01CURATORS
  timezone: Europe/Berlin
teams:
  - team: support-emea
    title: Support EMEA
    function: support
    region: EMEA
    channel: C01SUPEMEA
    timezone: Europe/Berlin
    country: DE
    members: [MEMBERS]
    reporter: U01LEAD
"""


def join(harness: BotHarness, folder: Path, *members: str) -> None:
    """Import a workspace file in which these people are new in the team."""
    file = folder / "workspace.yaml"
    file.write_text(WORKSPACE.replace("MEMBERS", ", ".join(("U01LEAD", "U01AGENT1", "U01AGENT2", *members))))
    _, refused = import_into(harness.bot.db, BUILT_IN_TEAM, [file], now=harness.clock.now())
    assert not refused


class Register(Gateway):
    """Slack's data on people: who is known, which calls fail, and who was looked up."""

    def __init__(self, known: set[str], errors: dict[str, SlackError] | None = None) -> None:
        super().__init__(token="xoxb-nobody", api_url="http://127.0.0.1:9/api/")
        self.known = known
        self.errors = errors or {}
        self.asked: list[str] = []

    def profile(self, member: str) -> Profile:
        self.asked.append(member)
        if member in self.errors:
            raise self.errors[member]
        if member not in self.known:
            raise SlackRefused("user_not_found")
        return Profile(member, f"Name of {member}", "Asia/Tokyo")

    def profiles(self) -> Iterator[Profile]:
        self.asked.append("everybody")
        for member in self.known:
            yield Profile(member, f"Name of {member}", "Asia/Tokyo")


def directory(harness: BotHarness, register: Register) -> Directory:
    return Directory(harness.bot.db, gateway_for=lambda _: register, clock=harness.clock)


def is_known(harness: BotHarness, member: str) -> bool:
    return has_profile(UnitOfWork(harness.bot.db, Actor.system(BUILT_IN_TEAM)), member=member)


def test_a_running_worker_asks_about_people_who_were_just_imported(
    harness: BotHarness, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert embedded_runner.MEET_EVERY_SECONDS <= 30
    monkeypatch.setattr(embedded_runner, "MEET_EVERY_SECONDS", 0.05)
    harness.workspace.save_user(User("U01NEW", "new.one", tz="America/New_York"))
    harness.bot.worker.start()
    try:
        join(harness, tmp_path, "U01NEW")
        eventually(lambda: is_known(harness, "U01NEW"), "the new member's profile is there")
    finally:
        harness.bot.worker.stop()


def test_only_strangers_are_asked_about_and_at_most_once_an_hour(harness: BotHarness, tmp_path: Path) -> None:
    join(harness, tmp_path, "U01NEW", "U02NEW")
    register = Register({"U01NEW"})
    ours = directory(harness, register)
    assert ours.meet_new(BUILT_IN_TEAM) == 1
    assert register.asked == ["U01NEW", "U02NEW"]
    assert (is_known(harness, "U01NEW"), is_known(harness, "U02NEW")) == (True, False)

    ours.meet_new(BUILT_IN_TEAM)
    ours.meet(BUILT_IN_TEAM, "U02NEW")
    harness.clock.advance(ASK_AGAIN - timedelta(seconds=1))
    ours.meet_new(BUILT_IN_TEAM)
    assert register.asked == ["U01NEW", "U02NEW"]

    harness.clock.advance(timedelta(seconds=1))
    register.known.add("U02NEW")
    assert ours.meet_new(BUILT_IN_TEAM) == 1
    assert register.asked == ["U01NEW", "U02NEW", "U02NEW"]
    assert is_known(harness, "U02NEW")


def test_a_person_unknown_to_slack_does_not_stop_looking_up_others(
    harness: BotHarness, tmp_path: Path
) -> None:
    join(harness, tmp_path, "U01NEW", "U02GONE", "U03NEW")
    ours = directory(harness, Register({"U01NEW", "U03NEW", "U01LEAD"}))
    ours.refresh(BUILT_IN_TEAM)
    assert (is_known(harness, "U01NEW"), is_known(harness, "U03NEW")) == (True, True)


@pytest.mark.parametrize(
    "error", [SlackBusy("ratelimited", 30), SlackUnclear("TimeoutError")], ids=lambda e: e.code
)
def test_when_slack_does_not_answer_the_others_are_left_for_later(
    harness: BotHarness, tmp_path: Path, error: SlackError
) -> None:
    join(harness, tmp_path, "U01NEW", "U02NEW", "U03NEW")
    register = Register({"U01NEW", "U03NEW"}, {"U02NEW": error})
    ours = directory(harness, register)
    assert ours.meet_new(BUILT_IN_TEAM) == 1
    assert register.asked == ["U01NEW", "U02NEW"]
    assert ours.meet_new(BUILT_IN_TEAM) == 1
    assert register.asked == ["U01NEW", "U02NEW", "U03NEW"]
    assert (is_known(harness, "U01NEW"), is_known(harness, "U03NEW")) == (True, True)


def test_many_people_are_looked_up_in_one_list(harness: BotHarness, tmp_path: Path) -> None:
    crowd = {f"U5{number:03}" for number in range(FEW + 1)}
    join(harness, tmp_path, *sorted(crowd))
    register = Register(crowd | {"U9STRANGER"})
    assert directory(harness, register).meet_new(BUILT_IN_TEAM) == len(crowd)
    assert register.asked == ["everybody"]
    assert not is_known(harness, "U9STRANGER")
