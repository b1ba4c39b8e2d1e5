"""Queries on what the standard decided: verdicts, modes, watches, drift."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from functools import cache
from typing import Any, Final, NamedTuple

from sqlalchemy import ColumnElement, bindparam, exists, func, or_
from sqlalchemy import select as select_rows
from sqlalchemy.orm import aliased
from sqlmodel import Session, col, select
from sqlmodel.sql.sqltypes import UTCDateTime

from cadence.rules.drift import DriftEvent
from cadence.rules.modes import Mode
from cadence.rules.verdicts import Decision, Line
from storage.engine import connection_of
from storage.inserts import insert_rows
from storage.queries import checkins
from storage.queries.checkins import Answer
from storage.queries.cycles import _with_exceptions
from storage.queries.streams import columns
from storage.query_cache import cached, teach
from storage.tables import (
    Adoption,
    Attestation,
    CheckIn,
    Cycle,
    CycleState,
    LoggedException,
    MeasuredRuns,
    ModeChange,
    Playbook,
    RubricResult,
    SpotAudit,
    StepDrift,
    StepVerdict,
    Team,
)
from storage.work import UnitOfWork


class JudgedRow(NamedTuple):
    """A step with exceptions in a running cycle, and when it was last judged."""

    workspace_id: str
    adoption_id: int
    cycle_id: int
    step: str
    verdict_id: int | None
    judged_at: datetime
    closes_on: date
    timezone: str


def with_exceptions(session: Session) -> list[JudgedRow]:
    """The steps with exceptions in running cycles of any workspace that has the bot, oldest first."""
    return [JudgedRow(*row) for row in connection_of(session).execute(_with_exceptions())]


@cache
def _verdict_stands() -> ColumnElement[bool]:
    """Condition: a verdict counts no exception that was undone since."""
    return ~exists().where(
        col(LoggedException.adoption_id) == col(StepVerdict.adoption_id),
        col(LoggedException.step) == col(StepVerdict.step),
        col(LoggedException.id) > col(StepVerdict.after_exception),
        col(LoggedException.id) <= col(StepVerdict.through_exception),
        col(LoggedException.withdrawn_after) >= col(StepVerdict.id),
        or_(
            col(LoggedException.happened_at).is_(None),
            col(LoggedException.happened_at) >= col(StepVerdict.window_from),
        ),
    )


def stands(change: type[ModeChange] | None = None) -> tuple[ColumnElement[bool], ...]:
    """Condition: a mode change wasn't reversed, and doesn't reverse one; `change` if the table has an alias."""
    return _change_stands() if change is None else _stands(change)


@cache
def _change_stands() -> tuple[ColumnElement[bool], ...]:
    return _stands(ModeChange)


def _stands(change: type[ModeChange]) -> tuple[ColumnElement[bool], ...]:
    later = aliased(ModeChange)
    return col(change.takes_back).is_(None), ~exists().where(col(later.takes_back) == col(change.id))


def overtaken(uow: UnitOfWork, *, verdict_ids: Sequence[int]) -> frozenset[int]:
    """Those of some verdicts that counted an exception that was undone since."""
    query = select(StepVerdict.id).where(
        StepVerdict.workspace_id == uow.workspace_id, col(StepVerdict.id).in_(verdict_ids), ~_verdict_stands()
    )
    return frozenset(one for one in uow.session.exec(query) if one is not None)


class StepChange(NamedTuple):
    """A change of a step's mode; see `ModeChange`."""

    id: int
    step: str
    kind: str
    before: Mode | None
    after: Mode
    verdict_id: int | None
    takes_back: int | None
    rubric: int
    reason: str
    member: str | None
    after_check_in: int
    changed_at: datetime


def standing(changes: Sequence[StepChange]) -> list[StepChange]:
    """Some mode changes of a step, without those that were reversed and their reversals."""
    undone = {one.takes_back for one in changes}
    return [one for one in changes if one.takes_back is None and one.id not in undone]


