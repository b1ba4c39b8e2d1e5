"""The digest's standards: steps over their caps, demotions, coverage."""

from collections.abc import Callable
from functools import partial

from cadence.flows.digest_scope import Scope, Worst
from cadence.flows.runs import TeamRun
from storage import decisions, digest_changes
from templates.contexts.base import ModeChange
from templates.contexts.digests import TeamChange


def demotions_of(scope: Scope) -> Worst[Callable[[TeamRun], TeamChange]]:
    """The demotions of the week, newest first."""
    found: Worst[Callable[[TeamRun], TeamChange]] = Worst()
    since, until = scope.week.at(0), scope.week.at(1)
    rows = digest_changes.changes(
        scope.session, workspace_id=scope.workspace_id, since=since, until=until, kind="demotion"
    )
    for number, adoption in rows:
        if adoption in scope.places:
            found.add((-number,), adoption, partial(_tell_demotion, scope=scope, number=number))
    return found


def _tell_demotion(run: TeamRun, *, scope: Scope, number: int) -> TeamChange:
    row = decisions.mode_change(scope.session, workspace_id=scope.workspace_id, change_id=number)
    assert row is not None  # noqa: S101 - it was counted a moment ago
    return TeamChange(
        playbook=run.playbook.title,
        team=run.team.title,
        change=ModeChange(step=title_of(run, row.step), before=row.before or row.after, after=row.after),
    )


def title_of(run: TeamRun, key: str) -> str:
    """A step's title; its key when the newest revision has dropped the step."""
    step = run.spec.step(key)
    return step.title if step else key
