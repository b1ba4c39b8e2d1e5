"""Queries on the trail."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, String, and_, cast, false, func, literal, or_
from sqlmodel import col, select

from storage.tables import Cycle, Promotion, SpotAudit, StepVerdict, TrailEntry
from storage.work import UnitOfWork


def entries(
    uow: UnitOfWork, *, action: str | None = None, subject: str | None = None, after: int = 0
) -> list[TrailEntry]:
    """Entries of a workspace after an id, oldest first."""
    uow.flush_trail()
    query = select(TrailEntry).where(TrailEntry.workspace_id == uow.workspace_id)
    if action is not None:
        query = query.where(TrailEntry.action == action)
    if subject is not None:
        query = query.where(TrailEntry.subject == subject)
    if after:
        query = query.where(col(TrailEntry.id) > after)
    return list(uow.session.exec(query.order_by(col(TrailEntry.id))))


def last_id(uow: UnitOfWork, *, subject: str) -> int:
    """The id of the newest entry about something, to compare the order of events, or 0."""
    uow.flush_trail()
    query = select(func.max(TrailEntry.id)).where(
        TrailEntry.workspace_id == uow.workspace_id, TrailEntry.subject == subject
    )
    return uow.session.exec(query).one() or 0


@dataclass(frozen=True, slots=True)
class Scope:
    """The entries that a person can read.

    Args:
        member: their own entries, on any subject.
        everything: all entries of the workspace.
        whole: adoptions of which they can read every entry.
        shared: adoptions of which they can read entries that aren't about other people's answers.
        playbooks: slugs of playbooks of which they can read every entry.
        step: only entries on this step.
        filtered: only entries on these adoptions and playbooks, not their own on others.
    """

    member: str
    everything: bool = False
    whole: tuple[int, ...] = ()
    shared: tuple[int, ...] = ()
    playbooks: tuple[str, ...] = ()
    step: str | None = None
    filtered: bool = False


def page(
    uow: UnitOfWork,
    *,
    scope: Scope,
    private: Collection[str],
    hidden: Collection[str],
    before: int | None = None,
    since: datetime | None = None,
    limit: int = 10,
) -> list[TrailEntry]:
    """The newest entries in a scope, before an id and since an instant.

    `private` are actions that reveal who answered; `hidden` are never shown.
    """
    uow.flush_trail()
    query = select(TrailEntry).where(
        TrailEntry.workspace_id == uow.workspace_id,
        col(TrailEntry.action).not_in(hidden),
        _in_scope(uow.workspace_id, scope, private),
    )
    if before is not None:
        query = query.where(col(TrailEntry.id) < before)
    if since is not None:
        query = query.where(TrailEntry.at >= since)
    return list(uow.session.exec(query.order_by(col(TrailEntry.id).desc()).limit(limit)))


def _in_scope(workspace_id: str, scope: Scope, private: Collection[str]) -> ColumnElement[bool]:
    own = col(TrailEntry.member) == scope.member
    if not scope.filtered and scope.step is None:
        if scope.everything:
            return literal(True)
        about = [own]
    else:
        about = []
    whole = _about(workspace_id, scope.whole, scope.step)
    shared = _about(workspace_id, scope.shared, scope.step)
    about += [
        whole,
        and_(shared, or_(own, col(TrailEntry.action).not_in(private))),
    ]
    if scope.step is None:
        about.append(col(TrailEntry.subject).in_([f"playbook:{slug}" for slug in scope.playbooks]))
    return or_(*about)


def _about(workspace_id: str, adoptions: tuple[int, ...], step: str | None) -> ColumnElement[bool]:
    """Condition: entries about adoptions, their steps and weeks, cycles, verdicts, audits and promotions."""
    if not adoptions:
        return false()
    subject = col(TrailEntry.subject)
    verdicts = select(_named("verdict", col(StepVerdict.id))).where(
        StepVerdict.workspace_id == workspace_id, col(StepVerdict.adoption_id).in_(adoptions)
    )
    promotions = select(_named("promotion", col(Promotion.id))).where(
        Promotion.workspace_id == workspace_id, col(Promotion.adoption_id).in_(adoptions)
    )
    audits = select(_named("audit", col(SpotAudit.id))).where(
        SpotAudit.workspace_id == workspace_id, col(SpotAudit.adoption_id).in_(adoptions)
    )
    if step is not None:
        verdicts = verdicts.where(StepVerdict.step == step)
        promotions = promotions.where(Promotion.step == step)
        audits = audits.where(SpotAudit.step == step)
        named = [subject == f"adoption:{one}/{step}" for one in adoptions]
        return or_(*named, subject.in_(verdicts), subject.in_(promotions), subject.in_(audits))
    cycles = select(_named("cycle", col(Cycle.id))).where(
        Cycle.workspace_id == workspace_id, col(Cycle.adoption_id).in_(adoptions)
    )
    named = [subject == f"adoption:{one}" for one in adoptions]
    named += [func.substr(subject, 1, len(f"adoption:{one}/")) == f"adoption:{one}/" for one in adoptions]
    return or_(
        *named,
        subject.in_(verdicts),
        subject.in_(promotions),
        subject.in_(audits),
        subject.in_(cycles),
    )


def _named(noun: str, column: object) -> ColumnElement[str]:
    return literal(f"{noun}:") + cast(column, String)
