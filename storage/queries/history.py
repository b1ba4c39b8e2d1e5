"""Queries on everything recorded, a page of plain rows at a time, for files larger than memory.

Each function yields pages of rows, oldest first, of some playbooks or, with None, of the whole workspace.
"""

from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Column, FromClause, Row, Table, and_, select
from sqlmodel import SQLModel, col

from storage.tables import (
    Adaptation,
    Adoption,
    AdoptionRequest,
    ApiToken,
    Assessment,
    CheckIn,
    CheckResult,
    CourseChange,
    Cutover,
    Cycle,
    DriftedStep,
    LoggedException,
    MeasuredRuns,
    Member,
    Playbook,
    PlaybookVersion,
    Promotion,
    Reading,
    SpotAudit,
    StepVerdict,
    Team,
    TrailEntry,
    TrainingGrade,
    TrainingSample,
    Wave,
    WaveTeam,
)
from storage.work import UnitOfWork

PAGE: Final = 1_000
"""Rows per page."""
Page = Sequence[Row[Any]]
_BEHIND: Final[dict[str, type[SQLModel]]] = {
    "cycle": Cycle,
    "verdict": StepVerdict,
    "promotion": Promotion,
    "audit": SpotAudit,
}
"""Nouns of a trail entry's subject that belong to an adoption."""


def readings(uow: UnitOfWork, *, playbooks: Collection[int] | None) -> Iterator[Page]:
    """Weekly numbers, including corrected ones."""
    return _reported(uow, Reading, playbooks)


def check_ins(uow: UnitOfWork, *, playbooks: Collection[int] | None) -> Iterator[Page]:
    """Check-in answers, including corrected ones."""
    return _reported(uow, CheckIn, playbooks)


def exceptions(uow: UnitOfWork, *, playbooks: Collection[int] | None) -> Iterator[Page]:
    """Logged exceptions."""
    return _reported(uow, LoggedException, playbooks)


def measured_runs(uow: UnitOfWork, *, playbooks: Collection[int] | None) -> Iterator[Page]:
    """Runs that tools counted, including corrected ones."""
    return _reported(uow, MeasuredRuns, playbooks)


def check_results(uow: UnitOfWork, *, playbooks: Collection[int] | None) -> Iterator[Page]:
    """Results of automated checks."""
    return _reported(uow, CheckResult, playbooks)


def verdicts(uow: UnitOfWork, *, playbooks: Collection[int] | None) -> Iterator[Page]:
    """Verdicts on steps, with the numbers behind them."""
    return _reported(uow, StepVerdict, playbooks)


def course_changes(uow: UnitOfWork, *, playbooks: Collection[int] | None) -> Iterator[Page]:
    """Changes of course of watched adoptions, with the numbers behind them."""
    query = (
        select(
            *CourseChange.__table__.c,  # type: ignore[attr-defined]
            col(Playbook.slug).label("playbook"),
            col(Team.slug).label("team"),
        )
        .join(Adoption, col(Adoption.id) == col(CourseChange.adoption_id))
        .join(Playbook, col(Playbook.id) == col(Adoption.playbook_id))
        .join(Team, col(Team.id) == col(Adoption.team_id))
        .where(col(CourseChange.workspace_id) == uow.workspace_id)
    )
    if playbooks is not None:
        query = query.where(col(Adoption.playbook_id).in_(playbooks))
    return _paged(uow, query, col(CourseChange.id))


def _paged(uow: UnitOfWork, query: Any, ident: Any) -> Iterator[Page]:
    """Pages of a query, by an id."""
    last = 0
    while True:
        rows = uow.session.execute(query.where(ident > last).order_by(ident).limit(PAGE)).all()
        if rows:
            yield rows
        if len(rows) < PAGE:
            return
        last = rows[-1].id