class NewestVerdict(NamedTuple):
    """The newest verdict on a step, to be shown and compared; see `StepVerdict`."""

    adoption_id: int
    cycle_id: int
    step: str
    decision: Decision
    line: Line
    lands_on: Mode | None
    exceptions: int
    critical: int
    measured: int
    attested: int
    assumed: int
    closing: bool
    cap: float
    after_exception: int
    judged_at: datetime


@cached(StepVerdict)
def newest_verdict(uow: UnitOfWork, *, adoption_id: int, step: str) -> NewestVerdict | None:
    """The newest verdict on a step of an adoption."""
    asked = {"workspace": uow.workspace_id, "adoption": adoption_id, "step": step}
    row = connection_of(uow.session).execute(_NEWEST_VERDICT, asked).first()
    return None if row is None else NewestVerdict(*row)


_NEWEST_VERDICT: Final[Any] = (
    select_rows(*columns(StepVerdict, NewestVerdict._fields))
    .where(
        col(StepVerdict.workspace_id) == bindparam("workspace"),
        col(StepVerdict.adoption_id) == bindparam("adoption"),
        col(StepVerdict.step) == bindparam("step"),
    )
    .order_by(col(StepVerdict.id).desc())
    .limit(1)
)


def last_verdicts(
    uow: UnitOfWork, *, adoption_id: int, step: str, limit: int = 5, decision: Decision | None = None
) -> list[StepVerdict]:
    """The verdicts of a step, newest first; with a decision, only those."""
    asked = {"workspace": uow.workspace_id, "adoption": adoption_id, "step": step, "limit": limit}
    if decision is None:
        return list(uow.session.exec(_VERDICTS, params=asked))
    query = _VERDICTS.where(StepVerdict.decision == decision)
    return list(uow.session.exec(query, params=asked))


_VERDICTS = (
    select(StepVerdict)
    .where(
        StepVerdict.workspace_id == bindparam("workspace"),
        StepVerdict.adoption_id == bindparam("adoption"),
        StepVerdict.step == bindparam("step"),
    )
    .order_by(col(StepVerdict.id).desc())
    .limit(bindparam("limit"))
)


def _same_window(workspace_id: str, row: StepVerdict) -> tuple[ColumnElement[bool], ...]:
    """Condition: verdicts that count the same evidence: of one cycle, after the same exception."""
    return (
        col(StepVerdict.workspace_id) == workspace_id,
        col(StepVerdict.adoption_id) == row.adoption_id,
        col(StepVerdict.step) == row.step,
        col(StepVerdict.cycle_id) == row.cycle_id,
        col(StepVerdict.after_exception) == row.after_exception,
    )


def alerting(uow: UnitOfWork, *, row: StepVerdict) -> list[StepVerdict]:
    """The verdicts in a verdict's window that sent an alert of a step over its cap, oldest first."""
    query = select(StepVerdict).where(*_same_window(uow.workspace_id, row), col(StepVerdict.alerted))
    return list(uow.session.exec(query.order_by(col(StepVerdict.id))))


def first_watch(uow: UnitOfWork, *, row: StepVerdict) -> StepVerdict | None:
    """The first verdict in a verdict's window that found the step over its cap."""
    query = select(StepVerdict).where(
        *_same_window(uow.workspace_id, row), col(StepVerdict.decision) == Decision.WATCH
    )
    return uow.session.exec(query.order_by(col(StepVerdict.id)).limit(1)).first()


def end_of_watch(uow: UnitOfWork, *, row: StepVerdict) -> StepVerdict | None:
    """The first verdict after one, in its window, that found the step under its cap, or demoted it."""
    query = select(StepVerdict).where(
        *_same_window(uow.workspace_id, row),
        col(StepVerdict.id) > (row.id or 0),
        col(StepVerdict.decision) != Decision.WATCH,
        _verdict_stands(),
    )
    return uow.session.exec(query.order_by(col(StepVerdict.id)).limit(1)).first()


def latest_watch(
    uow: UnitOfWork, *, row: StepVerdict, before: StepVerdict | None = None
) -> StepVerdict | None:
    """The newest verdict of a watch, from its first one on; before its last one, if given."""
    query = select(StepVerdict).where(
        *_same_window(uow.workspace_id, row),
        col(StepVerdict.id) >= (row.id or 0),
        col(StepVerdict.decision) == Decision.WATCH,
    )
    if before is not None:
        query = query.where(col(StepVerdict.id) < (before.id or 0))
    return uow.session.exec(query.order_by(col(StepVerdict.id).desc()).limit(1)).first()


