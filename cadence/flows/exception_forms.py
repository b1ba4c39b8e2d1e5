"""The forms of exceptions: the one that logs one, and the list of those that count."""

from collections.abc import Sequence
from datetime import datetime

from sqlmodel import Session

from cadence.flows.callers import Caller
from cadence.flows.gathering import gather
from cadence.flows.runs import TeamRun, current_modes, mode_of, require_cycle, run_by_id, visible_runs
from cadence.flows.sight import require_sight
from cadence.mrkdwn import Mrkdwn
from cadence.refusals import Refusal
from cadence.rules.sight import Fact
from storage import people, reports
from storage.engine import Database
from storage.tables import LoggedException
from templates.contexts import forms
from templates.contexts.base import Choice, ChoiceGroup, Evidence
from templates.filters import MODE_WORDS


def step_groups(
    session: Session,
    caller: Caller,
    *,
    now: datetime,
    channel_first: str | None = None,
    adoption_id: int | None = None,
) -> tuple[ChoiceGroup, ...]:
    """The steps a person can choose from, under their playbooks; a value is `{adoption_id}:{step_key}`.

    With `adoption_id`, the steps of that one alone.
    With `channel_first`, the playbooks of that channel's team come first, then those of one's own teams.

    Raises:
        Refusal: there is nothing to choose from.
    """
    runs = [run for run in visible_runs(session, caller, now=now) if adoption_id in (None, run.id)]
    if not runs:
        raise Refusal("No team of yours runs a playbook yet, so there is no step to choose.")
    if channel_first is not None:
        mine = {
            team.id
            for team in people.teams_of(session, workspace_id=caller.workspace_id, member_id=caller.member)
        }
        runs.sort(key=lambda run: (run.team.channel != channel_first, run.team.id not in mine))
    groups = []
    for run in runs:
        modes = current_modes(session, run)
        groups.append(
            ChoiceGroup(
                label=f"{run.playbook.title} · {run.team.title}",
                choices=tuple(
                    Choice(
                        label=f"{step.title} ({MODE_WORDS[mode_of(modes, step)]})",
                        value=f"{run.id}:{step.key}",
                    )
                    for step in run.spec.steps
                ),
            )
        )
    return tuple(groups)


def exception_form(
    db: Database,
    caller: Caller,
    *,
    now: datetime,
    adoption_id: int | None = None,
    playbook: str | None = None,
    step: str | None = None,
    reason: str = "",
    link: str = "",
    critical: bool = False,
    channel_first: str | None = None,
    notice: Mrkdwn | None = None,
) -> forms.ExceptionForm:
    """The form to log an exception, with what is already known filled in.

    `channel_first` is the channel whose team's steps are offered first; `notice` what it waits to be confirmed for.

    Raises:
        Refusal: there is no step to choose.
    """
    with db.read() as session:
        groups = step_groups(session, caller, now=now, channel_first=channel_first)
        runs = visible_runs(session, caller, now=now)
    fitting = [
        f"{run.id}:{step}"
        for run in runs
        if run.spec.step(step or "")
        and (adoption_id == run.id or (adoption_id is None and playbook in (None, run.playbook.slug)))
    ]
    return forms.ExceptionForm(
        groups=groups,
        selected=fitting[0] if fitting else None,
        reason=reason,
        link=link,
        critical=critical,
        notice=notice,
    )


def counted_exceptions(
    db: Database, caller: Caller, *, adoption_id: int, step: str, now: datetime
) -> forms.ExceptionList:
    """The exceptions that count against a step now, newest first, and those of the cycle that did before."""
    with db.read() as session:
        run = run_by_id(session, workspace_id=caller.workspace_id, adoption_id=adoption_id, now=now)
        require_sight(session, caller, run, Fact.EXCEPTIONS)
        cycle = require_cycle(run)
        found = gather(session, run, cycle, run.step(step))
        counted = {one.id for one in found.exceptions}
        of_cycle = reports.exceptions(
            session,
            workspace_id=run.workspace.id,
            adoption_id=run.id,
            step=step,
            cycle_id=cycle.id or 0,
        )
        return forms.ExceptionList(
            playbook=run.playbook.title,
            team=run.team.title,
            step=run.step(step).title,
            evidence=Evidence(
                exceptions=found.evidence.exceptions,
                runs=found.evidence.runs,
                attested=found.evidence.attested,
                assumed=found.evidence.assumed,
                cap=run.step(step).exception_cap,
            ),
            items=_listed(run, found.exceptions),
            earlier=_listed(run, [one for one in of_cycle if one.id not in counted]),
        )


def _listed(run: TeamRun, rows: Sequence[LoggedException]) -> tuple[forms.LoggedException, ...]:
    return tuple(
        forms.LoggedException(
            logged_at=one.logged_at.astimezone(run.zone),
            reason=one.reason,
            critical=one.critical,
            link=one.link,
        )
        for one in reversed(rows)
    )