def _reported(uow: UnitOfWork, model: type[SQLModel], playbooks: Collection[int] | None) -> Iterator[Page]:
    """Rows of a table with `playbook`, `team`, `cycle`, the `revision` of the cycle, `member_name`, and
    the `tool` that reported them."""
    table: Table = model.__table__  # type: ignore[attr-defined]
    query = (
        select(
            *table.c,
            col(Playbook.slug).label("playbook"),
            col(Team.slug).label("team"),
            col(Cycle.number).label("cycle"),
            col(Cycle.version_id).label("revision"),
        )
        .join(Adoption, col(Adoption.id) == table.c.adoption_id)
        .join(Playbook, col(Playbook.id) == col(Adoption.playbook_id))
        .join(Team, col(Team.id) == col(Adoption.team_id))
        .join(Cycle, col(Cycle.id) == table.c.cycle_id)
        .where(table.c.workspace_id == uow.workspace_id)
    )
    if "member" in table.c:
        named = and_(col(Member.workspace_id) == uow.workspace_id, col(Member.id) == table.c.member)
        query = query.add_columns(col(Member.name).label("member_name")).outerjoin(Member, named)
    if "token_id" in table.c:
        by = and_(col(ApiToken.workspace_id) == uow.workspace_id, col(ApiToken.id) == table.c.token_id)
        query = query.add_columns(col(ApiToken.name).label("tool")).outerjoin(ApiToken, by)
    if playbooks is not None:
        query = query.where(col(Adoption.playbook_id).in_(playbooks))
    return _paged(uow, query, table.c.id)


def assessments(uow: UnitOfWork, *, playbooks: Collection[int] | None) -> Iterator[Page]:
    """Assessments of pilots, including corrected ones."""
    return _of_playbooks(uow, Assessment, playbooks)


def cutovers(uow: UnitOfWork, *, playbooks: Collection[int] | None) -> Iterator[Page]:
    """Requests for a cutover, and decisions on them."""
    return _of_playbooks(uow, Cutover, playbooks)


def training_samples(uow: UnitOfWork, *, playbooks: Collection[int] | None) -> Iterator[Page]:
    """Training samples, including removed ones."""
    return _of_playbooks(uow, TrainingSample, playbooks)


def training_grades(uow: UnitOfWork, *, playbooks: Collection[int] | None) -> Iterator[Page]:
    """Champions' grades of training samples, including replaced ones."""
    return _of_playbooks(uow, TrainingGrade, playbooks)


def _of_playbooks(
    uow: UnitOfWork, model: type[SQLModel], playbooks: Collection[int] | None
) -> Iterator[Page]:
    """Rows of a table about playbooks or their adoptions, with `playbook` and, for adoptions, `team`."""
    table: Table = model.__table__  # type: ignore[attr-defined]
    columns = [*table.c, col(Playbook.slug).label("playbook")]
    source: FromClause = table
    if "adoption_id" in table.c:
        source = table.join(Adoption.__table__, col(Adoption.id) == table.c.adoption_id).join(  # type: ignore[attr-defined]
            Team.__table__,  # type: ignore[attr-defined]
            col(Team.id) == col(Adoption.team_id),
        )
        columns.append(col(Team.slug).label("team"))
    of = table.c.playbook_id if "playbook_id" in table.c else col(Adoption.playbook_id)
    query = (
        select(*columns)
        .select_from(source.join(Playbook.__table__, col(Playbook.id) == of))  # type: ignore[attr-defined]
        .where(table.c.workspace_id == uow.workspace_id)
    )
    if playbooks is not None:
        query = query.where(of.in_(playbooks))
    return _paged(uow, query, table.c.id)


def waves(uow: UnitOfWork, *, playbooks: Collection[int] | None) -> list[Row[Any]]:
    """The waves, canceled ones too, with `playbook`."""
    query = (
        select(*_columns(Wave), col(Playbook.slug).label("playbook"))
        .join(Playbook, col(Playbook.id) == col(Wave.playbook_id))
        .where(col(Wave.workspace_id) == uow.workspace_id)
    )
    if playbooks is not None:
        query = query.where(col(Wave.playbook_id).in_(playbooks))
    return list(uow.session.execute(query.order_by(col(Wave.id))))


