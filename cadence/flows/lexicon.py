"""The names a person can use in a command."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from cadence.flows.callers import Caller
from cadence.flows.runs import visible_runs
from storage import people, playbooks
from storage.engine import Database


@dataclass(frozen=True, slots=True)
class Lexicon:
    """Step keys by playbook slug: of a person's own playbooks, and of the workspace's others; titles, team slugs."""

    steps: Mapping[str, tuple[str, ...]]
    teams: tuple[str, ...]
    titles: Mapping[str, str]
    others: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


def lexicon(db: Database, caller: Caller, *, now: datetime) -> Lexicon:
    """The playbooks a person has to do with: their teams' and those they own; when there are none, all."""
    with db.read() as session:
        if people.workspace(session, workspace_id=caller.workspace_id) is None:
            return Lexicon({}, (), {})
        runs = visible_runs(session, caller, now=now)
        known = playbooks.playbooks(session, workspace_id=caller.workspace_id)
        versions = playbooks.newest_versions(session, workspace_id=caller.workspace_id)
        every = {
            playbook.slug: tuple(str(step["key"]) for step in versions[playbook.id or 0].spec["steps"])
            for playbook in known
            if playbook.id in versions
        }
        mine = {run.playbook.slug: tuple(step.key for step in run.spec.steps) for run in runs}
        owned = {playbook.slug for playbook in known if playbook.owner == caller.member}
        mine |= {slug: steps for slug, steps in every.items() if slug in owned and slug not in mine}
        teams = people.teams(session, workspace_id=caller.workspace_id)
        return Lexicon(
            steps=mine or every,
            teams=tuple(team.slug for team in teams),
            titles={playbook.slug: playbook.title for playbook in known},
            others={slug: steps for slug, steps in every.items() if mine and slug not in mine},
        )
