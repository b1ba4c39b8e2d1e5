"""The usual `/kpi` goes a short way (`typed_numbers`): what is said and kept is what the long way says and keeps."""

from pathlib import Path
from typing import Any, NamedTuple

import pytest

from bot.rehearsal.harness import Stage
from cadence.flows.numbers import typed_numbers
from storage.tables import HomeChange, OwedMessage, Reading, TrailEntry
from tests.scenarios.plays import DESK, DESK_CHANNEL, REPLY, SOLO_CHANNEL, TRIAGE, at, rows, start_cycle
from tests.staging import on_stage

LEAD, AGENT, SOLO, CURATOR = "U01LEAD", "U01AGENT1", "U01AGENT2", "U01CURATOR"


class Step(NamedTuple):
    """Somebody types something at a moment; whether that is the usual number."""

    moment: str
    member: str
    text: str
    usual: bool
    channel: str = DESK_CHANNEL


SCRIPT = [
    Step("2026-03-05 11:00", AGENT, "/kpi 14m", True),
    Step("2026-03-05 11:01", AGENT, "/kpi 14m", True),
    Step("2026-03-05 11:02", LEAD, "/kpi 13m after a *quiet* week", True),
    Step("2026-03-05 11:03", AGENT, "/kpi Reply 12.5m", True),
    Step("2026-03-05 11:04", AGENT, "/kpi replies 14m", False),
    Step("2026-03-05 11:05", AGENT, "/kpi fourteen minutes 14", False),
    Step("2026-03-05 11:06", AGENT, "/kpi 14 apples", True),
    Step("2026-03-05 11:07", AGENT, "/kpi 95%", False),
    Step("2026-03-05 11:08", AGENT, "/kpi 14m week=1", False),
    Step("2026-03-05 11:09", AGENT, "/kpi 14m team=desk", False),
    Step("2026-03-05 11:10", AGENT, "/kpi 14m week=3", False),
    Step("2026-03-05 11:11", CURATOR, "/kpi reply 14m", False),
    Step("2026-03-05 11:13", SOLO, "/kpi 14m", False),
    Step("2026-03-05 11:14", LEAD, "/kpi triage 14", False),
    Step("2026-03-05 11:15", LEAD, "/kpi triage 14", False, SOLO_CHANNEL),
    Step("2026-03-05 11:16", AGENT, f"/kpi 14m {'long ' * 250}", False),
    Step("2026-03-08 12:00", AGENT, "/kpi 11m on a Sunday", True),
    Step("2026-03-17 10:00", AGENT, "/kpi 9m", False),
    Step("2026-03-18 10:00", AGENT, "/kpi 9m", True),
    Step("2026-03-19 00:30", AGENT, "/kpi 8m after midnight", True),
    Step("2026-03-24 10:00", AGENT, "/kpi 7m on a Tuesday", True),
    Step("2026-03-28 10:00", AGENT, "/kpi 7m when it is closed", False),
    Step("2026-04-02 10:00", AGENT, "/kpi 7m in the next one", True),
]


def play(folder: Path) -> tuple[list[str], list[Any]]:
    """What was answered, and what is in the tables, after the script."""
    answers = []
    with on_stage(folder, workspace=DESK, playbooks=[REPLY, TRIAGE]) as stage:
        start_cycle(stage)
        for step in SCRIPT:
            stage.play_until(at(step.moment))
            said = stage.workspace.person(step.member).types(step.text, channel=step.channel)
            answers.append(said.words)
        stage.tick()
        return answers, kept(stage)


def kept(stage: Stage) -> list[Any]:
    owed = [
        (row.key, row.kind, row.recipient, row.subject, row.replaces_id, row.due_at, row.useful_until)
        for row in rows(stage, OwedMessage)
    ]
    tables = (Reading, TrailEntry, HomeChange)
    plain = [row.model_dump(exclude={"correlation_id"}) for table in tables for row in rows(stage, table)]
    return [owed, plain]


def test_both_ways_say_and_keep_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "short").mkdir()
    (tmp_path / "long").mkdir()
    went: list[bool] = []
    short = typed_numbers._record_usual

    def watched(*given: Any, **named: Any) -> Any:
        found = short(*given, **named)
        went.append(found is not None)
        return found

    monkeypatch.setattr(typed_numbers, "_record_usual", watched)
    shortly = play(tmp_path / "short")
    asked = [step for step in SCRIPT if "=" not in step.text]
    for step, usual in zip(asked, went, strict=True):
        assert usual is step.usual, step
    monkeypatch.setattr(typed_numbers, "_record_usual", lambda *_, **__: None)
    at_length = play(tmp_path / "long")
    for step, one, other in zip(SCRIPT, shortly[0], at_length[0], strict=True):
        assert one == other, step
    assert shortly[1] == at_length[1]
