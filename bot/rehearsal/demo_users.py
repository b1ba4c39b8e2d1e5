"""Demo users of the built-in workspace, who follow the answers files of the examples.

The same workspace and the same first Monday give the same cycle.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime, time, timedelta
from itertools import takewhile
from pathlib import Path
from zoneinfo import ZoneInfo

from bot.ops.commands import BUILT_IN_TEAM
from bot.rehearsal.answers import Line, act, label_of, message_to_press, read_answers, typing_place, when
from bot.rehearsal.harness import BotHarness
from bot.rehearsal.highlights import Highlights
from bot.sandbox.errors import CantDo, SlackError
from bot.sandbox.playback import Playback
from cadence.actor import Actor
from cadence.documents import PlaybookSpec, WorkspaceSpec, read_playbook
from cadence.flows.core import public_holidays
from cadence.flows.cycles import show_cycle
from cadence.flows.playbooks import export_playbook
from cadence.refusals import Refusal
from cadence.rules.calendar import WEEKS
from cadence.rules.modes import WORDS, Mode, rank
from storage.work import UnitOfWork
from templates.contexts.base import StepEvidence
from templates.contexts.cycles import CycleShown

DIGEST_HOUR = 12
"""The Monday hour, after the digest, until which a cycle is played."""
MOST_CYCLES = 3
"""Cycles of one play: the one in which a step is demoted, and the two that its promotion is decided on."""
MOST_LATE = 40
"""Exceptions logged late for one step: more than the estimated runs of a whole cycle need for a demotion."""
MONDAY_HOUR = 9
"""The hour at which they look for the cycle of a new week."""
APART = timedelta(minutes=2)
"""Between two exceptions logged late: the same words within a minute would ask for confirmation."""


@dataclass(frozen=True, slots=True)
class DemoUsers:
    """The demo users.

    Args:
        people: the members of each team.
        answers: the folder with an answers file for each known playbook.
        starts: the playbook whose cycle its owner starts if no known one runs.
        pause: real seconds between two actions at speed 1, so that a person can follow on the page.
        whole: play the answers file of `starts` to its end, not only until a demoted step is promoted again.
        begins: the cycle in which a playbook's answers file begins, by slug; the first one by default.
    """

    people: WorkspaceSpec
    answers: Path
    starts: str
    pause: float = 1.6
    whole: bool = False
    begins: Mapping[str, int] = field(default_factory=dict)

    def play(self, harness: BotHarness, playback: Playback) -> None:
        """Play the cycle that closes first, until the digest after it, or until the playback is stopped.

        If it leaves a step demoted, play on until the step is promoted again, `MOST_CYCLES` at most. A cycle that
        runs already may have had a demotion, or days on which the demo users did nothing: either way the step
        of the file is demoted once, until its rubric is revised. A paused cycle is resumed first. If no step is
        demoted, the story begins with the cycle that runs, also after its end.

        Raises:
            CantDo: no cycle could be started.
        """
        shown = Highlights(harness, playback, self.pause)
        self._resume(harness, playback)
        cycles = list(self._running(harness)) or self._started(harness, playback)
        if not cycles:
            raise CantDo("no cycle could be started.")
        begins = {cycle.slug: cycle.number for cycle in cycles if self._begins_anew(harness, cycle)}
        replace(self, begins=begins)._play(harness, playback, shown, cycles)  # noqa: SLF001 - the same users

    def _play(
        self, harness: BotHarness, playback: Playback, shown: Highlights, cycles: list[CycleShown]
    ) -> None:
        shown.newest()
        shown.recap_since(min(cycle.starts for cycle in cycles))
        if self.whole:
            self._play_file(harness, playback, shown, cycles[0])
            return
        self._catch_up(harness, playback, shown, cycles)
        played, below = 0, list[StepEvidence]()
        while cycles and self._plays(harness, playback, shown, cycles):
            played += 1
            cycles = list(self._running(harness))
            below = [step for cycle in cycles for step in self._below_plan(harness, cycle).values()]
            if played == MOST_CYCLES or not below:
                break
            shown.be_brief()
            playback.tell("A step is below its planned mode. They play on until it's promoted again.")
            playback.rest(2 * self.pause)
        if playback.stopped:
            playback.tell("Stopped.")
            return
        still = "".join(f" “{step.title}” is still {WORDS[Mode(step.mode)]}." for step in below)
        playback.tell(("Cycle complete." if played == 1 else f"{played} cycles complete.") + still)
        shown.recap()

    def _play_file(
        self, harness: BotHarness, playback: Playback, shown: Highlights, cycle: CycleShown
    ) -> None:
        """Play what is left of the answers file; after the first cycle only what is posted in channels is shown."""
        first = cycle.starts - timedelta(weeks=WEEKS * (cycle.number - 1))
        lines = [
            (when(line, first, harness.workspace), line)
            for line in read_answers(self.answers / f"{cycle.slug}.csv", self.people)
        ]
        coming = sorted((one for one in lines if one[0] > harness.clock.now()), key=lambda one: one[0])
        if not coming:
            playback.tell(
                "The story is over. To play it again, start with an empty data folder (CADENCE_DATA)."
            )
            return
        for moment, line in coming:
            if line.week > WEEKS:
                shown.be_brief()
            if not self._step(harness, playback, shown, moment, line):
                playback.tell("Stopped.")
                return
        playback.tell("The story is complete.")
        shown.recap()

    def _plays(
        self, harness: BotHarness, playback: Playback, shown: Highlights, cycles: Sequence[CycleShown]
    ) -> bool:
        """Play the first of these cycles to close; False once the playback is stopped."""
        return all(
            self._step(harness, playback, shown, moment, None if self._is_enough(harness, line) else line)
            for moment, line in self._script(harness, cycles)
        )

    def _catch_up(
        self, harness: BotHarness, playback: Playback, shown: Highlights, cycles: Sequence[CycleShown]
    ) -> None:
        """Log the exceptions of days that are over, less those that somebody logged, and revise the rubric.

        Once all of them are over, they are repeated until the step is demoted: the later in a cycle, the more runs
        count beside them.
        """
        now = harness.clock.now()
        for cycle in cycles:
            for key, step in self._steps(harness, cycle).items():
                if key in self._below_plan(harness, cycle):
                    continue
                story = self._demotion(harness, cycle, key)
                over = [line for moment, line in story if moment <= now]
                logged = [line for line in over if line.says.startswith("/exception ")]
                late = logged[step.evidence.exceptions :]
                if len(over) >= len(story) - 1:
                    late = (late + logged * MOST_LATE)[:MOST_LATE]
                for line in takewhile(lambda one: not self._is_enough(harness, one), late):
                    self._step(harness, playback, shown, harness.clock.now() + APART, line)
                for line in over[len(logged) :]:
                    self._step(harness, playback, shown, harness.clock.now() + APART, line)

    def _begins_anew(self, harness: BotHarness, cycle: CycleShown) -> bool:
        """Whether a story with a demotion begins with a cycle: no step is demoted, and it isn't at its beginning."""
        lines, weeks = self._file(cycle.slug)
        demotes = any(" revise " in line.says for line in lines)
        return demotes and (cycle.number - 1) * WEEKS % weeks > 0 and not self._below_plan(harness, cycle)

    def _is_enough(self, harness: BotHarness, line: Line | None) -> bool:
        """Whether a line is one more exception of a step that is demoted already, before its rubric is revised."""
        if line is None or not line.says.startswith("/exception "):
            return False
        return any(
            line in (one for _, one in self._demotion(harness, cycle, key))
            for cycle in self._running(harness)
            for key in self._below_plan(harness, cycle)
        )

    def _script(
        self, harness: BotHarness, cycles: Sequence[CycleShown]
    ) -> list[tuple[datetime, Line | None]]:
        """Every action until the digest after the first close, and the time of that digest."""
        now = harness.clock.now()
        lines = sorted(
            (one for cycle in cycles for one in self._lines(harness, cycle) if one[0] > now),
            key=lambda one: one[0],
        )
        closes = min(cycle.closes for cycle in cycles)
        monday = closes + timedelta(days=7 - closes.weekday())
        end = datetime.combine(monday, time(DIGEST_HOUR), ZoneInfo(self.people.timezone or "UTC"))
        return [*(one for one in lines if one[0] < end), (end, None)]

    def _step(
        self, harness: BotHarness, playback: Playback, shown: Highlights, moment: datetime, line: Line | None
    ) -> bool:
        """Run what is due until an action, and the action; False once the playback is stopped."""
        for _ in harness.passing(moment):
            if playback.stopped:
                return False
            shown.newest()
        if line is not None and not playback.stopped:
            self._act(harness, line, playback, shown)
        return not playback.stopped

    def _started(self, harness: BotHarness, playback: Playback) -> list[CycleShown]:
        """A cycle, started by the playbook's owner, or the one that follows the weekend after a close."""
        spec = self._spec(harness, self.starts)
        if spec is None or spec.pilot is None:
            return []
        person = harness.workspace.person(spec.owner)
        with suppress(CantDo, SlackError):
            person.types(f"/cadence cycle start {spec.slug} team={spec.pilot}")
            harness.tick()
        cycles = list(self._running(harness))
        if cycles:
            playback.tell(f"{person.user.shown} started a cycle of {spec.title}.")
            return cycles
        now = harness.clock.now().astimezone(ZoneInfo(self.people.timezone or "UTC"))
        monday = datetime.combine(
            now.date() + timedelta(days=7 - now.weekday()), time(MONDAY_HOUR), now.tzinfo
        )
        for _ in harness.passing(monday):
            if playback.stopped:
                break
        return list(self._running(harness))

    def _resume(self, harness: BotHarness, playback: Playback) -> None:
        """Let the owner of each paused cycle resume it."""
        for cycle in self._running(harness):
            spec = self._spec(harness, cycle.slug)
            if cycle.resumes and spec is not None:
                person = harness.workspace.person(cycle.resumes)
                with suppress(CantDo, SlackError):
                    person.types(f"/cadence cycle resume {cycle.slug} team={spec.pilot}")
                    playback.tell(f"{person.user.shown} resumed {spec.title}.")
                    harness.tick()

    def _running(self, harness: BotHarness) -> Iterator[CycleShown]:
        """The running or upcoming cycles of known playbooks."""
        now = harness.clock.now()
        for file in sorted(self.answers.glob("*.csv")):
            spec = self._spec(harness, file.stem)
            with suppress(Refusal):
                if spec is not None:
                    uow = UnitOfWork(harness.bot.db, Actor(BUILT_IN_TEAM, "", "cli"), now)
                    cycle = show_cycle(uow, playbook=spec.slug, team=spec.pilot)
                    if cycle.result is None and cycle.closes >= now.date():
                        yield cycle

    def _spec(self, harness: BotHarness, slug: str) -> PlaybookSpec | None:
        """The current version of a playbook; None if it doesn't exist."""
        uow = UnitOfWork(harness.bot.db, Actor(BUILT_IN_TEAM, "", "cli"))
        with suppress(Refusal):
            return read_playbook(export_playbook(uow, slug).yaml)
        return None

    def _steps(self, harness: BotHarness, cycle: CycleShown) -> dict[str, StepEvidence]:
        """The steps of a cycle as they are now, by key."""
        spec = self._spec(harness, cycle.slug)
        keys = {step.title: step.key for step in spec.steps} if spec else {}
        return {keys[step.title]: step for step in cycle.steps if step.title in keys}

    def _below_plan(self, harness: BotHarness, cycle: CycleShown) -> dict[str, StepEvidence]:
        """Those in a lower mode than the playbook plans, because they were demoted."""
        spec = self._spec(harness, cycle.slug)
        planned = {step.key: step.mode for step in spec.steps} if spec else {}
        steps = self._steps(harness, cycle)
        return {key: step for key, step in steps.items() if rank(Mode(step.mode)) < rank(planned[key])}

    def _lines(self, harness: BotHarness, cycle: CycleShown) -> list[tuple[datetime, Line]]:
        """The actions of a cycle in order; after the last whole cycle of the file, those of its first one again.

        What the file has after its last whole cycle comes beside them.
        """
        lines, weeks = self._file(cycle.slug)
        played = (cycle.number - self.begins.get(cycle.slug, 1)) * WEEKS
        before = played % weeks
        first = cycle.starts - timedelta(weeks=before)
        timed = [
            (self._at_work(when(line, first, harness.workspace), line), line)
            for line in lines
            if before < line.week <= before + WEEKS
        ]
        if played and not before:
            after = cycle.starts - timedelta(weeks=weeks)
            timed += [(when(line, after, harness.workspace), line) for line in lines if line.week > weeks]
        return sorted(timed, key=lambda one: one[0])

    def _at_work(self, moment: datetime, line: Line) -> datetime:
        """The moment of a line; that of a check-in waits for the day after a public holiday, as the check-in does."""
        if line.says.startswith(("press As planned", "press Something changed")):
            countries = [team.country for team in self.people.teams if line.member in team.members]
            off = public_holidays((countries or [None])[0], moment.year, moment.year)
            while moment.date() in off:
                moment += timedelta(days=1)
        return moment

    def _file(self, slug: str) -> tuple[list[Line], int]:
        """A playbook's answers file, and the number of weeks of its whole cycles."""
        lines = read_answers(self.answers / f"{slug}.csv", self.people)
        return lines, max(1, max((line.week for line in lines), default=1) // WEEKS) * WEEKS

    def _demotion(self, harness: BotHarness, cycle: CycleShown, step: str) -> list[tuple[datetime, Line]]:
        """A step's exceptions in a cycle, and the revision of its rubric after them; empty without a revision."""
        revised = f"/cadence rubric {cycle.slug} {step} revise "
        found: list[tuple[datetime, Line]] = []
        for moment, line in self._lines(harness, cycle):
            if line.says.startswith((f"/exception {step} ", revised)):
                found.append((moment, line))
            if line.says.startswith(revised):
                return found
        return []

    def _act(self, harness: BotHarness, line: Line, playback: Playback, shown: Highlights) -> None:
        person = harness.workspace.person(line.member)
        pressing = line.says.startswith("press ")
        with suppress(CantDo, SlackError):  # somebody was faster, probably the person at the page
            message = message_to_press(harness.workspace, line.member, line.says) if pressing else None
            shown.before(message, None if pressing else typing_place(self.people, line.member), line.member)
            act(harness.workspace, self.people, line.member, line.says)
            local = harness.clock.now().astimezone(ZoneInfo(person.user.tz))
            did = f"typed {line.says.partition(' => ')[0]}"
            if not line.says.startswith("/"):
                did = f"{'pressed' if pressing else 'chose'} “{label_of(line.says)}”"
            city = person.user.tz.rpartition("/")[2].replace("_", " ")
            playback.tell(f"{local:%a} {local.day} {local:%b %H:%M} {city} · {person.user.shown} {did}")
        while person.view() is not None:
            person.closes()
        harness.tick()
        shown.newest()
