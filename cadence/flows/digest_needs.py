"""What the digest says first: what waits for somebody, and the numbers that moved or didn't."""

from collections.abc import Sequence
from datetime import date

from sqlmodel import Session

from cadence.flows.digest_standards import Watched
from cadence.flows.guardrails import of_week
from cadence.flows.kpis import kpi_context
from cadence.flows.runs import TeamRun
from cadence.mrkdwn import say
from cadence.refusals import Offer
from cadence.rules.kpi import Direction, better, delta
from cadence.rules.signals import busy_not_moving
from storage import playbooks, reports, trail
from storage.tables import PlaybookState, Workspace
from templates.contexts.digests import Decision, KpiMove, TeamGuardrail
from templates.ids import Action


def decisions_waiting(
    session: Session, workspace: Workspace, runs: Sequence[TeamRun], watches: Sequence[Watched]
) -> list[Decision]:
    """What waits for somebody: steps over their cap without an answer, playbooks that nobody runs."""
    needs = []
    for one in watches:
        answered = trail.entries(
            session,
            workspace_id=workspace.id,
            action="watch-answered",
            subject=f"adoption:{one.run.id}/{one.row.step}",
            since=one.row.window_from,
        )
        if not answered:
            needs.append(
                Decision(
                    text=say(
                        "{step} of {playbook} ({team}) is over its cap and nobody has said what changes",
                        step=one.run.step(one.row.step).title,
                        playbook=one.playbook,
                        team=one.team,
                    ),
                    offer=Offer("Say what changes", Action.SAY_WHAT_CHANGES, f"{one.run.id}:{one.row.step}"),
                )
            )
    needs += [
        Decision(
            text=say(
                "{team} has nobody who reports the number of {playbook}",
                team=run.team.title,
                playbook=run.playbook.title,
            ),
            offer=Offer("Change the team", Action.CREATE_TEAM, run.team.slug),
        )
        for run in runs
        if run.team.reporter is None
    ]
    running = {run.playbook.id for run in runs if run.cycle is not None}
    for playbook in playbooks.playbooks(session, workspace_id=workspace.id):
        if playbook.id not in running and playbook.state is not PlaybookState.RETIRED:
            needs.append(
                Decision(
                    text=say("{title} has no running cycle", title=playbook.title),
                    offer=Offer("Start a cycle", Action.START_CYCLE, playbook.slug),
                )
            )
    return needs


def kpi_move(session: Session, run: TeamRun, week_start: date) -> list[tuple[KpiMove, bool, float]]:
    """(move, better than the baseline, how much worse as a share) when the week has a reading."""
    reading = reports.reading(
        session, workspace_id=run.workspace.id, adoption_id=run.id, week_start=week_start
    )
    if reading is None:
        return []
    kpi, direction = run.spec.kpi, Direction(run.spec.kpi.direction)
    rows = reports.answers(session, workspace_id=run.workspace.id, adoption_id=run.id, since=week_start)
    runs = sum(count for _, week, count in rows if week == week_start)
    busy = busy_not_moving(
        runs=runs,
        expected=run.spec.runs_per_week,
        value=reading.value,
        baseline=kpi.baseline,
        direction=direction,
    )
    is_better = better(reading.value, kpi.baseline, direction)
    share = delta(reading.value, kpi.baseline, direction).share or 0.0
    worse = share if direction is Direction.LOWER else -share
    return [
        (
            KpiMove(
                playbook=run.playbook.title,
                team=run.team.title,
                kpi=kpi_context(run, value=reading.value),
                runs=runs,
                busy=busy.found,
                broken=tuple(rail.name for rail in of_week(session, run, week_start) if rail.held is False),
            ),
            is_better,
            worse,
        )
    ]


def guardrails_broken(session: Session, runs: Sequence[TeamRun], week_start: date) -> list[TeamGuardrail]:
    """The guardrails past their limit in a week, the furthest past it first."""
    found = [
        (abs(rail.value - rail.limit) / (abs(rail.limit) or 1.0), run, rail)
        for run in runs
        for rail in of_week(session, run, week_start)
        if rail.value is not None and rail.held is False
    ]
    return [
        TeamGuardrail(playbook=run.playbook.title, team=run.team.title, guardrail=rail)
        for _, run, rail in sorted(found, key=lambda one: -one[0])
    ]