def wave_teams(uow: UnitOfWork, *, playbooks: Collection[int] | None) -> list[Row[Any]]:
    """The teams of waves, removed ones too, with `playbook`, `wave` and `team`."""
    query = (
        select(
            *_columns(WaveTeam),
            col(Playbook.slug).label("playbook"),
            col(Wave.number).label("wave"),
            col(Team.slug).label("team"),
        )
        .join(Wave, col(Wave.id) == col(WaveTeam.wave_id))
        .join(Playbook, col(Playbook.id) == col(Wave.playbook_id))
        .join(Team, col(Team.id) == col(WaveTeam.team_id))
        .where(col(WaveTeam.workspace_id) == uow.workspace_id)
    )
    if playbooks is not None:
        query = query.where(col(Wave.playbook_id).in_(playbooks))
    return list(uow.session.execute(query.order_by(col(WaveTeam.id))))


def adoption_requests(uow: UnitOfWork, *, playbooks: Collection[int] | None) -> list[Row[Any]]:
    """The requests for playbooks, withdrawn ones too, with `playbook` and `team`."""
    query = (
        select(*_columns(AdoptionRequest), col(Playbook.slug).label("playbook"), col(Team.slug).label("team"))
        .join(Playbook, col(Playbook.id) == col(AdoptionRequest.playbook_id))
        .join(Team, col(Team.id) == col(AdoptionRequest.team_id))
        .where(col(AdoptionRequest.workspace_id) == uow.workspace_id)
    )
    if playbooks is not None:
        query = query.where(col(AdoptionRequest.playbook_id).in_(playbooks))
    return list(uow.session.execute(query.order_by(col(AdoptionRequest.id))))


def adaptations(uow: UnitOfWork, *, playbooks: Collection[int] | None) -> list[Row[Any]]:
    """The adapted parts, replaced ones too, with `playbook` and `team`."""
    query = (
        select(*_columns(Adaptation), col(Playbook.slug).label("playbook"), col(Team.slug).label("team"))
        .join(Adoption, col(Adoption.id) == col(Adaptation.adoption_id))
        .join(Playbook, col(Playbook.id) == col(Adoption.playbook_id))
        .join(Team, col(Team.id) == col(Adoption.team_id))
        .where(col(Adaptation.workspace_id) == uow.workspace_id)
    )
    if playbooks is not None:
        query = query.where(col(Adoption.playbook_id).in_(playbooks))
    return list(uow.session.execute(query.order_by(col(Adaptation.id))))


def _columns(model: type[SQLModel]) -> Sequence[Column[Any]]:
    table: Table = model.__table__  # type: ignore[attr-defined]
    return list(table.c)


def drifted(uow: UnitOfWork, *, check_ins: Collection[int]) -> dict[int, list[tuple[str, str]]]:
    """(step, actual mode) of drifted check-ins, by their id."""
    query = (
        select(col(DriftedStep.check_in_id), col(DriftedStep.step), col(DriftedStep.mode))
        .where(col(DriftedStep.workspace_id) == uow.workspace_id, col(DriftedStep.check_in_id).in_(check_ins))
        .order_by(col(DriftedStep.id))
    )
    found: dict[int, list[tuple[str, str]]] = defaultdict(list)
    for check_in, step, mode in uow.session.execute(query):
        found[check_in].append((step, mode.value))
    return found


def kpis(uow: UnitOfWork, *, playbooks: Collection[int] | None) -> dict[int, dict[str, Any]]:
    """The KPI of each revision of the playbooks, by the revision's id."""
    query = select(col(PlaybookVersion.id), col(PlaybookVersion.spec)).where(
        col(PlaybookVersion.workspace_id) == uow.workspace_id
    )
    if playbooks is not None:
        query = query.where(col(PlaybookVersion.playbook_id).in_(playbooks))
    return {version: spec.get("kpi", {}) for version, spec in uow.session.execute(query)}


