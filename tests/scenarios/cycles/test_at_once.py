"""A cycle closes while something is reported about it, on PostgreSQL: what waited is judged as at the close."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.rehearsal.harness import BotHarness
from cadence.flows.cycles import WhichRun, close_by_hand
from cadence.flows.machines import ExceptionItem, push
from cadence.flows.rubrics import SampleGiven, StepMeant, record_sample
from cadence.flows.tokens import authenticate
from storage.tables import LoggedException, RubricResult, StepVerdict
from tests.harnesses import bot_harness
from tests.scenarios.at_once import Do, at_once, on_postgres
from tests.scenarios.plays import DESK, REPLY, at, rows, start_cycle
from tests.scenarios.tokens.making import made_token

pytestmark = pytest.mark.postgres
LEAD = "U01LEAD"


@pytest.fixture
def harness(tmp_path: Path, postgres_socket: str) -> Iterator[BotHarness]:
    """The desk in the last week of its first cycle."""
    with on_postgres(postgres_socket), bot_harness(tmp_path, workspace=DESK, playbooks=[REPLY]) as ready:
        start_cycle(ready)
        ready.play_until(at("2026-03-26 12:00"))
        yield ready


def judged_last(harness: BotHarness, while_closing: Do) -> StepVerdict:
    """The last verdict, after something was reported that began before the cycle closed."""
    before = len(rows(harness, StepVerdict))
    closing: Do = lambda uow: close_by_hand(uow, WhichRun("reply"))  # noqa: E731
    assert at_once(harness, (LEAD, closing), (LEAD, while_closing)) == ""
    found = rows(harness, StepVerdict)
    assert len(found) > before
    return found[-1]


def test_an_exception_that_a_tool_pushes(harness: BotHarness) -> None:
    token = made_token(harness, LEAD, playbook="reply")
    holder = authenticate(harness.bot.db, token, now=harness.clock.now())
    items = [{"id": "e-1", "step": "send", "reason": "wrong price"}]
    verdict = judged_last(harness, lambda uow: push(uow, holder, ExceptionItem, items))
    (row,) = rows(harness, LoggedException)
    assert (verdict.cause, verdict.closing) == (f"exception:{row.id}", True)


def test_a_graded_sample(harness: BotHarness) -> None:
    grades = SampleGiven(10, 9)
    verdict = judged_last(harness, lambda uow: record_sample(uow, StepMeant("send", "reply"), grades))
    assert len(rows(harness, RubricResult)) == 1
    assert verdict.closing
