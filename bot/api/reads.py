"""The paths from which tools read: what was reported, status, verdicts, registry."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Annotated, Final, TypeVar

from fastapi import APIRouter, Depends, Query, Request
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute
from pydantic import AfterValidator
from pydantic_core import PydanticCustomError

from bot.api.guard import database_problems
from bot.api.problems import Problem, responses_of
from cadence.flows.machines import (
    CURSOR,
    FUNCTION,
    KINDS,
    MOST_ROWS,
    SLUG,
    EvidencePage,
    Item,
    RegistryPage,
    StatusAnswer,
    VerdictPage,
    Wanted,
    read_evidence,
    read_registry,
    read_status,
    read_verdicts,
)
from cadence.flows.tokens import TokenHolder
from cadence.nearest import nearest
from storage.engine import Database
from storage.work import UnitOfWork

T = TypeVar("T")
NEWEST: Final = 2**31 - 1
"""The highest number that a row can have."""
YEARS: Final = range(2000, 2101)
"""The years of the weeks that can be asked for, as in Slack."""


def _near(day: date | None) -> date | None:
    if day is not None and day.year not in YEARS:
        raise PydanticCustomError("date_parsing", "Input should be a day from 2000 to 2100")
    return day


Slug = Annotated[str | None, Query(pattern=SLUG)]
Cursor = Annotated[
    str | None,
    Query(pattern=CURSOR, description="`next` of the page before; none for the first page."),
]
Week = Annotated[
    date | None, AfterValidator(_near), Query(description="Any day of the week, in the team's zone.")
]
Limit = Annotated[int, Query(ge=1, le=MOST_ROWS, description="Rows on a page.")]
READ_PROBLEMS: Final = (
    "unauthorized",
    "missing-scope",
    "not-allowed",
    "invalid-request",
    "too-many-requests",
    "busy",
)


@dataclass(frozen=True, slots=True)
class Reader:
    """Reads in the name of a request's token."""

    db: Database
    clock: Callable[[], datetime]

    def read(self, request: Request, run: Callable[[UnitOfWork, TokenHolder], T]) -> T:
        """Carry out a read.

        Raises:
            Problem: the token doesn't allow it, or the database is busy.
        """
        holder: TokenHolder = request.state.holder
        if not holder.may_read:
            raise Problem(
                "missing-scope", "This token only writes. Make one that can read with `/cadence token`."
            )
        with database_problems(), self.db.for_a_request():
            return run(UnitOfWork(self.db, holder.actor(), self.clock()), holder)


def _filters(
    playbook: Slug = None,
    team: Slug = None,
    step: Slug = None,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> Wanted:
    return Wanted(
        playbook=playbook,
        team=team,
        step=step,
        before=min(int(cursor), NEWEST) if cursor else None,
        limit=limit,
    )


Filters = Annotated[Wanted, Depends(_filters)]


def _require_known(request: Request) -> None:
    """Require that the address takes each parameter: a misspelled filter would otherwise leave everything in.

    Raises:
        Problem: it doesn't take one of them.
    """
    route = request.scope["route"]
    assert isinstance(route, APIRoute)  # noqa: S101 - it depends on this
    known = _parameters(route.dependant)
    for name in request.query_params:
        if name not in known:
            near = nearest(name, sorted(known))
            hint = (
                f"Did you mean `{near}`?" if near else f"It takes {', '.join(f'`{one}`' for one in known)}."
            )
            raise Problem("invalid-request", f"This address takes no parameter `{name[:40]}`. {hint}")


def _parameters(dependant: Dependant) -> list[str]:
    """The names of a route's query parameters."""
    names = [one.alias for one in dependant.query_params]
    return names + [name for below in dependant.dependencies for name in _parameters(below)]


def reads_router(db: Database, clock: Callable[[], datetime]) -> APIRouter:
    """The routes from which tools read."""
    router = APIRouter(
        tags=["Reading"], responses=responses_of(*READ_PROBLEMS), dependencies=[Depends(_require_known)]
    )
    reader = Reader(db, clock)
    for model in KINDS.values():
        _add(router, reader, model)

    @router.get("/status", operation_id="read_status", summary="Teams with their KPI and steps")
    def status(request: Request, playbook: Slug = None, team: Slug = None) -> StatusAnswer:
        wanted = Wanted(playbook=playbook, team=team)
        return reader.read(request, lambda uow, holder: read_status(uow, holder, wanted))

    @router.get("/verdicts", operation_id="read_verdicts", summary="Verdicts with every number, newest first")
    def verdicts(request: Request, wanted: Filters) -> VerdictPage:
        return reader.read(request, lambda uow, holder: read_verdicts(uow, holder, wanted))

    @router.get(
        "/registry", operation_id="read_registry", summary="Published playbooks with each team's results"
    )
    def registry(
        request: Request,
        function: Annotated[str | None, Query(pattern=FUNCTION)] = None,
        page: Annotated[int, Query(ge=1, le=10_000)] = 1,
    ) -> RegistryPage:
        return reader.read(request, lambda uow, _: read_registry(uow, function=function, page=page))

    return router


def _add(router: APIRouter, reader: Reader, model: type[Item]) -> None:
    @router.get(
        f"/{model.PATH}",
        operation_id=f"read_{model.PATH}",
        summary=f"{model.MANY}, newest first",
        response_model_exclude_none=True,
    )
    def read(
        request: Request,
        wanted: Filters,
        week: Week = None,
    ) -> EvidencePage:
        narrowed = Wanted(
            playbook=wanted.playbook,
            team=wanted.team,
            step=wanted.step,
            week=week,
            before=wanted.before,
            limit=wanted.limit,
        )
        return reader.read(request, lambda uow, holder: read_evidence(uow, holder, model, narrowed))
