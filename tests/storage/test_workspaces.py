"""No query crosses a workspace: each public function says which one, and two never mix."""

import importlib
import inspect
import pkgutil
from collections.abc import Callable, Sequence
from dataclasses import fields, is_dataclass
from types import ModuleType
from typing import Any

import pytest
from sqlalchemy.exc import NoResultFound
from sqlmodel import Session, SQLModel, select

import storage.outbox
import storage.queries
from cadence.actor import Actor
from cadence.rules.drift import DriftEvent
from cadence.rules.modes import Mode
from cadence.rules.verdicts import Decision
from storage.engine import Database
from storage.outbox import attempts, leases, ledger, rate_limits, report, slots
from storage.outbox.report import Wanted
from storage.outbox.slots import Nudged
from storage.queries import (
    absences,
    adoptions,
    checkins,
    cutover,
    cycles,
    editor,
    exceptions,
    handoffs,
    history,
    installations,
    lessons,
    machines,
    numbers,
    people,
    playbooks,
    promotions,
    requests,
    rubrics,
    schedule,
    setup,
    standards,
    trail,
    training,
    trends,
    workspaces,
)
from storage.queries.overview import coverage, digests, homes, process, registry, signals, watches
from storage.queries.trail import Scope
from storage.tables import (
    CheckIn,
    CourseChange,
    Cycle,
    CycleKind,
    CycleState,
    LoggedException,
    MessageState,
    ModeChange,
    OutboxMessage,
    Promotion,
    PromotionState,
    RubricResult,
    SpotAudit,
    StepDrift,
    StepVerdict,
)
from storage.work import Entry, UnitOfWork
from tests.databases import rolled_back
from tests.storage import calls_machines, calls_pilots, calls_waves
from tests.storage.seeds import (
    CHANNEL,
    DAY,
    MEMBER,
    MONDAY,
    NOW,
    OTHER,
    Planted,
    check_in,
    number,
    owed,
    plant,
    verdict_row,
)
from tests.storage.seeds_installations import CLIENT, bot_row

NO_QUERIES = {"storage.queries.streams", "storage.outbox.queueing", "storage.outbox.pending"}
NO_QUERY = {
    "absences.shorten": "it changes a row that was read before",
    "cycles.refresh": "it reads a row again that was read before",
    "standards.know_undrifted": "it says what the adoption's row said",
    "standards.standing": "it picks from changes that were read before, of one step",
    "standards.stands": "a condition on changes that the query it goes into reads, of its own workspace",
}
"""Public functions beside the queries that read nothing themselves."""
EVERY_WORKSPACE = {
    "workspaces.workspaces": "the worker plans for each workspace of the installation",
    "installations.current": "a process serves every workspace that has installed the app",
    "installations.drop_states": "nor has who never came back",
    "installations.use_state": "whoever begins to install the app has no workspace yet",
    "cycles.closings": "the worker closes cycles in every workspace, and is told which one each is of",
    "standards.with_exceptions": "the worker judges them again as a week turns; each row says which one it is of",
    "leases.due_recipients": "the worker sends for every workspace, and is told which one each row is of",
    "leases.next_due": "the worker sleeps until something is due anywhere",
    "rate_limits.next_slot": "the worker waits for the first turn anywhere",
    "homes.changed_workspaces": "the worker looks for changed Homes in all workspaces at once",
    "workspaces.ids": "the IDs of all workspaces, to begin with each of them",
    "attempts.correct_future": "the clock that was set back is the worker's, for every workspace",
    "rate_limits.correct_future": "the clock that was set back is the worker's, for every workspace",
    "attempts.under_way": "a worker that starts takes back what the one before it left, and is told each workspace",
}

OF_UNIT_OF_WORK = {"messages", "record", "record_all", "rewrite", "rewrite_messages", "send"}
"""Tables that a unit of work reads and writes itself."""
OF_NOBODY = {"slack_state"}
"""Tables whose rows belong to no workspace: an installation in progress has none yet."""

Call = Callable[[Session, str, Planted], Any]
SINCE, UNTIL = NOW - 9 * DAY, NOW + 9 * DAY
ASKING = coverage.Asking(MONDAY, {"Europe/Berlin": UNTIL}, {"Europe/Berlin": UNTIL})


def _uow(session: Session, workspace_id: str) -> UnitOfWork:
    return UnitOfWork.around(session, Actor.system(workspace_id), NOW)


def _take_away(session: Session, workspace_id: str, ids: Planted) -> bool:
    """Plan two cycles more and take one of them away."""
    planned = [
        Cycle(
            workspace_id=workspace_id,
            adoption_id=ids.adoption,
            version_id=ids.version,
            number=number,
            starts_on=MONDAY,
            closes_on=MONDAY,
            started_by=MEMBER,
            started_at=NOW,
        )
        for number in (98, 99)
    ]
    session.add_all(planned)
    session.flush()
    return cycles.take_away(
        UnitOfWork.around(session, Actor.system(workspace_id)), cycle_id=planned[0].id or 0
    )


def _install_again(session: Session, workspace_id: str, _ids: Planted) -> None:
    session.add(bot_row(workspace_id, NOW + DAY))
    installations.keep_newest(UnitOfWork.around(session, Actor.system(workspace_id)), client_id=CLIENT)


def _slipping(call: Callable[[Session, str], Any]) -> Call:
    """Look while a step is watched, a promotion was declined and a cycle missed its target."""

    def look(session: Session, workspace_id: str, ids: Planted) -> Any:
        belongs: dict[str, Any] = {"workspace_id": workspace_id, "adoption_id": ids.adoption}
        with session.begin_nested() as kept:
            over = session.get_one(Cycle, ids.cycle)
            over.closed_at = NOW
            row = session.get_one(Promotion, ids.promotion)
            row.state = PromotionState.DECLINED
            session.get_one(StepVerdict, ids.verdict).decision = Decision.WATCH
            session.add(
                ModeChange(
                    **belongs,
                    step="tag",
                    kind="demotion",
                    before=Mode.AI_LED,
                    after=Mode.HUMAN_LED,
                    changed_at=NOW,
                )
            )
            for action, subject in (("watch-answered", "adoption:1/send"), ("cycle-closed", "cycle:1")):
                uow = UnitOfWork.around(session, Actor.system(workspace_id), NOW)
                uow.record(action=action, subject=subject, surface="rule")
            session.flush()
            found = call(session, workspace_id)
            kept.rollback()
        return found

    return look


def _closed_with_a_number(session: Session, workspace_id: str, ids: Planted) -> list[int | None]:
    with session.begin_nested() as kept:
        over = session.get_one(Cycle, ids.cycle)
        over.state, over.kpi_value = CycleState.CLOSED, 12.5
        session.flush()
        found = registry.last_results(
            UnitOfWork.around(session, Actor.system(workspace_id)), adoption_ids=[ids.adoption]
        )
        known = [row.id for row in found]
        kept.rollback()
    return known


def _ungraded(session: Session, workspace_id: str, ids: Planted) -> list[Any]:
    with session.begin_nested() as kept:
        for row in session.exec(select(RubricResult).where(RubricResult.adoption_id == ids.adoption)):
            row.replaced_at = NOW
        session.flush()
        found = rubrics.ungraded(
            UnitOfWork.around(session, Actor.system(workspace_id)), adoption_ids=[ids.adoption], since=MONDAY
        )
        kept.rollback()
    return found


def _overtaken(session: Session, workspace_id: str, ids: Planted) -> frozenset[int]:
    """Look while the exception that a verdict counted is taken back."""
    with session.begin_nested() as kept:
        session.get_one(StepVerdict, ids.verdict).through_exception = ids.exception
        session.get_one(LoggedException, ids.exception).withdrawn_after = ids.verdict
        session.flush()
        found = standards.overtaken(
            UnitOfWork.around(session, Actor.system(workspace_id)), verdict_ids=[ids.verdict]
        )
        kept.rollback()
    return found


