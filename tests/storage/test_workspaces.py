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
from cadence.rules.modes import Mode
from cadence.rules.verdicts import Decision
from storage import trail
from storage.engine import Database
from storage.outbox import attempts, leases, ledger, rate_limits, report, slots
from storage.outbox.report import Wanted
from storage.outbox.slots import Nudged
from storage.queries import (
    adoptions,
    cycles,
    decisions,
    digest_watches,
    digests,
    drafts,
    drifts,
    exports,
    forgetting,
    handoffs,
    homes,
    installations,
    lessons,
    numbers,
    own_runs,
    pauses,
    people,
    plans,
    playbooks,
    registry,
    reports,
    requests,
    rubrics,
    signals,
)
from storage.tables import (
    Cycle,
    CycleState,
    LoggedException,
    MessageState,
    ModeChange,
    OwedMessage,
    Promotion,
    PromotionState,
    RubricResult,
    SpotAudit,
    StepDrift,
    StepVerdict,
)
from storage.trail import Scope
from storage.work import UnitOfWork
from tests.storage.seeds import (
    CHANNEL,
    DAY,
    MEMBER,
    MONDAY,
    NOW,
    OTHER,
    Planted,
    number,
    owed,
    plant,
    verdict_row,
)
from tests.storage.seeds_installations import CLIENT, bot_row

NO_QUERIES = {"storage.queries.streams", "storage.outbox.rewrites"}
NO_QUERY = {
    "decisions.standing": "it picks from changes that were read before, of one step",
    "decisions.stands": "a condition on changes that the query it goes into reads, of its own workspace",
}
"""Public functions beside the queries that read nothing themselves."""
EVERY_WORKSPACE = {
    "people.workspaces": "the worker plans for each workspace of the installation",
    "installations.current": "a process serves every workspace that has installed the app",
    "installations.drop_states": "nor has who never came back",
    "installations.use_state": "whoever begins to install the app has no workspace yet",
    "cycles.closings": "the worker closes cycles in every workspace, and is told which one each is of",
    "cycles.watched": "the worker judges watched steps again as a week turns, and is told which one each is of",
    "leases.due_recipients": "the worker sends for every workspace, and is told which one each row is of",
    "leases.next_due": "the worker sleeps until something is due anywhere",
    "attempts.begin": "the row's own id, read a moment before with its workspace",
    "attempts.finish": "the row's own id, read a moment before with its workspace",
    "attempts.postpone": "the row's own id, read a moment before with its workspace",
    "rate_limits.next_turn": "the worker waits for the first turn anywhere",
    "attempts.renew": "the row's own id, read a moment before with its workspace",
    "attempts.correct_future": "the clock that was set back is the worker's, for every workspace",
    "rate_limits.correct_future": "the clock that was set back is the worker's, for every workspace",
    "attempts.under_way": "a worker that starts takes back what the one before it left, and is told each workspace",
}
BY_KEYWORD = {
    "leases.turn_of": "the worker takes the slot of a row whose workspace it was told",
    "leases.oldest_due": "the worker takes the slot of a row whose workspace it was told",
}

OF_NOBODY = {"slack_state"}
"""Tables whose rows belong to no workspace: somebody is about to install the bot, Slack will say where."""

