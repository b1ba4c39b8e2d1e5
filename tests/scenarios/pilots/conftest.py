"""A draft that its owner brought in through Slack, so that no import on the command line approved it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.rehearsal.harness import BotHarness
from tests.harnesses import bot_harness
from tests.scenarios.pilots.drafts import bring_in
from tests.scenarios.plays import DESK


@pytest.fixture
def harness(tmp_path: Path) -> Iterator[BotHarness]:
    """The desk with a complete draft of the lead's."""
    with bot_harness(tmp_path, workspace=DESK, playbooks=[]) as harness:
        bring_in(harness)
        yield harness