def _corrected(session: Session, workspace_id: str, ids: Planted) -> list[Any]:
    """Look while the check-in is corrected."""
    with session.begin_nested() as kept:
        row = session.get_one(CheckIn, ids.check_in)
        row.replaced_at = NOW
        session.flush()
        cycle = session.get_one(Cycle, ids.cycle)
        found = standards.corrected(_uow(session, workspace_id), cycle=cycle, through=ids.check_in)
        kept.rollback()
    return found


def _answer(row: CheckIn) -> checkins.Answer:
    names = checkins.Answer._fields[:-1]
    return checkins.Answer._make([*(getattr(row, name) for name in names), False])


def _drift(ids: Planted) -> StepDrift:
    return StepDrift(
        workspace_id=ids.workspace,
        adoption_id=ids.adoption,
        cycle_id=ids.cycle,
        step="send",
        event=DriftEvent.REPORTED,
        declared=Mode.AI_LED,
        used=Mode.HUMAN_LED,
        at=NOW,
    )


def _latest_value(session: Session, workspace_id: str, ids: Planted) -> cycles.CycleValue | None:
    """Look while a cycle has a value."""
    with session.begin_nested() as kept:
        session.get_one(Cycle, ids.cycle).kpi_value = 12
        session.flush()
        found = cycles.latest_value(
            UnitOfWork.around(session, Actor.system(workspace_id)), adoption_id=ids.adoption
        )
        kept.rollback()
    return found


def _overtaken_look(session: Session, workspace_id: str, ids: Planted) -> list[Any]:
    """Look while the demotion that a promotion was looked at with is taken back."""
    with session.begin_nested() as kept:
        session.get_one(Promotion, ids.promotion).judged_at = NOW
        for row in session.exec(select(ModeChange).where(ModeChange.adoption_id == ids.adoption)).all():
            back = {**row.model_dump(exclude={"id"}), "takes_back": row.id, "changed_at": NOW + DAY}
            session.add(ModeChange(**back))
        session.flush()
        found = promotions.overtaken_promotion(
            UnitOfWork.around(session, Actor.system(workspace_id)), cycle_id=ids.cycle, step="send"
        )
        known = [] if found is None else [found.id]
        kept.rollback()
    return known


def _lapsed(session: Session, workspace_id: str, ids: Planted) -> list[int | None]:
    """Look while a promotion has lapsed."""
    with session.begin_nested() as kept:
        row = session.get_one(Promotion, ids.promotion)
        row.state, row.decided_at = PromotionState.LAPSED, NOW
        session.flush()
        found = promotions.lapsed_promotions(
            UnitOfWork.around(session, Actor.system(workspace_id)),
            adoption_id=ids.adoption,
            step="send",
            lapsed_at=NOW,
        )
        known = [one.id for one in found]
        kept.rollback()
    return known


def _before_any_digest(session: Session, workspace_id: str) -> bool:
    """Look while this workspace has had no digest."""
    with session.begin_nested() as kept:
        for row in session.exec(
            select(OutboxMessage).where(
                OutboxMessage.workspace_id == workspace_id, OutboxMessage.kind == "digest"
            )
        ):
            session.delete(row)
        session.flush()
        found = digests.is_first(UnitOfWork.around(session, Actor.system(workspace_id)), until=UNTIL)
        kept.rollback()
    return found


def watch_periods(session: Session, workspace_id: str) -> Any:
    """The watch periods, while every cycle is one."""
    with session.begin_nested() as kept:
        for cycle in session.exec(select(Cycle)):
            cycle.kind = CycleKind.WATCH
        session.flush()
        uow = UnitOfWork.around(session, Actor.system(workspace_id))
        found = trends.watched(uow, first=MONDAY, last=MONDAY), trends.watching(uow)
        kept.rollback()
    return found


def change_of(session: Session, ids: Planted) -> int:
    """The id of the planted change of course."""
    rows = session.exec(select(CourseChange).where(CourseChange.adoption_id == ids.adoption))
    return max(row.id or 0 for row in rows)