Call = Callable[[Session, str, Planted], Any]
SINCE, UNTIL = NOW - 9 * DAY, NOW + 9 * DAY
ASKING = digests.Asking(MONDAY, {"Europe/Berlin": UNTIL}, {"Europe/Berlin": UNTIL})


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
                trail.record(
                    UnitOfWork.around(session, Actor.system(workspace_id)),
                    at=NOW,
                    member=None,
                    action=action,
                    subject=subject,
                    surface="rule",
                )
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
        found = decisions.overtaken(
            UnitOfWork.around(session, Actor.system(workspace_id)), verdict_ids=[ids.verdict]
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
        found = rubrics.overtaken_promotion(
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
        found = rubrics.lapsed_promotions(
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
            select(OwedMessage).where(OwedMessage.workspace_id == workspace_id, OwedMessage.kind == "digest")
        ):
            session.delete(row)
        session.flush()
        found = digests.is_first(UnitOfWork.around(session, Actor.system(workspace_id)), until=UNTIL)
        kept.rollback()
    return found


BY_NAME: dict[str, Call] = {
    "forgetting.count": lambda s, ws, _: forgetting.count(UnitOfWork.around(s, Actor.system(ws))),
    "adoptions.with_hours": lambda s, ws, _: adoptions.with_hours(UnitOfWork.around(s, Actor.system(ws))),
    "plans.stretch_of_teams": lambda s, ws, _: plans.stretch_of_teams(
        UnitOfWork.around(s, Actor.system(ws)), after=0, limit=1
    ),
    "plans.runs/stretch": lambda s, ws, _: plans.runs(
        UnitOfWork.around(s, Actor.system(ws)), teams=(0, 10**6), first=MONDAY, last=MONDAY
    ),
    "pauses.pauses": lambda s, ws, _: pauses.pauses(UnitOfWork.around(s, Actor.system(ws))),
    "plans.begun": lambda s, ws, _: plans.begun(
        UnitOfWork.around(s, Actor.system(ws)), first=MONDAY, last=MONDAY
    ),
    "plans.places/members": lambda s, ws, _: plans.places(
        UnitOfWork.around(s, Actor.system(ws)), lately=NOW, members=[MEMBER]
    ),
    "plans.places/stretch": lambda s, ws, _: plans.places(
        UnitOfWork.around(s, Actor.system(ws)), lately=NOW, stretch=(0, 10**6)
    ),
    "plans.persons/members": lambda s, ws, _: plans.persons(
        UnitOfWork.around(s, Actor.system(ws)), members=[MEMBER]
    ),
    "plans.persons/stretch": lambda s, ws, _: plans.persons(
        UnitOfWork.around(s, Actor.system(ws)), stretch=(0, 10**6)
    ),
    "plans.days_away/members": lambda s, ws, _: plans.days_away(
        UnitOfWork.around(s, Actor.system(ws)), first=MONDAY, last=MONDAY, members=[MEMBER]
    ),
    "plans.days_away/stretch": lambda s, ws, _: plans.days_away(
        UnitOfWork.around(s, Actor.system(ws)), first=MONDAY, last=MONDAY, stretch=(0, 10**6)
    ),
    "plans.resumed": lambda s, ws, _: plans.resumed(
        UnitOfWork.around(s, Actor.system(ws)), since=NOW - 90 * DAY
    ),
    "plans.changes": lambda s, ws, _: plans.changes(UnitOfWork.around(s, Actor.system(ws)), after=0),
    "plans.last_change": lambda s, ws, _: plans.last_change(UnitOfWork.around(s, Actor.system(ws))),
    "registry.nearest": lambda s, ws, _: registry.nearest(
        UnitOfWork.around(s, Actor.system(ws)), function=None, limit=9
    ),
    "registry.count_on_their_way": lambda s, ws, _: registry.count_on_their_way(
        UnitOfWork.around(s, Actor.system(ws)), function=None
    ),
    "registry.counts": lambda s, ws, _: registry.counts(UnitOfWork.around(s, Actor.system(ws))),
    "registry.page": lambda s, ws, _: registry.page(
        UnitOfWork.around(s, Actor.system(ws)), function=None, offset=0, limit=8
    ),
    "adoptions.runs_named": lambda s, ws, _: adoptions.runs_named(UnitOfWork.around(s, Actor.system(ws))),
    "adoptions.runs_named/member": lambda s, ws, _: adoptions.runs_named(
        UnitOfWork.around(s, Actor.system(ws)), member=MEMBER
    ),
    "playbooks.numbers": lambda s, ws, _: playbooks.numbers(UnitOfWork.around(s, Actor.system(ws))),
    "people.workspace": lambda s, ws, _: people.workspace(UnitOfWork.around(s, Actor.system(ws))),
    "people.standing": lambda s, ws, _: people.standing(
        UnitOfWork.around(s, Actor.system(ws)), member_id=MEMBER
    ),
    "people.team_ids": lambda s, ws, _: people.team_ids(
        UnitOfWork.around(s, Actor.system(ws)), member_id=MEMBER
    ),
    "people.team_slugs": lambda s, ws, _: people.team_slugs(UnitOfWork.around(s, Actor.system(ws))),
    "people.curators": lambda s, ws, _: people.curators(UnitOfWork.around(s, Actor.system(ws))),
    "people.member": lambda s, ws, _: people.member(UnitOfWork.around(s, Actor.system(ws)), member_id=MEMBER),
    "people.participant": lambda s, ws, _: people.participant(
        UnitOfWork.around(s, Actor.system(ws)), member_id=MEMBER
    ),
    "people.able": lambda s, ws, _: people.able(
        UnitOfWork.around(s, Actor.system(ws)), member_ids=[MEMBER, "U0GONE"]
    ),
    "people.without_part": lambda s, ws, _: people.without_part(
        UnitOfWork.around(s, Actor.system(ws)), member_ids=[MEMBER, "U0GONE"]
    ),
    "people.members": lambda s, ws, _: people.members(
        UnitOfWork.around(s, Actor.system(ws)), member_ids=[MEMBER]
    ),
    "people.team_by_slug": lambda s, ws, _: people.team_by_slug(
        UnitOfWork.around(s, Actor.system(ws)), slug="support"
    ),
    "people.team_by_channel": lambda s, ws, _: people.team_by_channel(
        UnitOfWork.around(s, Actor.system(ws)), channel=CHANNEL
    ),
    "people.teams": lambda s, ws, _: people.teams(UnitOfWork.around(s, Actor.system(ws))),
    "people.teams_of": lambda s, ws, _: people.teams_of(
        UnitOfWork.around(s, Actor.system(ws)), member_id=MEMBER
    ),
    "people.away_between": lambda s, ws, _: people.away_between(
        UnitOfWork.around(s, Actor.system(ws)), first=MONDAY, last=MONDAY
    ),
    "people.away_taken_back": lambda s, ws, _: people.away_taken_back(
        UnitOfWork.around(s, Actor.system(ws)), set_by="slack status", member_ids=[MEMBER]
    ),
    "playbooks.by_slug": lambda s, ws, _: playbooks.by_slug(
        UnitOfWork.around(s, Actor.system(ws)), slug="reply"
    ),
    "playbooks.playbooks": lambda s, ws, _: playbooks.playbooks(UnitOfWork.around(s, Actor.system(ws))),
    "people.known_to": lambda s, ws, _: people.known_to(
        UnitOfWork.around(s, Actor.system(ws)), member_id=MEMBER
    ),
    "people.known_to/everywhere": lambda s, ws, _: people.known_to(
        UnitOfWork.around(s, Actor.system(ws)), member_id=MEMBER, everywhere=True
    ),
    "adoptions.runs/member": lambda s, ws, _: adoptions.runs(
        UnitOfWork.around(s, Actor.system(ws)), on=MONDAY, member=MEMBER
    ),
    "own_runs.own": lambda s, ws, _: own_runs.own(
        UnitOfWork.around(s, Actor.system(ws)), member_id=MEMBER, request="asked before", on=MONDAY
    ),
    "requests.find": lambda s, ws, _: requests.find(
        UnitOfWork.around(s, Actor.system(ws)), member=MEMBER, request="asked before"
    ),
    "adoptions.runs": lambda s, ws, _: adoptions.runs(UnitOfWork.around(s, Actor.system(ws)), on=MONDAY),
    "playbooks.adoption_counts": lambda s, ws, _: playbooks.adoption_counts(
        UnitOfWork.around(s, Actor.system(ws))
    ),
    "playbooks.published_at": lambda s, ws, _: playbooks.published_at(UnitOfWork.around(s, Actor.system(ws))),
    "playbooks.newest_versions": lambda s, ws, _: playbooks.newest_versions(
        UnitOfWork.around(s, Actor.system(ws))
    ),
    "decisions.verdicts_after": lambda s, ws, _: decisions.verdicts_after(
        UnitOfWork.around(s, Actor.system(ws)), after=0
    ),
    "decisions.mode_changes": lambda s, ws, _: decisions.mode_changes(
        UnitOfWork.around(s, Actor.system(ws)), since=SINCE, until=UNTIL
    ),
    "drafts.find": lambda s, ws, _: drafts.find(
        UnitOfWork.around(s, Actor.system(ws)), member=MEMBER, subject="playbook", lock=True
    ),
    "report.find": lambda s, ws, _: report.find(
        UnitOfWork.around(s, Actor.system(ws)), wanted=Wanted(), limit=9
    ),
    "report.totals": lambda s, ws, _: report.totals(UnitOfWork.around(s, Actor.system(ws)), wanted=Wanted()),
    "report.waiting": lambda s, ws, _: report.waiting(UnitOfWork.around(s, Actor.system(ws), UNTIL)),
    "report.by_state": lambda s, ws, _: report.by_state(UnitOfWork.around(s, Actor.system(ws))),
    "report.verdicts": lambda s, ws, _: report.verdicts(UnitOfWork.around(s, Actor.system(ws))),
    "report.stuck": lambda s, ws, _: report.stuck(
        UnitOfWork.around(s, Actor.system(ws)), since=SINCE, until=UNTIL
    ),
    "report.kinds": lambda s, ws, _: report.kinds(UnitOfWork.around(s, Actor.system(ws))),
    "leases.turn_of": lambda s, ws, _: leases.turn_of(s, workspace_id=ws, recipient=MEMBER, now=NOW),
    "leases.oldest_due": lambda s, ws, _: leases.oldest_due(s, workspace_id=ws, recipient=MEMBER, now=NOW),
    "ledger.sent_to": lambda s, ws, _: ledger.sent_to(
        UnitOfWork.around(s, Actor.system(ws)), recipient=CHANNEL, kinds=["watch"]
    ),
    "ledger.timestamps": lambda s, ws, _: ledger.timestamps(
        UnitOfWork.around(s, Actor.system(ws)), channel=CHANNEL
    ),
    "ledger.unsent_counts": lambda s, ws, _: ledger.unsent_counts(
        UnitOfWork.around(s, Actor.system(ws)), since=SINCE, until=UNTIL
    ),
    "trail.page/everything": lambda s, ws, _: trail.page(
        UnitOfWork.around(s, Actor.system(ws)),
        scope=Scope(member="U0", everything=True),
        private=[],
        hidden=["x"],
    ),
    "digests.zones": lambda s, ws, _: digests.zones(UnitOfWork.around(s, Actor.system(ws))),
    "digests.places": lambda s, ws, _: list(
        digests.places(UnitOfWork.around(s, Actor.system(ws)), today={"UTC": MONDAY})
    ),
    "digests.coverage": lambda s, ws, _: digests.coverage(
        UnitOfWork.around(s, Actor.system(ws)), asking=ASKING
    ),
    "digests.answering": lambda s, ws, _: list(
        digests.answering(UnitOfWork.around(s, Actor.system(ws)), asking=ASKING)
    ),
    "digests.in_cycle": lambda s, ws, _: digests.in_cycle(UnitOfWork.around(s, Actor.system(ws)), day=MONDAY),
    "digests.demoted": _slipping(
        lambda s, ws: list(digests.demoted(UnitOfWork.around(s, Actor.system(ws)), until=UNTIL))
    ),
    "digests.missed": _slipping(
        lambda s, ws: list(digests.missed(UnitOfWork.around(s, Actor.system(ws)), since=SINCE, until=UNTIL))
    ),
    "digests.promotions_open": lambda s, ws, _: list(
        digests.promotions_open(UnitOfWork.around(s, Actor.system(ws)))
    ),
    "digests.promotions_declined": _slipping(
        lambda s, ws: list(
            digests.promotions_declined(UnitOfWork.around(s, Actor.system(ws)), since=SINCE, until=UNTIL)
        )
    ),
    "digests.drifts_open": lambda s, ws, _: list(digests.drifts_open(UnitOfWork.around(s, Actor.system(ws)))),
    "digests.changes": lambda s, ws, _: list(
        digests.changes(UnitOfWork.around(s, Actor.system(ws)), since=SINCE, until=UNTIL, kind="demotion")
    ),
    "digests.readings": lambda s, ws, _: list(
        digests.readings(UnitOfWork.around(s, Actor.system(ws)), week_start=MONDAY)
    ),
    "digests.latest_readings": lambda s, ws, _: list(
        digests.latest_readings(UnitOfWork.around(s, Actor.system(ws)), week_start=MONDAY, many=3)
    ),
    "digests.most_runs": lambda s, ws, _: list(
        digests.most_runs(
            UnitOfWork.around(s, Actor.system(ws)), week_start=MONDAY, begun_by=MONDAY, above=0.5
        )
    ),
    "digest_watches.watches": _slipping(
        lambda s, ws: list(digest_watches.watches(UnitOfWork.around(s, Actor.system(ws)), week_start=MONDAY))
    ),
    "digest_watches.days_away": lambda s, ws, _: list(
        digest_watches.days_away(
            UnitOfWork.around(s, Actor.system(ws)), members=[MEMBER], first=MONDAY, last=MONDAY
        )
    ),
    "digest_watches.answered_watches": _slipping(
        lambda s, ws: sorted(
            digest_watches.answered_watches(
                UnitOfWork.around(s, Actor.system(ws)), subjects=["adoption:1/send"]
            )
        )
    ),
    "digests.idle_since": lambda s, ws, _: digests.idle_since(
        UnitOfWork.around(s, Actor.system(ws)), playbook_ids=range(1, 100)
    ),
    "digests.is_first": lambda s, ws, _: _before_any_digest(s, ws),
    "digests.not_retired": lambda s, ws, _: list(digests.not_retired(UnitOfWork.around(s, Actor.system(ws)))),
    "digests.teams_of_channels": lambda s, ws, _: digests.teams_of_channels(
        UnitOfWork.around(s, Actor.system(ws)), channels=[CHANNEL]
    ),
    "digests.adopted_before": lambda s, ws, _: digests.adopted_before(
        UnitOfWork.around(s, Actor.system(ws)), moment=UNTIL
    ),
    "digests.closed_before": _slipping(
        lambda s, ws: digests.closed_before(UnitOfWork.around(s, Actor.system(ws)), moment=UNTIL)
    ),
    "digests.setup_seconds": lambda s, ws, _: digests.setup_seconds(
        UnitOfWork.around(s, Actor.system(ws)), since=SINCE, until=UNTIL
    ),
    "signals.exceptions_between": lambda s, ws, _: signals.exceptions_between(
        UnitOfWork.around(s, Actor.system(ws)), since=SINCE, until=UNTIL
    ),
    "signals.overrides_between": lambda s, ws, _: signals.overrides_between(
        UnitOfWork.around(s, Actor.system(ws)), since=SINCE, until=UNTIL
    ),
    "signals.promotions_between": lambda s, ws, _: signals.promotions_between(
        UnitOfWork.around(s, Actor.system(ws)), since=SINCE, until=UNTIL
    ),
    "drifts.between": lambda s, ws, _: drifts.between(
        UnitOfWork.around(s, Actor.system(ws)), since=SINCE, until=UNTIL
    ),
    "reports.last_exception_by": lambda s, ws, _: reports.last_exception_by(
        UnitOfWork.around(s, Actor.system(ws)), member=MEMBER
    ),
    "rubrics.open_promotions": lambda s, ws, _: rubrics.open_promotions(
        UnitOfWork.around(s, Actor.system(ws))
    ),
    "rate_limits.free_at": lambda s, ws, _: rate_limits.free_at(
        UnitOfWork.around(s, Actor.system(ws)), names=[MEMBER]
    ),
    "handoffs.waiting": lambda s, ws, _: handoffs.waiting(UnitOfWork.around(s, Actor.system(ws))),
    "handoffs.overdue": lambda s, ws, _: handoffs.overdue(
        UnitOfWork.around(s, Actor.system(ws), UNTIL), limit=5
    ),
    "handoffs.counts": lambda s, ws, _: handoffs.counts(
        UnitOfWork.around(s, Actor.system(ws), UNTIL), since=SINCE, until=UNTIL
    ),
    "handoffs.ended_between": lambda s, ws, _: handoffs.ended_between(
        UnitOfWork.around(s, Actor.system(ws)), since=SINCE, until=UNTIL
    ),
    "handoffs.failed_between": lambda s, ws, _: handoffs.failed_between(
        UnitOfWork.around(s, Actor.system(ws)), since=SINCE, until=UNTIL, limit=5
    ),
    "exports.kpis": lambda s, ws, _: exports.kpis(UnitOfWork.around(s, Actor.system(ws)), playbooks=None),
    "exports.trail": lambda s, ws, _: list(
        exports.trail(UnitOfWork.around(s, Actor.system(ws)), playbooks=None)
    ),
    "exports.verdicts/all": lambda s, ws, _: list(
        exports.verdicts(UnitOfWork.around(s, Actor.system(ws)), playbooks=None)
    ),
    "trail.entries": lambda s, ws, _: trail.entries(UnitOfWork.around(s, Actor.system(ws))),
    "homes.get": lambda s, ws, _: homes.get(UnitOfWork.around(s, Actor.system(ws)), member=MEMBER),
    "homes.changes": lambda s, ws, _: len(homes.changes(UnitOfWork.around(s, Actor.system(ws)), limit=99)),
    "homes.opened_since": lambda s, ws, _: homes.opened_since(
        UnitOfWork.around(s, Actor.system(ws)), since=SINCE
    ),
    "homes.stale": lambda s, ws, _: homes.stale(
        UnitOfWork.around(s, Actor.system(ws), NOW), since=SINCE, limit=9
    ),
    "homes.concerned/names": lambda s, ws, _: homes.concerned(
        UnitOfWork.around(s, Actor.system(ws)), subjects=["team:support", "playbook:reply"]
    ),
}


def watched(ids: Planted) -> StepVerdict:
    """What tells the window of the planted verdicts."""
    return verdict_row(ids)


BY_ID: dict[str, Call] = {
    "homes.concerned/ids": lambda s, ws, ids: homes.concerned(
        UnitOfWork.around(s, Actor.system(ws)),
        subjects=[f"adoption:{ids.adoption}/send", f"verdict:{ids.verdict}", f"cycle:{ids.cycle}"],
    ),
    "exports.readings": lambda s, ws, ids: list(
        exports.readings(UnitOfWork.around(s, Actor.system(ws)), playbooks=[ids.playbook])
    ),
    "exports.check_ins": lambda s, ws, ids: list(
        exports.check_ins(UnitOfWork.around(s, Actor.system(ws)), playbooks=[ids.playbook])
    ),
    "exports.exceptions": lambda s, ws, ids: list(
        exports.exceptions(UnitOfWork.around(s, Actor.system(ws)), playbooks=[ids.playbook])
    ),
    "exports.verdicts": lambda s, ws, ids: list(
        exports.verdicts(UnitOfWork.around(s, Actor.system(ws)), playbooks=[ids.playbook])
    ),
    "exports.drifted": lambda s, ws, ids: exports.drifted(
        UnitOfWork.around(s, Actor.system(ws)), check_ins=[ids.check_in]
    ),
    "playbooks.by_id": lambda s, ws, ids: playbooks.by_id(
        UnitOfWork.around(s, Actor.system(ws)), playbook_id=ids.playbook
    ),
    "playbooks.published": lambda s, ws, ids: playbooks.published(
        UnitOfWork.around(s, Actor.system(ws)), playbook_id=ids.playbook
    ),
    "playbooks.newest_published": lambda s, ws, ids: playbooks.newest_published(
        UnitOfWork.around(s, Actor.system(ws)), playbook_id=ids.playbook
    ),
    "playbooks.revision": lambda s, ws, ids: playbooks.revision(
        UnitOfWork.around(s, Actor.system(ws)), playbook_id=ids.playbook, revision=1
    ),
    "registry.last_results": _closed_with_a_number,
    "registry.adopters": lambda s, ws, ids: registry.adopters(
        UnitOfWork.around(s, Actor.system(ws)), playbook_ids=[ids.playbook], limit=5
    ),
    "registry.version_rows": lambda s, ws, ids: registry.version_rows(
        UnitOfWork.around(s, Actor.system(ws)), version_ids=[ids.version]
    ),
    "registry.newest_verdicts": lambda s, ws, ids: registry.newest_verdicts(
        UnitOfWork.around(s, Actor.system(ws)), adoption_ids=[ids.adoption]
    ),
    "registry.overrides": lambda s, ws, ids: registry.overrides(
        UnitOfWork.around(s, Actor.system(ws)), playbook_ids=[ids.playbook]
    ),
    "playbooks.lock_playbook": lambda s, ws, ids: playbooks.lock_playbook(
        UnitOfWork.around(s, Actor.system(ws)), playbook_id=ids.playbook
    ),
    "playbooks.adopters": lambda s, ws, ids: playbooks.adopters(
        UnitOfWork.around(s, Actor.system(ws)), playbook_id=ids.playbook
    ),
    "playbooks.cycles": lambda s, ws, ids: playbooks.cycles(
        UnitOfWork.around(s, Actor.system(ws)), adoption_ids=[ids.adoption]
    ),
    "playbooks.setups": lambda s, ws, ids: playbooks.setups(
        UnitOfWork.around(s, Actor.system(ws)), adoption_ids=[ids.adoption]
    ),
    "playbooks.overrides": lambda s, ws, ids: playbooks.overrides(
        UnitOfWork.around(s, Actor.system(ws)), playbook_id=ids.playbook
    ),
    "people.team_by_id": lambda s, ws, ids: people.team_by_id(
        UnitOfWork.around(s, Actor.system(ws)), team_id=ids.team
    ),
    "people.join_request": lambda s, ws, ids: people.join_request(
        UnitOfWork.around(s, Actor.system(ws)), request_id=ids.join_request
    ),
    "people.open_join_requests": lambda s, ws, ids: people.open_join_requests(
        UnitOfWork.around(s, Actor.system(ws)), team_id=ids.team, members=[OTHER]
    ),
    "people.owners_of": lambda s, ws, ids: people.owners_of(
        UnitOfWork.around(s, Actor.system(ws)), team_id=ids.team
    ),
    "people.memberships": lambda s, ws, ids: people.memberships(
        UnitOfWork.around(s, Actor.system(ws)), team_ids=[ids.team]
    ),
    "playbooks.newest_version": lambda s, ws, ids: playbooks.newest_version(
        UnitOfWork.around(s, Actor.system(ws)), playbook_id=ids.playbook
    ),
    "playbooks.version": lambda s, ws, ids: playbooks.version(
        UnitOfWork.around(s, Actor.system(ws)), version_id=ids.version
    ),
    "playbooks.adoption_of": lambda s, ws, ids: playbooks.adoption_of(
        UnitOfWork.around(s, Actor.system(ws)), playbook_id=ids.playbook, team_id=ids.team
    ),
    "adoptions.runs/adoption": lambda s, ws, ids: adoptions.runs(
        UnitOfWork.around(s, Actor.system(ws)), on=MONDAY, adoption_id=ids.adoption
    ),
    "playbooks.lock_adoption": lambda s, ws, ids: playbooks.lock_adoption(
        UnitOfWork.around(s, Actor.system(ws)), adoption_id=ids.adoption
    ),
    "playbooks.steps": lambda s, ws, ids: playbooks.steps(
        UnitOfWork.around(s, Actor.system(ws)), adoption_id=ids.adoption
    ),
    "playbooks.cycle": lambda s, ws, ids: playbooks.cycle(
        UnitOfWork.around(s, Actor.system(ws)), cycle_id=ids.cycle
    ),
    "playbooks.cycles_of": lambda s, ws, ids: playbooks.cycles_of(
        UnitOfWork.around(s, Actor.system(ws)), adoption_id=ids.adoption
    ),
    "playbooks.cycle_on": lambda s, ws, ids: playbooks.cycle_on(
        UnitOfWork.around(s, Actor.system(ws)), adoption_id=ids.adoption, day=MONDAY
    ),
    "reports.check_in": lambda s, ws, ids: reports.check_in(
        UnitOfWork.around(s, Actor.system(ws)), adoption_id=ids.adoption, week_start=MONDAY, member=MEMBER
    ),
    "reports.drifted_steps": lambda s, ws, ids: reports.drifted_steps(
        UnitOfWork.around(s, Actor.system(ws)), check_in_id=ids.check_in
    ),
    "reports.answers": lambda s, ws, ids: reports.answers(
        UnitOfWork.around(s, Actor.system(ws)), adoption_id=ids.adoption, first=MONDAY, last=MONDAY
    ),
    "reports.answered_members": lambda s, ws, ids: reports.answered_members(
        UnitOfWork.around(s, Actor.system(ws)), adoption_id=ids.adoption, week_start=MONDAY
    ),
    "reports.reading": lambda s, ws, ids: reports.reading(
        UnitOfWork.around(s, Actor.system(ws)), adoption_id=ids.adoption, week_start=MONDAY
    ),
    "reports.readings": lambda s, ws, ids: reports.readings(
        UnitOfWork.around(s, Actor.system(ws)), cycle_id=ids.cycle
    ),
    "reports.latest_reading": lambda s, ws, ids: reports.latest_reading(
        UnitOfWork.around(s, Actor.system(ws)), adoption_id=ids.adoption, until=MONDAY
    ),
    "reports.exception": lambda s, ws, ids: reports.exception(
        UnitOfWork.around(s, Actor.system(ws)), exception_id=ids.exception
    ),
    "reports.exceptions_by": lambda s, ws, ids: reports.exceptions_by(
        UnitOfWork.around(s, Actor.system(ws)),
        member=MEMBER,
        adoption_id=ids.adoption,
        step="send",
        since=SINCE,
    ),
    "reports.exceptions_by_link": lambda s, ws, ids: reports.exceptions_by_link(
        UnitOfWork.around(s, Actor.system(ws)),
        adoption_id=ids.adoption,
        step="send",
        link="https://t.example/archives/C1/p1",
    ),
    "reports.exceptions": lambda s, ws, ids: reports.exceptions(
        UnitOfWork.around(s, Actor.system(ws)), adoption_id=ids.adoption, step="send", cycle_id=ids.cycle
    ),
    "reports.marks": lambda s, ws, ids: [
        one for one in reports.marks(UnitOfWork.around(s, Actor.system(ws)), adoption_id=ids.adoption) if one
    ],
    "reports.last_check_in_id": lambda s, ws, ids: reports.last_check_in_id(
        UnitOfWork.around(s, Actor.system(ws)), adoption_id=ids.adoption
    ),
    "reports.exception_counts": lambda s, ws, ids: reports.exception_counts(
        UnitOfWork.around(s, Actor.system(ws)), adoption_ids=[ids.adoption], since=SINCE, until=UNTIL
    ),
    "cycles.attested_runs": lambda s, ws, ids: cycles.attested_runs(
        UnitOfWork.around(s, Actor.system(ws)), cycle_id=ids.cycle
    ),
    "cycles.exception_reasons": lambda s, ws, ids: cycles.exception_reasons(
        UnitOfWork.around(s, Actor.system(ws)), cycle_id=ids.cycle
    ),
    "cycles.joined_since": lambda s, ws, ids: cycles.joined_since(
        UnitOfWork.around(s, Actor.system(ws)), playbook_id=ids.playbook, team_id=0, since=SINCE
    ),
    "cycles.team": lambda s, ws, ids: cycles.team(UnitOfWork.around(s, Actor.system(ws)), team_id=ids.team),
    "decisions.last_verdicts": lambda s, ws, ids: decisions.last_verdicts(
        UnitOfWork.around(s, Actor.system(ws)), adoption_id=ids.adoption, step="send"
    ),
    "decisions.overtaken": _overtaken,
    "decisions.mode_history": lambda s, ws, ids: decisions.mode_history(
        UnitOfWork.around(s, Actor.system(ws)), adoption_id=ids.adoption, step="send"
    ),
    "decisions.mode_change": lambda s, ws, ids: decisions.mode_change(
        UnitOfWork.around(s, Actor.system(ws)), change_id=ids.mode_change
    ),
    "decisions.alerting": lambda s, ws, ids: decisions.alerting(
        UnitOfWork.around(s, Actor.system(ws)), row=watched(ids)
    ),
    "decisions.first_watch": lambda s, ws, ids: decisions.first_watch(
        UnitOfWork.around(s, Actor.system(ws)), row=watched(ids)
    ),
    "decisions.end_of_watch": lambda s, ws, ids: decisions.end_of_watch(
        UnitOfWork.around(s, Actor.system(ws)), row=watched(ids)
    ),
    "decisions.latest_watch": lambda s, ws, ids: decisions.latest_watch(
        UnitOfWork.around(s, Actor.system(ws)), row=watched(ids)
    ),
    "trail.last_id": lambda s, ws, ids: trail.last_id(
        UnitOfWork.around(s, Actor.system(ws)), subject=f"adoption:{ids.adoption}/send"
    ),
    "decisions.verdict": lambda s, ws, ids: decisions.verdict(
        UnitOfWork.around(s, Actor.system(ws)), verdict_id=ids.verdict
    ),
    "decisions.count_verdicts": lambda s, ws, ids: decisions.count_verdicts(
        UnitOfWork.around(s, Actor.system(ws)), cycle_id=ids.cycle, step="send", decisions=list(Decision)
    ),
    "decisions.closing_verdicts": lambda s, ws, ids: decisions.closing_verdicts(
        UnitOfWork.around(s, Actor.system(ws)), cycle_ids=[ids.cycle], step="send"
    ),
    "decisions.last_demotion": lambda s, ws, ids: decisions.last_demotion(
        UnitOfWork.around(s, Actor.system(ws)), adoption_id=ids.adoption, step="send"
    ),
    "trail.page": lambda s, ws, ids: trail.page(
        UnitOfWork.around(s, Actor.system(ws)),
        scope=Scope(member="U0", whole=(ids.adoption,), shared=(ids.adoption,)),
        private=["check-in"],
        hidden=["x"],
    ),
    "digests.weeks_of_readings": lambda s, ws, ids: list(
        digests.weeks_of_readings(
            UnitOfWork.around(s, Actor.system(ws)), adoption_ids=[ids.adoption], until=MONDAY, many=3
        )
    ),
    "digests.attestations": lambda s, ws, ids: list(
        digests.attestations(
            UnitOfWork.around(s, Actor.system(ws)), adoption_ids=[ids.adoption], since=MONDAY, until=MONDAY
        )
    ),
    "digest_watches.logged": lambda s, ws, ids: list(
        digest_watches.logged(
            UnitOfWork.around(s, Actor.system(ws)), adoption_ids=[ids.adoption], cycle_ids=[ids.cycle]
        )
    ),
    "digest_watches.answers": lambda s, ws, ids: list(
        digest_watches.answers(
            UnitOfWork.around(s, Actor.system(ws)),
            adoption_ids=[ids.adoption],
            first=MONDAY,
            last=MONDAY,
            latest=4,
        )
    ),
    "digest_watches.answer_ids": lambda s, ws, ids: list(
        digest_watches.answer_ids(
            UnitOfWork.around(s, Actor.system(ws)), adoption_ids=[ids.adoption], since=MONDAY
        )
    ),
    "digest_watches.begun": lambda s, ws, ids: list(
        digest_watches.begun(UnitOfWork.around(s, Actor.system(ws)), adoption_ids=[ids.adoption])
    ),
    "digest_watches.places": lambda s, ws, ids: digest_watches.places(
        UnitOfWork.around(s, Actor.system(ws)), subjects=[f"adoption:{ids.adoption}/send"]
    ),
    "digest_watches.presences": lambda s, ws, ids: list(
        digest_watches.presences(UnitOfWork.around(s, Actor.system(ws)), team_ids=[ids.team])
    ),
    "signals.runs_by_member": lambda s, ws, ids: signals.runs_by_member(
        UnitOfWork.around(s, Actor.system(ws)), cycle_id=ids.cycle
    ),
    "signals.latest_readings": lambda s, ws, ids: signals.latest_readings(
        UnitOfWork.around(s, Actor.system(ws)), adoption_id=ids.adoption, until=MONDAY, limit=4
    ),
    "signals.attestations": lambda s, ws, ids: signals.attestations(
        UnitOfWork.around(s, Actor.system(ws)), adoption_id=ids.adoption, weeks=[MONDAY]
    ),
    "drifts.event": lambda s, ws, ids: drifts.event(
        UnitOfWork.around(s, Actor.system(ws)), drift_id=ids.drift
    ),
    "drifts.alerts_until": lambda s, ws, ids: drifts.alerts_until(
        UnitOfWork.around(s, Actor.system(ws)), found=s.get_one(StepDrift, ids.drift)
    ),
    "drifts.attested": lambda s, ws, ids: drifts.attested(
        UnitOfWork.around(s, Actor.system(ws)), cycle_id=ids.cycle
    ),
    "drifts.events": lambda s, ws, ids: drifts.events(
        UnitOfWork.around(s, Actor.system(ws)), adoption_id=ids.adoption, step="send"
    ),
    "rubrics.results_of_cycle": lambda s, ws, ids: rubrics.results_of_cycle(
        UnitOfWork.around(s, Actor.system(ws)), cycle_id=ids.cycle
    ),
    "rubrics.result": lambda s, ws, ids: rubrics.result(
        UnitOfWork.around(s, Actor.system(ws)), result_id=ids.result
    ),
    "rubrics.calibration": lambda s, ws, ids: rubrics.calibration(
        UnitOfWork.around(s, Actor.system(ws)), adoption_id=ids.adoption
    ),
    "rubrics.result_of_audit": lambda s, ws, ids: rubrics.result_of_audit(
        UnitOfWork.around(s, Actor.system(ws)), audit_id=ids.audit
    ),
    "rubrics.revisions": lambda s, ws, ids: rubrics.revisions(
        UnitOfWork.around(s, Actor.system(ws)), adoption_id=ids.adoption, step="send"
    ),
    "rubrics.audit": lambda s, ws, ids: rubrics.audit(
        UnitOfWork.around(s, Actor.system(ws)), audit_id=ids.audit
    ),
    "rubrics.audits_of_week": lambda s, ws, ids: rubrics.audits_of_week(
        UnitOfWork.around(s, Actor.system(ws)), adoption_id=ids.adoption, week_start=MONDAY
    ),
    "rubrics.promotion": lambda s, ws, ids: rubrics.promotion(
        UnitOfWork.around(s, Actor.system(ws)), promotion_id=ids.promotion
    ),
    "rubrics.last_promotion": lambda s, ws, ids: rubrics.last_promotion(
        UnitOfWork.around(s, Actor.system(ws)), adoption_id=ids.adoption, step="send"
    ),
    "rubrics.promotions_of_cycle": lambda s, ws, ids: rubrics.promotions_of_cycle(
        UnitOfWork.around(s, Actor.system(ws)), cycle_id=ids.cycle
    ),
    "rubrics.overtaken_promotion": _overtaken_look,
    "rubrics.lapsed_promotions": _lapsed,
    "rubrics.open_promotions/adoption": lambda s, ws, ids: rubrics.open_promotions(
        UnitOfWork.around(s, Actor.system(ws)), adoption_id=ids.adoption, step="send"
    ),
    "plans.runs": lambda s, ws, ids: plans.runs(
        UnitOfWork.around(s, Actor.system(ws)), teams=[ids.team], first=MONDAY, last=MONDAY
    ),
    "rubrics.lock_adoptions": lambda s, ws, ids: rubrics.lock_adoptions(
        UnitOfWork.around(s, Actor.system(ws)), adoption_ids=[ids.adoption]
    ),
    "rubrics.cycles_of_week": lambda s, ws, ids: rubrics.cycles_of_week(
        UnitOfWork.around(s, Actor.system(ws)), adoption_ids=[ids.adoption], week_start=MONDAY
    ),
    "rubrics.attested": lambda s, ws, ids: rubrics.attested(
        UnitOfWork.around(s, Actor.system(ws)), adoption_ids=[ids.adoption], week_start=MONDAY
    ),
    "rubrics.ungraded": _ungraded,
    "rubrics.drawn": lambda s, ws, ids: rubrics.drawn(
        UnitOfWork.around(s, Actor.system(ws)), adoption_ids=[ids.adoption], week_start=MONDAY
    ),
    "plans.specs": lambda s, ws, ids: plans.specs(
        UnitOfWork.around(s, Actor.system(ws)), version_ids=[ids.version]
    ),
    "adoptions.by_id": lambda s, ws, ids: adoptions.by_id(
        UnitOfWork.around(s, Actor.system(ws)), adoption_id=ids.adoption
    ),
    "adoptions.first_of": lambda s, ws, ids: adoptions.first_of(
        UnitOfWork.around(s, Actor.system(ws)), playbook_id=ids.playbook
    ),
    "adoptions.running_of_team": lambda s, ws, ids: adoptions.running_of_team(
        UnitOfWork.around(s, Actor.system(ws)), team_id=ids.team
    ),
    "adoptions.of_adoption": lambda s, ws, ids: adoptions.of_adoption(
        UnitOfWork.around(s, Actor.system(ws)), adoption_id=ids.adoption
    ),
    "adoptions.ticks": lambda s, ws, ids: adoptions.ticks(
        UnitOfWork.around(s, Actor.system(ws)), setup_id=ids.setup
    ),
    "handoffs.get": lambda s, ws, ids: handoffs.get(
        UnitOfWork.around(s, Actor.system(ws)), handoff_id=ids.handoff
    ),
    "handoffs.waiting/of a sender": lambda s, ws, ids: handoffs.waiting(
        UnitOfWork.around(s, Actor.system(ws)), adoption_ids=[ids.adoption], team_ids=[]
    ),
    "registry.get": lambda s, ws, ids: registry.get(
        UnitOfWork.around(s, Actor.system(ws)), override_id=ids.override
    ),
    "lessons.of_playbook": lambda s, ws, ids: lessons.of_playbook(
        UnitOfWork.around(s, Actor.system(ws)), playbook_id=ids.playbook, limit=5
    ),
    "lessons.of_cycle": lambda s, ws, ids: lessons.of_cycle(
        UnitOfWork.around(s, Actor.system(ws)), cycle_id=ids.cycle
    ),
    "slots.known_keys": lambda s, ws, ids: slots.known_keys(
        UnitOfWork.around(s, Actor.system(ws)), keys=[ids.key]
    ),
    "numbers.is_there": lambda s, ws, ids: numbers.is_there(
        UnitOfWork.around(s, Actor.system(ws)), adoption_id=ids.adoption, week_start=MONDAY
    ),
    "ledger.get": lambda s, ws, ids: ledger.get(
        UnitOfWork.around(s, Actor.system(ws)), message_id=ids.message
    ),
    "ledger.by_prefix": lambda s, ws, ids: ledger.by_prefix(
        UnitOfWork.around(s, Actor.system(ws)), prefix=ids.key
    ),
}
WRITES: dict[str, Call] = {
    "people.remember_dm": lambda s, ws, _: people.remember_dm(
        UnitOfWork.around(s, Actor.system(ws), NOW), member_id=MEMBER, channel="D9"
    ),
    "people.set_curators": lambda s, ws, _: people.set_curators(
        UnitOfWork.around(s, Actor.system(ws), NOW), members=[OTHER]
    ),
    "people.set_members": lambda s, ws, ids: people.set_members(
        UnitOfWork.around(s, Actor.system(ws), NOW), team_id=ids.team, members=[OTHER]
    ),
    "people.end_away": lambda s, ws, _: people.end_away(
        UnitOfWork.around(s, Actor.system(ws), NOW), member_id=MEMBER, today=MONDAY
    ),
    "cycles.take_away": _take_away,
    "forgetting.forget": lambda s, ws, _: forgetting.forget(UnitOfWork.around(s, Actor.system(ws))),
    "installations.keep_newest": _install_again,
    "installations.remove": lambda s, ws, _: installations.remove(
        UnitOfWork.around(s, Actor.system(ws)), client_id=CLIENT
    ),
    "installations.rotate": lambda s, ws, _: installations.rotate(
        UnitOfWork.around(s, Actor.system(ws)),
        used="xoxe-1",
        token="xoxb-2",
        refresh_token="xoxe-2",
        expires_at=UNTIL,
    ),
    "installations.skip_owed": lambda s, ws, _: installations.skip_owed(
        UnitOfWork.around(s, Actor.system(ws)), reason="uninstalled"
    ),
    "numbers.keep": lambda s, ws, ids: numbers.keep(
        UnitOfWork.around(s, Actor.system(ws)), number=number(ids.adoption, ids.cycle)
    ),
    "requests.keep": lambda s, ws, _: requests.keep(
        UnitOfWork.around(s, Actor.system(ws), NOW), member=MEMBER, request="new", kind="mute", answer=None
    ),
    "requests.prune": lambda s, ws, _: requests.prune(UnitOfWork.around(s, Actor.system(ws)), before=UNTIL),
    "drafts.keep": lambda s, ws, _: drafts.keep(
        UnitOfWork.around(s, Actor.system(ws), UNTIL),
        member=MEMBER,
        subject="playbook",
        data={"title": "Reply"},
    ),
    "drafts.forget": lambda s, ws, _: drafts.forget(
        UnitOfWork.around(s, Actor.system(ws)), member=MEMBER, subject="playbook"
    ),
    "ledger.owe_rewrites": lambda s, ws, ids: ledger.owe_rewrites(
        UnitOfWork.around(s, Actor.system(ws), NOW), messages=[_sent(s, ws, ids)], mark="told"
    ),
    "ledger.owe": lambda s, ws, _: ledger.owe(
        UnitOfWork.around(s, Actor.system(ws), NOW), owed=[owed(f"new:{ws}")]
    ),
    "rubrics.add": lambda s, ws, ids: rubrics.add(
        UnitOfWork.around(s, Actor.system(ws)),
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
        UnitOfWork.around(s, Actor.system(ws), NOW),
        nudges=[Nudged(f"new:{ws}", "checkin", MEMBER, {"week": "2026-03-02"}, NOW, UNTIL)],
    ),
    "rate_limits.close": lambda s, ws, _: rate_limits.close(
        UnitOfWork.around(s, Actor.system(ws)), name=MEMBER, until=UNTIL + DAY
    ),
    "rate_limits.take": lambda s, ws, _: rate_limits.take(
        UnitOfWork.around(s, Actor.system(ws), NOW), name="new", until=UNTIL
    ),
    "rate_limits.spend": lambda s, ws, _: rate_limits.spend(
        UnitOfWork.around(s, Actor.system(ws), NOW), share=DAY, burst=DAY
    ),
    "attempts.take_back": lambda s, ws, ids: [
        attempts.begin(s, message_id=ids.message, attempts=0, now=NOW, channel="D1", text="hello"),
        attempts.take_back(UnitOfWork.around(s, Actor.system(ws), NOW), recipient=MEMBER),
    ],
    "attempts.renew": lambda s, ws, ids: [
        attempts.begin(s, message_id=ids.message, attempts=0, now=NOW, channel="D1", text="hello"),
        attempts.renew(s, message_id=ids.message, attempts=1, now=NOW),
    ],
    "attempts.finish": lambda s, ws, ids: attempts.finish(
        s, message_id=ids.message, state=MessageState.SENT, now=NOW, ts="1.2"
    ),
    "attempts.postpone": lambda s, ws, ids: attempts.postpone(
        s, message_id=ids.message, until=UNTIL, reason="busy"
    ),
    "attempts.begin": lambda s, ws, ids: attempts.begin(
        s, message_id=ids.message, attempts=0, now=NOW, channel="D1", text="hello"
    ),
    "homes.touch": lambda s, ws, _: homes.touch(
        UnitOfWork.around(s, Actor.system(ws)), subject=f"member:{MEMBER}"
    ),
    "homes.touch_all": lambda s, ws, _: homes.touch_all(
        UnitOfWork.around(s, Actor.system(ws)), subjects=[f"member:{MEMBER}"]
    ),
    "homes.opened": lambda s, ws, _: homes.opened(UnitOfWork.around(s, Actor.system(ws), NOW), member=OTHER),
    "homes.drop_changes": lambda s, ws, _: homes.drop_changes(
        UnitOfWork.around(s, Actor.system(ws)),
        ids=[row.id or 0 for row in homes.changes(UnitOfWork.around(s, Actor.system(ws)), limit=9)],
    ),
    "homes.mark": lambda s, ws, _: homes.mark(
        UnitOfWork.around(s, Actor.system(ws), NOW), members=[MEMBER], acted=[MEMBER]
    ),
    "homes.claim": lambda s, ws, _: homes.claim(
        UnitOfWork.around(s, Actor.system(ws), NOW), member=MEMBER, until=UNTIL, at_once=False
    ),
    "homes.shown": lambda s, ws, _: homes.shown(
        UnitOfWork.around(s, Actor.system(ws), NOW),
        member=MEMBER,
        changes=3,
        digest="d",
        not_before=UNTIL,
        published=True,
    ),
    "homes.failed": lambda s, ws, _: homes.failed(
        UnitOfWork.around(s, Actor.system(ws)), member=MEMBER, problem="user_not_found", again=None
    ),
    "trail.record_all": lambda s, ws, _: trail.record_all(
        UnitOfWork.around(s, Actor.system(ws)),
        at=NOW,
        entries=[trail.Entry("audit-drawn", "audit:1", "clock")],
    ),
    "trail.record": lambda s, ws, _: trail.record(
        UnitOfWork.around(s, Actor.system(ws)),
        at=NOW,
        member=None,
        action="digest",
        subject="workspace:1",
        surface="rule",
    ),
}


def modules() -> dict[str, ModuleType]:
    """Every module of `storage` that holds queries, by its noun."""
    found = [
        one.name
        for package in (storage.queries, storage.outbox)
        for one in pkgutil.iter_modules(package.__path__, f"{package.__name__}.")
    ]
    return {
        name.rpartition(".")[2]: importlib.import_module(name)
        for name in (*found, "storage.trail")
        if name not in NO_QUERIES
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
    elif name in BY_KEYWORD:
        workspace = next(one for one in others if one.name == "workspace_id")
        assert workspace.default is inspect.Parameter.empty
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
    assert tried - set(FUNCTIONS) == set()
    assert set(EVERY_WORKSPACE) <= set(FUNCTIONS)


def plain(value: Any) -> Any:
    """Rows as plain values, so that what two sessions found can be compared."""
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
    with db.read() as session:
        alone = {name: plain(call(session, "T1", ids)) for name, call in everything.items()}
    with db.write() as session:
        plant(session, "T2")
    with db.read() as session:
        beside = {name: plain(call(session, "T1", ids)) for name, call in everything.items()}
    assert beside == alone
    assert all(alone.values()), [name for name, found in alone.items() if not found]


def test_the_ids_of_another_workspace_find_nothing(db: Database, planted: tuple[Planted, Planted]) -> None:
    _, foreign = planted
    found = {}
    with db.read() as session:
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
        assert forgetting.count(UnitOfWork.around(session, Actor.system("T1"))) == rows > 30
        forgetting.forget(UnitOfWork.around(session, Actor.system("T1")))
    with db.read() as session:
        assert not any(rows_of(session, "T1").values())
        assert forgetting.count(UnitOfWork.around(session, Actor.system("T2"))) == rows


def _sent(session: Session, workspace_id: str, ids: Planted) -> OwedMessage:
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