@cached(StepVerdict)
def newest_verdicts(uow: UnitOfWork, *, adoption_ids: Sequence[int]) -> list[NewestVerdict]:
    """The newest verdict on each step of some adoptions, oldest first."""
    asked = {"workspace": uow.workspace_id, "adoptions": list(adoption_ids)}
    return [NewestVerdict(*row) for row in connection_of(uow.session).execute(_newest_verdicts(), asked)]


def last_verdicts_before(uow: UnitOfWork, *, adoption_id: int, moment: datetime) -> list[NewestVerdict]:
    """The newest verdict on each step of an adoption at an instant, oldest first."""
    asked = {"workspace": uow.workspace_id, "adoptions": [adoption_id], "moment": moment}
    rows = connection_of(uow.session).execute(_newest_verdicts(before=True), asked)
    return [NewestVerdict(*row) for row in rows]


@cache
def _newest_verdicts(*, before: bool = False) -> Any:
    among = [col(StepVerdict.judged_at) < bindparam("moment", type_=UTCDateTime())] if before else []
    newest = (
        select_rows(func.max(col(StepVerdict.id)))
        .where(
            col(StepVerdict.workspace_id) == bindparam("workspace"),
            col(StepVerdict.adoption_id).in_(bindparam("adoptions", expanding=True)),
            *among,
        )
        .group_by(col(StepVerdict.adoption_id), col(StepVerdict.step))
    )
    return (
        select_rows(*columns(StepVerdict, NewestVerdict._fields))
        .where(col(StepVerdict.workspace_id) == bindparam("workspace"), col(StepVerdict.id).in_(newest))
        .order_by(col(StepVerdict.id))
    )


def verdict(uow: UnitOfWork, *, verdict_id: int) -> StepVerdict | None:
    """One verdict."""
    query = select(StepVerdict).where(
        StepVerdict.workspace_id == uow.workspace_id, StepVerdict.id == verdict_id
    )
    return uow.session.exec(query).first()


def count_verdicts(uow: UnitOfWork, *, cycle_id: int, step: str, decisions: Sequence[Decision]) -> int:
    """How many valid verdicts of a step in a cycle have one of these decisions."""
    query = select(func.count(col(StepVerdict.id))).where(
        StepVerdict.workspace_id == uow.workspace_id,
        StepVerdict.cycle_id == cycle_id,
        StepVerdict.step == step,
        col(StepVerdict.decision).in_(decisions),
        _verdict_stands(),
    )
    return uow.session.exec(query).one()


def closing_verdicts(uow: UnitOfWork, *, cycle_ids: Sequence[int], step: str) -> list[StepVerdict]:
    """The verdicts of a step at the close of these cycles, oldest first."""
    asked = {"workspace": uow.workspace_id, "cycles": list(cycle_ids), "step": step}
    return list(uow.session.exec(_CLOSING_VERDICTS, params=asked))


_CLOSING_VERDICTS: Final = (
    select(StepVerdict)
    .where(
        StepVerdict.workspace_id == bindparam("workspace"),
        col(StepVerdict.cycle_id).in_(bindparam("cycles", expanding=True)),
        StepVerdict.step == bindparam("step"),
        col(StepVerdict.closing).is_(True),
        _verdict_stands(),
    )
    .order_by(col(StepVerdict.id))
)


def last_demotion(uow: UnitOfWork, *, adoption_id: int, step: str) -> ModeChange | None:
    """The last demotion of a step that wasn't reversed."""
    query = (
        select(ModeChange)
        .where(
            ModeChange.workspace_id == uow.workspace_id,
            ModeChange.adoption_id == adoption_id,
            ModeChange.step == step,
            ModeChange.kind == "demotion",
            *stands(),
        )
        .order_by(col(ModeChange.id).desc())
        .limit(1)
    )
    return uow.session.exec(query).first()