@dataclass(frozen=True, slots=True)
class Entry:
    """An entry of the trail, with the playbook and team it is about, if any."""

    row: Row[Any]
    playbook: str = ""
    team: str = ""


def trail(uow: UnitOfWork, *, playbooks: Collection[int] | None) -> Iterator[list[Entry]]:
    """The trail. For some playbooks: entries about them, their adoptions, cycles, verdicts and promotions."""
    uow.flush_trail()
    runs = _adoptions(uow, playbooks)
    slugs = _slugs(uow, playbooks)
    table: Table = TrailEntry.__table__  # type: ignore[attr-defined]
    named = and_(col(Member.workspace_id) == uow.workspace_id, col(Member.id) == table.c.member)
    query = (
        select(*table.c, col(Member.name).label("member_name"))
        .outerjoin(Member, named)
        .where(table.c.workspace_id == uow.workspace_id)
    )
    last = 0
    while True:
        rows = uow.session.execute(query.where(table.c.id > last).order_by(table.c.id).limit(PAGE)).all()
        entries = _placed(rows, _behind(uow, rows), runs, slugs)
        if playbooks is not None:
            entries = [one for one in entries if one.playbook]
        if entries:
            yield entries
        if len(rows) < PAGE:
            return
        last = rows[-1].id


def _placed(
    rows: Page,
    behind: dict[tuple[str, int], int],
    runs: dict[int, tuple[str, str]],
    slugs: frozenset[str],
) -> list[Entry]:
    entries = []
    for row in rows:
        noun, number, rest = _subject(row.subject)
        if noun == "playbook" and rest in slugs:
            entries.append(Entry(row, playbook=rest))
            continue
        adoption = number if noun == "adoption" else behind.get((noun, number), 0)
        playbook, team = runs.get(adoption, ("", ""))
        entries.append(Entry(row, playbook, team))
    return entries


def _subject(subject: str) -> tuple[str, int, str]:
    """The noun of a subject, its id (0 if it has none), and everything after the noun."""
    noun, _, rest = subject.partition(":")
    number = rest.partition("/")[0]
    return noun, int(number) if number.isascii() and number.isdecimal() else 0, rest


def _behind(uow: UnitOfWork, rows: Page) -> dict[tuple[str, int], int]:
    """The adoption of each cycle, verdict, promotion and audit that these entries are about."""
    wanted: dict[str, set[int]] = defaultdict(set)
    for row in rows:
        noun, number, _ = _subject(row.subject)
        if noun in _BEHIND and number:
            wanted[noun].add(number)
    found = {}
    for noun, ids in wanted.items():
        table: Table = _BEHIND[noun].__table__  # type: ignore[attr-defined]
        query = select(table.c.id, table.c.adoption_id).where(
            table.c.workspace_id == uow.workspace_id, table.c.id.in_(ids)
        )
        found.update({(noun, ident): adoption for ident, adoption in uow.session.execute(query)})
    return found


def _adoptions(uow: UnitOfWork, playbooks: Collection[int] | None) -> dict[int, tuple[str, str]]:
    query = (
        select(col(Adoption.id), col(Playbook.slug), col(Team.slug))
        .join(Playbook, col(Playbook.id) == col(Adoption.playbook_id))
        .join(Team, col(Team.id) == col(Adoption.team_id))
        .where(col(Adoption.workspace_id) == uow.workspace_id)
    )
    if playbooks is not None:
        query = query.where(col(Adoption.playbook_id).in_(playbooks))
    return {ident: (playbook, team) for ident, playbook, team in uow.session.execute(query)}


def _slugs(uow: UnitOfWork, playbooks: Collection[int] | None) -> frozenset[str]:
    query = select(col(Playbook.slug)).where(col(Playbook.workspace_id) == uow.workspace_id)
    if playbooks is not None:
        query = query.where(col(Playbook.id).in_(playbooks))
    return frozenset(uow.session.scalars(query))