BY_NAME: dict[str, Call] = {
    **calls_pilots.BY_NAME,
    **calls_machines.BY_NAME,
    **calls_waves.BY_NAME,
    "trends.watched": lambda s, ws, _: watch_periods(s, ws)[0],
    "trends.watching": lambda s, ws, _: watch_periods(s, ws)[1],
    "trends.values_between": lambda s, ws, _: trends.values_between(_uow(s, ws), first=MONDAY, last=MONDAY),
    "trends.changes_of_week": lambda s, ws, _: trends.changes_of_week(_uow(s, ws), week_start=MONDAY),
    "machines.counted_weeks": lambda s, ws, _: machines.counted_weeks(_uow(s, ws), first=MONDAY),
    "workspaces.count": lambda s, ws, _: workspaces.count(_uow(s, ws)),
    "adoptions.with_hours": lambda s, ws, _: adoptions.with_hours(_uow(s, ws)),
    "schedule.stretch_of_teams": lambda s, ws, _: schedule.stretch_of_teams(_uow(s, ws), after=0, limit=1),
    "schedule.runs/stretch": lambda s, ws, _: schedule.runs(
        _uow(s, ws), teams=(0, 10**6), first=MONDAY, last=MONDAY
    ),
    "cycles.pauses": lambda s, ws, _: cycles.pauses(_uow(s, ws)),
    "schedule.begun": lambda s, ws, _: schedule.begun(_uow(s, ws), first=MONDAY, last=MONDAY),
    "schedule.places/members": lambda s, ws, _: schedule.places(_uow(s, ws), lately=NOW, members=[MEMBER]),
    "schedule.places/stretch": lambda s, ws, _: schedule.places(_uow(s, ws), lately=NOW, stretch=(0, 10**6)),
    "schedule.persons/members": lambda s, ws, _: schedule.persons(
        _uow(s, ws), first=MONDAY, last=MONDAY + 7 * DAY, members=[MEMBER]
    ),
    "schedule.persons/stretch": lambda s, ws, _: schedule.persons(
        _uow(s, ws), first=MONDAY, last=MONDAY + 7 * DAY, stretch=(0, 10**6)
    ),
    "schedule.resumed": lambda s, ws, _: schedule.resumed(_uow(s, ws), since=NOW - 90 * DAY),
    "schedule.changes": lambda s, ws, _: schedule.changes(_uow(s, ws), after=0),
    "schedule.last_change": lambda s, ws, _: schedule.last_change(_uow(s, ws)),
    "registry.nearest": lambda s, ws, _: registry.nearest(_uow(s, ws), function=None, limit=9),
    "registry.count_on_their_way": lambda s, ws, _: registry.count_on_their_way(_uow(s, ws), function=None),
    "registry.counts": lambda s, ws, _: registry.counts(_uow(s, ws)),
    "registry.page": lambda s, ws, _: registry.page(_uow(s, ws), function=None, offset=0, limit=8),
    "adoptions.adoption_versions/member": lambda s, ws, _: adoptions.adoption_versions(
        _uow(s, ws), day=MONDAY, member=MEMBER
    ),
    "adoptions.adoption_versions": lambda s, ws, _: adoptions.adoption_versions(_uow(s, ws), day=MONDAY),
    "adoptions.named_adoptions": lambda s, ws, _: adoptions.named_adoptions(_uow(s, ws)),
    "adoptions.named_adoptions/member": lambda s, ws, _: adoptions.named_adoptions(
        _uow(s, ws), member=MEMBER
    ),
    "playbooks.numbers": lambda s, ws, _: playbooks.numbers(_uow(s, ws)),
    "workspaces.workspace": lambda s, ws, _: workspaces.workspace(_uow(s, ws)),
    "workspaces.lock_workspace": lambda s, ws, _: workspaces.lock_workspace(_uow(s, ws)),
    "people.team_ids": lambda s, ws, _: people.team_ids(_uow(s, ws), member_id=MEMBER),
    "people.team_slugs": lambda s, ws, _: people.team_slugs(_uow(s, ws)),
    "people.curators": lambda s, ws, _: people.curators(_uow(s, ws)),
    "people.member": lambda s, ws, _: people.member(_uow(s, ws), member_id=MEMBER),
    "people.participant": lambda s, ws, _: people.participant(_uow(s, ws), member_id=MEMBER),
    "people.able": lambda s, ws, _: people.able(_uow(s, ws), member_ids=[MEMBER, "U0GONE"]),
    "people.without_part": lambda s, ws, _: people.without_part(_uow(s, ws), member_ids=[MEMBER, "U0GONE"]),
    "people.members_named": lambda s, ws, _: people.members_named(_uow(s, ws), name=f"agent OF {ws}"),
    "people.members": lambda s, ws, _: people.members(_uow(s, ws), member_ids=[MEMBER]),
    "people.team_by_slug": lambda s, ws, _: people.team_by_slug(_uow(s, ws), slug="support"),
    "people.team_by_channel": lambda s, ws, _: people.team_by_channel(_uow(s, ws), channel=CHANNEL),
    "people.teams": lambda s, ws, _: people.teams(_uow(s, ws)),
    "people.reader": lambda s, ws, _: people.reader(_uow(s, ws), member_id=MEMBER),
    "people.teams_of": lambda s, ws, _: people.teams_of(_uow(s, ws), member_id=MEMBER),
    "absences.away_rows": lambda s, ws, _: absences.away_rows(
        _uow(s, ws), first=MONDAY, last=MONDAY, member_ids=[MEMBER]
    ),
    "absences.away_between": lambda s, ws, _: absences.away_between(
        _uow(s, ws), first=MONDAY, last=MONDAY, member_ids=[MEMBER]
    ),
    "absences.away_until": lambda s, ws, _: absences.away_until(_uow(s, ws), member_id=MEMBER, today=MONDAY),
    "absences.away_taken_back": lambda s, ws, _: absences.away_taken_back(
        _uow(s, ws), set_by="slack status", member_ids=[MEMBER]
    ),
    "playbooks.by_slug": lambda s, ws, _: playbooks.by_slug(_uow(s, ws), slug="reply"),
    "playbooks.owned_slugs": lambda s, ws, _: playbooks.owned_slugs(_uow(s, ws), owner="U01LEAD"),
    "playbooks.playbooks": lambda s, ws, _: playbooks.playbooks(_uow(s, ws)),
    "people.caller": lambda s, ws, _: people.caller(
        UnitOfWork.around(s, Actor(ws, MEMBER, "command", request="asked before"))
    ),
    "people.named_playbooks": lambda s, ws, _: people.named_playbooks(_uow(s, ws), member_id=MEMBER),
    "people.named_playbooks/everywhere": lambda s, ws, _: people.named_playbooks(
        _uow(s, ws), member_id=MEMBER, everywhere=True
    ),
    "adoptions.with_cycles/member": lambda s, ws, _: adoptions.with_cycles(
        _uow(s, ws), day=MONDAY, member=MEMBER
    ),
    "adoptions.with_cycles": lambda s, ws, _: adoptions.with_cycles(_uow(s, ws), day=MONDAY),
    "adoptions.adoption_counts": lambda s, ws, _: adoptions.adoption_counts(_uow(s, ws)),
    "playbooks.published_at": lambda s, ws, _: playbooks.published_at(_uow(s, ws)),
    "playbooks.newest_versions": lambda s, ws, _: playbooks.newest_versions(_uow(s, ws)),
    "standards.verdicts_after": lambda s, ws, _: standards.verdicts_after(_uow(s, ws), after=0),
    "standards.mode_changes": lambda s, ws, _: standards.mode_changes(_uow(s, ws), since=SINCE, until=UNTIL),
    "editor.find": lambda s, ws, _: editor.find(_uow(s, ws), member=MEMBER, subject="playbook", lock=True),
    "report.find": lambda s, ws, _: report.find(_uow(s, ws), wanted=Wanted(), limit=9),
    "report.totals": lambda s, ws, _: report.totals(_uow(s, ws), wanted=Wanted()),
    "report.waiting": lambda s, ws, _: report.waiting(UnitOfWork.around(s, Actor.system(ws), UNTIL)),
    "report.by_state": lambda s, ws, _: report.by_state(_uow(s, ws)),
    "report.verdicts": lambda s, ws, _: report.verdicts(_uow(s, ws)),
    "report.stuck": lambda s, ws, _: report.stuck(_uow(s, ws), since=SINCE, until=UNTIL),
    "report.kinds": lambda s, ws, _: report.kinds(_uow(s, ws)),
    "leases.slot_of": lambda s, ws, _: leases.slot_of(_uow(s, ws), recipient=MEMBER),
    "leases.oldest_due": lambda s, ws, _: leases.oldest_due(_uow(s, ws), recipient=MEMBER),
    "work.messages": lambda s, ws, _: _uow(s, ws).messages(("checkin", "watch"), MEMBER),
    "ledger.timestamps": lambda s, ws, _: ledger.timestamps(_uow(s, ws), channel=CHANNEL),
    "ledger.unsent_counts": lambda s, ws, _: ledger.unsent_counts(_uow(s, ws), since=SINCE, until=UNTIL),
    "trail.page/everything": lambda s, ws, _: trail.page(
        _uow(s, ws),
        scope=Scope(member="U0", everything=True),
        private=[],
        hidden=["x"],
    ),
    "digests.zones": lambda s, ws, _: digests.zones(_uow(s, ws)),
    "digests.places": lambda s, ws, _: list(digests.places(_uow(s, ws), today={"UTC": MONDAY})),
    "coverage.coverage": lambda s, ws, _: coverage.coverage(_uow(s, ws), asking=ASKING),
    "coverage.answering": lambda s, ws, _: list(coverage.answering(_uow(s, ws), asking=ASKING)),
    "digests.in_cycle": lambda s, ws, _: digests.in_cycle(_uow(s, ws), day=MONDAY),
    "digests.demoted": _slipping(
        lambda s, ws: [row[:3] for row in digests.demoted(_uow(s, ws), until=UNTIL)]
    ),
    "digests.missed": _slipping(lambda s, ws: list(digests.missed(_uow(s, ws), since=SINCE, until=UNTIL))),
    "digests.promotions_open": lambda s, ws, _: list(digests.promotions_open(_uow(s, ws))),
    "digests.promotions_declined": _slipping(
        lambda s, ws: list(digests.promotions_declined(_uow(s, ws), since=SINCE, until=UNTIL))
    ),
    "digests.drifts_open": lambda s, ws, _: list(digests.drifts_open(_uow(s, ws))),
    "digests.changes": lambda s, ws, _: list(
        digests.changes(_uow(s, ws), since=SINCE, until=UNTIL, kind="demotion")
    ),
    "digests.readings": lambda s, ws, _: list(digests.readings(_uow(s, ws), week_start=MONDAY)),
    "digests.latest_readings": lambda s, ws, _: list(
        digests.latest_readings(_uow(s, ws), week_start=MONDAY, many=3)
    ),
    "digests.most_runs": lambda s, ws, _: list(
        digests.most_runs(_uow(s, ws), week_start=MONDAY, begun_by=MONDAY, above=0.5)
    ),
    "watches.watches": _slipping(
        lambda s, ws: list(watches.watches(_uow(s, ws), week_start=MONDAY, ended={"Europe/Berlin": UNTIL}))
    ),
    "watches.answered_watches": _slipping(
        lambda s, ws: sorted(watches.answered_watches(_uow(s, ws), subjects=["adoption:1/send"]))
    ),
    "digests.idle_since": lambda s, ws, _: digests.idle_since(_uow(s, ws), playbook_ids=range(1, 100)),
    "digests.is_first": lambda s, ws, _: _before_any_digest(s, ws),
    "digests.not_retired": lambda s, ws, _: list(digests.not_retired(_uow(s, ws))),
    "digests.teams_of_channels": lambda s, ws, _: digests.teams_of_channels(_uow(s, ws), channels=[CHANNEL]),
    "digests.adopted_before": lambda s, ws, _: digests.adopted_before(_uow(s, ws), moment=UNTIL),
    "digests.closed_before": _slipping(lambda s, ws: digests.closed_before(_uow(s, ws), moment=UNTIL)),
    "digests.setup_seconds": lambda s, ws, _: digests.setup_seconds(_uow(s, ws), since=SINCE, until=UNTIL),
    "process.adopted": lambda s, ws, _: process.adopted(_uow(s, ws), bounds=[SINCE, UNTIL]),
    "process.completed": _slipping(lambda s, ws: process.completed(_uow(s, ws), bounds=[SINCE, UNTIL])),
    "process.exceptions": lambda s, ws, _: process.exceptions(_uow(s, ws), bounds=[SINCE, UNTIL]),
    "process.runs_by_week": lambda s, ws, _: process.runs_by_week(
        _uow(s, ws), first=MONDAY, until=MONDAY + 7 * DAY
    ),
    "process.measured": lambda s, ws, _: process.measured(_uow(s, ws), first=MONDAY, until=MONDAY + 7 * DAY),
    "process.reported_beside": lambda s, ws, _: process.reported_beside(
        _uow(s, ws), first=MONDAY, until=MONDAY + 7 * DAY
    ),
    "signals.exceptions_between": lambda s, ws, _: signals.exceptions_between(
        _uow(s, ws), since=SINCE, until=UNTIL
    ),
    "signals.overrides_between": lambda s, ws, _: signals.overrides_between(
        _uow(s, ws), since=SINCE, until=UNTIL
    ),
    "promotions.promotions_between": lambda s, ws, _: promotions.promotions_between(
        _uow(s, ws), since=SINCE, until=UNTIL
    ),
    "standards.between": lambda s, ws, _: standards.between(_uow(s, ws), since=SINCE, until=UNTIL),
    "exceptions.last_exception_by": lambda s, ws, _: exceptions.last_exception_by(_uow(s, ws), member=MEMBER),
    "promotions.open_promotions": lambda s, ws, _: promotions.open_promotions(_uow(s, ws)),
    "rate_limits.free_at": lambda s, ws, _: rate_limits.free_at(_uow(s, ws), names=[MEMBER]),
    "cutover.in_production": lambda s, ws, _: cutover.in_production(_uow(s, ws)),
    "cutover.asked": lambda s, ws, _: cutover.asked(_uow(s, ws)),
    "handoffs.open_for": lambda s, ws, ids: handoffs.open_for(
        _uow(s, ws), adoption_ids=[ids.adoption], member=MEMBER
    ),
    "handoffs.holding_fallbacks": lambda s, ws, ids: handoffs.holding_fallbacks(
        _uow(s, ws), adoption_id=ids.adoption, team_id=ids.team
    ),
    "handoffs.is_held": lambda s, ws, ids: handoffs.is_held(_uow(s, ws), change_id=ids.mode_change),
    "handoffs.waiting": lambda s, ws, _: handoffs.waiting(_uow(s, ws)),
    "handoffs.overdue": lambda s, ws, _: handoffs.overdue(
        UnitOfWork.around(s, Actor.system(ws), UNTIL), limit=5
    ),
    "handoffs.counts": lambda s, ws, _: handoffs.counts(
        UnitOfWork.around(s, Actor.system(ws), UNTIL), since=SINCE, until=UNTIL
    ),
    "handoffs.ended_between": lambda s, ws, _: handoffs.ended_between(_uow(s, ws), since=SINCE, until=UNTIL),
    "handoffs.failed_between": lambda s, ws, _: handoffs.failed_between(
        _uow(s, ws), since=SINCE, until=UNTIL, limit=5
    ),
    "history.kpis": lambda s, ws, _: history.kpis(_uow(s, ws), playbooks=None),
    "history.trail": lambda s, ws, _: list(history.trail(_uow(s, ws), playbooks=None)),
    "history.course_changes/all": lambda s, ws, _: list(history.course_changes(_uow(s, ws), playbooks=None)),
    "history.verdicts/all": lambda s, ws, _: list(history.verdicts(_uow(s, ws), playbooks=None)),
    "trail.entries": lambda s, ws, _: trail.entries(_uow(s, ws)),
    "homes.get": lambda s, ws, _: homes.get(_uow(s, ws), member=MEMBER),
    "homes.changes": lambda s, ws, _: len(homes.changes(_uow(s, ws), limit=99)),
    "homes.opened_since": lambda s, ws, _: homes.opened_since(_uow(s, ws), since=SINCE),
    "homes.stale": lambda s, ws, _: homes.stale(_uow(s, ws), since=SINCE, limit=9),
    "homes.concerned/names": lambda s, ws, _: homes.concerned(
        _uow(s, ws), subjects=["team:support", "playbook:reply"]
    ),
}


