"""What a curator should look at first: demotions, cycles that missed, teams that have fallen silent."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlmodel import Session

from cadence.flows.checkin_rows import cycle_of_week
from cadence.flows.gathering import expected_members
from cadence.flows.runs import TeamRun
from cadence.mrkdwn import Mrkdwn, say
from cadence.refusals import Offer
from cadence.rules.calendar import local_day, week_number
from cadence.rules.kpi import Outcome
from storage import decisions, playbooks, reports, rubrics
from templates.filters import day
from templates.ids import Action


@dataclass(frozen=True, slots=True)
class Attention:
    """One run that needs somebody, why, and the button that begins to settle it."""

    run: TeamRun
    text: Mrkdwn
    offer: Offer | None = None


def attention(
    session: Session,
    runs: Sequence[TeamRun],
    *,
    week_start: date,
    since: datetime,
    until: datetime,
    now: datetime,
) -> list[Attention]:
    """The runs that slipped in a week, gravest first. Silence counts once the week is over."""
    found = [
        *(one for run in runs for one in _demoted(session, run, until=until)),
        *(one for run in runs for one in _missed(session, run, since=since, until=until)),
    ]
    if now >= until:
        found += [one for run in runs for one in _silent(session, run, week_start=week_start)]
    return found


def _demoted(session: Session, run: TeamRun, *, until: datetime) -> list[Attention]:
    """The steps whose last change of mode is a demotion, until their rubric is revised."""
    found = []
    for step in run.spec.steps:
        history = decisions.mode_history(
            session, workspace_id=run.workspace.id, adoption_id=run.id, step=step.key
        )
        if not history or history[-1].kind != "demotion" or history[-1].changed_at >= until:
            continue
        demoted_at = history[-1].changed_at
        revised = rubrics.revisions(session, workspace_id=run.workspace.id, adoption_id=run.id, step=step.key)
        if any(row.revised_at >= demoted_at for row in revised):
            continue
        text = say(
            "{step} of {playbook} ({team}) was demoted {day}; its rubric isn't revised yet",
            step=step.title,
            playbook=run.playbook.title,
            team=run.team.title,
            day=day(local_day(demoted_at, run.zone)),
        )
        found.append((demoted_at, Attention(run, text, Offer("Why", Action.WHY, f"{run.id}:{step.key}"))))
    return [one for _, one in sorted(found, key=lambda pair: pair[0], reverse=True)]


def _missed(session: Session, run: TeamRun, *, since: datetime, until: datetime) -> list[Attention]:
    cycles = playbooks.cycles_of(session, workspace_id=run.workspace.id, adoption_id=run.id)
    return [
        Attention(
            run,
            say(
                "{playbook} ({team}) closed cycle {number}: {result}",
                playbook=run.playbook.title,
                team=run.team.title,
                number=cycle.number,
                result=cycle.result,
            ),
        )
        for cycle in cycles
        if cycle.closed_at is not None and since <= cycle.closed_at < until and cycle.result != Outcome.MET
    ]


def _silent(session: Session, run: TeamRun, *, week_start: date) -> list[Attention]:
    """A team whose check-ins are mostly missing, or whose number is."""
    cycle = cycle_of_week(session, run, week_start)
    if cycle is None or week_number(cycle.starts_on, week_start) is None:
        return []
    asked = set(expected_members(session, run, week_start=week_start))
    answered = asked & reports.answered_members(
        session, workspace_id=run.workspace.id, adoption_id=run.id, week_start=week_start
    )
    found = []
    if asked and len(answered) * 2 < len(asked):
        found.append(
            Attention(
                run,
                say(
                    "{team}: {answered} of {asked} check-ins came for {playbook}",
                    team=run.team.title,
                    answered=len(answered),
                    asked=len(asked),
                    playbook=run.playbook.title,
                ),
                Offer("Nudge them once more", Action.NUDGE_AGAIN, f"{run.id}:{week_start}"),
            )
        )
    reading = reports.reading(
        session, workspace_id=run.workspace.id, adoption_id=run.id, week_start=week_start
    )
    if reading is None and asked:
        found.append(
            Attention(
                run,
                say(
                    "{team} has no number for {playbook}",
                    team=run.team.title,
                    playbook=run.playbook.title,
                ),
                Offer("Report the number", Action.REPORT_KPI, f"{run.id}:{week_start}"),
            )
        )
    return found
