"""The weekly check-in: its buttons, its forms, `/attest`."""

from collections.abc import Callable
from datetime import date

from slack_bolt import App

from cadence.flows.checkins import AnswerGiven, answer, answer_quietly, choose_checkin, menu_again, snooze
from cadence.flows.nudging import checkin_all_form, checkin_form
from cadence.flows.people import end_away, mute
from cadence.refusals import Refusal
from cadence.rules.modes import Mode
from handlers.context import SHORTCUT, Services, Turn
from handlers.grammar import commands
from handlers.listeners import register_button, register_form
from handlers.payloads import Body, Form, metadata, read_week, row_id, split_week
from handlers.people import away_form
from storage.tables import Attestation
from templates.contexts.base import MessageContext
from templates.ids import Action, Callback, Field

_KINDS = {
    Action.RAN_AS_DECLARED: Attestation.AS_DECLARED,
    Action.DRIFTED: Attestation.DRIFTED,
    Action.NOT_RUN: Attestation.NOT_RUN,
    Action.CHANGE_CHECKIN: None,
}


def register(app: App, services: Services) -> None:
    """Listen for the check-in's buttons and forms."""
    for action, kind in _KINDS.items():
        register_button(app, services, action, _opens(kind))
    register_button(app, services, Action.ALL_RAN, all_ran)
    register_button(app, services, Action.SNOOZE, snoozed)
    register_form(app, services, Callback.CHECKIN, submitted)
    register_form(app, services, Callback.CHECKIN_ALL, all_submitted)


def _opens(kind: Attestation | None) -> Callable[[Turn, str, Body], None]:
    def run(turn: Turn, value: str, _body: Body) -> None:
        adoption_id, week_start = split_week(value)
        open_form(turn, adoption_id, week_start, kind)

    return run


def open_form(turn: Turn, adoption_id: int, week_start: date | None, kind: Attestation | None) -> None:
    """Open the form of one check-in."""
    form = checkin_form(turn.uow, adoption_id=adoption_id, week_start=week_start, kind=kind)
    turn.open(form, ids=metadata(a=adoption_id, w=week_start and week_start.isoformat(), k=form.kind))


def all_ran(turn: Turn, value: str, _body: Body) -> None:
    """[All ran as declared]: one form for every open check-in of the week."""
    form = checkin_all_form(turn.uow, week_start=read_week(value))
    turn.open(form, ids=metadata(w=value))


def snoozed(turn: Turn, value: str, _body: Body) -> None:
    """[Snooze]: the check-in comes back later; or one is away, or wants no reminders."""
    until, _, week = value.partition(":")
    if week and until in {"away", "mute", "unmute"}:
        menu_again(turn.uow, week_start=read_week(week))
    if until == "back":
        turn.say(end_away(turn.uow, member=None))
    elif until == "away":
        turn.open(away_form(turn))
    elif until in {"mute", "unmute"}:
        turn.say(mute(turn.uow, muted=until == "mute"))
    else:
        start = read_week(week) if week else None
        turn.say(snooze(turn.uow, until=until, week_start=start))


def submitted(turn: Turn, form: Form) -> MessageContext | None:
    """One check-in's form."""
    kind = str(form.ids.get("k") or Attestation.AS_DECLARED)
    attestation = _attestation(form.option(Field.ATTESTATION) or kind)
    ran = attestation is not Attestation.NOT_RUN  # what is still filled in for runs means nothing then
    given = AnswerGiven(
        attestation=attestation,
        adoption_id=form.row("a"),
        week_start=form.week("w"),
        runs=form.whole(Field.RUNS) if ran else None,
        value=form.text(Field.VALUE) or None,
        complete_inputs=form.whole(Field.INPUTS) if ran else None,
        drifts=_drifts(form),
        note=form.text(Field.NOTE),
        guardrails=form.texts(Field.GUARDRAIL),
    )
    return _answered(turn, form, [given], quietly=form.ids.get("w") is not None)


def _answered(turn: Turn, form: Form, given: list[AnswerGiven], *, quietly: bool) -> MessageContext | None:
    """Answer; a form that a message opened closes without a word, because that message is written again."""
    caller = turn.by(form)
    if not quietly or caller.surface == SHORTCUT:
        return answer(turn.uow.by(caller), given)
    answer_quietly(turn.uow.by(caller), given)
    return None


def _attestation(word: str) -> Attestation:
    try:
        return Attestation(word)
    except ValueError:
        raise Refusal("Choose how the week went.", field=Field.ATTESTATION) from None


def _drifts(form: Form) -> dict[str, str]:
    """The steps whose menu says something other than as declared."""
    drifts = {}
    for field in form.values:
        mode = form.option(field) if field.startswith(f"{Field.MODE}:") else None
        if mode and mode != Attestation.AS_DECLARED:
            if mode not in set(Mode):
                raise Refusal("Choose who led this step.", field=field)
            drifts[field.partition(":")[2]] = mode
    return drifts


def all_submitted(turn: Turn, form: Form) -> MessageContext | None:
    """The form for several check-ins: what it holds is answered, all or none."""
    week = read_week(str(form.ids.get("w")))
    rows = [field.partition(":")[2] for field in form.values if field.startswith(f"{Field.RUNS}:")]
    given = [
        AnswerGiven(
            attestation=Attestation.AS_DECLARED,
            adoption_id=row_id(row) or 0,
            week_start=week,
            runs=form.whole(f"{Field.RUNS}:{row}"),
            value=form.text(f"{Field.VALUE}:{row}") or None,
            guardrails=_guardrails(form, row),
        )
        for row in rows
    ]
    return _answered(turn, form, given, quietly=True)


def _guardrails(form: Form, row: str) -> dict[str, str]:
    """The guardrails of one of several check-ins: `guardrail:{key}:{adoption_id}`."""
    typed = form.texts(Field.GUARDRAIL)
    return {key.rpartition(":")[0]: text for key, text in typed.items() if key.rpartition(":")[2] == row}


def by_command(turn: Turn, command: commands.Attest) -> None:
    """`/attest`: answers at once when everything is said, else opens the form with what was."""
    drifted_how = command.attestation is Attestation.DRIFTED and not command.modes
    if command.attestation is None or drifted_how:
        run = choose_checkin(turn.uow, playbook=command.playbook, team=command.team, week=command.week)
        open_form(turn, run.adoption_id, run.week_start, command.attestation)
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
    turn.say(answer(turn.uow, [given]))
