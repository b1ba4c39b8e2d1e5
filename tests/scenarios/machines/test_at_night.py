"""A playbook whose runs are all counted by a tool: a demotion in the middle of the night, and who is told when.

The golden transcript is meant to be read. `UPDATE_GOLDEN=1 make test` rewrites it.
"""

import os
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest

from bot.rehearsal.harness import BotHarness
from bot.rehearsal.transcript import Transcript
from bot.sandbox.answers import Answer
from storage.tables import AdoptionStep
from templates.contexts.overview.digests import Digest
from templates.contexts.overview.statuses import Status, Why
from templates.contexts.standards import Demoted, Watch
from tests.contexts import is_shown, shown
from tests.harnesses import bot_harness
from tests.scenarios.machines.asking import Tool
from tests.scenarios.plays import (
    CURATORS,
    DATA,
    DESK,
    DESK_CHANNEL,
    REPLY,
    InCycle,
    at,
    bot_dms,
    local_times,
    posts,
    rows,
)
from tests.scenarios.tokens.making import made_token

LEAD, AGENT, CURATOR = "U01LEAD", "U01AGENT1", "U01CURATOR"
ZONE = "Europe/Berlin"
GOLDEN = DATA / "demoted-at-night.txt"


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[BotHarness]:
    """Monday noon of the desk's first week."""
    with bot_harness(
        tmp_path, workspace=DESK, playbooks=[REPLY], played=InCycle("2026-03-02 12:00")
    ) as harness:
        yield harness


class Night:
    """Plays the week, and keeps the transcript."""

    def __init__(self, harness: BotHarness) -> None:
        self.harness = harness
        self.tool = Tool(harness, made_token(harness, LEAD, playbook="reply"))
        self.transcript = Transcript(harness)
        self.lines: list[str] = []

    def wait(self, until: datetime) -> None:
        """Play until then, event by event."""
        worker, clock = self.harness.bot.worker, self.harness.clock
        while (event := worker.next_event()) is not None and event <= until:
            clock.set(max(event, clock.now()))
            self.tick()
        clock.set(until)

    def tick(self) -> None:
        """Do what is due now."""
        self.harness.tick()
        self.lines.extend(self.transcript.news())

    def pushes(self, path: str, *items: dict[str, object]) -> list[str]:
        """The tool pushes items; returns the decisions they led to."""
        answer = self.tool.push(path, *items)
        assert {outcome for outcome, _ in answer.outcomes} == {"recorded"}
        self.lines.append(f"\n{self.harness.clock.now():%a %H:%M} UTC  Help desk pushes {len(items)} {path}")
        self.tick()
        verdicts = [one["verdict"] for one in answer.body["results"] if "verdict" in one]
        return [verdict["decision"] for verdict in verdicts]

    def asks(self, member: str, command: str) -> Answer:
        """Somebody types a command; returns the answer."""
        self.lines.extend(self.transcript.said(member, command))
        answer = self.harness.workspace.person(member).types(command, channel=DESK_CHANNEL)
        self.lines.extend(self.transcript.answered(answer.words))
        self.tick()
        return answer

    def counts(self, day: int) -> None:
        """The tool counts a day's runs when it is over."""
        self.wait(at(f"2026-03-0{day} 18:00"))
        items = [
            {"id": f"{day}-{member}", "member": member, "runs": runs}
            for member, runs in ((LEAD, 14), (AGENT, 16))
        ]
        self.pushes("runs", *items)

    def goes_wrong(self, minute: int) -> list[str]:
        """On Wednesday after two, the tool notices four exceptions; returns the decisions."""
        self.wait(at(f"2026-03-04 02:{minute}"))
        about: dict[str, object] = {"step": "send", "reason": "promised a refund"}
        return self.pushes("exceptions", *[{"id": f"ticket-{minute}-{one}", **about} for one in range(4)])


@pytest.fixture
def night(desk: BotHarness) -> Night:
    """The small hours of Wednesday, after two days on which the tool counted every run."""
    night = Night(desk)
    for day in (2, 3):
        night.counts(day)
    return night


def test_the_digest_says_that_runs_were_measured(night: Night) -> None:
    for minute in (10, 20):
        night.goes_wrong(minute)
    [row] = shown(night.asks(CURATOR, "/cadence digest"), Digest).rows
    assert row.evidence is not None
    assert (row.evidence.exceptions, row.evidence.measured, row.evidence.runs) == (8, 60, 60)


def test_the_channel_and_the_curators_are_told_at_once_and_people_in_working_hours(
    desk: BotHarness, night: Night
) -> None:
    assert [set(night.goes_wrong(minute)) for minute in (10, 20, 30)] == [{"hold"}, {"watch"}, {"demote"}]
    (step,) = (one for one in rows(desk, AdoptionStep) if one.step == "send")
    assert step.mode == "collaborative"
    for channel in (DESK_CHANNEL, CURATORS):
        told = [one for one in posts(desk, channel) if is_shown(one, Watch) or is_shown(one, Demoted)]
        assert local_times(told, ZONE) == ["Wed 02:20", "Wed 02:30"], channel
        demoted = shown(told[-1], Demoted)
        assert (demoted.step_key, demoted.after, demoted.line) == ("send", "collaborative", "evidence"), (
            channel
        )
    before = {member: len(bot_dms(desk, member)) for member in (LEAD, AGENT, CURATOR)}
    decided = shown(night.asks(AGENT, "/cadence why reply send"), Why).decided
    assert decided is not None
    evidence = decided.evidence
    assert (evidence.exceptions, evidence.measured, evidence.runs) == (12, 60, 60)
    for day in (4, 5):
        night.counts(day)
    [row] = shown(night.asks(LEAD, "/cadence status"), Status).rows
    assert [bool(step.evidence and step.evidence.measured) for step in row.steps] == [True, True]
    night.wait(at("2026-03-09 12:00"))
    text = "\n".join(night.lines).strip() + "\n"
    if os.environ.get("UPDATE_GOLDEN"):
        GOLDEN.write_text(text, encoding="utf-8")
    assert text == GOLDEN.read_text(encoding="utf-8")
    first = {member: local_times(bot_dms(desk, member)[count:], ZONE)[:1] for member, count in before.items()}
    assert first == {LEAD: ["Thu 10:00"], AGENT: ["Thu 10:00"], CURATOR: []}
    for member, count in before.items():
        for when in local_times(bot_dms(desk, member)[count:], ZONE):
            assert when[:3] not in {"Sat", "Sun"}, member
            assert "09:00" <= when[4:] <= "18:00", member
