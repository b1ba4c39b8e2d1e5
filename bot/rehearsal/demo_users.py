"""Example people for the built-in workspace: they answer what they are asked, as a team would in its first cycle.

The same workspace and the same first Monday give the same answers. What they say is marked as an example.
"""

import heapq
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from functools import partial
from itertools import count
from random import Random
from threading import Event
from zoneinfo import ZoneInfo

from bot.rehearsal.demo_actions import Hands, buttons, filled, luck_of, other_mode, passing_grades
from bot.rehearsal.harness import Stage
from bot.rehearsal.running_cycles import PlayedCycle, running_cycles, spec_of
from bot.sandbox.errors import CantDo, SlackError
from bot.sandbox.messages import Message
from bot.sandbox.views import View
from cadence.documents import WorkspaceSpec
from cadence.documents.playbook import Step
from templates.ids import Action, Field

EXAMPLE = "Example answer"
"""Stands in every note and reason they write."""
EXCEPTIONS = (0.5, 2.4, 0.6, 0.3)
"""Exceptions of the last step in weeks 1 to 4, as a share of what its cap allows: the second week goes wrong."""
PROGRESS = (0.5, 0.9, 1.1, 1.2)
"""How far the number has come from its baseline to its target in weeks 1 to 4."""
WAITS_FOR_THE_REMINDER, DRIFTS, DID_NOT_RUN = 0.12, 0.05, 0.03
SAMPLES = 20
DIGEST_HOUR = 12
"""The Monday hour, after the digest, at which the play ends."""
A_WHILE = timedelta(minutes=40)
MOST_TURNS = 20_000
Tell = Callable[[str], None]


@dataclass(order=True, slots=True)
class _Deed:
    """Something a person will do."""

    at: datetime
    number: int
    member: str = field(compare=False)
    what: str = field(compare=False)
    do: Callable[[], str | None] = field(compare=False)


class Cast:
    """Example people.

    Args:
        people: who is in which team.
        starts: the playbook whose cycle its owner starts when none runs.
        pause: real seconds between two deeds, so that a person can follow on the page.
    """

    def __init__(self, people: WorkspaceSpec, *, starts: str, pause: float = 0.15) -> None:
        self._people = people
        self._starts = starts
        self._pause = pause

    def play(self, stage: Stage, stop: Event, tell: Tell) -> None:
        """Play the cycle that closes first, to the digest after it, or until `stop` is set."""
        _Play(stage, self._people, stop, tell, self._pause).run(self._starts)


