"""What runs in the built-in workspace, for the example people: the cycles, their playbooks and their teams."""

from dataclasses import dataclass
from datetime import date, datetime

from bot.ops.commands import BUILT_IN_TEAM
from cadence.actor import Actor
from cadence.documents import PlaybookSpec, WorkspaceSpec, read_playbook
from cadence.documents.playbook import Step
from cadence.flows.core import lexicon
from cadence.flows.cycles import show_cycle
from cadence.flows.playbooks import export_playbook
from cadence.refusals import Refusal
from storage.engine import Database
from storage.work import UnitOfWork

CLI = Actor(BUILT_IN_TEAM, "", "cli")
REASONS = ("the result",)


@dataclass(frozen=True, slots=True)
class PlayedCycle:
    """A running cycle, with what the example people need to know. `criteria` are what an exception may name."""

    slug: str
    title: str
    owner: str
    team: str
    members: tuple[str, ...]
    starts: date
    closes: date
    baseline: float
    target: float
    runs_per_week: int
    steps: tuple[Step, ...]
    criteria: tuple[str, ...]


def spec_of(db: Database, slug: str) -> PlaybookSpec | None:
    """A playbook as it stands now; None when there is none so called."""
    try:
        return read_playbook(export_playbook(UnitOfWork(db, CLI), slug).yaml)
    except Refusal:
        return None


def running_cycles(db: Database, people: WorkspaceSpec, *, now: datetime) -> list[PlayedCycle]:
    """Every cycle that runs or is about to, of the teams in the workspace file."""
    found = []
    known = lexicon(UnitOfWork(db, CLI, now))
    for slug in (*known.steps, *known.others):
        spec = spec_of(db, slug)
        for team in people.teams if spec else ():
            cycle = _cycle(db, slug, team.slug, now)
            if spec and cycle and cycle[1] >= now.date():
                found.append(_played(spec, team.slug, tuple(team.members), *cycle))
    return found


def _cycle(db: Database, slug: str, team: str, now: datetime) -> tuple[date, date] | None:
    try:
        shown = show_cycle(UnitOfWork(db, CLI, now), playbook=slug, team=team)
    except Refusal:
        return None
    return (shown.starts, shown.closes) if shown.result is None else None


def _played(
    spec: PlaybookSpec, team: str, members: tuple[str, ...], starts: date, closes: date
) -> PlayedCycle:
    return PlayedCycle(
        slug=spec.slug,
        title=spec.title,
        owner=spec.owner,
        team=team,
        members=members,
        starts=starts,
        closes=closes,
        baseline=float(spec.kpi.baseline),
        target=float(spec.kpi.target),
        runs_per_week=spec.runs_per_week,
        steps=tuple(spec.steps),
        criteria=tuple(spec.rubric.criteria) if spec.rubric and spec.rubric.criteria else REASONS,
    )
