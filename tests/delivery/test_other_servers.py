"""Servers with fewer features than Slack, and networks that fail: the weeks continue anyway."""

from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlmodel import select

from bot.rehearsal.harness import BotHarness
from bot.sandbox.capabilities import Capabilities
from bot.sandbox.faults import Fault, FaultPlan, FaultRates
from storage.tables import MessageState, OutboxMessage
from templates.contexts.checkins import CheckinMessage, WhoIsMissing
from templates.contexts.overview.digests import Digest
from templates.contexts.standards import Demoted
from tests.contexts import contexts, is_shown, shown
from tests.harnesses import bot_harness
from tests.scenarios.plays import says

ASKED = frozenset({"users.info", "users.list", "conversations.history", "conversations.info"})
POORER = {
    "no time zones": Capabilities(time_zones=False),
    "no metadata": Capabilities(metadata=False),
    "no files": Capabilities(file_upload=False),
    "no right to read": Capabilities(scopes=frozenset({"chat:write", "im:write", "commands"})),
    "no users.info": Capabilities(unknown_methods=frozenset({"users.info"})),
    "no users.list": Capabilities(unknown_methods=frozenset({"users.list"})),
    "no conversations.history": Capabilities(unknown_methods=frozenset({"conversations.history"})),
    "no conversations.info": Capabilities(unknown_methods=frozenset({"conversations.info"})),
    "none of it": Capabilities(time_zones=False, metadata=False, file_upload=False, unknown_methods=ASKED),
}


@pytest.mark.parametrize("capabilities", POORER.values(), ids=list(POORER))
def test_the_week_works(tmp_path: Path, capabilities: Capabilities) -> None:
    with bot_harness(tmp_path, capabilities=capabilities) as harness:
        lead, agent = harness.workspace.person("U01LEAD"), harness.workspace.person("U01AGENT1")
        lead.types("/cadence cycle start support-reply 2026-03-02", channel="C01SUPEMEA")
        harness.play_until(datetime(2026, 3, 5, 8, 59, tzinfo=UTC))
        assert agent.dm() == [], "10:00 in Berlin is 9:00 here"
        harness.play_until(datetime(2026, 3, 5, 9, 0, tzinfo=UTC))
        agent.clicks(agent.last_dm(), "As planned")
        assert agent.submits().closed
        says(agent, "/exception send critical promised a refund", channel="C01SUPEMEA")
        lead.types("/kpi 22m", channel="C01SUPEMEA")
        harness.play_until(datetime(2026, 3, 9, 12, 0, tzinfo=UTC))

        [row] = shown(agent.last_dm(), CheckinMessage).rows
        assert row.answer is not None
        assert row.answer.runs == 13
        [demoted] = contexts(agent.sees("C01SUPEMEA"), Demoted)
        assert demoted.after == "collaborative"
        assert is_shown(harness.workspace.history("C01CURATORS")[-1], Digest)
        assert len(contexts(lead.dm(), WhoIsMissing)) == 1
        assert _states(harness).keys() <= {MessageState.SENT, MessageState.SKIPPED, MessageState.DUE}


def _states(harness: BotHarness) -> Counter[MessageState]:
    with harness.bot.db.read() as session:
        return Counter(row.state for row in session.exec(select(OutboxMessage)))


def _a_cycle(
    folder: Path, faults: FaultPlan | None
) -> tuple[Counter[tuple[str, str]], Counter[MessageState]]:
    """Four weeks with answers and missing ones: messages by channel, and the final ledger."""
    with bot_harness(folder) as harness:
        harness.server.faults = faults
        lead, agent = harness.workspace.person("U01LEAD"), harness.workspace.person("U01AGENT1")
        lead.types("/cadence cycle start support-reply 2026-03-02", channel="C01SUPEMEA")
        for day in (5, 12, 19, 26):
            harness.play_until(datetime(2026, 3, day, 12, 0, tzinfo=UTC))
            agent.types("/attest as-declared runs=14", channel="C01SUPEMEA")
            agent.types("/exception draft tone was off", channel="C01SUPEMEA")
            lead.types("/kpi 22m", channel="C01SUPEMEA")
        harness.play_until(datetime(2026, 3, 30, 12, 0, tzinfo=UTC))
        said = Counter(
            (room.id, message.text)
            for room in harness.workspace.channels()
            for message in harness.workspace.history(room.id)
            if message.bot_id and not message.only_to
        )
        return said, _states(harness)


def test_a_month_of_faults_gives_the_same_result_as_a_quiet_one(tmp_path: Path) -> None:
    quiet, troubled = tmp_path / "quiet", tmp_path / "troubled"
    quiet.mkdir()
    troubled.mkdir()
    rates = FaultRates(
        {
            Fault.RATE_LIMIT: 0.1,
            Fault.SERVER_ERROR: 0.1,
            Fault.BAD_GATEWAY: 0.05,
            Fault.DROPPED: 0.15,
            Fault.RESET: 0.1,
        }
    )
    faults = FaultPlan(
        dict.fromkeys(
            ("chat.postMessage", "chat.update", "conversations.open", "conversations.history"), rates
        ),
        seed=7,
    )
    expected, states = _a_cycle(quiet, None)
    said, troubled_states = _a_cycle(troubled, faults)
    assert len(faults.struck) > 20
    assert said == expected
    assert troubled_states == states
    assert MessageState.FAILED not in states
