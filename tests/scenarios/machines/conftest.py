"""A desk whose help desk has a token."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.rehearsal.harness import BotHarness
from tests.harnesses import bot_harness
from tests.scenarios.machines.asking import Tool
from tests.scenarios.plays import DESK, REPLY, InCycle
from tests.scenarios.tokens.making import made_token

LEAD = "U01LEAD"


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[BotHarness]:
    """Thursday of the desk's first week."""
    with bot_harness(
        tmp_path,
        workspace=DESK,
        playbooks=[REPLY],
        played=InCycle("2026-03-05 12:00"),
        cadence_api_requests_a_minute=60,
    ) as harness:
        yield harness


@pytest.fixture
def tool(desk: BotHarness) -> Tool:
    """A token of the owner's, limited to the playbook, that can write."""
    return Tool(desk, made_token(desk, LEAD, playbook="reply"))
