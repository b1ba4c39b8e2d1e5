"""`cadence whatif` judges the recorded weeks by other thresholds, and says what can't be known."""

from pathlib import Path

import pytest

from bot.ops.commands import BUILT_IN_TEAM
from bot.ops.terminal_output import plain
from bot.ops.whatif import as_parts, read_thresholds
from bot.rehearsal.harness import BotHarness
from cadence.actor import Actor
from cadence.flows.history.whatif import WhatIf, what_if
from cadence.refusals import Refusal
from storage.work import UnitOfWork
from tests.contexts import assert_golden
from tests.harnesses import EXAMPLES, bot_harness
from tests.scenarios.plays import DESK, SOLO_CHANNEL, at, changed, says, start_cycle

MEMBER = "U01AGENT2"
DAYS = ("2026-03-05", "2026-03-12", "2026-03-19", "2026-03-26")


def five_in_forty(harness: BotHarness) -> None:
    start_cycle(harness, "support-reply", team="solo")
    for day in DAYS:
        harness.play_until(at(f"{day} 12:00"))
        words = ["/attest as-declared runs=40"] if day == DAYS[0] else ["/attest not-run"]
        words += ["/exception send tone was off"] * (5 if day == DAYS[0] else 0)
        for one in words:
            says(harness.workspace.person(MEMBER), one, channel=SOLO_CHANNEL)
    harness.play_until(at("2026-03-27 17:00"))


def found(folder: Path, *, cap: str) -> tuple[WhatIf, str]:
    """Five exceptions in forty runs at a cap of 15%: nothing happened, and the cycle closed."""
    thresholds = read_thresholds(cap=cap, rule=None, min_runs=None, confidence=None)
    playbook = changed(
        EXAMPLES / "support-reply.yaml",
        folder,
        ("exception_cap: 0.05", "exception_cap: 0.15"),
        ("pilot: support-emea", "pilot: solo"),
    )
    with bot_harness(folder, workspace=DESK, playbooks=[playbook], played=five_in_forty) as harness:
        seen = what_if(
            UnitOfWork(harness.bot.db, Actor.system(BUILT_IN_TEAM), harness.clock.now()),
            playbook="support-reply",
            thresholds=thresholds,
            step="send",
        )
        return seen, "\n".join(plain(as_parts(seen, thresholds)))


def test_a_lower_cap_would_have_watched_and_then_demoted_at_the_close(tmp_path: Path) -> None:
    seen, told = found(tmp_path, cap="10%")
    [window] = seen.windows
    assert (window.happened.watched, window.happened.demoted) == (None, None)
    assert window.instead.watched
    assert window.instead.watched_at
    assert f"{window.instead.watched_at:%Y-%m-%d}" == "2026-03-05"
    assert window.instead.demoted
    assert window.instead.demoted_at
    assert (window.instead.demoted.line, f"{window.instead.demoted_at:%d %b}") == ("cap", "27 Mar")
    assert seen.broken == 0
    assert_golden(told, "lower-cap")


def test_after_a_demotion_that_did_not_happen_nothing_is_claimed(tmp_path: Path) -> None:
    seen, told = found(tmp_path, cap="5%")
    [window] = seen.windows
    assert window.instead.demoted
    assert window.instead.demoted.line == "evidence"
    assert window.unknown == 8
    assert_golden(told, "after-a-demotion")


@pytest.mark.parametrize(
    ("case", "typed"),
    [
        ("nothing", {}),
        ("cap-in-words", {"cap": "lots"}),
        ("cap-too-high", {"cap": "800"}),
        ("cap-not-a-number", {"cap": "nan"}),
        ("rule-typo", {"rule": "strickt"}),
        ("confidence-too-low", {"confidence": "0.2"}),
        ("no-runs", {"min_runs": 0}),
    ],
)
def test_what_cannot_be_is_said_in_a_sentence(case: str, typed: dict[str, str]) -> None:
    with pytest.raises(Refusal) as refused:
        read_thresholds(**{"cap": None, "rule": None, "min_runs": None, "confidence": None, **typed})  # type: ignore[arg-type]
    assert_golden(str(refused.value), f"refused:{case}")
