"""The weekly check-in: its buttons, its forms, `/attest`."""

from collections.abc import Callable
from datetime import date
from typing import Final

from cadence.flows.checkins import (
    AnswerGiven,
    DoubtfulNumber,
    answer,
    answer_quietly,
    checkin_all_form,
    checkin_form,
    choose_checkin,
    menu_again,
    snooze,
)
from cadence.flows.people import end_away, mute
from handlers.checkins.attest import Attest, read_attest, steps_named
from handlers.checkins.forms import ask_about, attestation_of, drifts_of, shown_again, sure_of
from handlers.context import SHORTCUT, RequestContext
from handlers.feature import Feature
from handlers.grammar import Entry
from handlers.payloads import Body, Form, metadata, read_week, row_id, split_week
from handlers.people.absences import away_form
from storage.tables import Attestation
from templates.contexts.base import MessageContext, ViewContext
from templates.ids import Action, Callback, Field

_KINDS = {
    Action.RAN_AS_DECLARED: Attestation.AS_DECLARED,
    Action.DRIFTED: Attestation.DRIFTED,
    Action.NOT_RUN: Attestation.NOT_RUN,
    Action.CHANGE_CHECKIN: None,
}


def _opens(kind: Attestation | None) -> Callable[[RequestContext, str, Body], None]:
    def run(context: RequestContext, value: str, _body: Body) -> None:
        adoption_id, week_start = split_week(value)
        open_form(context, adoption_id, week_start, kind, pressed=True)

    return run


def open_form(
    context: RequestContext,
    adoption_id: int,
    week_start: date | None,
    kind: Attestation | None,
    *,
    pressed: bool = False,
) -> None:
    """Open the form of one check-in; `pressed`: by a button that asks for it."""
    form = checkin_form(
        context.uow, adoption_id=adoption_id, week_start=week_start, kind=kind, pressed=pressed
    )
    context.open(form, ids=metadata(a=adoption_id, w=week_start and week_start.isoformat(), k=form.kind))


def all_ran(context: RequestContext, value: str, _body: Body) -> None:
    """[All as planned]: one form for every open check-in of the week."""
    form = checkin_all_form(context.uow, week_start=read_week(value))
    context.open(form, ids=metadata(w=value))


def snoozed(context: RequestContext, value: str, _body: Body) -> None:
    """[Snooze]: the check-in comes back later; or the person is away, or turns off reminders."""
    until, _, week = value.partition(":")
    if week and until in {"away", "mute", "unmute"}:
        menu_again(context.uow, week_start=read_week(week))
    if until == "back":
        context.say(end_away(context.uow, member=None))
    elif until == "away":
        context.open(away_form(context))
    elif until in {"mute", "unmute"}:
        context.say(mute(context.uow, muted=until == "mute"))
    else:
        start = read_week(week) if week else None
        context.say(snooze(context.uow, until=until, week_start=start))


def submitted(context: RequestContext, form: Form) -> MessageContext | ViewContext | None:
    """One check-in's form; shown again if its number has to be confirmed."""
    attestation = attestation_of(form)
    ran = attestation is not Attestation.NOT_RUN  # a number left in the runs field then means nothing
    given = AnswerGiven(
        attestation=attestation,
        adoption_id=form.row("a"),
        week_start=form.week("w"),
        runs=form.whole(Field.RUNS) if ran else None,
        value=form.text(Field.VALUE) or None,
        sure=sure_of(form, form.row("a")),
        complete_inputs=form.whole(Field.INPUTS) if ran else None,
        value_events=form.whole(Field.COUNTED) if ran else None,
        drifts=drifts_of(form) if attestation is Attestation.DRIFTED else {},
        note=form.text(Field.NOTE),
        guardrails=form.texts(Field.GUARDRAIL),
    )
    return _answered(context, form, [given], quietly=form.ids.get("w") is not None)


def _answered(
    context: RequestContext, form: Form, given: list[AnswerGiven], *, quietly: bool
) -> MessageContext | ViewContext | None:
    """Answer; a form opened from a message closes without a reply, because that message is rewritten."""
    caller = context.by(form)
    try:
        if not quietly or caller.surface == SHORTCUT:
            return answer(context.uow.by(caller), given)
        answer_quietly(context.uow.by(caller), given)
    except DoubtfulNumber as doubtful:
        return ask_about(context, form, doubtful)
    return None


def all_submitted(context: RequestContext, form: Form) -> MessageContext | ViewContext | None:
    """The form for several check-ins: all of its answers are saved, or none."""
    week = read_week(str(form.ids.get("w")))
    rows = [field.partition(":")[2] for field in form.values if field.startswith(f"{Field.RUNS}:")]
    given = [
        AnswerGiven(
            attestation=Attestation.AS_DECLARED,
            adoption_id=row_id(row) or 0,
            week_start=week,
            runs=form.whole(f"{Field.RUNS}:{row}"),
            value=form.text(f"{Field.VALUE}:{row}") or None,
            sure=sure_of(form, row_id(row) or 0),
            guardrails=_guardrails(form, row),
        )
        for row in rows
    ]
    return _answered(context, form, given, quietly=True)


def _guardrails(form: Form, row: str) -> dict[str, str]:
    """The guardrails of one of several check-ins: `guardrail:{key}:{adoption_id}`."""
    typed = form.texts(Field.GUARDRAIL)
    return {key.rpartition(":")[0]: text for key, text in typed.items() if key.rpartition(":")[2] == row}


def by_command(context: RequestContext, command: Attest) -> None:
    """`/attest`: answers immediately if everything is given, else opens the form, prefilled."""
    drifted_how = command.attestation is Attestation.DRIFTED and not command.modes
    if command.attestation is None or drifted_how:
        run = choose_checkin(context.uow, playbook=command.playbook, team=command.team, week=command.week)
        open_form(context, run.adoption_id, run.week_start, command.attestation)
        return
    given = AnswerGiven(
        attestation=command.attestation,
        playbook=command.playbook,
        team=command.team,
        week=command.week,
        runs=command.runs,
        drifts=dict(command.modes),
        note=command.note or "",
    )
    context.say(answer(context.uow, [given]))


FEATURE: Final = Feature(
    commands=(
        Entry(
            slash="/attest",
            name="attest",
            task="This week",
            usage="[playbook] as-planned|changed|not-run [runs=N] [step=mode …] [note] [week=N] [team=slug]",
            summary="Check in: how the week went, and how many runs",
            examples=("/attest as-planned runs=14", "/attest changed draft=human-led", "/attest not-run"),
            read=read_attest,
            bare=Attest,
            run=by_command,
            options=("runs", "week", "team"),
            pairs=steps_named,
        ),
    ),
    buttons={
        **{action: _opens(kind) for action, kind in _KINDS.items()},
        Action.ALL_RAN: all_ran,
        Action.SNOOZE: snoozed,
        Action.CHOOSE_ANSWER: shown_again(),
        Action.CHOOSE_CHANGED: shown_again(),
        Action.ADD_DETAILS: shown_again(details=True),
    },
    forms={Callback.CHECKIN: submitted, Callback.CHECKIN_ALL: all_submitted},
)
