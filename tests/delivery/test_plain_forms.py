"""A server that refuses a block gets the message in its plain form, at once and once (STYLE: nothing is lost)."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from bot.delivery.gateway import SlackRefused
from bot.rehearsal.harness import BotHarness
from bot.sandbox.capabilities import Capabilities
from tests.contexts import assert_golden
from tests.harnesses import bot_harness

CHANNEL = "C01SUPEMEA"
BLOCKS: list[dict[str, Any]] = [
    {"type": "header", "text": {"type": "plain_text", "text": "🔴 Demoted: “Send the edited reply”"}},
    {"type": "section", "fields": [{"type": "mrkdwn", "text": "*Exceptions*\n4 in 39 runs"}]},
    {
        "type": "table",
        "rows": [[{"type": "raw_text", "text": "Step"}, {"type": "raw_text", "text": "Lead"}]] * 2,
    },
]


def refusing(harness: BotHarness, *types: str) -> None:
    workspace = harness.workspace
    workspace.capabilities = replace(workspace.capabilities, refused_blocks=frozenset(types))


@pytest.mark.parametrize("refused", ["header", "table"])
def test_a_refused_block_is_sent_in_its_plain_form(tmp_path: Path, refused: str) -> None:
    with bot_harness(tmp_path) as harness:
        refusing(harness, refused)
        gateway = harness.bot.gateway
        with capture_logs() as logs:
            ts = gateway.post(channel=CHANNEL, text="Demoted", blocks=BLOCKS, key="demoted:1")
        posted = harness.workspace.messages.get(CHANNEL, ts)
        assert {block["type"] for block in posted.blocks} == {"section"}
        assert_golden(posted, "plain")
        [line] = [one for one in logs if one["event"] == "blocks refused, sent in plain form"]
        assert (line["error"], line["blocks"]) == ("invalid_blocks", ["header", "table"])
        gateway.update(channel=CHANNEL, ts=ts, text="Demotion undone", blocks=BLOCKS[:1])
        assert_golden(harness.workspace.messages.get(CHANNEL, ts), f"rewritten:{refused}")


def test_what_is_refused_in_its_plain_form_too_is_not_tried_again(tmp_path: Path) -> None:
    with bot_harness(tmp_path) as harness:
        refusing(harness, "header", "section")
        gateway = harness.bot.gateway
        with pytest.raises(SlackRefused, match="invalid_blocks"):
            gateway.post(channel=CHANNEL, text="Demoted", blocks=BLOCKS, key="demoted:2")


def test_a_server_has_every_block_of_slack_by_default() -> None:
    assert Capabilities().refused_blocks == frozenset()