class _Play:
    def __init__(self, stage: Stage, people: WorkspaceSpec, stop: Event, tell: Tell, pause: float) -> None:
        self._stage = stage
        self._people = people
        self._stop = stop
        self._tell = tell
        self._pause = pause
        self._hands = Hands(stage)
        self._deeds: list[_Deed] = []
        self._numbers = count()
        self._asked: set[tuple[str, str, str]] = set()
        self._mark = 0
        self._cycles: list[PlayedCycle] = []

    # --- the course of time ---------------------------------------------------------------------------------

    def run(self, starts: str) -> None:
        cycles = running_cycles(self._stage.bot.db, self._people, now=self._now)
        if not cycles:
            self._start(starts)
            cycles = running_cycles(self._stage.bot.db, self._people, now=self._now)
        if not cycles:
            raise CantDo("no cycle could be started.")
        self._cycles = cycles
        for cycle in cycles:
            self._plan_exceptions(cycle)
            self._plan_grading(cycle)
        self._read_all()
        end = self._end(cycles)
        for _ in range(MOST_TURNS):
            if self._stop.is_set():
                self._tell("Stopped.")
                return
            if not self._turn(end):
                break
        self._tell("The cycle is played.")

    def _turn(self, end: datetime) -> bool:
        """Go on to the next deed or the next thing that is due; False at the end."""
        due = self._stage.bot.worker.next_event()
        deed = self._deeds[0].at if self._deeds else None
        moment = min(at for at in (due, deed, end) if at is not None)
        self._stage.clock.set(max(moment, self._now))
        if deed is not None and deed <= moment and moment < end:
            self._act(heapq.heappop(self._deeds))
        self._stage.tick()
        self._read_new()
        return moment < end

    def _act(self, deed: _Deed) -> None:
        user = self._stage.workspace.user(deed.member)
        try:
            done = deed.do()
        except (CantDo, SlackError):
            return  # somebody was faster: the person at the page, most likely
        local = self._now.astimezone(ZoneInfo(user.tz))
        place = user.tz.rpartition("/")[2].replace("_", " ")
        self._tell(f"{local:%a} {local.day} {local:%b %H:%M} in {place}, {user.shown}: {done or deed.what}.")
        self._stop.wait(self._pause)

    def _plan(self, at: datetime, member: str, what: str, do: Callable[[], str | None]) -> None:
        heapq.heappush(self._deeds, _Deed(at, next(self._numbers), member, what, do))

    @property
    def _now(self) -> datetime:
        return self._stage.clock.now()

    def _end(self, cycles: Sequence[PlayedCycle]) -> datetime:
        first = min(cycle.closes for cycle in cycles)
        monday = first + timedelta(days=7 - first.weekday())
        return datetime.combine(monday, time(DIGEST_HOUR), ZoneInfo(self._people.timezone or "UTC"))

    # --- what they do by themselves -------------------------------------------------------------------------

    def _start(self, slug: str) -> None:
        spec = spec_of(self._stage.bot.db, slug)
        if spec is None or not self._knows(spec.owner):
            return
        team = f" team={spec.pilot}" if spec.pilot else ""
        self._hands.type(spec.owner, f"/cadence cycle start {slug}{team}")
        self._tell(f"{self._stage.workspace.user(spec.owner).shown} started a cycle of {spec.title}.")
        self._stage.tick()

    def _plan_exceptions(self, cycle: PlayedCycle) -> None:
        """The last step has most of them, and the second week more than its cap bears."""
        people = [member for member in cycle.members if self._knows(member)]
        if not people:
            return
        for week, share in enumerate(EXCEPTIONS):
            luck = luck_of(cycle.slug, cycle.team, str(cycle.starts), str(week))
            step = cycle.steps[-1]
            for _ in range(round(share * step.exception_cap * cycle.runs_per_week)):
                self._plan_one(cycle, luck.choice(people), step, week, luck)
            if luck.random() < 0.5:
                self._plan_one(cycle, luck.choice(people), cycle.steps[0], week, luck)

    def _plan_one(self, cycle: PlayedCycle, member: str, step: Step, week: int, luck: Random) -> None:
        day = cycle.starts + timedelta(days=7 * week + luck.randrange(4))
        zone = ZoneInfo(self._stage.workspace.user(member).tz)
        at = datetime.combine(day, time(10 + luck.randrange(6), luck.randrange(60)), zone)
        reason = f"{luck.choice(cycle.criteria)} was off ({EXAMPLE.lower()})"
        command = f"/exception {cycle.slug} {step.key} {reason} team={cycle.team}"
        if at > self._now:
            self._plan(
                at,
                member,
                f"logged an exception on “{step.title}”",
                partial(self._hands.type, member, command),
            )

    def _plan_grading(self, cycle: PlayedCycle) -> None:
        """The owner grades a sample of every step on Wednesdays, from the second week on."""
        if not self._knows(cycle.owner):
            return
        zone = ZoneInfo(self._stage.workspace.user(cycle.owner).tz)
        for week in (1, 2, 3):
            at = datetime.combine(cycle.starts + timedelta(days=7 * week + 2), time(15, 20), zone)
            for step in cycle.steps if at > self._now else ():
                passes = SAMPLES - luck_of(cycle.slug, step.key, str(week)).randrange(2)
                words = f"passes={passes} samples={SAMPLES} {EXAMPLE}"
                command = f"/cadence rubric {cycle.slug} {step.key} {words} team={cycle.team}"
                what = f"graded “{step.title}”: {passes} of {SAMPLES} pass"
                self._plan(at, cycle.owner, what, partial(self._hands.type, cycle.owner, command))

    def _knows(self, member: str) -> bool:
        return any(user.id == member for user in self._stage.workspace.members())

    # --- what they are asked --------------------------------------------------------------------------------

    def _read_all(self) -> None:
        """What was asked before the play began."""
        self._mark = self._stage.workspace.messages.mark()
        for message in self._stage.workspace.messages.everywhere():
            self._read(message)

    def _read_new(self) -> None:
        messages = self._stage.workspace.messages
        mark, self._mark = self._mark, messages.mark()
        for message in messages.since(mark):
            self._read(message)

    def _read(self, message: Message) -> None:
        """Plan an answer to every question that stands in a message."""
        if not message.bot_id or message.ephemeral:
            return
        member = self._stage.workspace.channel(message.channel).user
        for element in buttons(message):
            action, value = str(element["action_id"]), str(element.get("value", ""))
            if action == Action.RAN_AS_DECLARED and member:
                self._answer_later(message, member, value)
            elif action == Action.REPORT_KPI and member:
                self._report_later(message, member, value)
            elif action == Action.GRADE_AUDIT and member and self._first_time(member, "grade", value):
                grade = partial(self._grade, message, member, value)
                self._plan(self._now + A_WHILE, member, "graded the runs drawn at random", grade)
            elif action == Action.SAY_WHAT_CHANGES:
                self._say_what_changes(message, value)

    def _first_time(self, member: str, action: str, value: str) -> bool:
        key = (member, action, value)
        known = key in self._asked
        self._asked.add(key)
        return not known

    def _answer_later(self, message: Message, member: str, value: str) -> None:
        luck = luck_of(member, value)
        reminded = not self._first_time(member, "check-in", value)
        if not reminded and luck.random() < WAITS_FOR_THE_REMINDER:
            return
        if reminded and not self._first_time(member, "check-in again", value):
            return
        drawn = luck.random()
        action = Action.RAN_AS_DECLARED
        if drawn < DRIFTS:
            action = Action.DRIFTED
        elif drawn < DRIFTS + DID_NOT_RUN:
            action = Action.NOT_RUN
        at = max(message.posted_at, self._now) + timedelta(minutes=4 + luck.randrange(200))
        self._plan(at, member, "answered", lambda: self._answer(message, member, action, value, luck))

    def _answer(self, message: Message, member: str, action: Action, value: str, luck: Random) -> str:
        form = self._hands.open(message, member, action, value)
        values: dict[str, str] = {Field.NOTE: EXAMPLE}
        said = {Action.DRIFTED: "something drifted", Action.NOT_RUN: "did not run it"}.get(action, "")
        if Field.RUNS in form.fields:
            runs = max(1, round(float(filled(form, Field.RUNS) or 10) * luck.uniform(0.8, 1.2)))
            values[Field.RUNS] = str(runs)
            said = said or f"ran as declared, {runs} runs"
        if Field.VALUE in form.fields and action != Action.NOT_RUN:
            values[Field.VALUE] = self._number_for(form, luck)
        drifts = [name for name in form.fields if name.startswith(f"{Field.MODE}:")]
        if drifts:
            drift = luck.choice(drifts)
            values[drift] = other_mode(form, drift)
        self._hands.submit(member, values)
        return said

    def _report_later(self, message: Message, member: str, value: str) -> None:
        luck = luck_of(member, "kpi", value)
        if not self._first_time(member, "kpi", value):
            return
        at = self._now + timedelta(minutes=15 + luck.randrange(60))

        def report() -> str:
            form = self._hands.open(message, member, Action.REPORT_KPI, value)
            number = self._number_for(form, luck)
            self._hands.submit(member, {Field.VALUE: number, Field.NOTE: EXAMPLE})
            return f"reported {number}"

        self._plan(at, member, "reported the number", report)

    def _grade(self, message: Message, member: str, value: str) -> None:
        form = self._hands.open(message, member, Action.GRADE_AUDIT, value)
        self._hands.submit(member, passing_grades(form))

    def _say_what_changes(self, message: Message, value: str) -> None:
        room = self._stage.workspace.channel(message.channel)
        owners = [cycle.owner for cycle in self._cycles if cycle.owner in room.members]
        if not owners or not self._first_time(owners[0], "watch", value):
            return
        owner, luck = owners[0], luck_of("watch", value)
        at = self._now + timedelta(minutes=20 + luck.randrange(90))

        def say() -> str:
            self._hands.open(message, owner, Action.SAY_WHAT_CHANGES, value)
            words = "the prompt names the new policy, and so does the rubric"
            self._hands.submit(owner, {Field.NOTE: f"{words[0].upper()}{words[1:]}. ({EXAMPLE})"})
            return f"said what changes: {words}"

        self._plan(at, owner, "said what changes", say)

    def _number_for(self, form: View, luck: Random) -> str:
        """A number on its way from the baseline to the target, with some noise."""
        cycle = next((c for c in self._cycles if c.title in form.words), self._cycles[0])
        week = min(3, max(0, (self._now.date() - cycle.starts).days // 7))
        way = PROGRESS[week] + luck.uniform(-0.06, 0.06)
        number = cycle.baseline + (cycle.target - cycle.baseline) * way
        return f"{number:.0f}" if abs(number) >= 10 else f"{number:.1f}"