def watched(ids: Planted) -> StepVerdict:
    """What tells the window of the planted verdicts."""
    return verdict_row(ids)


BY_ID: dict[str, Call] = {
    **calls_pilots.BY_ID,
    **calls_machines.BY_ID,
    **calls_waves.BY_ID,
    "trends.newest_changes": lambda s, ws, ids: trends.newest_changes(
        _uow(s, ws), adoption_ids=[ids.adoption]
    ),
    "trends.change": lambda s, ws, ids: trends.change(_uow(s, ws), change_id=change_of(s, ids)),
    "trends.values_of_cycles": lambda s, ws, ids: trends.values_of_cycles(_uow(s, ws), cycle_ids=[ids.cycle]),
    "trends.changes_of": lambda s, ws, ids: trends.changes_of(_uow(s, ws), adoption_id=ids.adoption),
    "trends.weeks_of_answers": lambda s, ws, ids: trends.weeks_of_answers(
        _uow(s, ws), adoption_id=ids.adoption
    ),
    "trends.exceptions_by_cycle": lambda s, ws, ids: trends.exceptions_by_cycle(
        _uow(s, ws), adoption_id=ids.adoption
    ),
    "homes.concerned/ids": lambda s, ws, ids: homes.concerned(
        _uow(s, ws),
        subjects=[f"adoption:{ids.adoption}/send", f"verdict:{ids.verdict}", f"cycle:{ids.cycle}"],
    ),
    "history.readings": lambda s, ws, ids: list(history.readings(_uow(s, ws), playbooks=[ids.playbook])),
    "history.check_ins": lambda s, ws, ids: list(history.check_ins(_uow(s, ws), playbooks=[ids.playbook])),
    "history.exceptions": lambda s, ws, ids: list(history.exceptions(_uow(s, ws), playbooks=[ids.playbook])),
    "history.measured_runs": lambda s, ws, ids: list(
        history.measured_runs(_uow(s, ws), playbooks=[ids.playbook])
    ),
    "history.check_results": lambda s, ws, ids: list(
        history.check_results(_uow(s, ws), playbooks=[ids.playbook])
    ),
    "machines.runs_counted": lambda s, ws, ids: machines.runs_counted(
        _uow(s, ws), adoption_id=ids.adoption, since=MONDAY
    ),
    "machines.runs_counted/as-of": lambda s, ws, ids: machines.runs_counted(
        _uow(s, ws), adoption_id=ids.adoption, since=MONDAY, through=10**6
    ),
    "machines.runs_counted_before": lambda s, ws, ids: machines.runs_counted_before(
        _uow(s, ws), adoption_id=ids.adoption, week_start=MONDAY, after=10**6
    ),
    "machines.last_measured_id": lambda s, ws, ids: machines.last_measured_id(
        _uow(s, ws), adoption_id=ids.adoption, since=MONDAY
    ),
    "history.course_changes": lambda s, ws, ids: list(
        history.course_changes(_uow(s, ws), playbooks=[ids.playbook])
    ),
    "history.verdicts": lambda s, ws, ids: list(history.verdicts(_uow(s, ws), playbooks=[ids.playbook])),
    "history.assessments": lambda s, ws, ids: list(
        history.assessments(_uow(s, ws), playbooks=[ids.playbook])
    ),
    "history.cutovers": lambda s, ws, ids: list(history.cutovers(_uow(s, ws), playbooks=[ids.playbook])),
    "history.training_samples": lambda s, ws, ids: list(
        history.training_samples(_uow(s, ws), playbooks=[ids.playbook])
    ),
    "history.training_grades": lambda s, ws, ids: list(
        history.training_grades(_uow(s, ws), playbooks=[ids.playbook])
    ),
    "history.drifted": lambda s, ws, ids: history.drifted(_uow(s, ws), check_ins=[ids.check_in]),
    "playbooks.by_id": lambda s, ws, ids: playbooks.by_id(_uow(s, ws), playbook_id=ids.playbook),
    "playbooks.published": lambda s, ws, ids: playbooks.published(_uow(s, ws), playbook_id=ids.playbook),
    "playbooks.newest_published": lambda s, ws, ids: playbooks.newest_published(
        _uow(s, ws), playbook_id=ids.playbook
    ),
    "playbooks.revision": lambda s, ws, ids: playbooks.revision(
        _uow(s, ws), playbook_id=ids.playbook, revision=1
    ),
    "registry.last_results": _closed_with_a_number,
    "registry.adopters": lambda s, ws, ids: registry.adopters(
        _uow(s, ws), playbook_ids=[ids.playbook], limit=5
    ),
    "registry.version_rows": lambda s, ws, ids: registry.version_rows(_uow(s, ws), version_ids=[ids.version]),
    "standards.newest_verdict": lambda s, ws, ids: standards.newest_verdict(
        _uow(s, ws), adoption_id=ids.adoption, step="send"
    ),
    "standards.newest_verdicts": lambda s, ws, ids: standards.newest_verdicts(
        _uow(s, ws), adoption_ids=[ids.adoption]
    ),
    "standards.last_verdicts_before": lambda s, ws, ids: standards.last_verdicts_before(
        _uow(s, ws), adoption_id=ids.adoption, moment=UNTIL
    ),
    "registry.overrides": lambda s, ws, ids: registry.overrides(_uow(s, ws), playbook_ids=[ids.playbook]),
    "playbooks.lock_playbook": lambda s, ws, ids: playbooks.lock_playbook(
        _uow(s, ws), playbook_id=ids.playbook
    ),
    "adoptions.adopters": lambda s, ws, ids: adoptions.adopters(_uow(s, ws), playbook_id=ids.playbook),
    "cycles.cycles": lambda s, ws, ids: cycles.cycles(_uow(s, ws), adoption_ids=[ids.adoption]),
    "setup.setups": lambda s, ws, ids: setup.setups(_uow(s, ws), adoption_ids=[ids.adoption]),
    "playbooks.overrides": lambda s, ws, ids: playbooks.overrides(_uow(s, ws), playbook_id=ids.playbook),
    "people.team_by_id": lambda s, ws, ids: people.team_by_id(_uow(s, ws), team_id=ids.team),
    "people.join_request": lambda s, ws, ids: people.join_request(_uow(s, ws), request_id=ids.join_request),
    "people.open_join_requests": lambda s, ws, ids: people.open_join_requests(
        _uow(s, ws), team_id=ids.team, members=[OTHER]
    ),
    "people.owners_of": lambda s, ws, ids: people.owners_of(_uow(s, ws), team_id=ids.team),
    "people.presences": lambda s, ws, ids: people.presences(_uow(s, ws), team_id=ids.team),
    "people.memberships": lambda s, ws, ids: people.memberships(_uow(s, ws), team_ids=[ids.team]),
    "playbooks.newest_version": lambda s, ws, ids: playbooks.newest_version(
        _uow(s, ws), playbook_id=ids.playbook
    ),
    "playbooks.version": lambda s, ws, ids: playbooks.version(_uow(s, ws), version_id=ids.version),
    "adoptions.adoption_of": lambda s, ws, ids: adoptions.adoption_of(
        _uow(s, ws), playbook_id=ids.playbook, team_id=ids.team
    ),
    "adoptions.with_cycles/adoption": lambda s, ws, ids: adoptions.with_cycles(
        _uow(s, ws), day=MONDAY, adoption_id=ids.adoption
    ),
    "adoptions.hold_cycle": lambda s, ws, ids: adoptions.hold_cycle(
        _uow(s, ws), adoption_id=ids.adoption, cycle_id=ids.cycle, state=CycleState.RUNNING
    ),
    "adoptions.lock_adoption": lambda s, ws, ids: adoptions.lock_adoption(
        _uow(s, ws), adoption_id=ids.adoption
    ),
    "adoptions.step_row": lambda s, ws, ids: adoptions.step_row(
        _uow(s, ws), adoption_id=ids.adoption, step="send"
    ),
    "adoptions.after_exceptions": lambda s, ws, ids: adoptions.after_exceptions(
        _uow(s, ws), adoption_ids=[ids.adoption]
    ),
    "adoptions.steps": lambda s, ws, ids: adoptions.steps(_uow(s, ws), adoption_id=ids.adoption),
    "cycles.cycle": lambda s, ws, ids: cycles.cycle(_uow(s, ws), cycle_id=ids.cycle),
    "cycles.latest_value": _latest_value,
    "cycles.cycles_of": lambda s, ws, ids: cycles.cycles_of(_uow(s, ws), adoption_id=ids.adoption),
    "cycles.cycle_on": lambda s, ws, ids: cycles.cycle_on(_uow(s, ws), adoption_id=ids.adoption, day=MONDAY),
    "checkins.check_in": lambda s, ws, ids: checkins.check_in(
        _uow(s, ws), adoption_id=ids.adoption, week_start=MONDAY, member=MEMBER
    ),
    "checkins.drifted_modes": lambda s, ws, ids: checkins.drifted_modes(
        _uow(s, ws), check_in=_answer(s.get_one(CheckIn, ids.check_in))
    ),
    "checkins.drifted_modes_of": lambda s, ws, ids: checkins.drifted_modes_of(
        _uow(s, ws), check_ins=[_answer(s.get_one(CheckIn, ids.check_in))]
    ),
    "checkins.answers_since": lambda s, ws, ids: checkins.answers_since(
        _uow(s, ws), adoption_id=ids.adoption, since=MONDAY - 90 * DAY
    ),
    "checkins.answers_of": lambda s, ws, ids: checkins.answers_of(
        _uow(s, ws), adoption_id=ids.adoption, week_start=MONDAY
    ),
    "checkins.answers_of_cycle": lambda s, ws, ids: checkins.answers_of_cycle(
        _uow(s, ws), adoption_id=ids.adoption, cycle_id=ids.cycle, starts_on=MONDAY
    ),
    "checkins.answers": lambda s, ws, ids: checkins.answers(
        _uow(s, ws), adoption_id=ids.adoption, first=MONDAY, last=MONDAY
    ),
    "checkins.answered_members": lambda s, ws, ids: checkins.answered_members(
        _uow(s, ws), adoption_id=ids.adoption, week_start=MONDAY
    ),
    "numbers.reading": lambda s, ws, ids: numbers.reading(
        _uow(s, ws), adoption_id=ids.adoption, week_start=MONDAY
    ),
    "numbers.value_before": lambda s, ws, ids: numbers.value_before(
        _uow(s, ws), cycle=s.get_one(Cycle, ids.cycle), week=1, since=0, until=UNTIL
    ),
    "numbers.readings": lambda s, ws, ids: numbers.readings(_uow(s, ws), cycle=s.get_one(Cycle, ids.cycle)),
    "numbers.latest_reading": lambda s, ws, ids: numbers.latest_reading(
        _uow(s, ws), cycle=s.get_one(Cycle, ids.cycle), until=MONDAY
    ),
    "exceptions.exception": lambda s, ws, ids: exceptions.exception(_uow(s, ws), exception_id=ids.exception),
    "exceptions.exceptions_by": lambda s, ws, ids: exceptions.exceptions_by(
        _uow(s, ws),
        member=MEMBER,
        adoption_id=ids.adoption,
        step="send",
        since=SINCE,
    ),
    "exceptions.exceptions_by_link": lambda s, ws, ids: exceptions.exceptions_by_link(
        _uow(s, ws),
        adoption_id=ids.adoption,
        step="send",
        link="https://t.example/archives/C1/p1",
    ),
    "exceptions.exceptions_of_cycle": lambda s, ws, ids: exceptions.exceptions_of_cycle(
        _uow(s, ws), adoption_id=ids.adoption, cycle_id=ids.cycle
    ),
    "exceptions.exceptions": lambda s, ws, ids: exceptions.exceptions(
        _uow(s, ws), adoption_id=ids.adoption, step="send", cycle_id=ids.cycle
    ),
    "standards.marks": lambda s, ws, ids: [
        one for one in standards.marks(_uow(s, ws), adoption_id=ids.adoption) if one
    ],
    "checkins.last_check_in_id": lambda s, ws, ids: checkins.last_check_in_id(
        _uow(s, ws), adoption_id=ids.adoption
    ),
    "checkins.attested_runs": lambda s, ws, ids: checkins.attested_runs(
        _uow(s, ws), cycle=s.get_one(Cycle, ids.cycle)
    ),
    "exceptions.exception_reasons": lambda s, ws, ids: exceptions.exception_reasons(
        _uow(s, ws), cycle_id=ids.cycle
    ),
    "adoptions.joined_since": lambda s, ws, ids: adoptions.joined_since(
        _uow(s, ws), playbook_id=ids.playbook, team_id=0, since=SINCE
    ),
    "standards.last_verdicts": lambda s, ws, ids: standards.last_verdicts(
        _uow(s, ws), adoption_id=ids.adoption, step="send"
    ),
    "standards.overtaken": _overtaken,
    "standards.mode_history": lambda s, ws, ids: standards.mode_history(
        _uow(s, ws), adoption_id=ids.adoption, step="send"
    ),
    "standards.mode_change": lambda s, ws, ids: standards.mode_change(_uow(s, ws), change_id=ids.mode_change),
    "standards.alerting": lambda s, ws, ids: standards.alerting(_uow(s, ws), row=watched(ids)),
    "standards.first_watch": lambda s, ws, ids: standards.first_watch(_uow(s, ws), row=watched(ids)),
    "standards.end_of_watch": lambda s, ws, ids: standards.end_of_watch(_uow(s, ws), row=watched(ids)),
    "standards.latest_watch": lambda s, ws, ids: standards.latest_watch(_uow(s, ws), row=watched(ids)),
    "trail.last_id": lambda s, ws, ids: trail.last_id(_uow(s, ws), subject=f"adoption:{ids.adoption}/send"),
    "standards.verdict": lambda s, ws, ids: standards.verdict(_uow(s, ws), verdict_id=ids.verdict),
    "standards.count_verdicts": lambda s, ws, ids: standards.count_verdicts(
        _uow(s, ws), cycle_id=ids.cycle, step="send", decisions=list(Decision)
    ),
    "standards.closing_verdicts": lambda s, ws, ids: standards.closing_verdicts(
        _uow(s, ws), cycle_ids=[ids.cycle], step="send"
    ),
    "standards.last_demotion": lambda s, ws, ids: standards.last_demotion(
        _uow(s, ws), adoption_id=ids.adoption, step="send"
    ),
    "trail.page": lambda s, ws, ids: trail.page(
        _uow(s, ws),
        scope=Scope(member="U0", whole=(ids.adoption,), shared=(ids.adoption,)),
        private=["check-in"],
        hidden=["x"],
    ),
    "digests.weeks_of_readings": lambda s, ws, ids: list(
        digests.weeks_of_readings(_uow(s, ws), adoption_ids=[ids.adoption], until=MONDAY, many=3)
    ),
    "digests.attestations": lambda s, ws, ids: list(
        digests.attestations(_uow(s, ws), adoption_ids=[ids.adoption], since=MONDAY, until=MONDAY)
    ),
    "watches.begun": lambda s, ws, ids: list(watches.begun(_uow(s, ws), adoption_ids=[ids.adoption])),
    "watches.places": lambda s, ws, ids: watches.places(
        _uow(s, ws), subjects=[f"adoption:{ids.adoption}/send"]
    ),
    "signals.runs_by_member": lambda s, ws, ids: signals.runs_by_member(_uow(s, ws), cycle_id=ids.cycle),
    "standards.event": lambda s, ws, ids: standards.event(_uow(s, ws), drift_id=ids.drift),
    "standards.alerts_until": lambda s, ws, ids: standards.alerts_until(
        _uow(s, ws), found=s.get_one(StepDrift, ids.drift)
    ),
    "standards.attested": lambda s, ws, ids: standards.attested(
        _uow(s, ws), cycle=s.get_one(Cycle, ids.cycle)
    ),
    "standards.corrected": _corrected,
    "standards.events": lambda s, ws, ids: standards.events(
        _uow(s, ws), adoption_id=ids.adoption, step="send"
    ),
    "rubrics.graded_in_cycle": lambda s, ws, ids: rubrics.graded_in_cycle(_uow(s, ws), cycle_id=ids.cycle),
    "rubrics.result": lambda s, ws, ids: rubrics.result(_uow(s, ws), result_id=ids.result),
    "rubrics.revisions": lambda s, ws, ids: rubrics.revisions(
        _uow(s, ws), adoption_id=ids.adoption, step="send", limit=5
    ),
    "rubrics.revision_after": lambda s, ws, ids: rubrics.revision_after(
        _uow(s, ws), adoption_id=ids.adoption, step="send", number=0
    ),
    "rubrics.graded": lambda s, ws, ids: rubrics.graded(_uow(s, ws), adoption_id=ids.adoption),
    "rubrics.graded_since": lambda s, ws, ids: rubrics.graded_since(
        _uow(s, ws), adoption_id=ids.adoption, step="send", revision=2, after=0, after_audit=0
    ),
    "rubrics.result_of_audit": lambda s, ws, ids: rubrics.result_of_audit(_uow(s, ws), audit_id=ids.audit),
    "rubrics.audit": lambda s, ws, ids: rubrics.audit(_uow(s, ws), audit_id=ids.audit),
    "rubrics.audits_of_week": lambda s, ws, ids: rubrics.audits_of_week(
        _uow(s, ws), adoption_id=ids.adoption, week_start=MONDAY
    ),
    "promotions.promotion": lambda s, ws, ids: promotions.promotion(_uow(s, ws), promotion_id=ids.promotion),
    "promotions.last_promotion": lambda s, ws, ids: promotions.last_promotion(
        _uow(s, ws), adoption_id=ids.adoption, step="send"
    ),
    "promotions.promotions_of_cycle": lambda s, ws, ids: promotions.promotions_of_cycle(
        _uow(s, ws), cycle_id=ids.cycle
    ),
    "promotions.overtaken_promotion": _overtaken_look,
    "promotions.lapsed_promotions": _lapsed,
    "promotions.open_promotions/adoption": lambda s, ws, ids: promotions.open_promotions(
        _uow(s, ws), adoption_id=ids.adoption, step="send"
    ),
    "schedule.runs": lambda s, ws, ids: schedule.runs(
        _uow(s, ws), teams=[ids.team], first=MONDAY, last=MONDAY
    ),
    "adoptions.lock_adoptions": lambda s, ws, ids: adoptions.lock_adoptions(
        _uow(s, ws), adoption_ids=[ids.adoption]
    ),
    "rubrics.cycles_of_week": lambda s, ws, ids: rubrics.cycles_of_week(
        _uow(s, ws), adoption_ids=[ids.adoption], week_start=MONDAY
    ),
    "rubrics.attested": lambda s, ws, ids: rubrics.attested(
        _uow(s, ws), adoption_ids=[ids.adoption], week_start=MONDAY
    ),
    "rubrics.ungraded": _ungraded,
    "rubrics.drawn": lambda s, ws, ids: rubrics.drawn(
        _uow(s, ws), adoption_ids=[ids.adoption], week_start=MONDAY
    ),
    "schedule.specs": lambda s, ws, ids: schedule.specs(_uow(s, ws), version_ids=[ids.version]),
    "adoptions.by_id": lambda s, ws, ids: adoptions.by_id(_uow(s, ws), adoption_id=ids.adoption),
    "adoptions.running_of_team": lambda s, ws, ids: adoptions.running_of_team(_uow(s, ws), team_id=ids.team),
    "setup.of_adoption": lambda s, ws, ids: setup.of_adoption(_uow(s, ws), adoption_id=ids.adoption),
    "setup.ticks": lambda s, ws, ids: setup.ticks(_uow(s, ws), setup_id=ids.setup),
    "handoffs.get": lambda s, ws, ids: handoffs.get(_uow(s, ws), handoff_id=ids.handoff),
    "handoffs.waiting/of a sender": lambda s, ws, ids: handoffs.waiting(
        _uow(s, ws), adoption_ids=[ids.adoption], member="U0NOBODY"
    ),
    "registry.get": lambda s, ws, ids: registry.get(_uow(s, ws), override_id=ids.override),
    "lessons.of_playbook": lambda s, ws, ids: lessons.of_playbook(
        _uow(s, ws), playbook_id=ids.playbook, limit=5
    ),
    "lessons.of_cycle": lambda s, ws, ids: lessons.of_cycle(_uow(s, ws), cycle_id=ids.cycle),
    "cutover.assessment": lambda s, ws, ids: cutover.assessment(_uow(s, ws), playbook_id=ids.playbook),
    "cutover.assessed": lambda s, ws, ids: cutover.assessed(_uow(s, ws), playbook_ids=[ids.playbook]),
    "cutover.decisions": lambda s, ws, ids: cutover.decisions(_uow(s, ws), playbook_id=ids.playbook),
    "cutover.by_id": lambda s, ws, ids: cutover.by_id(_uow(s, ws), assessment_id=ids.assessment),
    "cutover.decision": lambda s, ws, ids: cutover.decision(_uow(s, ws), cutover_id=ids.cutover),
    "cutover.complete_inputs": lambda s, ws, ids: cutover.complete_inputs(_uow(s, ws), cycle_id=ids.cycle),
    "training.samples": lambda s, ws, ids: training.samples(_uow(s, ws), playbook_ids=[ids.playbook]),
    "training.sample": lambda s, ws, ids: training.sample(_uow(s, ws), sample_id=ids.sample),
    "training.grades": lambda s, ws, ids: training.grades(_uow(s, ws), adoption_ids=[ids.adoption]),
    "training.readers": lambda s, ws, ids: training.readers(_uow(s, ws), adoption_ids=[ids.adoption]),
    "training.in_open_waves": lambda s, ws, ids: training.in_open_waves(
        _uow(s, ws), playbook_ids=[ids.playbook]
    ),
    "slots.known_keys": lambda s, ws, ids: slots.known_keys(_uow(s, ws), keys=[ids.key]),
    "ledger.get": lambda s, ws, ids: ledger.get(_uow(s, ws), message_id=ids.message),
}
WRITES: dict[str, Call] = {
    "standards.keep_drift": lambda s, ws, ids: standards.keep_drift(_uow(s, ws), row=_drift(ids)),
    "checkins.keep": lambda s, ws, ids: checkins.keep(
        _uow(s, ws), row=check_in(ids, member="U0NEW"), drifts={}, replaces=None
    ),
    "workspaces.note_planned": lambda s, ws, _: workspaces.note_planned(_uow(s, ws)),
    "people.remember_dm": lambda s, ws, _: people.remember_dm(_uow(s, ws), member_id=MEMBER, channel="D9"),
    "people.set_curators": lambda s, ws, _: people.set_curators(_uow(s, ws), members=[OTHER]),
    "people.set_members": lambda s, ws, ids: people.set_members(
        _uow(s, ws), team_id=ids.team, members=[OTHER]
    ),
    "absences.end_away": lambda s, ws, _: absences.end_away(
        _uow(s, ws), member_id=MEMBER, today=MONDAY, back=MONDAY
    ),
    "cycles.take_away": _take_away,
    "machines.add_runs": calls_machines.add_runs,
    "workspaces.forget": lambda s, ws, _: workspaces.forget(_uow(s, ws)),
    "installations.keep_newest": _install_again,
    "installations.remove": lambda s, ws, _: installations.remove(_uow(s, ws), client_id=CLIENT),
    "installations.rotate": lambda s, ws, _: installations.rotate(
        _uow(s, ws),
        used="xoxe-1",
        token="xoxb-2",
        refresh_token="xoxe-2",
        expires_at=UNTIL,
    ),
    "installations.skip_due": lambda s, ws, _: installations.skip_due(_uow(s, ws), reason="uninstalled"),
    "numbers.keep": lambda s, ws, ids: numbers.keep(_uow(s, ws), number=number(ids.adoption, ids.cycle)),
    "requests.keep": lambda s, ws, _: requests.keep(
        _uow(s, ws), member=MEMBER, request="new", kind="mute", answer=None
    ),
    "requests.prune": lambda s, ws, _: requests.prune(_uow(s, ws), before=UNTIL),
    "editor.keep": lambda s, ws, _: editor.keep(
        UnitOfWork.around(s, Actor.system(ws), UNTIL),
        member=MEMBER,
        subject="playbook",
        data={"title": "Reply"},
    ),
    "editor.forget": lambda s, ws, _: editor.forget(_uow(s, ws), member=MEMBER, subject="playbook"),
    "work.rewrite": lambda s, ws, _: _uow(s, ws).rewrite("watch", 1, mark="told"),
    "work.rewrite_messages": lambda s, ws, ids: _uow(s, ws).rewrite_messages(
        [_sent(s, ws, ids)], mark="told"
    ),
    "work.send": lambda s, ws, _: _uow(s, ws).send(owed("new")),
    "rubrics.add": lambda s, ws, ids: rubrics.add(
        _uow(s, ws),
        rows=[
            SpotAudit(
                workspace_id=ws,
                adoption_id=ids.adoption,
                cycle_id=ids.cycle,
                step="draft",
                week=1,
                week_start=MONDAY,
                sample=1,
                seed="s",
                population=[],
                drawn=[],
                drawn_at=NOW,
            )
        ],
    ),
    "slots.queue": lambda s, ws, _: slots.queue(
        _uow(s, ws),
        nudges=[Nudged(f"new:{ws}", "checkin", MEMBER, {"week": "2026-03-02"}, NOW, UNTIL)],
    ),
    "rate_limits.close": lambda s, ws, _: rate_limits.close(_uow(s, ws), name=MEMBER, until=UNTIL + DAY),
    "rate_limits.take": lambda s, ws, _: rate_limits.take(_uow(s, ws), name="new", until=UNTIL),
    "rate_limits.spend": lambda s, ws, _: rate_limits.spend(_uow(s, ws), share=DAY, burst=DAY),
    "attempts.take_back": lambda s, ws, ids: [
        attempts.begin(
            _uow(s, ws),
            message_id=ids.message,
            attempts=0,
            channel="D1",
            text="hello",
        ),
        attempts.take_back(_uow(s, ws), recipient=MEMBER),
    ],
    "attempts.renew": lambda s, ws, ids: [
        attempts.begin(
            _uow(s, ws),
            message_id=ids.message,
            attempts=0,
            channel="D1",
            text="hello",
        ),
        attempts.renew(_uow(s, ws), message_id=ids.message, attempts=1),
    ],
    "attempts.finish": lambda s, ws, ids: attempts.finish(
        _uow(s, ws), message_id=ids.message, state=MessageState.SENT, ts="1.2"
    ),
    "attempts.postpone": lambda s, ws, ids: attempts.postpone(
        _uow(s, ws), message_id=ids.message, until=UNTIL, reason="busy"
    ),
    "attempts.begin": lambda s, ws, ids: attempts.begin(
        _uow(s, ws),
        message_id=ids.message,
        attempts=0,
        channel="D1",
        text="hello",
    ),
    "homes.opened": lambda s, ws, _: homes.opened(_uow(s, ws), member=OTHER),
    "homes.drop_changes": lambda s, ws, _: homes.drop_changes(
        _uow(s, ws),
        ids=[row.id or 0 for row in homes.changes(_uow(s, ws), limit=9)],
    ),
    "homes.mark": lambda s, ws, _: homes.mark(_uow(s, ws), members=[MEMBER], acted=[MEMBER]),
    "homes.claim": lambda s, ws, _: homes.claim(_uow(s, ws), member=MEMBER, until=UNTIL, at_once=False),
    "homes.shown": lambda s, ws, _: homes.shown(
        _uow(s, ws),
        member=MEMBER,
        changes=3,
        digest="d",
        not_before=UNTIL,
        published=True,
    ),
    "homes.failed": lambda s, ws, _: homes.failed(
        _uow(s, ws), member=MEMBER, problem="user_not_found", again=None
    ),
    "work.record_all": lambda s, ws, _: _uow(s, ws).record_all(
        [Entry("audit-drawn", "audit:1")], surface="clock"
    ),
    "work.record": lambda s, ws, _: _uow(s, ws).record(
        action="digest", subject="workspace:1", surface="rule"
    ),
}


