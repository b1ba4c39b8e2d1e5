"""The names a person can use in a command."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session

from cadence.documents import playbook_from_data
from cadence.flows.callers import Caller
from cadence.flows.runs import visible_runs
from storage import people, playbooks
from storage.engine import Database


@dataclass(frozen=True, slots=True)
class Lexicon:
    """Step keys and titles by playbook slug, and team slugs."""

    steps: Mapping[str, tuple[str, ...]]
    teams: tuple[str, ...]
    titles: Mapping[str, str]


def lexicon(db: Database, caller: Caller, *, now: datetime) -> Lexicon:
    """The playbooks a person has to do with; when there are none, all of the workspace."""
    with db.read() as session:
        if people.workspace(session, workspace_id=caller.workspace_id) is None:
            return Lexicon({}, (), {})
        runs = visible_runs(session, caller, now=now)
        steps = {run.playbook.slug: tuple(step.key for step in run.spec.steps) for run in runs}
        titles = {run.playbook.slug: run.playbook.title for run in runs}
        if not runs:
            steps, titles = _all(session, caller)
        teams = people.teams(session, workspace_id=caller.workspace_id)
        return Lexicon(steps, tuple(team.slug for team in teams), titles)


def _all(session: Session, caller: Caller) -> tuple[dict[str, tuple[str, ...]], dict[str, str]]:
    steps, titles = {}, {}
    for playbook in playbooks.playbooks(session, workspace_id=caller.workspace_id):
        version = playbooks.newest_version(
            session, workspace_id=caller.workspace_id, playbook_id=playbook.id or 0
        )
        if version is not None:
            spec = playbook_from_data(version.spec)
            steps[playbook.slug] = tuple(step.key for step in spec.steps)
            titles[playbook.slug] = playbook.title
    return steps, titles