def mode_changes(
    uow: UnitOfWork,
    *,
    since: datetime,
    until: datetime,
    adoption_id: int | None = None,
    kind: str | None = None,
) -> list[ModeChange]:
    """Mode changes in an interval, newest first, without declarations that only set up a step."""
    query = select(ModeChange).where(
        ModeChange.workspace_id == uow.workspace_id,
        ModeChange.changed_at >= since,
        ModeChange.changed_at < until,
        col(ModeChange.before).is_not(None),
        *stands(),
    )
    if adoption_id is not None:
        query = query.where(ModeChange.adoption_id == adoption_id)
    if kind is not None:
        query = query.where(ModeChange.kind == kind)
    return list(uow.session.exec(query.order_by(col(ModeChange.id).desc())))


def mode_history(uow: UnitOfWork, *, adoption_id: int, step: str) -> list[StepChange]:
    """Every mode change of a step, oldest first, beginning with the declaration that set it up."""
    return [row for row in _changes_of(uow, adoption_id=adoption_id) if row.step == step]


@cached(ModeChange)
def _changes_of(uow: UnitOfWork, *, adoption_id: int) -> list[StepChange]:
    asked = {"workspace": uow.workspace_id, "adoption": adoption_id}
    return [StepChange(*row) for row in connection_of(uow.session).execute(_CHANGES, asked)]


_CHANGES: Final[Any] = (
    select_rows(*columns(ModeChange, StepChange._fields))
    .where(
        col(ModeChange.workspace_id) == bindparam("workspace"),
        col(ModeChange.adoption_id) == bindparam("adoption"),
    )
    .order_by(col(ModeChange.id))
)


def mode_change(uow: UnitOfWork, *, change_id: int) -> ModeChange | None:
    """One mode change."""
    query = select(ModeChange).where(ModeChange.workspace_id == uow.workspace_id, ModeChange.id == change_id)
    return uow.session.exec(query).first()


def verdicts_after(uow: UnitOfWork, *, after: int) -> list[tuple[StepVerdict, str, str]]:
    """(verdict, playbook's title, team's title) of every verdict after an id, oldest first."""
    return list(uow.session.exec(_VERDICTS_AFTER, params={"workspace": uow.workspace_id, "after": after}))


_VERDICTS_AFTER = (
    select(StepVerdict, col(Playbook.title), col(Team.title))
    .join(Adoption, col(Adoption.id) == col(StepVerdict.adoption_id))
    .join(Playbook, col(Playbook.id) == col(Adoption.playbook_id))
    .join(Team, col(Team.id) == col(Adoption.team_id))
    .where(StepVerdict.workspace_id == bindparam("workspace"), col(StepVerdict.id) > bindparam("after"))
    .order_by(col(StepVerdict.id))
)


def events(uow: UnitOfWork, *, adoption_id: int, step: str) -> list[StepDrift]:
    """The events of a step's drift so far, oldest first."""
    return [row for row in _of_adoption(uow, adoption_id=adoption_id) if row.step == step]


@cached(StepDrift)
def _of_adoption(uow: UnitOfWork, *, adoption_id: int) -> list[StepDrift]:
    asked = {"workspace": uow.workspace_id, "adoption": adoption_id}
    return list(uow.session.exec(_OF_ADOPTION, params=asked))


def know_undrifted(uow: UnitOfWork, *, adoption_id: int) -> None:
    """Don't ask for events of an adoption that has none, as its row says."""
    none: list[StepDrift] = []
    teach(uow, _of_adoption, none, adoption_id=adoption_id)


def keep_drift(uow: UnitOfWork, *, row: StepDrift) -> None:
    """Save an event of a step's drift."""
    before = _of_adoption(uow, adoption_id=row.adoption_id)
    insert_rows(uow.session, [row])
    teach(uow, _of_adoption, [*before, row], adoption_id=row.adoption_id)


_OF_ADOPTION = (
    select(StepDrift)
    .where(StepDrift.workspace_id == bindparam("workspace"), StepDrift.adoption_id == bindparam("adoption"))
    .order_by(col(StepDrift.id))
)