def modules() -> dict[str, ModuleType]:
    """Every module of `storage` that holds queries, by its noun."""
    found = [
        one.name
        for package in (storage.queries, storage.outbox)
        for one in pkgutil.walk_packages(package.__path__, f"{package.__name__}.")
        if not one.ispkg
    ]
    return {
        name.rpartition(".")[2]: importlib.import_module(name) for name in found if name not in NO_QUERIES
    }


def public_functions() -> dict[str, Callable[..., Any]]:
    """`noun.function` -> the function, for all that the flows may call."""
    return {
        f"{noun}.{name}": function
        for noun, module in modules().items()
        for name, function in inspect.getmembers(module, inspect.isfunction)
        if function.__module__ == module.__name__ and not name.startswith("_")
        if f"{noun}.{name}" not in NO_QUERY
    }


FUNCTIONS = public_functions()


@pytest.mark.parametrize("name", sorted(FUNCTIONS))
def test_every_query_takes_a_unit_of_work_which_names_the_workspace(name: str) -> None:
    first, *others = inspect.signature(FUNCTIONS[name]).parameters.values()
    assert all(one.kind is inspect.Parameter.KEYWORD_ONLY for one in others)
    if name in EVERY_WORKSPACE:
        assert first.name == "session", f"{name} needn't be excused any more"
    else:
        assert first.annotation is UnitOfWork, f"{name} must take a UnitOfWork, or be listed with the reason"
        assert not {one.name for one in others} & {"workspace_id", "session"}


