"""Six months of one playbook, from its pilot to a third wave: a golden file, meant to be read as a story.

It has what people decide, the answers they get, and the headlines of what is posted in channels.
`UPDATE_GOLDEN=1` rewrites it.
"""

import os
import re

import pytest

from bot.rehearsal.rehearse import FIRST_MONDAY, rehearse_files
from tests.harnesses import EXAMPLES
from tests.scenarios.plays import DATA

FOLDER = EXAMPLES / "six-months"
_ROUTINE = re.compile(r": press (As planned|Check off)\b|  (changed|posted to) |week \d of 4$", re.MULTILINE)
_HEADLINE = 3
"""Lines of a channel's post in the story, with the line that says where and when it was posted."""


def story(told: str) -> str:
    """The transcript without check-ins, DMs and rewrites, and with the headlines of posts only."""
    kept = []
    for part in told.split("\n\n"):
        head, *_ = lines = part.split("\n")
        if not _ROUTINE.search("\n".join(lines[:2])):
            kept.append("\n".join(lines[:_HEADLINE] if "  posted in #" in head else lines))
    return "\n\n".join(kept)


@pytest.mark.long
def test_six_months_from_a_pilot_to_the_third_wave() -> None:
    lines = rehearse_files(
        FOLDER / "refund-requests.yaml",
        FOLDER / "workspace.yaml",
        FOLDER / "answers" / "refund-requests.csv",
        weeks=26,
        first_monday=FIRST_MONDAY,
    )
    told = "\n".join(lines).replace(f"{EXAMPLES}/", "examples/") + "\n"
    assert "could not be done" not in told
    golden = DATA / "six-months.txt"
    if os.environ.get("UPDATE_GOLDEN"):
        golden.write_text(story(told), encoding="utf-8")
    assert story(told) == golden.read_text(encoding="utf-8")
    for words in (
        "Cutover on hold: Refund requests",
        "Refunds Americas before its champion is trained",
        "Wave 2 can open: 2 of 3 teams of wave 1 met the target",
        "Refund requests v1 is published",
        "Refund requests is fading in Refunds EMEA",
        "Wave 3 of Refund requests can't open yet",
        "*Opened before its gate held* by @Katrin Weiss",
    ):
        assert words in told
