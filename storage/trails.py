"""Queries that read the trail back, a page at a time."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, String, and_, cast, false, func, literal, or_
from sqlmodel import Session, col, select

from storage.tables import Cycle, Promotion, SpotAudit, StepVerdict, TrailEntry


@dataclass(frozen=True, slots=True)
class Scope:
    """Which entries somebody may read.

    Args:
        member: reads their own entries, whatever they are about.
        everything: reads all of the workspace.
        whole: adoptions of which they read every entry.
        shared: adoptions of which they read what isn't about somebody else's answers.
        playbooks: slugs of playbooks of which they read every entry.
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
    session: Session,
    *,
    workspace_id: str,
    scope: Scope,
    private: Collection[str],
    hidden: Collection[str],
    before: int | None = None,
    since: datetime | None = None,
    limit: int = 10,
) -> list[TrailEntry]:
    """The newest entries that a scope takes in, before an id and since an instant.

    `private` are actions that tell who answered or who didn't; `hidden` are never shown.
    """
    query = select(TrailEntry).where(
        TrailEntry.workspace_id == workspace_id,
        col(TrailEntry.action).not_in(hidden),
        _in_scope(workspace_id, scope, private),
    )
    if before is not None:
        query = query.where(col(TrailEntry.id) < before)
    if since is not None:
        query = query.where(TrailEntry.at >= since)
    return list(session.exec(query.order_by(col(TrailEntry.id).desc()).limit(limit)))


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
    """Entries on adoptions: on themselves, their steps and weeks, cycles, verdicts, audits and promotions."""
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
