"""What a playbook's version says, read once: it never changes, and reading it whole is slow."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from threading import Lock
from weakref import WeakKeyDictionary
from zoneinfo import ZoneInfo

from sqlalchemy import Pool

from cadence.documents import PlaybookSpec, Step, playbook_from_data
from cadence.mrkdwn import code, say
from cadence.nearest import nearest
from cadence.refusals import Offer, Refusal, Unknown
from cadence.rules.calendar import local_day, monday_of, week_number
from cadence.rules.modes import Mode
from storage.engine import connection_of
from storage.queries import adoptions as run_rows
from storage.queries import people, playbooks
from storage.queries.people import Whereabouts
from storage.tables import (
    Adoption,
    AdoptionStep,
    Cycle,
    CycleState,
    Playbook,
    PlaybookVersion,
    Team,
    Workspace,
)
from storage.work import UnitOfWork
from templates.ids import Action

_MOST = 1_000
"""Versions kept of a database."""
_Key = tuple[int | None, datetime, str]
_known: WeakKeyDictionary[Pool, dict[_Key, PlaybookSpec]] = WeakKeyDictionary()
_lock = Lock()


def spec_of(uow: UnitOfWork, version: PlaybookVersion) -> PlaybookSpec:
    """What a version says.

    Kept under its id and when and by whom it was written: an id that a rollback gave back may come again.
    """
    kept = _kept(uow)
    key = (version.id, version.created_at, version.created_by)
    spec = kept.get(key)
    if spec is None:
        spec = playbook_from_data(version.spec)
        if len(kept) >= _MOST:
            kept.clear()
        kept[key] = spec
    return spec


def spec_known(uow: UnitOfWork, key: tuple[int, datetime, str]) -> PlaybookSpec | None:
    """What a version says, by its id and when and by whom it was written; None when nobody has read it here yet."""
    return _kept(uow).get(key)


def _kept(uow: UnitOfWork) -> dict[_Key, PlaybookSpec]:
    pool = connection_of(uow.bound).engine.pool
    with _lock:
        return _known.setdefault(pool, {})


@dataclass(frozen=True, slots=True)
class TeamRun:
    """One team running one playbook, seen on one day of the team.

    Args:
        today: the team's local date.
        week: 1 to 4 while a cycle's week holds today, else None.
        cycle: the cycle of today, else the last one (or the one to come), None before the first.
    """

    workspace: Workspace
    adoption: Adoption
    playbook: Playbook
    version: PlaybookVersion
    spec: PlaybookSpec
    team: Team
    cycle: Cycle | None
    today: date

    @property
    def id(self) -> int:
        """The adoption's id."""
        assert self.adoption.id is not None  # noqa: S101 - a row that was loaded has one
        return self.adoption.id

    @property
    def zone(self) -> ZoneInfo:
        """The team's time zone."""
        return ZoneInfo(self.team.timezone)

    @property
    def week(self) -> int | None:
        """The week of the cycle that today lies in."""
        return week_number(self.cycle.starts_on, self.today) if self.cycle else None

    @property
    def week_start(self) -> date:
        """The Monday of today's week."""
        return monday_of(self.today)

    def step(self, key: str) -> Step:
        """A step of the playbook.

        Raises:
            Unknown: no such step; the nearest is named and offered.
        """
        for step in self.spec.steps:
            if step.key == key:
                return step
        keys = [step.key for step in self.spec.steps]
        guess = nearest(key, keys)
        if guess:
            raise Unknown(
                say(
                    "There's no step {key} in {title}. Did you mean {guess}?",
                    key=code(key),
                    title=self.playbook.title,
                    guess=code(guess),
                ),
                field="step",
                offer=Offer(f"Log it on {guess}"[:75], Action.LOG_EXCEPTION, f"{self.id}:{guess}"),
            )
        raise Unknown(
            say(
                "There's no step {key} in {title}. Its steps are {steps}.",
                key=code(key),
                title=self.playbook.title,
                steps=code(", ".join(keys)),
            ),
            field="step",
        )


def today_in(workspace: Workspace, now: datetime) -> date:
    """The workspace's local date."""
    return local_day(now, ZoneInfo(workspace.timezone))


def require_workspace(uow: UnitOfWork) -> Workspace:
    """The workspace's row.

    Raises:
        Refusal: the bot doesn't know the workspace yet.
    """
    workspace = people.workspace(uow)
    if workspace is None:
        raise Refusal(
            "This workspace isn't set up yet. Import a workspace file, or run `/cadence settings` as an admin."
        )
    return workspace


