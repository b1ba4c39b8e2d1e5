"""Weeks in seconds: the real bot in its harness, demo users who follow a file, and the transcript."""

import tempfile
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, date, datetime, time, timedelta
from itertools import count
from pathlib import Path
from typing import TypeVar
from zoneinfo import ZoneInfo

from bot.ops.commands import BUILT_IN_TEAM, at_line, import_into
from bot.rehearsal.answers import FileRefused, Line, act, read_answers, text_of, when
from bot.rehearsal.harness import BotHarness, read_channels, read_profiles, workspace_from, zones_of
from bot.rehearsal.transcript import Transcript
from bot.sandbox.clock import SandboxClock
from bot.sandbox.errors import CantDo
from bot.settings import default_settings
from cadence.documents import DocumentRefused, PlaybookSpec, WorkspaceSpec, read_playbook, read_workspace
from storage.engine import Database
from storage.migrate import create_tables
from templates.chart import AnyChart
from templates.filters import plural

FIRST_MONDAY = date(2026, 3, 2)
"""The default first Monday: both the American and the European clock change are in its four weeks."""
Read = TypeVar("Read")


def no_picture(_chart: AnyChart) -> bytes:
    """Draw nothing: a transcript says in words what a chart shows, and drawing took a tenth of the time."""
    return b"\x89PNG"


def rehearse_files(
    playbook: Path, workspace: Path, answers: Path | None, *, weeks: int, first_monday: date
) -> Iterator[str]:
    """Play a playbook, given as files, and yield the transcript line by line.

    Raises:
        FileRefused: every problem of a file at once. Refusal: a file can't be read, or the two don't match.
    """
    spec, people = _read(playbook, read_playbook), _read(workspace, read_workspace)
    lines = read_answers(answers, people) if answers else []
    with tempfile.TemporaryDirectory() as folder:
        db = Database(f"sqlite:///{folder}/rehearsal.db", is_temporary=True)
        create_tables(db)
        clock = SandboxClock(_before(first_monday), frozen=True)
        stage_people = workspace_from(
            people,
            clock=clock,
            playbooks=[spec],
            profiles=read_profiles(workspace.parent / "names.csv"),
            channel_names=read_channels(workspace.parent / "channels.csv"),
        )
        with BotHarness(
            default_settings(),
            db=db,
            workspace=stage_people,
            clock=clock,
            channel_zones=zones_of(people),
            draw=no_picture,
        ) as harness:
            rehearsal = _Rehearsal(harness, spec, people, lines, weeks=weeks, first_monday=first_monday)
            yield from rehearsal.play([workspace, playbook])
        db.close()


def _read(file: Path, reader: Callable[[str], Read]) -> Read:
    try:
        return reader(text_of(file))
    except DocumentRefused as wrong:
        raise FileRefused([at_line(file, problem) for problem in wrong.problems]) from None


def _before(monday: date) -> datetime:
    """The previous Friday, noon UTC: when the files are imported and the cycle is started."""
    return datetime.combine(monday - timedelta(days=3), time(12), tzinfo=UTC)


class _Rehearsal:
    def __init__(
        self,
        harness: BotHarness,
        playbook: PlaybookSpec,
        people: WorkspaceSpec,
        lines: Sequence[Line],
        *,
        weeks: int,
        first_monday: date,
    ) -> None:
        self._stage = harness
        self._playbook = playbook
        self._people = people
        self._weeks = weeks
        self._first = first_monday
        self._transcript = Transcript(harness)
        self._lines = sorted(
            ((when(line, first_monday, harness.workspace), line) for line in lines),
            key=lambda one: (one[0], one[1].number),
        )

    def play(self, files: Sequence[Path]) -> Iterator[str]:
        """Import, start the cycle, and let the weeks pass."""
        harness = self._stage
        done, refused = import_into(harness.bot.db, BUILT_IN_TEAM, files, now=harness.clock.now())
        if refused:
            raise FileRefused(refused)
        harness.bot.worker.refresh()
        yield from done
        team = self._playbook.pilot or self._people.teams[0].slug
        command = f"/cadence cycle start {self._playbook.slug} {self._first} team={team}"
        yield from self._say(self._playbook.owner, command)
        end = self._end_of(self._weeks)
        played = [one for one in self._lines if one[0] <= end]
        for moment, line in played:
            yield from self._pass_until(moment)
            yield from self._say(line.member, line.says)
        yield from self._pass_until(end)
        yield from self._left_out(self._lines[len(played) :])

    def _end_of(self, weeks: int) -> datetime:
        """The end of a rehearsal of so many weeks: late on the Monday after, whose messages look back on the last."""
        zone = ZoneInfo(self._people.timezone or "UTC")
        return datetime.combine(self._first + timedelta(weeks=weeks), time(23), tzinfo=zone).astimezone(UTC)

    def _left_out(self, lines: Sequence[tuple[datetime, Line]]) -> Iterator[str]:
        """Name the lines after the last week, which weren't played."""
        if not lines:
            return
        (_, first), (last, _) = lines[0], lines[-1]
        day = self._first + timedelta(weeks=first.week - 1, days=first.weekday)
        enough = next(weeks for weeks in count(self._weeks + 1) if last <= self._end_of(weeks))
        yield ""
        yield (
            f"Not played: {plural(len(lines), 'line')} of the answers file after week {self._weeks}, from line "
            f"{first.number} ({day:%a %-d %b}, week {first.week}) on. Add --weeks {enough} to play "
            f"{'it' if len(lines) == 1 else 'them all'}."
        )

    def _pass_until(self, target: datetime) -> Iterator[str]:
        """Let time pass, event by event, and yield what happened."""
        for _ in self._stage.events_until(target):
            yield from self._transcript.news()

    def _say(self, member: str, says: str) -> Iterator[str]:
        yield from self._transcript.said(member, says)
        try:
            answer = act(self._stage.workspace, self._people, member, says)
            yield from self._transcript.answered(answer)
        except CantDo as impossible:
            yield f"    could not be done: {impossible}"
        person = self._stage.workspace.person(member)
        while person.view() is not None:
            person.closes()
        self._stage.tick()
        yield from self._transcript.news()
