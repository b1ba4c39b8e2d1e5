"""The trail in words: every action has its own, and stored values become sentences."""

import re
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

import cadence.flows
from cadence.flows.history.trace_words import ACTIONS, Words, told, verb

BERLIN = Words(ZoneInfo("Europe/Berlin"), "minutes", {"draft": "Draft the reply"}, lambda _: "Support US")
CHECK_IN = {"attestation": "as-declared", "runs": 14, "complete_inputs": None, "drifts": {}, "note": ""}


def test_every_action_of_the_flows_has_words() -> None:
    source = "".join(path.read_text() for path in Path(cadence.flows.__file__).parent.rglob("*.py"))
    written = set(re.findall(r'action="([a-z-]+)"', source))
    assert len(written) > 30
    assert written - set(ACTIONS) == set()


@pytest.mark.parametrize(
    ("action", "data", "said"),
    [
        ("check-in", CHECK_IN, "as planned, 14 runs"),
        (
            "check-in",
            CHECK_IN | {"attestation": "drifted", "drifts": {"draft": "human-led"}, "runs": 1, "note": "so"},
            "something changed (“Draft the reply” ran as human-led), 1 run, “so”",
        ),
        ("check-in", CHECK_IN | {"attestation": "not-run", "runs": 0}, "didn't run it"),
        ("reading", 22.0, "22 min"),
        (
            "exception",
            {"id": 3, "critical": True, "reason": "<b>", "link": "https://x.example/1"},
            "critical: “&lt;b&gt;” <https://x.example/1>",
        ),
        (
            "verdict",
            {"decision": "hold", "line": "none", "cause": "check-in:4"},
            "within the cap, after an answer",
        ),
        (
            "verdict",
            {"decision": "demote", "line": "evidence", "cause": "exception:4"},
            "demoted, on evidence, after an exception",
        ),
        ("declaration", {"mode": "human-led", "reason": "no trust"}, "human-led: “no trust”"),
        ("demotion", "ai-led", "AI-led"),
        ("nudged-again", ["U01A", "U01B"], "<@U01A>, <@U01B>"),
        (
            "rubric-result",
            {"id": 1, "samples": 20, "passes": 19, "risky": 1},
            "19 of 20 samples passed, 1 risky",
        ),
        (
            "cycle-started",
            {"number": 2, "starts_on": "2026-03-02", "revision": 3},
            "from Mon 2 Mar, on revision 3",
        ),
        ("cycle-closed", {"result": "met", "kpi_value": 14.0, "readings": {}}, "target met, median 14 min"),
        ("cycle-closed", {"result": "insufficient", "kpi_value": None}, "not enough data, no reading"),
        ("promotion-judged", {"step": "draft", "decision": "propose", "cycle": 1}, "ready for promotion"),
        ("promotion-judged", {"step": "draft", "decision": "insufficient"}, "not enough samples yet"),
        ("promotion-approved", {"state": "approved", "step": "draft", "reason": ""}, ""),
        ("promotion-declined", {"state": "declined", "reason": "too early"}, "“too early”"),
        ("promotion-declined", "open", ""),
        ("course-changed", {"course": "decaying", "week": "2026-03-02"}, "fading, week of Mon 2 Mar"),
        ("course-changed", "plateau", "on a plateau"),
        ("away", {"from": "2026-03-20", "until": "2026-03-20"}, "Fri 20 Mar"),
        ("snoozed", {"until": "2026-03-12T10:00:00+00:00"}, "until Thu 12 Mar 11:00"),
        (
            "setup-done",
            {"minutes": 41, "ended": "first-run"},
            "after 41 min, finished by the first check-in with runs",
        ),
        ("next-team", {"team": 4, "reason": ""}, "Support US"),
        ("playbook-imported", {"revision": 2, "changes": ["target 15 → 12"]}, "revision 2, target 15 → 12"),
        (
            "something-new",
            {"runs": 3, "on": "2026-03-02", "id": 9, "mode": "ai-led"},
            "runs 3, on Mon 2 Mar, mode AI-led",
        ),
        ("check-in", {"of": "a version long gone"}, "of a version long gone"),
    ],
)
def test_what_it_kept_is_said(action: str, data: Any, said: str) -> None:
    assert told(action, None, data, BERLIN) == ("", said)


def test_of_settings_only_what_changed_is_said() -> None:
    before = {"timezone": "UTC", "rule": "balanced", "curator_channel": None}
    after = before | {"rule": "strict", "curator_channel": "C1"}
    assert told("settings", before, after, BERLIN) == ("rule balanced", "rule strict, curator channel C1")


def test_what_was_done_is_a_verb() -> None:
    assert verb("check-in-corrected") == "corrected a check-in"
    assert verb("something-new") == "something new"
