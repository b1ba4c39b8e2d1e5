"""Six months of one playbook, from its pilot to a third wave: a golden file, meant to be read as a story.

It has what people decide, the answers they get, and the headlines of what is posted in channels.
`UPDATE_GOLDEN=1` rewrites it.
"""

import os
import re

import pytest

from bot.rehearsal.harness import read_channels
from templates.contexts.answers import Refused
from templates.contexts.cutover import CutoverHeld
from templates.contexts.cycles import CycleClosed
from templates.contexts.gates import WeekOpens
from templates.contexts.playbooks import PlaybookPublished
from templates.contexts.trends import CourseDecaying
from templates.contexts.waves import WaveOpened
from tests.contexts import assert_golden
from tests.harnesses import EXAMPLES
from tests.scenarios.plays import DATA
from tests.scenarios.rehearsal.recorded import Rehearsal, rehearsed

FOLDER = EXAMPLES / "six-months"
CURATOR = "U01CURATOR"
CHANNELS = tuple(f"#{name}" for name in read_channels(FOLDER / "channels.csv").values())
_ROUTINE = re.compile(r": press (As planned|Check off)\b|  (changed|posted to) ")
_HEADLINE = 3
"""Lines of a channel's post in the story, with the line that says where and when it was posted."""


def story(played: Rehearsal) -> str:
    """The transcript without check-ins, DMs, rewrites and openings of weeks, and with the headlines of posts only."""
    openings = {one.words.splitlines()[0] for one in played.messages_of(WeekOpens)}
    kept = []
    for part in played.told.split("\n\n"):
        head, *rest = lines = part.split("\n")
        opens = bool(rest) and rest[0].strip() in openings
        if not opens and not _ROUTINE.search("\n".join(lines[:2])):
            kept.append("\n".join(lines[:_HEADLINE] if head.endswith(CHANNELS) else lines))
    return "\n\n".join(kept)


@pytest.mark.long
def test_six_months_from_a_pilot_to_the_third_wave() -> None:
    played = rehearsed(
        FOLDER / "refund-requests.yaml",
        FOLDER / "workspace.yaml",
        FOLDER / "answers" / "refund-requests.csv",
        weeks=26,
    )
    assert played.impossible == []
    golden = DATA / "six-months.txt"
    if os.environ.get("UPDATE_GOLDEN"):
        golden.write_text(story(played), encoding="utf-8")
    assert story(played) == golden.read_text(encoding="utf-8")
    assert [(one.slug, one.curator) for one in played.shown(CutoverHeld)] == [("refund-requests", CURATOR)]
    assert_golden("\n\n".join(one.text for one in played.shown(Refused)), "refused-champion-and-wave")
    assert {one.number for one in played.shown(PlaybookPublished)} == {1}
    assert {one.team for one in played.shown(CourseDecaying)} == {"Refunds EMEA"}
    waves = {one.wave.number: one.wave for one in played.shown(WaveOpened)}
    firsts = {one.team: one.result for one in played.shown(CycleClosed) if one.number == 1}
    assert sorted(firsts[one.team] for one in waves[1].teams) == ["met", "met", "not met"]
    assert [bool(waves[number].override) for number in (1, 2, 3)] == [False, False, True]
    assert (waves[2].opened_by, waves[3].opened_by) == (CURATOR, CURATOR)