def test_a_unit_of_work_names_its_workspace(db: Database) -> None:
    with pytest.raises(TypeError):
        UnitOfWork(db)  # type: ignore[call-arg]
    with pytest.raises(TypeError):
        Actor.system()  # type: ignore[call-arg]
    assert UnitOfWork(db, Actor.system("T1")).workspace_id == "T1"


def test_every_query_is_tried_on_two_workspaces() -> None:
    tried = {name.partition("/")[0] for name in [*BY_NAME, *BY_ID, *WRITES]}
    assert set(FUNCTIONS) - tried - set(EVERY_WORKSPACE) == set(), "add these to one of the tables above"
    assert tried - set(FUNCTIONS) == {f"work.{name}" for name in OF_UNIT_OF_WORK}
    assert set(EVERY_WORKSPACE) <= set(FUNCTIONS)


def plain(value: Any) -> Any:
    """Rows as plain values, to compare the results of two sessions."""
    if isinstance(value, SQLModel):
        return value.model_dump()
    if is_dataclass(value):
        return {field.name: plain(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, dict):
        return {key: plain(one) for key, one in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [plain(one) for one in value]
    return value


def rows_of(session: Session, workspace_id: str) -> dict[str, list[Any]]:
    """Every row of a workspace, by table."""
    found = {}
    for name, table in sorted(SQLModel.metadata.tables.items()):
        if name in OF_NOBODY:
            continue
        owner = table.c.id if name == "workspace" else table.c.workspace_id
        found[name] = sorted(
            map(repr, session.connection().execute(table.select().where(owner == workspace_id)))
        )
    return found


@pytest.fixture
def planted(db: Database) -> tuple[Planted, Planted]:
    """Two workspaces with the same names for everything."""
    with db.write() as session:
        return plant(session, "T1"), plant(session, "T2")


def test_every_row_belongs_to_a_workspace(db: Database, planted: tuple[Planted, Planted]) -> None:
    with db.read() as session:
        rows = rows_of(session, "T1")
    assert all(rows.values()), [name for name, found in rows.items() if not found]


def test_what_a_workspace_sees_does_not_change_with_another_one(db: Database) -> None:
    everything = BY_NAME | BY_ID
    with db.write() as session:
        ids = plant(session, "T1")
    with rolled_back(db) as session:
        alone = {name: plain(call(session, "T1", ids)) for name, call in everything.items()}
    with db.write() as session:
        plant(session, "T2")
    with rolled_back(db) as session:
        beside = {name: plain(call(session, "T1", ids)) for name, call in everything.items()}
    assert beside == alone
    assert all(alone.values()), [name for name, found in alone.items() if not found]


def test_the_ids_of_another_workspace_find_nothing(db: Database, planted: tuple[Planted, Planted]) -> None:
    _, foreign = planted
    found = {}
    with rolled_back(db) as session:
        for name, call in BY_ID.items():
            try:
                found[name] = call(session, "T1", foreign)
            except NoResultFound:
                found[name] = None
    assert {name: one for name, one in found.items() if one} == {}


def test_of_a_workspace_that_is_forgotten_nothing_is_left(
    db: Database, planted: tuple[Planted, Planted]
) -> None:
    with db.write() as session:
        rows = sum(map(len, rows_of(session, "T1").values()))
        assert workspaces.count(UnitOfWork.around(session, Actor.system("T1"))) == rows > 30
        workspaces.forget(UnitOfWork.around(session, Actor.system("T1")))
    with db.read() as session:
        assert not any(rows_of(session, "T1").values())
        assert workspaces.count(UnitOfWork.around(session, Actor.system("T2"))) == rows


def _sent(session: Session, workspace_id: str, ids: Planted) -> OutboxMessage:
    """The planted message, as if it had been sent."""
    row = ledger.get(UnitOfWork.around(session, Actor.system(workspace_id)), message_id=ids.message)
    assert row is not None
    row.state = MessageState.SENT
    return row


@pytest.mark.parametrize("name", sorted(WRITES))
def test_a_write_leaves_the_other_workspace_alone(
    db: Database, planted: tuple[Planted, Planted], name: str
) -> None:
    mine, _ = planted
    with db.read() as session:
        before, other_before = rows_of(session, "T1"), rows_of(session, "T2")
    with db.write() as session:
        WRITES[name](session, "T1", mine)
    with db.read() as session:
        assert rows_of(session, "T2") == other_before
        assert rows_of(session, "T1") != before
