"""Answers files: who does what at which time; and carrying it out."""

import csv
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from bot.ops.files import unreadable
from bot.rehearsal.reading import controls_of, lines_of
from bot.sandbox.errors import CantDo
from bot.sandbox.kinds import elements_of, options_of, words_of
from bot.sandbox.messages import Message
from bot.sandbox.person import Person
from bot.sandbox.views import View
from bot.sandbox.workspace import Workspace
from cadence.documents import WorkspaceSpec
from cadence.refusals import Refusal
from cadence.rules.calendar import instant

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
COLUMNS = ("week", "day", "time", "member", "says")
_FILLED_IN = re.compile(r"""\s*(\S+?)=(?:'([^']*)'|"([^"]*)"|(\S+))""")
"""`runs=14`, `note='a quiet week'`: a form's field and its value."""


@dataclass(frozen=True, slots=True)
class Line:
    """One line of an answers file: a member's action, at their local time."""

    number: int
    week: int
    weekday: int
    at: time
    member: str
    says: str


class FileRefused(Refusal):
    """A file that can't be played; `problems` has every mistake with its place."""

    def __init__(self, problems: Sequence[str]) -> None:
        self.problems = tuple(problems)
        super().__init__("The files can't be played.")


def text_of(file: Path) -> str:
    """The text of a file.

    Raises:
        Refusal: it isn't UTF-8 text.
    """
    try:
        return file.read_text(encoding="utf-8-sig")
    except OSError as missing:
        raise Refusal(unreadable(file, missing)) from None
    except UnicodeDecodeError:
        raise Refusal(f"{file} isn't UTF-8 text.") from None


def read_answers(file: Path, people: WorkspaceSpec) -> list[Line]:
    """Parse an answers file: `week,day,time,member,says`, with times in the member's zone.

    Raises:
        FileRefused: lists every invalid line, with a correct example.
    """
    lines = text_of(file).replace("\0", "\N{REPLACEMENT CHARACTER}").splitlines()
    known = {member for team in people.teams for member in team.members} | set(people.curators)
    problems: list[str] = []
    found: list[Line] = []
    for number, text in enumerate(lines, start=1):
        if text.lstrip().startswith("#"):
            continue
        try:
            row = next(csv.reader([text], strict=True), [])
        except csv.Error:
            problems.append(f"{file}:{number}: {_unreadable(text)}")
            continue
        cells = [cell.strip() for cell in row[:4]]
        if len(row) > len(cells):
            cells.append(",".join(row[4:]).strip())  # what is said may hold commas
        if not any(cells) or tuple(cells[:5]) == COLUMNS:
            continue
        line = _line(number, cells)
        if isinstance(line, str):
            problems.append(f"{file}:{number}: {line}")
        elif line.member not in known:
            problems.append(f"{file}:{number}: {line.member} isn't in the workspace file")
        else:
            found.append(line)
    if problems:
        raise FileRefused(problems)
    return found


def _unreadable(text: str) -> str:
    if len(text) > csv.field_size_limit():
        return f"has {len(text):,} characters; shorten it"
    return "a quote isn't closed, or something follows it; double the quotes within a quoted field"


def _line(number: int, cells: list[str]) -> Line | str:
    if len(cells) < len(COLUMNS):
        return (
            f"has {len(cells)} columns; write {','.join(COLUMNS)}: 1,Thu,10:42,U01AGENT1,/attest as-declared"
        )
    week, day, at, member = cells[:4]
    says = cells[4]
    if not week.isdecimal() or not 1 <= int(week) <= 60:
        return f"`{week}` isn't a week; the first is 1"
    if day[:3].lower() not in DAYS:
        return f"`{day}` isn't a day; write Mon to Sun"
    if not re.fullmatch(r"([01]?\d|2[0-3]):[0-5]\d", at):
        return f"`{at}` isn't a time; write one such as 10:42"
    if not says.startswith(("/", "press ", "choose ")):
        return f"`{says[:40]}` isn't an action; write a command such as /kpi 14m, or press As planned runs=14"
    if twice := _given_twice(says):
        return f"`{twice}=` is given twice; write it once"
    hour, minute = at.split(":")
    return Line(number, int(week), DAYS.index(day[:3].lower()), time(int(hour), int(minute)), member, says)


def _given_twice(says: str) -> str | None:
    """The first value that a line gives twice for one form; a command refuses its own options."""
    _command, *forms = says.split(" => ") if says.startswith("/") else ("", says)
    for form in forms:
        names = Counter(name for name, *_ in _FILLED_IN.findall(form))
        for name, count in names.items():
            if count > 1:
                return str(name)
    return None


def when(line: Line, first_monday: date, workspace: Workspace) -> datetime:
    """The instant of a line, in its member's zone."""
    zone = ZoneInfo(workspace.user(line.member).tz or "UTC")
    return instant(first_monday + timedelta(weeks=line.week - 1, days=line.weekday), line.at, zone)


def act(workspace: Workspace, people: WorkspaceSpec, member: str, says: str) -> str:
    """Type a command in the channel of the member's team, press a button, or choose in a menu; then fill in its
    form.

    Returns what the form says once it is filled in, for a command and a menu; "" without one.

    After a command, ` => ` precedes the values of the form it opens, and of each form that follows that one.

    Raises:
        CantDo: there is no such button in front of them, no form opened, or it refuses what was filled in.
    """
    if says.startswith("press "):
        _press(workspace, member, says.removeprefix("press "))
        return ""
    if says.startswith("choose "):
        return _choose(workspace, member, says.removeprefix("choose "))
    typed, *forms = says.split(" => ")
    command, _, text = typed.partition(" ")
    person = workspace.person(member)
    person.types(command, text, channel=typing_place(people, member))
    said = ""
    for values in forms:
        said = _fill_in(person, _read_press(values)[1])
    return said


