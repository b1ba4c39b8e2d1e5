"""Weeks in seconds: the real bot on its stage, people who answer from a file, and the transcript of it all."""

import csv
import re
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import TypeVar
from zoneinfo import ZoneInfo

from bot.ops.commands import BUILT_IN_TEAM, at_line, import_into
from bot.rehearsal.harness import Stage, read_channels, read_profiles, workspace_from, zones_of
from bot.rehearsal.transcript import Transcript
from bot.sandbox.clock import SandboxClock
from bot.sandbox.errors import CantDo
from bot.sandbox.kinds import elements_of, words_of
from bot.sandbox.messages import Message
from bot.sandbox.person import Person
from bot.sandbox.workspace import Workspace
from bot.settings import default_settings
from cadence.documents import DocumentRefused, PlaybookSpec, WorkspaceSpec, read_playbook, read_workspace
from cadence.refusals import Refusal
from cadence.rules.calendar import instant
from storage.engine import Database
from storage.migrate import migrate

FIRST_MONDAY = date(2026, 3, 2)
"""The default first Monday: both the American and the European clock change lie in its four weeks."""
DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
Read = TypeVar("Read")
COLUMNS = ("week", "day", "time", "member", "says")
_FILLED_IN = re.compile(r"""\s*(\S+?)=(?:'([^']*)'|"([^"]*)"|(\S+))""")
"""`runs=14`, `note='a quiet week'`: a field of a form and what goes into it."""


@dataclass(frozen=True, slots=True)
class Line:
    """One line of an answers file: who says what, at which local time of theirs."""

    number: int
    week: int
    weekday: int
    at: time
    member: str
    says: str


class FileRefused(Refusal):
    """A file that can't be played; every mistake in it, with its place, is in `problems`."""

    def __init__(self, problems: Sequence[str]) -> None:
        self.problems = tuple(problems)
        super().__init__("The files can't be played.")


def rehearse_files(
    playbook: Path, workspace: Path, answers: Path | None, *, weeks: int, first_monday: date
) -> Iterator[str]:
    """Play a playbook, given as files, and yield the transcript line by line.

    Raises:
        FileRefused: every problem of a file at once.
        Refusal: a file can't be read, or the two don't go together.
    """
    spec, people = _read(playbook, read_playbook), _read(workspace, read_workspace)
    lines = read_answers(answers, people) if answers else []
    with tempfile.TemporaryDirectory() as folder:
        db = Database(f"sqlite:///{folder}/rehearsal.db")
        migrate(db)
        clock = SandboxClock(_before(first_monday), frozen=True)
        stage_people = workspace_from(
            people,
            clock=clock,
            playbooks=[spec],
            profiles=read_profiles(workspace.parent / "names.csv"),
            channel_names=read_channels(workspace.parent / "channels.csv"),
        )
        with Stage(
            default_settings(),
            db=db,
            workspace=stage_people,
            clock=clock,
            channel_zones=zones_of(people),
        ) as stage:
            rehearsal = _Rehearsal(stage, spec, people, lines, weeks=weeks, first_monday=first_monday)
            yield from rehearsal.play([workspace, playbook])
        db.close()


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except OSError as missing:
        raise Refusal(f"{file}: {missing.strerror or 'cannot be read'}.") from None
    except UnicodeDecodeError:
        raise Refusal(f"{file}: is not UTF-8 text.") from None


def _read(file: Path, reader: Callable[[str], Read]) -> Read:
    try:
        return reader(_text(file))
    except DocumentRefused as wrong:
        raise FileRefused([at_line(file, problem) for problem in wrong.problems]) from None


def _before(monday: date) -> datetime:
    """The Friday before, noon UTC: when the files are imported and the cycle is started."""
    return datetime.combine(monday - timedelta(days=3), time(12), tzinfo=UTC)


def read_answers(file: Path, people: WorkspaceSpec) -> list[Line]:
    """Read an answers file: `week,day,time,member,says`, times being the member's own.

    Raises:
        FileRefused: every line that can't be played, with what would be right.
    """
    rows = csv.reader(_text(file).replace("\0", "\N{REPLACEMENT CHARACTER}").splitlines())
    known = {member for team in people.teams for member in team.members} | set(people.curators)
    problems: list[str] = []
    found: list[Line] = []
    for number, row in enumerate(rows, start=1):
        cells = [cell.strip() for cell in row[:4]]
        if len(row) > len(cells):
            cells.append(",".join(row[4:]).strip())  # what is said may hold commas
        if not any(cells) or cells[0].startswith("#") or tuple(cells[:5]) == COLUMNS:
            continue
        line = _line(number, cells)
        if isinstance(line, str):
            problems.append(f"{file}:{number}: {line}")
        elif line.member not in known:
            problems.append(f"{file}:{number}: nobody in the workspace file is called {line.member}")
        else:
            found.append(line)
    if problems:
        raise FileRefused(problems)
    return found


