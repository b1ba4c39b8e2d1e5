"""What tools report, saved as they would: runs they counted, and exceptions they noticed."""

from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlmodel import Session, col, select

from bot.ops.commands import BUILT_IN_TEAM
from bot.rehearsal.harness import BotHarness
from cadence.actor import Actor
from cadence.flows.core import AdoptionView, adoption_by_id, cycle_of_week
from cadence.flows.standards import judge, judge_measured
from cadence.rules.calendar import local_day, monday_of
from storage.queries import adoptions
from storage.tables import Adoption, ApiToken, Cycle, LoggedException, MeasuredRuns, Playbook, StepVerdict
from storage.work import UnitOfWork

HELP_DESK = "Help desk"


def counts(
    harness: BotHarness,
    runs: int,
    *,
    step: str = "",
    member: str = "",
    at: datetime | None = None,
    replaces: int | None = None,
    playbook: str = "reply",
) -> tuple[int, list[StepVerdict]]:
    """A tool reports runs that it counted; returns the row's id and the verdicts that were saved for it."""
    uow = _uow(harness)
    with uow.write():
        view, cycle, shared = _about(uow, playbook, at)
        row = MeasuredRuns(**shared, week=_week(cycle, shared), step=step, member=member, runs=runs)
        uow.session.add(row)
        uow.session.flush()
        row_id = row.id or 0
        if replaces is not None:
            corrected = uow.session.get_one(MeasuredRuns, replaces)
            corrected.replaced_by = row_id
            uow.session.add(corrected)
        saved = judge_measured(uow, view, cycle, row_id)
        return row_id, [verdict for _, verdict in saved]


def notices(
    harness: BotHarness,
    step: str,
    *,
    at: datetime | None = None,
    critical: bool = False,
    playbook: str = "reply",
) -> StepVerdict:
    """A tool reports an exception; returns the verdict on its step."""
    uow = _uow(harness)
    with uow.write():
        view, cycle, shared = _about(uow, playbook, at)
        del shared["week_start"], shared["recorded_at"]
        row = LoggedException(
            **shared, step=step, critical=critical, reason="wrong tone", member="U01LEAD", logged_at=uow.now
        )
        uow.session.add(row)
        uow.session.flush()
        return judge(uow, view, cycle, view.step(step), cause=f"exception:{row.id}")


def _uow(harness: BotHarness) -> UnitOfWork:
    return UnitOfWork(harness.bot.db, Actor(BUILT_IN_TEAM, "U01LEAD", "api", "request"), harness.clock.now())


def _about(uow: UnitOfWork, playbook: str, at: datetime | None) -> tuple[AdoptionView, Cycle, dict[str, Any]]:
    """The team that runs a playbook, held; the cycle of an instant; and what every row says."""
    found = select(Adoption.id).join(Playbook).where(Playbook.slug == playbook)
    adoption_id = uow.session.exec(found).one() or 0
    adoptions.lock_adoption(uow, adoption_id=adoption_id)
    view = adoption_by_id(uow, adoption_id=adoption_id)
    happened = at or uow.now
    monday = monday_of(local_day(happened, ZoneInfo(view.team.timezone)))
    cycle = cycle_of_week(uow, view, monday)
    assert cycle is not None
    token = _token(uow.session, view)
    number = len(uow.session.exec(select(MeasuredRuns.id)).all())
    number += len(uow.session.exec(select(LoggedException.id)).all())
    return (
        view,
        cycle,
        {
            "workspace_id": view.workspace.id,
            "adoption_id": view.id,
            "cycle_id": cycle.id,
            "week_start": monday,
            "token_id": token.id,
            "surface": "api",
            "source": f"{token.key}:{number}",
            "happened_at": happened.astimezone(UTC),
            "recorded_at": uow.now,
        },
    )


def _week(cycle: Cycle, shared: dict[str, Any]) -> int:
    return int((shared["week_start"] - cycle.starts_on).days // 7 + 1)


def _token(session: Session, view: AdoptionView) -> ApiToken:
    found = session.exec(select(ApiToken).order_by(col(ApiToken.id))).first()
    if found is not None:
        return found
    token = ApiToken(
        workspace_id=view.workspace.id,
        key="helpdesk",
        secret_hash="0" * 64,
        name=HELP_DESK,
        playbook_id=view.playbook.id,
        may_write=True,
        may_read=False,
        made_by="U01LEAD",
        made_at=view.playbook.created_at,
    )
    session.add(token)
    session.flush()
    return token