def typing_place(people: WorkspaceSpec, member: str) -> str | None:
    """The channel in which a member types commands: their first team's, else the curators'."""
    channels = (team.channel for team in people.teams if member in team.members)
    return next(channels, people.curator_channel)


def label_of(says: str) -> str:
    """The label of the button that `press …` means, or of the option that `choose …` means."""
    return _read_press(says.removeprefix("press ").removeprefix("choose "))[0]


def message_to_press(workspace: Workspace, member: str, says: str) -> Message | None:
    """The message whose button `press …` means; None when nobody sees such a button."""
    label, values = _read_press(says.removeprefix("press "))
    shown = _with_button(workspace, member, label, (values.get("in", ""), values.get("on", "")))
    return max(shown, key=lambda message: message.ts, default=None)


def _read_press(said: str) -> tuple[str, dict[str, str]]:
    """The label of the button, and the values for its form."""
    values = {
        name: (single or double or bare).replace("\\n", "\n")
        for name, single, double, bare in _FILLED_IN.findall(said)
    }
    return _FILLED_IN.sub("", said).strip(), values


def _with_button(workspace: Workspace, member: str, label: str, words: tuple[str, ...]) -> list[Message]:
    """The messages a member sees that have a button with this label, and all these words."""
    return [
        message
        for message in _seen_by(workspace, member)
        if label in message.buttons
        and all(part in f"{message.text} {words_of(message.blocks)}" for part in words if part)
    ]


def _seen_by(workspace: Workspace, member: str) -> Iterator[Message]:
    """Every message in front of a member."""
    person = workspace.person(member)
    for channel in workspace.channels():
        if member in channel.members:
            yield from person.sees(channel.id)


def _press(workspace: Workspace, member: str, says: str) -> None:
    """`press As planned runs=14 note='quiet week'`: the newest button with that label, then its form.

    With `in='Support reply'` the newest message that contains these words, and with `on='load the policy
    file'` the button next to them.

    Raises:
        CantDo: there is no such button in front of them, or the form refuses what was filled in.
    """
    person = workspace.person(member)
    label, values = _read_press(says)
    within, beside = values.pop("in", ""), values.pop("on", "")
    shown = _with_button(workspace, member, label, (within, beside))
    if not shown:
        where = f" in a message that says “{within or beside}”" if within or beside else ""
        raise CantDo(f"{person.user.real_name} sees no button [{label}]{where}")
    newest = max(shown, key=lambda message: message.ts)
    person.clicks(newest, label, block_id=_block_of(newest, label, beside) if beside else None)
    form = person.view()
    if form is not None and _is_form(form):
        _fill_in(person, values)
        again = person.view()
        if again is not None and again.id == form.id and _is_form(again):
            person.submits()  # it asks whether it's meant, such as about a number far from the baseline


def _choose(workspace: Workspace, member: str, says: str) -> str:
    """`choose Refunds APAC in='Wave 1' champion=U02LEAD`: the newest menu with that option, then its form.

    Raises:
        CantDo: there is no such option in front of them, or the form refuses what was filled in.
    """
    person = workspace.person(member)
    label, values = _read_press(says)
    within = values.pop("in", "")
    found = [
        (message.ts, message, block, element)
        for message in _seen_by(workspace, member)
        if within in f"{message.text} {words_of(message.blocks)}"
        for block, element in elements_of(message.blocks)
        if label in [option["text"]["text"] for option in options_of(element)]
    ]
    if not found:
        raise CantDo(f"{person.user.real_name} sees no menu with “{label}”")
    _, message, block, element = max(found, key=lambda one: one[0])
    person.chooses(message, element["action_id"], label, block_id=block["block_id"])
    return _fill_in(person, values) if _is_form(person.view()) else ""


def _is_form(view: View | None) -> bool:
    return view is not None and bool(view.body.get("submit"))


def _fill_in(person: Person, values: dict[str, str]) -> str:
    """Submit the form in front of a person; returns what shows in its place.

    Raises:
        CantDo: no form is open, or it refuses the values.
    """
    form = person.view()
    if form is None or not _is_form(form):
        raise CantDo(f"{person.user.real_name} has no form to fill in")
    result = person.submits(_in_full(person, form, values))
    if result.errors:
        raise CantDo("; ".join(f"{field}: {said}" for field, said in result.errors.items()))
    if result.view is None or _is_form(result.view):
        return ""
    return "\n".join([*lines_of(result.view.blocks), " ".join(controls_of(result.view.blocks))]).strip()


def _in_full(person: Person, form: View, values: dict[str, str]) -> dict[str, Any]:
    """The values, with the steps of a check-in ticked whose mode is given, and its details opened if need be.

    `a+b` chooses several where several can be chosen.
    """
    changed = [name.partition(":")[2] for name in values if name.startswith("mode:")]
    if "Add details" in form.buttons and not {"note", "inputs"}.isdisjoint(values):
        person.clicks(form, "Add details")
    several = {
        block["block_id"]
        for block, element in elements_of(form.blocks)
        if element["type"].startswith("multi_") or element["type"] == "checkboxes"
    }
    filled = {name: value.split("+") if name in several else value for name, value in values.items()}
    return {"changed": changed, **filled} if changed else filled


def _block_of(message: Message, label: str, words: str) -> str | None:
    """The block that contains a button with that label and these words."""
    for block, element in elements_of(message.blocks):
        if element["type"] == "button" and element["text"]["text"] == label and words in words_of(block):
            return str(block["block_id"])
    return None
