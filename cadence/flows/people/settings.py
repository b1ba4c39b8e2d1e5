"""The settings of a workspace: one model for its form and its file, saved in one way."""

from typing import Annotated, Any, Final

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from cadence.documents.words import Weekday
from cadence.flows.core import keep_days, keep_workspace_hours, parse_hours, require_days_left, wrong_places
from cadence.nudges import Hour
from cadence.refusals import Refusal
from cadence.rules.verdicts import Rule
from storage.queries import people
from storage.tables import Workspace
from storage.work import UnitOfWork

FEWEST_RUNS: Final = 1
MOST_RUNS: Final = 10_000
FEWEST_FIRST: Final = 1
MOST_FIRST: Final = 100
_COLUMNS: Final = {
    **{name: name for name in ("curator_channel", "timezone", "country", "rule", "min_runs", "first_cycles")},
    "guests": "guests_allowed",
}


def _known_timezone(value: str) -> str:
    for _, wrong in wrong_places(value, None):
        raise ValueError(wrong)
    return value


def _known_country(value: str) -> str | None:
    for _, wrong in wrong_places("UTC", value.upper()):
        raise ValueError(wrong)
    return value.upper() or None


def _hours(value: Any) -> object:
    try:
        return parse_hours(value) if isinstance(value, str) else value
    except Refusal as refused:
        raise ValueError(refused.plain) from None


class WorkspaceSettings(BaseModel):
    """Settings of a workspace. Omitted ones stay as they are.

    Args:
        country: an ISO code, "" for none.
        min_runs: the fewest runs for which the cap line decides.
        first_cycles: how many teams can be in their first cycle of a playbook at once.
        hours: nudge hours, by kind; in a form one per line.
        guests: whether guests who are in a team take part.
    """

    model_config = ConfigDict(frozen=True)

    curators: Annotated[tuple[str, ...], Field(min_length=1)]
    curator_channel: str | None = None
    timezone: Annotated[str, AfterValidator(_known_timezone)]
    rule: Rule
    country: Annotated[str | None, BeforeValidator(_known_country)] = None
    min_runs: Annotated[int | None, Field(ge=FEWEST_RUNS, le=MOST_RUNS)] = None
    first_cycles: Annotated[int | None, Field(ge=FEWEST_FIRST, le=MOST_FIRST)] = None
    working_days: Annotated[tuple[Weekday, ...], Field(min_length=1)] = ()
    hours: Annotated[dict[str, Hour] | None, BeforeValidator(_hours)] = None
    guests: bool | None = None


def keep_settings(uow: UnitOfWork, workspace: Workspace, given: WorkspaceSettings) -> None:
    """Save settings for an authorized caller.

    Raises:
        Refusal: invalid hours; their field is `hours`.
    """
    if "curators" in given.model_fields_set:
        people.set_curators(uow, members=given.curators)
    for name in given.model_fields_set & _COLUMNS.keys():
        setattr(workspace, _COLUMNS[name], getattr(given, name))
    keep_days(workspace, given.working_days)
    uow.session.add(workspace)
    uow.session.flush()
    if given.hours is not None:
        keep_workspace_hours(uow, given.hours)
    if given.hours is not None or given.working_days:
        require_days_left(uow, workspace)
