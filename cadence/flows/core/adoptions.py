"""AdoptionView, its loader, and the cached text of playbook versions."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from threading import Lock
from typing import TypedDict, TypeVar, Unpack
from weakref import WeakKeyDictionary
from zoneinfo import ZoneInfo

from sqlalchemy import Pool

from cadence.documents import PlaybookSpec, Step, playbook_from_data
from cadence.flows.core.actor import is_curator
from cadence.mrkdwn import code, mention, say
from cadence.nearest import nearest
from cadence.refusals import Refusal, Unknown
from cadence.rules.calendar import local_day, monday_of, week_number
from cadence.rules.modes import Mode
from storage.engine import connection_of
from storage.queries import adoptions, playbooks, workspaces
from storage.queries.adoptions import AdoptionRow, AdoptionVersion, CycleStart, StepWindow
from storage.tables import (
    Adoption,
    AdoptionState,
    Cycle,
    CycleKind,
    CycleState,
    Playbook,
    PlaybookState,
    PlaybookVersion,
    Team,
    Workspace,
)
from storage.work import UnitOfWork


class Which(TypedDict, total=False):
    """A filter of adoptions: all given conditions must match.

    `member` selects the adoptions of a person's teams and of the playbooks they own; `playbook` and `team`
    are slugs.
    """

    adoption_id: int
    adoption_ids: Sequence[int]
    playbook_id: int | None
    team_ids: Sequence[int]
    member: str | None
    playbook: str | None
    team: str | None


_MOST = 1_000
"""Versions cached per database."""
_Key = tuple[int | None, datetime, str]
_known: WeakKeyDictionary[Pool, dict[_Key, PlaybookSpec]] = WeakKeyDictionary()
_lock = Lock()
_Dated = TypeVar("_Dated", Cycle, CycleStart)


def spec_of(uow: UnitOfWork, version: PlaybookVersion) -> PlaybookSpec:
    """The contents of a version.

    Cached by its id, author and creation time, because an id can be assigned again after a rollback.
    """
    key = version.id, version.created_at, version.created_by
    return _kept(uow).get(key) or _parsed(uow, key, version)


def _parsed(uow: UnitOfWork, key: _Key, version: PlaybookVersion) -> PlaybookSpec:
    kept = _kept(uow)
    if len(kept) >= _MOST:
        kept.clear()
    spec = kept[key] = playbook_from_data(version.spec)
    return spec


def visible_specs(uow: UnitOfWork) -> dict[str, PlaybookSpec]:
    """The contents that a person's adoptions run on, by the playbook's slug.

    Of several teams that run a playbook, the last one's by the team's slug.
    """
    found: dict[int, list[AdoptionVersion]] = {}
    member = None if is_curator(uow) else uow.actor.member
    for row in adoptions.adoption_versions(uow, day=uow.now.astimezone(UTC).date(), member=member):
        found.setdefault(row.adoption_id, []).append(row)
    if not found:
        require_workspace(uow)
    return {rows[0].playbook: _current_spec(uow, rows) for rows in found.values()}


def _current_spec(uow: UnitOfWork, rows: Sequence[AdoptionVersion]) -> PlaybookSpec:
    """The contents that an adoption runs on, from the cycles that may be its current one."""
    today = local_day(uow.now, ZoneInfo(rows[0].timezone))
    current = current_cycle([row.cycle for row in rows if row.cycle], today)
    row = next(row for row in rows if row.cycle is current)
    key = row.version_id, row.created_at, row.created_by
    known = _kept(uow).get(key)
    return known or _parsed(uow, key, playbooks.version(uow, version_id=row.version_id))


def _kept(uow: UnitOfWork) -> dict[_Key, PlaybookSpec]:
    pool = connection_of(uow.session).engine.pool
    with _lock:
        return _known.setdefault(pool, {})


@dataclass(frozen=True, slots=True)
class AdoptionView:
    """One team running one playbook, as of one local day of the team.

    Args:
        today: the team's local date.
        week: 1 to 4 while today is in a week of a cycle, else None.
        cycle: the cycle of today, else the last one (or the upcoming one), None before the first.
        first_id: the id of the playbook's first adoption, ended or not: its pilot team's.
        is_measured: whether a tool has ever counted its runs; while none has, nothing asks for them.
        was_paused: whether it was ever paused; otherwise nothing asks when.
        is_setting_up: whether its setup was started and isn't done.
        has_drifted: whether the drift of a step was ever found or reported.
    """

    workspace: Workspace
    adoption: Adoption
    playbook: Playbook
    version: PlaybookVersion
    spec: PlaybookSpec
    team: Team
    cycle: Cycle | None
    today: date
    first_id: int
    is_measured: bool
    was_paused: bool
    is_setting_up: bool
    has_drifted: bool

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
        """The week of the cycle that contains today."""
        return week_number(self.cycle.starts_on, self.today) if self.cycle else None

    @property
    def is_paused(self) -> bool:
        """Whether it asks for nothing until somebody resumes it."""
        return self.adoption.state is AdoptionState.PAUSED

    @property
    def can_resume(self) -> bool:
        """Whether a pause interrupts a cycle or a watch period that is under way."""
        return (
            self.is_paused
            and self.cycle is not None
            and self.week is not None
            and self.cycle.state is CycleState.RUNNING
        )

    @property
    def ends_pause(self) -> str:
        """The command that ends a pause; empty if the playbook was retired in between, so that none does."""
        if not self.can_resume and self.playbook.state is PlaybookState.RETIRED:
            return ""
        verb = "resume" if self.can_resume else "watch" if self.is_watched else "start"
        return f"/cadence cycle {verb} {self.playbook.slug} team={self.team.slug}"

    @property
    def is_watched(self) -> bool:
        """Whether its planned cycles are over, and only its weekly check-ins go on."""
        return self.cycle is not None and self.cycle.kind is CycleKind.WATCH

    @property
    def week_start(self) -> date:
        """The Monday of today's week."""
        return monday_of(self.today)

    def step(self, key: str) -> Step:
        """A step of the playbook.

        Raises:
            Unknown: no such step; the nearest is named.
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
                typed=key,
                near=guess,
            )
        raise Unknown(
            say(
                "There's no step {key} in {title}. Steps: {steps}.",
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
    workspace = workspaces.workspace(uow)
    if workspace is None:
        raise Refusal(
            "This workspace isn't set up yet. Import a workspace file, or run `/cadence settings` as an admin."
        )
    return workspace


def adoption_views(uow: UnitOfWork, **which: Unpack[Which]) -> list[AdoptionView]:
    """Every matching adoption, each as of its own team's local day, by playbook and team."""
    rows: dict[int, list[AdoptionRow]] = {}
    for row in adoptions.with_cycles(uow, day=uow.now.astimezone(UTC).date(), **which):
        rows.setdefault(row.adoption.id or 0, []).append(row)
    return [_seen(uow, candidates) for candidates in rows.values()]


