"""The bot learns names and time zones of people who came by an import, while it runs."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from bot.delivery.gateway import Gateway, SlackBusy, SlackError, SlackRefused, SlackUnclear
from bot.ops.commands import BUILT_IN_TEAM, import_into
from bot.rehearsal.harness import Stage
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


def join(stage: Stage, folder: Path, *members: str) -> None:
    """Import a workspace file in which these people are new in the team."""
    file = folder / "workspace.yaml"
    file.write_text(WORKSPACE.replace("MEMBERS", ", ".join(("U01LEAD", "U01AGENT1", "U01AGENT2", *members))))
    _, refused = import_into(stage.bot.db, BUILT_IN_TEAM, [file], now=stage.clock.now())
    assert not refused


class Register(Gateway):
    """Slack as far as people go: who is known, what goes wrong, and who was asked about."""

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


def directory(stage: Stage, register: Register) -> Directory:
    return Directory(stage.bot.db, gateway_for=lambda _: register, clock=stage.clock)


def is_known(stage: Stage, member: str) -> bool:
    return has_profile(UnitOfWork(stage.bot.db, Actor.system(BUILT_IN_TEAM)), member=member)


def test_a_running_worker_asks_about_people_who_were_just_imported(
    stage: Stage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert embedded_runner.MEET_EVERY_SECONDS <= 30
    monkeypatch.setattr(embedded_runner, "MEET_EVERY_SECONDS", 0.05)
    stage.workspace.save_user(User("U01NEW", "new.one", tz="America/New_York"))
    stage.bot.worker.start()
    try:
        join(stage, tmp_path, "U01NEW")
        eventually(lambda: is_known(stage, "U01NEW"), "the new member's profile is there")
    finally:
        stage.bot.worker.stop()


def test_only_strangers_are_asked_about_and_at_most_once_an_hour(stage: Stage, tmp_path: Path) -> None:
    join(stage, tmp_path, "U01NEW", "U02NEW")
    register = Register({"U01NEW"})
    ours = directory(stage, register)
    assert ours.meet_new(BUILT_IN_TEAM) == 1
    assert register.asked == ["U01NEW", "U02NEW"]
    assert (is_known(stage, "U01NEW"), is_known(stage, "U02NEW")) == (True, False)

    ours.meet_new(BUILT_IN_TEAM)
    ours.meet(BUILT_IN_TEAM, "U02NEW")
    stage.clock.advance(ASK_AGAIN - timedelta(seconds=1))
    ours.meet_new(BUILT_IN_TEAM)
    assert register.asked == ["U01NEW", "U02NEW"]

    stage.clock.advance(timedelta(seconds=1))
    register.known.add("U02NEW")
    assert ours.meet_new(BUILT_IN_TEAM) == 1
    assert register.asked == ["U01NEW", "U02NEW", "U02NEW"]
    assert is_known(stage, "U02NEW")


def test_somebody_whom_slack_does_not_know_keeps_nobody_else_unknown(stage: Stage, tmp_path: Path) -> None:
    join(stage, tmp_path, "U01NEW", "U02GONE", "U03NEW")
    ours = directory(stage, Register({"U01NEW", "U03NEW", "U01LEAD"}))
    ours.refresh(BUILT_IN_TEAM)
    assert (is_known(stage, "U01NEW"), is_known(stage, "U03NEW")) == (True, True)


@pytest.mark.parametrize(
    "error", [SlackBusy("ratelimited", 30), SlackUnclear("TimeoutError")], ids=lambda e: e.code
)
def test_when_slack_does_not_answer_the_others_are_left_for_later(
    stage: Stage, tmp_path: Path, error: SlackError
) -> None:
    join(stage, tmp_path, "U01NEW", "U02NEW", "U03NEW")
    register = Register({"U01NEW", "U03NEW"}, {"U02NEW": error})
    ours = directory(stage, register)
    assert ours.meet_new(BUILT_IN_TEAM) == 1
    assert register.asked == ["U01NEW", "U02NEW"]
    assert ours.meet_new(BUILT_IN_TEAM) == 1
    assert register.asked == ["U01NEW", "U02NEW", "U03NEW"]
    assert (is_known(stage, "U01NEW"), is_known(stage, "U03NEW")) == (True, True)


def test_many_people_are_looked_up_in_one_list(stage: Stage, tmp_path: Path) -> None:
    crowd = {f"U5{number:03}" for number in range(FEW + 1)}
    join(stage, tmp_path, *sorted(crowd))
    register = Register(crowd | {"U9STRANGER"})
    assert directory(stage, register).meet_new(BUILT_IN_TEAM) == len(crowd)
    assert register.asked == ["everybody"]
    assert not is_known(stage, "U9STRANGER")
