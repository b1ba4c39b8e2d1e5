"""Take an exception back, and judge again what it decided (SPEC §5)."""

from datetime import datetime, timedelta
from typing import Final

from sqlmodel import Session

from cadence.documents import Step
from cadence.flows.callers import Caller
from cadence.flows.cycle_rewrites import rewrite_cycle_posts
from cadence.flows.drifting import judge_drifts
from cadence.flows.judging import Demotion, judge, restore
from cadence.flows.noting import note
from cadence.flows.people import zone_of
from cadence.flows.promotions import look_again
from cadence.flows.repeats import once
from cadence.flows.runs import TeamRun, run_by_id
from cadence.flows.windows import last_opened, mode_changed
from cadence.mrkdwn import mention, say
from cadence.refusals import NotAllowed, Refusal
from storage import decisions, playbooks, reports
from storage.engine import Database
from storage.tables import CycleState, LoggedException, ModeChange
from templates.contexts.answers import Done
from templates.filters import clock
from templates.filters import mode as mode_word

WITHIN: Final = timedelta(minutes=10)
"""How long an exception can be taken back."""


@once
def undo_exception(db: Database, caller: Caller, *, exception_id: int | None = None, now: datetime) -> Done:
    """Take back an exception, by default the newest that the caller logged; the step is judged again.

    It stays in the trail. A demotion that doesn't hold without it is taken back, and its alerts say so.

    Raises:
        Refusal: there is none, or it was logged more than ten minutes ago.
        NotAllowed: somebody else logged it.
    """
    with db.write() as session:
        row = (
            reports.last_exception_by(session, workspace_id=caller.workspace_id, member=caller.member)
            if exception_id is None
            else reports.exception(session, workspace_id=caller.workspace_id, exception_id=exception_id)
        )
        if row is None:
            raise Refusal("You haven't logged an exception that can be taken back.")
        if row.member != caller.member:
            raise NotAllowed(say("Only {who}, who logged it, can take it back.", who=mention(row.member)))
        playbooks.lock_adoption(session, workspace_id=row.workspace_id, adoption_id=row.adoption_id)
        session.refresh(row)
        run = run_by_id(session, workspace_id=row.workspace_id, adoption_id=row.adoption_id, now=now)
        if row.withdrawn_after is not None:
            return _done(run, row, restored=None)
        if now - row.logged_at > WITHIN:
            raise Refusal(
                say(
                    "An exception can be taken back for 10 minutes. This one was logged at {time}.",
                    time=clock(row.logged_at.astimezone(zone_of(session, run.workspace, caller.member))),
                )
            )
        last = decisions.last_verdicts(
            session, workspace_id=row.workspace_id, adoption_id=row.adoption_id, step=row.step, limit=1
        )
        row.withdrawn_at, row.withdrawn_after = now, (last[0].id or 0) if last else 0
        session.add(row)
        session.flush()
        note(
            session,
            caller,
            action="exception-withdrawn",
            subject=f"adoption:{run.id}/{row.step}",
            before={"id": row.id, "critical": row.critical, "reason": row.reason, "link": row.link},
            now=now,
        )
        step = run.spec.step(row.step)
        restored = _judge_again(session, caller, run, step, row, now=now) if step else None
        return _done(run, row, restored=restored)


def _judge_again(
    session: Session, caller: Caller, run: TeamRun, step: Step, row: LoggedException, *, now: datetime
) -> ModeChange | None:
    """Judge the step without the exception; the change that took a demotion back, None when none was.

    A demotion before the last one may have counted an exception taken back too: it goes next.
    """
    cycle = playbooks.cycle(session, workspace_id=row.workspace_id, cycle_id=row.cycle_id)
    cause, change = f"undo:{row.id}", None
    found = _shaken(session, run, step)
    if found is None:
        judge(session, run, cycle, step, cause=cause, now=now, correlation_id=caller.request)
    while found is not None:
        back = restore(session, run, cycle, step, found, cause=cause, caller=caller, now=now)
        change, found = back or change, _shaken(session, run, step) if back else None
    if cycle.state is CycleState.CLOSED:
        if change is not None:
            look_again(session, run, cycle, step, now=now)
        rewrite_cycle_posts(session, caller, run, cycle, mark=cause, now=now)
    elif change is not None:
        judge_drifts(session, run, cycle, cause=cause, now=now, correlation_id=caller.request)
    return change


def _shaken(session: Session, run: TeamRun, step: Step) -> Demotion | None:
    """The step's demotion, if it counted an exception taken back since and nothing has changed on the step since."""
    history = decisions.standing(
        decisions.mode_history(session, workspace_id=run.workspace.id, adoption_id=run.id, step=step.key)
    )
    if not history or history[-1].kind != "demotion":
        return None
    change = history[-1]
    verdict = decisions.verdict(session, workspace_id=run.workspace.id, verdict_id=change.verdict_id or 0)
    opened = last_opened(session, run, step)
    if verdict is None or opened is None or opened.after["because"] != mode_changed(change.after):
        return None
    ids = [verdict.id or 0]
    if not decisions.overtaken(session, workspace_id=run.workspace.id, verdict_ids=ids):
        return None
    return Demotion(change, verdict, opened.before) if run.version.id == verdict.version_id else None


def _done(run: TeamRun, row: LoggedException, *, restored: ModeChange | None) -> Done:
    step = run.spec.step(row.step)
    title = step.title if step else row.step
    taken = say(
        "Taken back: “{reason}” no longer counts against {step}.", reason=row.reason[:300], step=title
    )
    if restored is None:
        return Done(text=taken)
    back = say("{step} is {mode} again, and the alerts say so.", step=title, mode=mode_word(restored.after))
    return Done(text=say("{taken} {back}", taken=taken, back=back))
