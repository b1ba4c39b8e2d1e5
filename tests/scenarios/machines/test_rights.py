"""What a token can reach: its own playbook, team and items, with its person's rights of this moment."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

import pytest

from bot.ops.commands import BUILT_IN_TEAM
from bot.rehearsal.harness import BotHarness
from cadence.actor import Actor
from cadence.flows.machines import RunsItem, push
from cadence.flows.tokens import authenticate, revoke_named
from storage.tables import MeasuredRuns, Playbook, Workspace
from storage.work import UnitOfWork
from tests.contexts import assert_golden
from tests.harnesses import bot_harness
from tests.scenarios.machines.asking import Tool
from tests.scenarios.plays import DESK, DESK_CHANNEL, REPLY, TRIAGE, InCycle, rows
from tests.scenarios.tokens.making import made_token

LEAD, AGENT, CURATOR = "U01LEAD", "U01AGENT1", "U01CURATOR"
PATHS = ("runs", "kpi", "exceptions", "rubric", "checks", "verdicts")


def test_a_token_revoked_in_the_middle_of_a_push_records_no_more(desk: BotHarness, tool: Tool) -> None:
    holder = authenticate(desk.bot.db, tool.token, now=desk.clock.now())
    turns = count()

    @contextmanager
    def turn() -> Iterator[None]:
        if next(turns) == 1:
            uow = UnitOfWork(desk.bot.db, Actor(BUILT_IN_TEAM, LEAD, "command", "revoked"), desk.clock.now())
            revoke_named(uow, "Help desk")
        yield

    uow = UnitOfWork(desk.bot.db, holder.actor(), desk.clock.now())
    items = [{"id": f"r-{number}", "runs": 1} for number in range(250)]
    results = push(uow, holder, RunsItem, items, turn=turn)
    assert [one.outcome for one in results] == ["recorded"] * 100 + ["refused"] * 150
    assert {one.code for one in results[100:]} == {"revoked"}
    assert len(rows(desk, MeasuredRuns)) == 100


def uninstalled(desk: BotHarness) -> None:
    with desk.bot.db.write() as session:
        workspace = session.get_one(Workspace, BUILT_IN_TEAM)
        workspace.uninstalled_at = desk.clock.now()
        session.add(workspace)


def left_the_team(desk: BotHarness) -> None:
    desk.workspace.person(CURATOR).types(f"/cadence team leave desk <@{AGENT}>", channel=DESK_CHANNEL)


def deactivated(desk: BotHarness) -> None:
    desk.workspace.change_user(AGENT, deleted=True)


@pytest.mark.parametrize(
    ("case", "happens", "status"),
    [
        ("uninstalled", uninstalled, 401),
        ("left-the-team", left_the_team, 422),
        ("deactivated", deactivated, 403),
    ],
)
def test_a_person_s_token_has_the_rights_of_this_moment(
    desk: BotHarness, case: str, happens: Callable[[BotHarness], None], status: int
) -> None:
    assistant = Tool(desk, made_token(desk, AGENT, use="assistant", name="Claude", scopes=("write", "read")))
    assert assistant.push("exceptions", {"id": "t-1", "step": "send", "reason": "wrong price"}).status == 200
    assert len(assistant.read("exceptions").body["items"]) == 1
    happens(desk)
    answer = assistant.push("exceptions", {"id": "t-2", "step": "send", "reason": "wrong price"})
    assert answer.status == status, answer.body
    assert_golden(answer.body["detail"], f"refused:{case}")
    assert not assistant.read("exceptions").body.get("items")


def test_who_owns_no_playbook_any_more_counts_no_runs(desk: BotHarness) -> None:
    assistant = Tool(desk, made_token(desk, LEAD, use="assistant", name="Claude"))
    assert assistant.push("runs", {"id": "r-1", "runs": 1}).status == 200
    with desk.bot.db.write() as session:
        playbook = session.get_one(Playbook, 1)
        playbook.owner = AGENT
        session.add(playbook)
    answer = assistant.push("runs", {"id": "r-2", "runs": 1})
    assert answer.body["results"][0]["code"] == "not-allowed"
    assert len(rows(desk, MeasuredRuns)) == 1


@pytest.fixture
def two(tmp_path: Path) -> Iterator[tuple[Tool, Tool]]:
    """Tools of two playbooks of one workspace, each with items of the same ids."""
    with bot_harness(
        tmp_path, workspace=DESK, playbooks=[REPLY, TRIAGE], played=InCycle("2026-03-05 12:00")
    ) as harness:
        found = [
            Tool(harness, made_token(harness, CURATOR, name=slug, playbook=slug, scopes=("write", "read")))
            for slug in ("reply", "triage")
        ]
        yield found[0], found[1]


def test_a_token_reads_and_corrects_nothing_of_another(two: tuple[Tool, Tool]) -> None:
    reply, triage = two
    assert reply.push("runs", {"id": "r-1", "runs": 7}, {"id": "r-2", "runs": 8}).status == 200
    for query in ("", "?playbook=reply", "?team=desk", "?cursor=999999", "?cursor=2", "?step=send"):
        assert all(one["playbook"] == "triage" for one in triage.read(f"runs{query}").body["items"])
    for path in PATHS:
        assert triage.read(f"{path}?playbook=reply").body["items"] == []
    assert {one["playbook"] for one in triage.read("status").body["items"]} <= {"triage"}
    correction = triage.push("runs", {"id": "c-1", "runs": 1, "replaces": "r-1"})
    assert correction.status == 422
    stolen = triage.push("runs", {"id": "c-2", "runs": 1, "playbook": "reply", "replaces": "r-1"})
    assert stolen.body["results"][0]["code"] == "unknown-playbook"
    assert [one["runs"] for one in reply.read("runs").body["items"]] == [8, 7]
    assert not any(one["replaced"] for one in reply.read("runs").body["items"])


def test_a_key_belongs_to_one_token(desk: BotHarness, tool: Tool) -> None:
    other = Tool(desk, made_token(desk, LEAD, playbook="reply", name="CI"))
    for one in (tool, other):
        assert one.push("runs", {"runs": 1}, Idempotency_Key="k").outcomes == [("recorded", "")]
        assert one.push("runs", {"runs": 1}, Idempotency_Key="k").outcomes == [("repeated", "")]
        assert one.push("runs", {"runs": 2}, Idempotency_Key="k").code == "id-reused"
        assert one.push("kpi", {"value": 2}, Idempotency_Key="k").code == "id-reused"
    assert [row.runs for row in rows(desk, MeasuredRuns)] == [1, 1]
