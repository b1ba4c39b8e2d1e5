"""`/kpi` with a number typed: the usual one, quickly, and all others as `kpis.py` has it.

On a Friday afternoon everybody sends one. The usual one is plain: of a person with one run that can be meant, for
this week of its running cycle. What isn't as plain as that, and whatever has to be refused, goes the long way; both
keep a number in the same way, and say the same.
"""

from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from cadence.documents import PlaybookSpec
from cadence.flows.callers import Caller
from cadence.flows.finding import find_run, narrowed
from cadence.flows.kpis import NumberGiven, recorded
from cadence.flows.kpis import record as record_the_long_way
from cadence.flows.lexicon import Lexicon, known_to, lexicon_of
from cadence.flows.repeats import Repeated, remember, require_new
from cadence.flows.specs import spec_known
from cadence.flows.weeks import ASKED_UNTIL
from cadence.refusals import Refusal
from cadence.rules.calendar import local_day, monday_of, week_number
from cadence.rules.kpi import AmountError, Unit, parse_amount
from storage import numbers, own_runs
from storage.engine import Bound, Database
from storage.numbers import Number
from storage.own_runs import Own, OwnRun
from storage.tables import CycleState
from templates.contexts.answers import Recorded

Read = Callable[[Lexicon], NumberGiven | None]
_KIND: Final = "typed_numbers.record_typed"


def record_typed(db: Database, caller: Caller, read: Read, *, teams: bool, now: datetime) -> Recorded | None:
    """`kpis.record_number` for one that is still to be read, in the same transaction: who asks is looked up once.

    Args:
        read: reads the words, with the names the person can use (no steps; teams' when `teams`); None when they
            are no number after all. It must be quick, and may be asked again: a transaction that writes is open.

    Raises:
        Refusal: as `record_number`, and what `read` raises.
        Repeated: this request recorded its number before.
    """
    if not teams:
        done = db.plainly(lambda session: _record_usual(session, caller, read, now=now))
        if done is not None:
            return done
    with db.write() as session:
        require_new(session, caller)
        known = known_to(session, caller)
        given = read(lexicon_of(session, caller, known, now=now, steps=False, teams=teams))
        if given is None:
            return None
        run = find_run(session, caller, now=now, playbook=given.playbook, team=given.team, there=known.there)
        done = record_the_long_way(session, caller, run, given, now=now)
        session.flush()
        remember(session, caller, done, kind=_KIND, now=now)
        return done


def _record_usual(session: Bound, caller: Caller, read: Read, *, now: datetime) -> Recorded | None:
    """None, with nothing changed, when it isn't the usual one."""
    own = _own(session, caller, now=now)
    given = _given(own, caller, read, now=now) if own else None
    run = _meant(own, caller, given) if own and given else None
    if given is None or run is None:
        return None
    spec = spec_known(session, (run.version_id, run.version_at, run.version_by))
    today = local_day(now, ZoneInfo(run.timezone))
    value = _value(spec, given)
    if spec is None or value is None or not _takes_it(session, caller, run, today):
        return None
    return _keep(session, caller, run, spec, given, value=value, today=today, now=now)


def _own(session: Bound, caller: Caller, *, now: datetime) -> Own | None:
    """The caller's runs, each seen on its team's own day; None where those differ, or more is asked than that."""
    day = now.date()
    for _ in range(2):
        own = own_runs.own(
            session,
            workspace_id=caller.workspace_id,
            member_id=caller.member,
            request=caller.request,
            on=day,
        )
        if own is not None and own.answered is not None and caller.is_repeatable:
            raise Repeated(own.answered)
        if own is None or own.there.is_curator or own.there.own is None or caller.surface == "cli":
            return None
        days = {local_day(now, ZoneInfo(run.timezone)) for run in own.runs}
        if days == {day}:
            return own
        day = min(days)
    return None


def _given(own: Own, caller: Caller, read: Read, *, now: datetime) -> NumberGiven | None:
    """What the words say, if they say nothing but a number, a note, and perhaps a playbook."""
    mine = {run.slug for run in own.runs if run.is_member}
    mine |= {name.slug for name in own.names if name.owner == caller.member}
    names = Lexicon(
        today=local_day(now, ZoneInfo(own.there.own or own.there.here)),
        steps={name.slug: () for name in own.names if name.slug in mine},
        titles={name.slug: name.title for name in own.names},
        others={name.slug: () for name in own.names if name.slug not in mine},
    )
    try:
        given = read(names)
    except Refusal:
        return None
    plain = given is not None and given.value and not given.guardrails and given.week is None
    return given if plain else None


def _meant(own: Own, caller: Caller, given: NumberGiven) -> OwnRun | None:
    """The run that `find_run` would find, if there is but one."""
    fits = [run for run in own.runs if given.playbook in (None, run.slug)]
    fits = narrowed(
        fits,
        lambda run: run.channel == caller.channel,
        lambda run: run.is_member,
        lambda run: run.cycle_id is not None,
    )
    return fits[0] if len(fits) == 1 else None


def _value(spec: PlaybookSpec | None, given: NumberGiven) -> float | None:
    if spec is None:
        return None
    try:
        return parse_amount(given.value, Unit(spec.kpi.unit))
    except AmountError:
        return None


def _takes_it(session: Bound, caller: Caller, run: OwnRun, today: date) -> bool:
    """Whether this week of a running cycle is meant, and nothing else can be."""
    if run.starts_on is None or run.cycle_state is not CycleState.RUNNING:
        return False
    if week_number(run.starts_on, today) is None:
        return False
    if today.weekday() > ASKED_UNTIL:
        return True
    before = monday_of(today) - timedelta(weeks=1)
    return bool(week_number(run.starts_on, before)) and numbers.is_there(
        session, workspace_id=caller.workspace_id, adoption_id=run.adoption_id, week_start=before
    )


def _keep(
    session: Bound,
    caller: Caller,
    run: OwnRun,
    spec: PlaybookSpec,
    given: NumberGiven,
    *,
    value: float,
    today: date,
    now: datetime,
) -> Recorded:
    start = monday_of(today)
    assert run.starts_on is not None  # noqa: S101 - `_takes_it` has seen to it
    kept = numbers.keep(
        session,
        workspace_id=caller.workspace_id,
        number=Number(
            adoption_id=run.adoption_id,
            cycle_id=run.cycle_id or 0,
            cycle_state=CycleState.RUNNING,
            week=week_number(run.starts_on, today) or 0,
            week_start=start,
            guardrail="",
            value=value,
            typed=given.value,
            note=given.note,
            member=caller.member,
            surface=caller.surface,
            request=caller.request,
            at=now,
        ),
    )
    done = recorded(
        spec,
        slug=run.slug,
        playbook=run.playbook,
        team=run.team,
        value=value,
        week_start=start,
        replaced=kept.before,
    )
    remember(session, caller, done, kind=_KIND, now=now)
    return done
