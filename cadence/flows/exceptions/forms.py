"""The forms of exceptions: the one that logs one, and the list of those that count."""

from collections.abc import Sequence

from cadence.flows.core import TeamRun, require_cycle, require_sight, run_by_id, step_groups, visible_runs
from cadence.flows.standards import gather
from cadence.mrkdwn import Mrkdwn
from cadence.rules.sight import Fact
from storage.queries import reports
from storage.tables import LoggedException
from storage.work import UnitOfWork
from templates.contexts import forms
from templates.contexts.base import Evidence


def exception_form(
    uow: UnitOfWork,
    *,
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
    with uow.read():
        groups = step_groups(uow, channel_first=channel_first)
        runs = visible_runs(uow)
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


def counted_exceptions(uow: UnitOfWork, *, adoption_id: int, step: str) -> forms.ExceptionList:
    """The exceptions that count against a step now, newest first, and those of the cycle that did before."""
    with uow.read():
        run = run_by_id(uow, adoption_id=adoption_id)
        require_sight(uow, run, Fact.EXCEPTIONS)
        cycle = require_cycle(run)
        found = gather(uow, run, cycle, run.step(step))
        counted = {one.id for one in found.exceptions}
        of_cycle = reports.exceptions(uow, adoption_id=run.id, step=step, cycle_id=cycle.id or 0)
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
