"""`/kpi` with a number typed: the usual one, quickly, and all others as `kpis.py` has it.

On a Friday afternoon everybody sends one. The usual one is plain: of a person with one run that can be meant, for
this week of its running cycle. What isn't as plain as that, and whatever has to be refused, goes the long way; both
keep a number in the same way, and say the same.
"""

from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from cadence.actor import Actor
from cadence.documents import PlaybookSpec
from cadence.flows.core import (
    ASKED_UNTIL,
    Lexicon,
    Repeated,
    find_run,
    known_to,
    lexicon_of,
    narrowed,
    remember,
    require_new,
    spec_known,
)
from cadence.flows.numbers.kpis import NumberGiven, recorded
from cadence.flows.numbers.kpis import record as record_the_long_way
from cadence.refusals import Refusal
from cadence.rules.calendar import local_day, monday_of, week_number
from cadence.rules.kpi import AmountError, Unit, parse_amount
from storage.queries import numbers, own_runs
from storage.queries.numbers import Number
from storage.queries.own_runs import Own, OwnRun
from storage.tables import CycleState
from storage.work import UnitOfWork
from templates.contexts.answers import Recorded

Read = Callable[[Lexicon], NumberGiven | None]
_KIND: Final = "numbers.record_typed"


def record_typed(uow: UnitOfWork, read: Read, *, teams: bool) -> Recorded | None:
    """`kpis.record_number` for one that is still to be read, in the same transaction: who asks is looked up once.

    Args:
        read: reads the words, with the names the person can use (no steps; teams' when `teams`); None when they
            are no number after all. It must be quick, and may be asked again: a transaction that writes is open.

    Raises:
        Refusal: as `record_number`, and what `read` raises.
        Repeated: this request recorded its number before.
    """
    if not teams:
        done = uow.plainly(lambda uow: _record_usual(uow, read))
        if done is not None:
            return done
    with uow.write():
        require_new(uow)
        known = known_to(uow)
        given = read(lexicon_of(uow, known, steps=False, teams=teams))
        if given is None:
            return None
        run = find_run(uow, playbook=given.playbook, team=given.team, there=known.there)
        done = record_the_long_way(uow, run, given)
        uow.session.flush()
        remember(uow, done, kind=_KIND)
        return done


def _record_usual(uow: UnitOfWork, read: Read) -> Recorded | None:
    """None, with nothing changed, when it isn't the usual one."""
    own = _own(uow)
    given = _given(own, uow.actor, read, now=uow.now) if own else None
    run = _meant(own, uow.actor, given) if own and given else None
    if given is None or run is None:
        return None
    spec = spec_known(uow, (run.version_id, run.version_at, run.version_by))
    today = local_day(uow.now, ZoneInfo(run.timezone))
    value = _value(spec, given)
    if spec is None or value is None or not _takes_it(uow, run, today):
        return None
    return _keep(uow, run, spec, given, value=value, today=today)


def _own(uow: UnitOfWork) -> Own | None:
    """The caller's runs, each seen on its team's own day; None where those differ, or more is asked than that."""
    day = uow.now.date()
    for _ in range(2):
        own = own_runs.own(uow, member_id=uow.actor.member, request=uow.actor.request, on=day)
        if own is not None and own.answered is not None and uow.actor.is_repeatable:
            raise Repeated(own.answered)
        if own is None or own.there.is_curator or own.there.own is None or uow.actor.surface == "cli":
            return None
        days = {local_day(uow.now, ZoneInfo(run.timezone)) for run in own.runs}
        if days == {day}:
            return own
        day = min(days)
    return None


def _given(own: Own, caller: Actor, read: Read, *, now: datetime) -> NumberGiven | None:
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


def _meant(own: Own, caller: Actor, given: NumberGiven) -> OwnRun | None:
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


def _takes_it(uow: UnitOfWork, run: OwnRun, today: date) -> bool:
    """Whether this week of a running cycle is meant, and nothing else can be."""
    if run.starts_on is None or run.cycle_state is not CycleState.RUNNING:
        return False
    if week_number(run.starts_on, today) is None:
        return False
    if today.weekday() > ASKED_UNTIL:
        return True
    before = monday_of(today) - timedelta(weeks=1)
    return bool(week_number(run.starts_on, before)) and numbers.is_there(
        uow, adoption_id=run.adoption_id, week_start=before
    )


def _keep(
    uow: UnitOfWork, run: OwnRun, spec: PlaybookSpec, given: NumberGiven, *, value: float, today: date
) -> Recorded:
    start = monday_of(today)
    assert run.starts_on is not None  # noqa: S101 - `_takes_it` has seen to it
    kept = numbers.keep(
        uow,
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
            member=uow.actor.member,
            surface=uow.actor.surface,
            request=uow.actor.request,
            at=uow.now,
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
    remember(uow, done, kind=_KIND)
    return done
