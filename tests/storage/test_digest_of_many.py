"""A digest takes as many queries for fifty adoptions as for ten, and finds the same as each one alone."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import event
from sqlmodel import Session, SQLModel

from cadence.actor import Actor
from cadence.flows.core import cycle_of_week
from cadence.flows.core.adoptions import AdoptionView, adoption_views, require_workspace
from cadence.flows.core.expected import expected_members
from cadence.flows.overview.digest_notes import tell_drift, tell_promotion
from cadence.flows.overview.digest_scope import DigestWeek
from cadence.flows.overview.digests import digest
from storage.engine import Database
from storage.queries import checkins, promotions
from storage.work import UnitOfWork
from templates.contexts.overview.digests import Coverage, Digest
from templates.ids import Action
from tests.bench.crowd import MONDAY, NOW, TEAM_ID, plant
from tests.storage.one_by_one import attention, decisions_waiting, drifts_of, missed, watched


@contextmanager
def counting(db: Database) -> Iterator[list[str]]:
    """The statements that the database is asked."""
    asked: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        asked.append(statement)

    event.listen(db.engine, "before_cursor_execute", note)
    try:
        yield asked
    finally:
        event.remove(db.engine, "before_cursor_execute", note)


def told(session: Session) -> Digest:
    return digest(UnitOfWork.around(session, Actor.system(TEAM_ID), NOW), week_start=MONDAY)


@pytest.mark.parametrize("seed", [5])
def test_the_sum_of_all_is_what_each_comes_to(db: Database, seed: int) -> None:
    plant(db, 60, seed=seed)
    with db.read() as session:
        shown = told(session)
        workspace = require_workspace(UnitOfWork.around(session, Actor.system(TEAM_ID)))
        runs = adoption_views(UnitOfWork.around(session, Actor.system(workspace.id), NOW))
        week = DigestWeek(MONDAY, ZoneInfo(workspace.timezone))
        watches = watched(session, runs, MONDAY)
        slips = attention(session, runs, week_start=MONDAY, until=week.at(1), now=NOW)
        rubrics: list[str] = [
            one.text for one in slips if one.offer and one.offer.action == Action.REVISE_RUBRIC
        ]
        missing: list[str] = [
            one.text for one in slips if one.offer and one.offer.action != Action.REVISE_RUBRIC
        ]
        by_id = {run.id: run for run in runs}
        proposed = promotions.open_promotions(UnitOfWork.around(session, Actor.system(workspace.id)))
        needs: list[str] = [tell_promotion(by_id[row.adoption_id], row).text for row in proposed] + rubrics
        jobs: list[str] = [tell_drift(run, row).text for run, row in drifts_of(session, runs)]
        for one in decisions_waiting(session, workspace, runs, watches):
            (jobs if one.who else needs).append(one.text)
        jobs += missing
        assert shown.decision_count == len(needs) > 0
        assert shown.owners_job_count == len(jobs) > 10
        unmet = missed(session, runs, since=week.at(0), until=week.at(1))
        assert 0 < len(unmet) <= shown.note_count
        assert list(shown.notes[: len(unmet)]) == unmet[: len(shown.notes)]
        assert [one.text for one in shown.decisions] == needs[:10]
        assert [one.text for one in shown.owners_jobs] == jobs[:3]
        assert shown.watch_count == len(watches) > 0
        over = {one.team: one.evidence for one in reversed(watches)}
        found = {one.team: one.evidence for one in shown.rows if one.over}
        assert found == {team: over[team] for team in found}
        assert len(found) == len([one for one in shown.rows if one.team in over]) > 0
        assert shown.coverage == coverage(session, runs, 0)
        assert shown.coverage_before == coverage(session, runs, -1)
        in_cycle = sum(
            cycle_of_week(UnitOfWork.around(session, Actor.system(run.workspace.id)), run, MONDAY) is not None
            for run in runs
        )
        assert shown.moved_count + shown.not_moved_count + shown.no_reading_count == in_cycle


def coverage(session: Session, runs: list[AdoptionView], weeks: int) -> Coverage:
    """Check-ins that came of those expected."""
    monday, came, asked = MONDAY + timedelta(weeks=weeks), 0, 0
    for run in runs:
        if cycle_of_week(UnitOfWork.around(session, Actor.system(run.workspace.id)), run, monday):
            expected = set(
                expected_members(
                    UnitOfWork.around(session, Actor.system(run.workspace.id)), run, week_start=monday
                )
            )
            answered = checkins.answered_members(
                UnitOfWork.around(session, Actor.system(TEAM_ID)), adoption_id=run.id, week_start=monday
            )
            came, asked = came + len(expected & answered), asked + len(expected)
    return Coverage(answered=came, asked=asked)


def test_more_adoptions_ask_no_more_of_the_database(db: Database) -> None:
    plant(db, 40)
    with counting(db) as few, db.read() as session:
        told(session)
    with db.write() as session:
        for table in reversed(SQLModel.metadata.sorted_tables):
            session.execute(table.delete())
    plant(db, 200)
    with counting(db) as many, db.read() as session:
        found = told(session)
        assert found.decision_count + found.owners_job_count > 40
    assert len(many) <= len(few) + 30, "an entry that is shown may ask for its row, and no other"
