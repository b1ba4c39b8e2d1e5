"""The append-only record of who did what, when and from where."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, String, and_, bindparam, cast, false, func, insert, literal, or_
from sqlmodel import col, select

from storage.engine import connection_of
from storage.queries import homes
from storage.tables import Cycle, HomeChange, Promotion, SpotAudit, StepVerdict, TrailEntry
from storage.work import UnitOfWork

_ENTRY = insert(TrailEntry).inline()
_ENTRY_AND_CHANGE = _ENTRY.add_cte(
    insert(HomeChange)
    .values(workspace_id=bindparam("home"), subject=bindparam("happened"), member=bindparam("whose"))
    .inline()
    .cte("touched")
)
"""Both at once, where a statement can."""


def record(
    uow: UnitOfWork,
    *,
    at: datetime,
    member: str | None,
    action: str,
    subject: str,
    surface: str,
    before: Any = None,
    after: Any = None,
) -> None:
    """Add one entry; `subject` is `noun:id`, `member` is None when the bot acted on its own.

    Whatever people or the bot do comes through here, so this is where Homes learn that something happened.
    """
    entry = {
        "workspace_id": uow.workspace_id,
        "at": at,
        "member": member,
        "action": action,
        "subject": subject,
        "surface": surface,
        "before": before,
        "after": after,
        "correlation_id": uow.correlation_id,
    }
    connection = connection_of(uow.bound)
    if connection.dialect.name == "postgresql":
        connection.execute(
            _ENTRY_AND_CHANGE, entry | {"home": uow.workspace_id, "happened": subject, "whose": member}
        )
        return
    homes.touch(uow, subject=subject, member=member)
    connection.execute(_ENTRY, entry)


class Entry(NamedTuple):
    """Something the bot did on its own, one of many at once."""

    action: str
    subject: str
    surface: str
    after: Any = None


def record_all(uow: UnitOfWork, *, at: datetime, entries: Sequence[Entry]) -> None:
    """Add many entries of what the bot did on its own at an instant, in as many statements as for one."""
    connection = connection_of(uow.session)
    nothing = {"member": None, "before": None, "correlation_id": ""}
    rows = [{"workspace_id": uow.workspace_id, "at": at, **one._asdict(), **nothing} for one in entries]
    connection.execute(_ENTRY, rows)
    homes.touch_all(uow, subjects=[one.subject for one in entries])


def entries(
    uow: UnitOfWork, *, action: str | None = None, subject: str | None = None, after: int = 0
) -> list[TrailEntry]:
    """Entries of a workspace after one of them, oldest first."""
    query = select(TrailEntry).where(TrailEntry.workspace_id == uow.workspace_id)
    if action is not None:
        query = query.where(TrailEntry.action == action)
    if subject is not None:
        query = query.where(TrailEntry.subject == subject)
    if after:
        query = query.where(col(TrailEntry.id) > after)
    return list(uow.session.exec(query.order_by(col(TrailEntry.id))))


def last_id(uow: UnitOfWork, *, subject: str) -> int:
    """The newest entry about something: what comes after it in the trail came later. 0 when there is none."""
    query = select(func.max(TrailEntry.id)).where(
        TrailEntry.workspace_id == uow.workspace_id, TrailEntry.subject == subject
    )
    return uow.session.exec(query).one() or 0


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
    uow: UnitOfWork,
    *,
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
