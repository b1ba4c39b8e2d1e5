"""Queries on verdicts and mode changes."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, exists, func
from sqlalchemy.orm import aliased
from sqlmodel import col, select

from cadence.rules.verdicts import Decision
from storage.tables import Adoption, LoggedException, ModeChange, Playbook, StepVerdict, Team
from storage.work import UnitOfWork


def _verdict_stands() -> ColumnElement[bool]:
    """A verdict that counts no exception which was taken back since."""
    return ~exists().where(
        col(LoggedException.adoption_id) == col(StepVerdict.adoption_id),
        col(LoggedException.step) == col(StepVerdict.step),
        col(LoggedException.id) > col(StepVerdict.after_exception),
        col(LoggedException.id) <= col(StepVerdict.through_exception),
        col(LoggedException.withdrawn_after) >= col(StepVerdict.id),
    )


def stands(change: type[ModeChange] = ModeChange) -> tuple[ColumnElement[bool], ...]:
    """A change of mode that wasn't taken back, nor takes one back."""
    later = aliased(ModeChange)
    return col(change.takes_back).is_(None), ~exists().where(col(later.takes_back) == col(change.id))


def overtaken(uow: UnitOfWork, *, verdict_ids: Sequence[int]) -> frozenset[int]:
    """Those of some verdicts that counted an exception which was taken back since."""
    query = select(StepVerdict.id).where(
        StepVerdict.workspace_id == uow.workspace_id, col(StepVerdict.id).in_(verdict_ids), ~_verdict_stands()
    )
    return frozenset(one for one in uow.session.exec(query) if one is not None)


def standing(changes: Sequence[ModeChange]) -> list[ModeChange]:
    """Some changes of a step's mode without those that were taken back, and what took them back."""
    undone = {one.takes_back for one in changes}
    return [one for one in changes if one.takes_back is None and one.id not in undone]


def last_verdicts(
    uow: UnitOfWork, *, adoption_id: int, step: str, limit: int = 5, decision: Decision | None = None
) -> list[StepVerdict]:
    """The verdicts of a step, newest first; only those that came to one decision if it is given."""
    query = select(StepVerdict).where(
        StepVerdict.workspace_id == uow.workspace_id,
        StepVerdict.adoption_id == adoption_id,
        StepVerdict.step == step,
    )
    if decision is not None:
        query = query.where(StepVerdict.decision == decision)
    return list(uow.session.exec(query.order_by(col(StepVerdict.id).desc()).limit(limit)))


def _same_window(workspace_id: str, row: StepVerdict) -> tuple[ColumnElement[bool], ...]:
    """Verdicts that count the same evidence on: of one cycle, after the same exception."""
    return (
        col(StepVerdict.workspace_id) == workspace_id,
        col(StepVerdict.adoption_id) == row.adoption_id,
        col(StepVerdict.step) == row.step,
        col(StepVerdict.cycle_id) == row.cycle_id,
        col(StepVerdict.after_exception) == row.after_exception,
    )


def alerting(uow: UnitOfWork, *, row: StepVerdict) -> list[StepVerdict]:
    """The verdicts of a verdict's window that an alert of a step over its cap went out with, oldest first."""
    query = select(StepVerdict).where(*_same_window(uow.workspace_id, row), col(StepVerdict.alerted))
    return list(uow.session.exec(query.order_by(col(StepVerdict.id))))


def first_watch(uow: UnitOfWork, *, row: StepVerdict) -> StepVerdict | None:
    """The first verdict of a verdict's window that found the step over its cap."""
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
    """The newest verdict of a watch, from the one it began with on; before the one it ended with, when given."""
    query = select(StepVerdict).where(
        *_same_window(uow.workspace_id, row),
        col(StepVerdict.id) >= (row.id or 0),
        col(StepVerdict.decision) == Decision.WATCH,
    )
    if before is not None:
        query = query.where(col(StepVerdict.id) < (before.id or 0))
    return uow.session.exec(query.order_by(col(StepVerdict.id).desc()).limit(1)).first()


def verdict(uow: UnitOfWork, *, verdict_id: int) -> StepVerdict | None:
    """One verdict."""
    query = select(StepVerdict).where(
        StepVerdict.workspace_id == uow.workspace_id, StepVerdict.id == verdict_id
    )
    return uow.session.exec(query).first()


def count_verdicts(uow: UnitOfWork, *, cycle_id: int, step: str, decisions: Sequence[Decision]) -> int:
    """How many verdicts of a step in a cycle that stand came to one of these decisions."""
    query = select(func.count(col(StepVerdict.id))).where(
        StepVerdict.workspace_id == uow.workspace_id,
        StepVerdict.cycle_id == cycle_id,
        StepVerdict.step == step,
        col(StepVerdict.decision).in_(decisions),
        _verdict_stands(),
    )
    return uow.session.exec(query).one()


def closing_verdicts(uow: UnitOfWork, *, cycle_ids: Sequence[int], step: str) -> list[StepVerdict]:
    """The verdicts of a step with which these cycles closed, oldest first."""
    query = select(StepVerdict).where(
        StepVerdict.workspace_id == uow.workspace_id,
        col(StepVerdict.cycle_id).in_(cycle_ids),
        StepVerdict.step == step,
        col(StepVerdict.closing).is_(True),
        _verdict_stands(),
    )
    return list(uow.session.exec(query.order_by(col(StepVerdict.id))))


def last_demotion(uow: UnitOfWork, *, adoption_id: int, step: str) -> ModeChange | None:
    """The last demotion of a step that wasn't taken back."""
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
    """Mode changes in an interval, newest first; a declaration that only set a step up isn't one."""
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


def mode_history(uow: UnitOfWork, *, adoption_id: int, step: str) -> list[ModeChange]:
    """Every change of a step's mode, oldest first, from the declaration that set it up on."""
    query = select(ModeChange).where(
        ModeChange.workspace_id == uow.workspace_id,
        ModeChange.adoption_id == adoption_id,
        ModeChange.step == step,
    )
    return list(uow.session.exec(query.order_by(col(ModeChange.id))))


def mode_change(uow: UnitOfWork, *, change_id: int) -> ModeChange | None:
    """One mode change."""
    query = select(ModeChange).where(ModeChange.workspace_id == uow.workspace_id, ModeChange.id == change_id)
    return uow.session.exec(query).first()


def verdicts_after(uow: UnitOfWork, *, after: int) -> list[tuple[StepVerdict, str, str]]:
    """(verdict, playbook's title, team's title) of every verdict after one, oldest first."""
    query = (
        select(StepVerdict, col(Playbook.title), col(Team.title))
        .join(Adoption, col(Adoption.id) == col(StepVerdict.adoption_id))
        .join(Playbook, col(Playbook.id) == col(Adoption.playbook_id))
        .join(Team, col(Team.id) == col(Adoption.team_id))
        .where(StepVerdict.workspace_id == uow.workspace_id, col(StepVerdict.id) > after)
        .order_by(col(StepVerdict.id))
    )
    return list(uow.session.exec(query))