def _line(number: int, cells: list[str]) -> Line | str:
    if len(cells) < len(COLUMNS):
        return (
            f"has {len(cells)} columns; write {','.join(COLUMNS)}: 1,Thu,10:42,U01AGENT1,/attest as-declared"
        )
    week, day, at, member = cells[:4]
    says = cells[4]
    if not week.isdecimal() or not 1 <= int(week) <= 60:
        return f"`{week}` is no week; the first is 1"
    if day[:3].lower() not in DAYS:
        return f"`{day}` is no day; write Mon to Sun"
    if not re.fullmatch(r"([01]?\d|2[0-3]):[0-5]\d", at):
        return f"`{at}` is no time; write one such as 10:42"
    if not says.startswith(("/", "press ")):
        return f"`{says[:40]}` is nothing to do; write a command such as /kpi 14m, or press Ran as declared runs=14"
    hour, minute = at.split(":")
    return Line(number, int(week), DAYS.index(day[:3].lower()), time(int(hour), int(minute)), member, says)


class _Rehearsal:
    def __init__(
        self,
        stage: Stage,
        playbook: PlaybookSpec,
        people: WorkspaceSpec,
        lines: Sequence[Line],
        *,
        weeks: int,
        first_monday: date,
    ) -> None:
        self._stage = stage
        self._playbook = playbook
        self._people = people
        self._weeks = weeks
        self._first = first_monday
        self._transcript = Transcript(stage)
        self._lines = sorted(
            ((self._when(line), line) for line in lines), key=lambda one: (one[0], one[1].number)
        )

    @property
    def _workspace(self) -> Workspace:
        return self._stage.workspace

    def play(self, files: Sequence[Path]) -> Iterator[str]:
        """Import, start the cycle, and let the weeks pass."""
        stage = self._stage
        done, refused = import_into(stage.bot.db, BUILT_IN_TEAM, files, now=stage.clock.now())
        if refused:
            raise FileRefused(refused)
        stage.bot.worker.refresh()
        yield from done
        team = self._playbook.pilot or self._people.teams[0].slug
        command = f"/cadence cycle start {self._playbook.slug} {self._first} team={team}"
        yield from self._say(self._playbook.owner, command)
        end = datetime.combine(
            self._first + timedelta(weeks=self._weeks),
            time(23),
            tzinfo=ZoneInfo(self._people.timezone or "UTC"),
        ).astimezone(UTC)
        for moment, line in self._lines:
            if moment > end:
                continue
            yield from self._pass_until(moment)
            yield from self._say(line.member, line.says)
        yield from self._pass_until(end)

    def _when(self, line: Line) -> datetime:
        zone = ZoneInfo(self._workspace.user(line.member).tz or "UTC")
        day = self._first + timedelta(weeks=line.week - 1, days=line.weekday)
        return instant(day, line.at, zone)

    def _pass_until(self, target: datetime) -> Iterator[str]:
        """Let time pass, event by event, and tell what came of each."""
        stage = self._stage
        while True:
            event = stage.bot.worker.next_event()
            if event is None or event > target:
                break
            stage.clock.set(max(event, stage.clock.now()))
            stage.tick()
            yield from self._transcript.news()
        stage.clock.set(max(target, stage.clock.now()))
        stage.tick()
        yield from self._transcript.news()

    def _say(self, member: str, says: str) -> Iterator[str]:
        person = self._workspace.person(member)
        yield from self._transcript.said(member, says)
        try:
            if says.startswith("press "):
                self._press(member, says.removeprefix("press "))
            else:
                command, _, text = says.partition(" ")
                person.types(command, text, channel=self._channel_of(member))
        except CantDo as impossible:
            yield f"    could not be done: {impossible}"
        self._stage.tick()
        yield from self._transcript.news()

    def _press(self, member: str, says: str) -> None:
        """`press Ran as declared runs=14 note='quiet week'`: the newest button so called, then its form.

        With `in='Support reply'` the newest message that says so is meant, and with `on='load the policy file'`
        the button beside those words.

        Raises:
            CantDo: there is no such button in front of them, or the form refuses what was filled in.
        """
        person = self._workspace.person(member)
        values = {name: single or double or bare for name, single, double, bare in _FILLED_IN.findall(says)}
        label, within = _FILLED_IN.sub("", says).strip(), values.pop("in", "")
        beside = values.pop("on", "")
        shown = [
            message
            for message in self._seen_by(person)
            if label in message.buttons
            and all(words in f"{message.text} {words_of(message.blocks)}" for words in (within, beside))
        ]
        if not shown:
            where = f" in a message that says “{within or beside}”" if within or beside else ""
            raise CantDo(f"{person.user.real_name} sees no button [{label}]{where}")
        newest = max(shown, key=lambda message: message.ts)
        person.clicks(newest, label, block_id=_block_of(newest, label, beside) if beside else None)
        form = person.view()
        if form is not None and form.body.get("submit"):
            refused = person.submits(values).errors
            if refused:
                raise CantDo("; ".join(f"{field}: {said}" for field, said in refused.items()))

    def _seen_by(self, person: Person) -> Iterator[Message]:
        for channel in self._workspace.channels():
            if person.id in channel.members:
                yield from person.sees(channel.id)

    def _channel_of(self, member: str) -> str | None:
        for team in self._people.teams:
            if member in team.members:
                return team.channel
        return self._people.curator_channel


def _block_of(message: Message, label: str, words: str) -> str | None:
    """The block that holds a button so called and these words."""
    for block, element in elements_of(message.blocks):
        if element["type"] == "button" and element["text"]["text"] == label and words in words_of(block):
            return str(block["block_id"])
    return None
