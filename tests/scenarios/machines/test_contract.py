"""The API keeps what its OpenAPI document and docs/api.md say, whatever is sent."""

from collections.abc import Callable
from pathlib import Path

import pytest

from bot.api.problems import CODES
from bot.rehearsal.harness import BotHarness
from bot.runtime.asgi_host import LARGEST_PUSH
from storage.tables import Member
from tests.fuzz.contract import Contract, desk_with_check
from tests.scenarios.failures.test_database_busy import held
from tests.scenarios.machines.asking import Answered, Tool, fetch
from tests.scenarios.plays import rows
from tests.scenarios.tokens.making import made_token

LEAD, AGENT = "U01LEAD", "U01AGENT1"
RUNS = {"id": "r-1", "runs": 1}


def test_every_answer_is_as_the_document_says(tmp_path: Path) -> None:
    with desk_with_check(tmp_path) as harness:
        contract = Contract(harness)
        contract.try_each()
    assert not contract.failures, "\n\n".join(contract.failures[:5])
    carried_out = {name for name in contract.operations if contract.statuses[f"{name} 200"]}
    assert carried_out == set(contract.operations)
    assert {int(name.split()[-1]) for name in contract.statuses} >= {200, 401, 422}


def _without_a_person(desk: BotHarness) -> Answered:
    tool = Tool(desk, made_token(desk, AGENT, use="assistant", name="Claude"))
    with desk.bot.db.write() as session:
        (person,) = (one for one in rows(desk, Member) if one.id == AGENT)
        person.deleted = True
        session.add(person)
    return tool.push("runs", RUNS)


def _another_method(desk: BotHarness, tool: Tool) -> Answered:
    url = f"{desk.server.url}/api/v1/runs"
    return fetch(url, b"{}", method="PATCH", Authorization=f"Bearer {tool.token}")


def _while_the_database_is_busy(desk: BotHarness, tool: Tool) -> Answered:
    with held(desk):
        return tool.push("exceptions", {"id": "t-1", "step": "send", "reason": "wrong price"})


def _until_it_is_too_much(_desk: BotHarness, tool: Tool) -> Answered:
    """The limit is 60 a minute, and the minute may turn meanwhile."""
    answer = tool.push("runs", RUNS)
    for _ in range(150):
        if answer.status != 200:
            break
        answer = tool.push("runs", RUNS)
    return answer


Request = Callable[[BotHarness, Tool], Answered]
REQUESTS: dict[str, Request] = {
    "unauthorized": lambda desk, _: Tool(desk, "rc_wrong").push("runs", RUNS),
    "missing-scope": lambda _, tool: tool.read("runs"),
    "not-allowed": lambda desk, _: _without_a_person(desk),
    "not-found": lambda _, tool: tool.push("walks", RUNS),
    "method-not-allowed": _another_method,
    "id-reused": lambda _, tool: [tool.push("runs", RUNS | {"runs": runs}) for runs in (1, 2)][-1],
    "too-large": lambda _, tool: tool.send("runs", b" " * (LARGEST_PUSH + 1)),
    "too-many-items": lambda _, tool: tool.push("runs", *[RUNS] * 1_001),
    "unsupported-media-type": lambda _, tool: tool.send("runs", b"runs=1", Content_Type="text/plain"),
    "invalid-request": lambda _, tool: tool.send("runs", b"{"),
    "all-refused": lambda _, tool: tool.push("runs", RUNS | {"step": "sned"}),
    "too-many-requests": _until_it_is_too_much,
    "busy": _while_the_database_is_busy,
}


@pytest.mark.parametrize("code", CODES)
def test_every_documented_problem_can_be_reached(desk: BotHarness, tool: Tool, code: str) -> None:
    answer = REQUESTS[code](desk, tool)
    assert (answer.code, answer.status) == (code, CODES[code][0])
    assert answer.body["title"] == CODES[code][1]