def team_runs(
    uow: UnitOfWork,
    *,
    workspace: Workspace,
    adoption_id: int | None = None,
    playbook_id: int | None = None,
    team_ids: Sequence[int] | None = None,
    owner: str | None = None,
    member: str | None = None,
    playbook: str | None = None,
    team: str | None = None,
    adoption_ids: Sequence[int] | None = None,
) -> list[TeamRun]:
    """Every run that fits, each on its own team's local day, by playbook and team.

    Args:
        member: the runs of this person's teams, and of the playbooks they own.
        playbook: its slug; `team`: its slug.
    """
    here = today_in(workspace, uow.now)
    rows = run_rows.runs(
        uow,
        on=here,
        adoption_id=adoption_id,
        playbook_id=playbook_id,
        team_ids=team_ids,
        owner=owner,
        member=member,
        playbook=playbook,
        team=team,
        adoption_ids=adoption_ids,
    )
    return [_seen(uow, row, here=here) for row in rows]


def _seen(uow: UnitOfWork, row: run_rows.Run, *, here: date) -> TeamRun:
    """A run on the local day of its team; its cycle was looked up for the workspace's day, `here`."""
    today, cycle = local_day(uow.now, ZoneInfo(row.team.timezone)), row.cycle
    if today != here:
        cycle = _cycle_on(uow, row, today) or cycle
    spec = spec_of(uow, row.version)
    return TeamRun(row.workspace, row.adoption, row.playbook, row.version, spec, row.team, cycle, today)


def _cycle_on(uow: UnitOfWork, row: run_rows.Run, today: date) -> Cycle | None:
    return playbooks.cycle_on(uow, adoption_id=row.adoption.id or 0, day=today)


def run_by_id(uow: UnitOfWork, *, adoption_id: int) -> TeamRun:
    """The run a button or a form carries the id of.

    Raises:
        Refusal: it isn't there (any more).
    """
    workspace = require_workspace(uow)
    found = team_runs(uow, workspace=workspace, adoption_id=adoption_id)
    if not found:
        raise Refusal("That playbook isn't run by this team any more. `/cadence status` shows what is.")
    return found[0]


def visible_runs(
    uow: UnitOfWork, *, playbook: str | None = None, team: str | None = None, there: Whereabouts | None = None
) -> list[TeamRun]:
    """The runs a person has to do with: their teams', those of playbooks they own; a curator's are all.

    With slugs, those of one playbook or team only; `there` when it was asked in this transaction.
    """
    if there is not None:
        here = local_day(uow.now, ZoneInfo(there.here))
        member = None if uow.actor.surface == "cli" or there.is_curator else uow.actor.member
        rows = run_rows.runs(uow, on=here, member=member, playbook=playbook, team=team)
        return [_seen(uow, row, here=here) for row in rows]
    standing = people.standing(uow, member_id=uow.actor.member)
    workspace = standing.workspace if standing else require_workspace(uow)
    curator = uow.actor.surface == "cli" or (standing is not None and standing.is_curator)
    member = None if curator else uow.actor.member
    return team_runs(uow, workspace=workspace, member=member, playbook=playbook, team=team)


def require_cycle(run: TeamRun) -> Cycle:
    """The cycle that takes reports today.

    Raises:
        Refusal: none has started; the sentence says when the next does, or how to start one.
    """
    if run.cycle is None:
        raise Refusal(
            say(
                "{title} has no running cycle in {team}. Its owner starts one with {command}.",
                title=run.playbook.title,
                team=run.team.title,
                command=code(f"/cadence cycle start {run.playbook.slug}"),
            )
        )
    if run.week is None and run.today < run.cycle.starts_on:
        raise Refusal(
            say(
                "Cycle {number} of {title} starts on {day:%A %-d %B}; there is nothing to report before.",
                number=run.cycle.number,
                title=run.playbook.title,
                day=run.cycle.starts_on,
            )
        )
    return run.cycle


def current_modes(uow: UnitOfWork, run: TeamRun) -> dict[str, AdoptionStep]:
    """Who leads each step of the run now, by step key."""
    return playbooks.steps(uow, adoption_id=run.id)


def mode_of(steps: dict[str, AdoptionStep], step: Step) -> Mode:
    """The mode a step is in: the adoption's own, else as the playbook declares it."""
    row = steps.get(step.key)
    return row.mode if row else Mode(step.mode)


def starts_on(run: TeamRun) -> date | None:
    """The Monday of the cycle to come, until it has begun; None without one."""
    cycle = run.cycle
    return (
        cycle.starts_on
        if cycle and cycle.state is CycleState.RUNNING and run.today < cycle.starts_on
        else None
    )


def of_cycle(uow: UnitOfWork, run: TeamRun, cycle: Cycle) -> TeamRun:
    """The run as it stood in one of its cycles: the revision it ran on, its closing day should that be past."""
    version = playbooks.version(uow, version_id=cycle.version_id)
    return replace(
        run,
        version=version,
        spec=spec_of(uow, version),
        cycle=cycle,
        today=min(run.today, cycle.closes_on),
    )