def event(uow: UnitOfWork, *, drift_id: int) -> StepDrift | None:
    """One event of a step's drift."""
    query = select(StepDrift).where(StepDrift.workspace_id == uow.workspace_id, StepDrift.id == drift_id)
    return uow.session.exec(query).first()


def alerts_until(uow: UnitOfWork, *, found: StepDrift) -> list[StepDrift]:
    """The detections of a drift up to a row: by one person first, then by several. Oldest first."""
    rows = events(uow, adoption_id=found.adoption_id, step=found.step)
    alerts: list[StepDrift] = []
    for row in rows:
        if (row.id or 0) <= (found.id or 0) and row.event is not DriftEvent.REPORTED:
            alerts = [*alerts, row] if row.event is DriftEvent.FOUND else []
    return alerts


def between(uow: UnitOfWork, *, since: datetime, until: datetime) -> list[StepDrift]:
    """Events of all the workspace's drifts in an interval, oldest first."""
    query = select(StepDrift).where(
        StepDrift.workspace_id == uow.workspace_id, StepDrift.at >= since, StepDrift.at < until
    )
    return list(uow.session.exec(query.order_by(col(StepDrift.id))))


class Attested(NamedTuple):
    """One answer about how the steps were run, with the steps that were run in another mode."""

    answer: Answer
    modes: Mapping[str, Mode]


def attested(uow: UnitOfWork, *, cycle: Cycle, through: int | None = None) -> list[Attested]:
    """The current answers of a cycle in which somebody ran it, by week and member.

    With `through`, the answers as of the check-in with that id.
    """
    rows = checkins.answers_of_cycle(
        uow, adoption_id=cycle.adoption_id, cycle_id=cycle.id or 0, starts_on=cycle.starts_on
    )
    stood = [row for row in rows if (row.id <= through if through is not None else not row.replaced)]
    newest = {(row.week_start, row.member): row for row in stood}
    ran = [row for _, row in sorted(newest.items()) if row.attestation is not Attestation.NOT_RUN]
    modes = checkins.drifted_modes_of(uow, check_ins=ran)
    return [Attested(row, modes.get(row.id, {})) for row in ran]


def corrected(uow: UnitOfWork, *, cycle: Cycle, through: int) -> list[tuple[Attested, Attested | None]]:
    """The answers as of the check-in with this id that were corrected since, each with the current one.

    An answer in which nobody ran it is left out, or None.
    """
    now = {(one.answer.week, one.answer.member): one for one in attested(uow, cycle=cycle)}
    rows = checkins.answers_of_cycle(
        uow, adoption_id=cycle.adoption_id, cycle_id=cycle.id or 0, starts_on=cycle.starts_on
    )
    newest = {(row.week, row.member): row for row in rows if row.id <= through}
    ran = [row for row in newest.values() if row.replaced and row.attestation is not Attestation.NOT_RUN]
    modes = checkins.drifted_modes_of(uow, check_ins=ran)
    return [(Attested(row, modes.get(row.id, {})), now.get((row.week, row.member))) for row in ran]


class Marks(NamedTuple):
    """The newest rows of an adoption at some moment, or 0.

    `cycle` is the number of the newest closed cycle, the others are ids.
    """

    exception: int
    check_in: int
    result: int
    audit: int
    cycle: int
    measured: int


def marks(uow: UnitOfWork, *, adoption_id: int) -> Marks:
    """The newest reports on an adoption so far."""

    def newest(column: Any, model: Any, *more: Any) -> Any:
        found = select(func.max(column)).where(
            model.workspace_id == uow.workspace_id, model.adoption_id == adoption_id, *more
        )
        return func.coalesce(found.scalar_subquery(), 0)

    query = select_rows(
        newest(LoggedException.id, LoggedException),
        newest(CheckIn.id, CheckIn),
        newest(RubricResult.id, RubricResult),
        newest(SpotAudit.id, SpotAudit),
        newest(Cycle.number, Cycle, Cycle.state == CycleState.CLOSED),
        newest(MeasuredRuns.id, MeasuredRuns),
    )
    return Marks(*uow.session.execute(query).one())