def _seen(uow: UnitOfWork, rows: Sequence[AdoptionRow]) -> AdoptionView:
    """An adoption as of its team's local day, from the cycles that may be its current one."""
    today = local_day(uow.now, ZoneInfo(rows[0].team.timezone))
    current = current_cycle([row.cycle for row in rows if row.cycle], today)
    row = next(row for row in rows if row.cycle is current)
    spec = spec_of(uow, row.version)
    return AdoptionView(
        workspace=row.workspace,
        adoption=row.adoption,
        playbook=row.playbook,
        version=row.version,
        spec=spec,
        team=row.team,
        cycle=current,
        today=today,
        first_id=row.first_id,
        is_measured=row.is_measured,
        was_paused=row.was_paused,
        is_setting_up=row.is_setting_up,
        has_drifted=row.has_drifted,
    )


def current_cycle(cycles: Sequence[_Dated], today: date) -> _Dated | None:
    """The cycle that a day belongs to: the latest that has begun, else the next one; None without any.

    So the weekend after a close belongs to the cycle that just closed.
    """
    begun = [one for one in cycles if one.starts_on <= today]
    if begun:
        return max(begun, key=lambda one: one.number)
    return min(cycles, key=lambda one: one.number, default=None)


def adoption_by_id(uow: UnitOfWork, *, adoption_id: int) -> AdoptionView:
    """The adoption whose id a button or a form carries.

    Raises:
        Refusal: it doesn't exist (any more).
    """
    found = adoption_views(uow, adoption_id=adoption_id)
    if not found:
        require_workspace(uow)
        raise Refusal("This team doesn't run that playbook anymore. See what it runs with `/cadence status`.")
    return found[0]


def visible_adoptions(
    uow: UnitOfWork, *, playbook: str | None = None, team: str | None = None
) -> list[AdoptionView]:
    """A person's adoptions: of their teams, and of playbooks they own; for a curator, all.

    With slugs, only those of one playbook or team.
    """
    found = adoption_views(
        uow, member=None if is_curator(uow) else uow.actor.member, playbook=playbook, team=team
    )
    if not found:
        require_workspace(uow)
    return found


def accepts_reports(view: AdoptionView) -> bool:
    """Whether a cycle has begun that exceptions, numbers and check-ins of today count for."""
    return view.cycle is not None and (view.week is not None or view.today >= view.cycle.starts_on)


def require_cycle(view: AdoptionView) -> Cycle:
    """The cycle that accepts reports today.

    Raises:
        Refusal: none has started; the sentence says when the next one does, or how to start one.
    """
    if view.cycle is None:
        raise Refusal(
            say(
                "{title} doesn't have an active cycle in {team}. {owner} can start one with {command}.",
                title=view.playbook.title,
                team=view.team.title,
                owner=mention(view.playbook.owner),
                command=code(f"/cadence cycle start {view.playbook.slug}"),
            )
        )
    if not accepts_reports(view):
        raise Refusal(
            say(
                "Cycle {number} of {title} starts on {day:%A %-d %B}. There's nothing to report before then.",
                number=view.cycle.number,
                title=view.playbook.title,
                day=view.cycle.starts_on,
            )
        )
    return view.cycle


def current_modes(uow: UnitOfWork, view: AdoptionView) -> dict[str, StepWindow]:
    """The current mode of each step, by step key."""
    return adoptions.steps(uow, adoption_id=view.id)


def mode_of(steps: Mapping[str, StepWindow], step: Step) -> Mode:
    """The current mode of a step: the adoption's own, else as the playbook declares it."""
    row = steps.get(step.key)
    return row.mode if row else Mode(step.mode)


def starts_on(view: AdoptionView) -> date | None:
    """The Monday of an upcoming cycle, until it has begun; None without one."""
    cycle = view.cycle
    return (
        cycle.starts_on
        if cycle and cycle.state is CycleState.RUNNING and view.today < cycle.starts_on
        else None
    )


def of_cycle(uow: UnitOfWork, view: AdoptionView, cycle: Cycle) -> AdoptionView:
    """The adoption in one of its cycles: with the cycle's revision, as of its closing day if that has
    passed."""
    version = playbooks.version(uow, version_id=cycle.version_id)
    return replace(
        view,
        version=version,
        spec=spec_of(uow, version),
        cycle=cycle,
        today=min(view.today, cycle.closes_on),
    )
