"""The workspace file: import and export."""

from dataclasses import dataclass

from cadence.documents import Function, TeamSpec, WorkspaceSpec, dump_workspace
from cadence.documents.workspace import hours_given
from cadence.flows.core import own_hours, require_curator, require_workspace, stored_days
from cadence.flows.people.settings import WorkspaceSettings, keep_settings
from cadence.flows.people.teams import TeamGiven, member_ids, save_team
from cadence.rules.pilots import FIRST_CYCLES
from storage.queries import people
from storage.query_cache import hold
from storage.tables import Workspace
from storage.work import UnitOfWork


@dataclass(frozen=True, slots=True)
class WorkspaceImported:
    """What a workspace file changed: team slugs and the curators."""

    created: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    unchanged: tuple[str, ...] = ()
    curators: tuple[str, ...] = ()


def import_workspace(uow: UnitOfWork, spec: WorkspaceSpec) -> WorkspaceImported:
    """Save a workspace file's rows, in the caller's transaction; teams it doesn't name are left alone.

    Raises:
        NotAllowed: the caller is no curator.
        Refusal: a channel that belongs to another team already.
    """
    workspace = require_workspace(uow)
    hold(uow, workspace)  # files are imported one after the other
    require_curator(uow, to="import a workspace file")
    given = spec.model_dump(include=set(WorkspaceSettings.model_fields), exclude_defaults=True)
    keep_settings(uow, workspace, WorkspaceSettings.model_construct(**given, hours=hours_given(spec)))
    outcome: dict[str, list[str]] = {"created": [], "changed": [], "unchanged": []}
    for team in spec.teams:
        outcome[_import_team(uow, workspace, team)].append(team.slug)
    return WorkspaceImported(
        tuple(outcome["created"]),
        tuple(outcome["changed"]),
        tuple(outcome["unchanged"]),
        tuple(people.curators(uow)),
    )


def _import_team(uow: UnitOfWork, workspace: Workspace, spec: TeamSpec) -> str:
    given = TeamGiven(
        slug=spec.slug,
        title=spec.title,
        function=spec.function,
        channel=spec.channel,
        timezone=spec.timezone or workspace.timezone,
        members=tuple(spec.members),
        region=spec.region,
        country=spec.country or workspace.country,
        reporter=spec.reporter,
    )
    return save_team(uow, given)


def export_workspace(uow: UnitOfWork) -> str:
    """The workspace file; importing it again changes nothing."""
    with uow.read():
        workspace = require_workspace(uow)
        spec = WorkspaceSpec.model_construct(  # write everything that is stored
            curators=tuple(people.curators(uow)),
            curator_channel=workspace.curator_channel,
            timezone=workspace.timezone,
            country=workspace.country,
            rule=workspace.rule,
            first_cycles=workspace.first_cycles if workspace.first_cycles != FIRST_CYCLES else None,
            working_days=stored_days(workspace),
            nudges={kind: str(hour) for kind, hour in own_hours(workspace).items()} or None,
            guests=workspace.guests_allowed or None,
            teams=tuple(
                TeamSpec.model_construct(
                    slug=team.slug,
                    title=team.title,
                    function=Function(team.function),
                    region=team.region,
                    channel=team.channel,
                    timezone=team.timezone,
                    country=team.country,
                    members=tuple(member_ids(uow, team)),
                    reporter=team.reporter,
                )
                for team in people.teams(uow)
            ),
        )
        return dump_workspace(spec)
