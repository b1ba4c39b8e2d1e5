"""The form of a check-in while it is filled in: it is shown again with what was typed so far."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from cadence.flows.checkins import DoubtfulNumber, checkin_all_form, checkin_form
from cadence.refusals import Refusal
from cadence.rules.modes import Mode
from handlers.context import RequestContext
from handlers.payloads import Body, Form, metadata, read_week
from storage.tables import Attestation
from templates.contexts.checkins import CheckinAllForm, CheckinAllRow, CheckinForm
from templates.ids import Callback, Field

_SURE = "s"
"""The key in a form's metadata of doubtful numbers that the person was asked about, by adoption."""
_KEPT = "t"
"""The key in a form's metadata of what was typed into inputs that aren't shown now."""
_MOST = 1_000_000
"""The highest number an input takes."""


@dataclass(frozen=True, slots=True)
class TypedSoFar:
    """What a person chose and typed so far, also in inputs that are hidden by the answer they chose last.

    Args:
        changed: the steps ticked; None if they were never asked.
        modes: who led, by step.
        runs: as typed; None if it was never asked, likewise `inputs`.
    """

    kind: Attestation
    changed: tuple[str, ...] | None
    modes: Mapping[str, str]
    runs: str | None
    inputs: str | None
    details: bool

    @classmethod
    def of(cls, form: Form, *, details: bool) -> "TypedSoFar":
        """What a form holds; `details` if they are asked for now."""
        before = form.ids.get(_KEPT)
        kept: Mapping[str, Any] = before if isinstance(before, dict) else {}
        changed, modes = kept.get("changed"), kept.get("modes")
        if Field.CHANGED in form.values:
            changed = form.options(Field.CHANGED)
        chosen = {one: form.option(f"{Field.MODE}:{one}") for one in _steps_of(form)}
        return cls(
            kind=attestation_of(form),
            changed=tuple(map(str, changed)) if isinstance(changed, list | tuple) else None,
            modes={
                **(modes if isinstance(modes, dict) else {}),
                **{step: mode for step, mode in chosen.items() if mode},
            },
            runs=_text(form, Field.RUNS, kept),
            inputs=_text(form, Field.INPUTS, kept),
            details=details or Field.NOTE in form.values,
        )

    def kept(self) -> dict[str, object]:
        """What to keep in the form's metadata."""
        return {"changed": self.changed, "modes": self.modes, "runs": self.runs, "inputs": self.inputs}

    def fill(self, shown: CheckinForm, form: Form) -> CheckinForm:
        """The form with this in it; inputs that are shown keep their text in Slack as well."""
        changed = self.changed
        return replace(
            shown,
            kind=self.kind,
            details=self.details,
            runs=shown.runs if self.runs is None else _whole(self.runs, least=1),
            inputs_complete=shown.inputs_complete if self.inputs is None else _whole(self.inputs, least=0),
            value=form.text(Field.VALUE),
            note=form.text(Field.NOTE) if Field.NOTE in form.values else shown.note,
            guardrails=tuple(
                replace(one, typed=form.text(f"{Field.GUARDRAIL}:{one.key}")) for one in shown.guardrails
            ),
            steps=tuple(
                replace(
                    one,
                    changed=one.changed if changed is None else one.step.key in changed,
                    chosen=self.modes.get(one.step.key, one.chosen),
                )
                for one in shown.steps
            ),
        )


def shown_again(*, details: bool = False) -> Callable[[RequestContext, str, Body], None]:
    """Return the handler of a choice in the form, or of [Add details]: the form asks for what it needs now."""

    def run(context: RequestContext, _value: str, body: Body) -> None:
        view = body.get("view") or {}
        form = Form.of(view)
        so_far = TypedSoFar.of(form, details=details)
        shown = checkin_form(
            context.uow, adoption_id=form.row("a"), week_start=form.week("w"), kind=so_far.kind
        )
        ids = metadata(**{**form.ids, _KEPT: so_far.kept()})
        context.update(str(view.get("id") or ""), so_far.fill(shown, form), ids=ids)

    return run


def sure_of(form: Form, adoption_id: int) -> float | None:
    """The number of an adoption that the person was already asked about; submitting it again confirms it."""
    asked = form.ids.get(_SURE)
    value = asked.get(str(adoption_id)) if isinstance(asked, dict) else None
    return float(value) if isinstance(value, int | float) else None


def ask_about(context: RequestContext, form: Form, doubtful: DoubtfulNumber) -> CheckinForm | CheckinAllForm:
    """The submitted form again, as it was filled in, with the question below the doubtful number."""
    asked = form.ids.get(_SURE)
    sure = {**(asked if isinstance(asked, dict) else {}), str(doubtful.adoption_id): doubtful.value}
    ids = metadata(**{**form.ids, _SURE: sure})
    if form.callback == Callback.CHECKIN_ALL:
        every = checkin_all_form(context.uow, week_start=read_week(str(form.ids.get("w"))))
        rows = tuple(_as_typed(one, form, doubtful) for one in every.rows)
        return replace(every, private_metadata=ids, rows=rows)
    so_far = TypedSoFar.of(form, details=False)
    shown = checkin_form(context.uow, adoption_id=form.row("a"), week_start=form.week("w"), kind=so_far.kind)
    return replace(so_far.fill(shown, form), private_metadata=ids, doubt=doubtful.value)


def _as_typed(row: CheckinAllRow, form: Form, doubtful: DoubtfulNumber) -> CheckinAllRow:
    """A row of the form for several check-ins, as it was filled in."""
    runs = f"{Field.RUNS}:{row.adoption_id}"
    return replace(
        row,
        runs=_whole(form.text(runs), least=1) if runs in form.values else row.runs,
        value=form.text(f"{Field.VALUE}:{row.adoption_id}"),
        doubt=doubtful.value if str(row.adoption_id) == str(doubtful.adoption_id) else None,
        guardrails=tuple(
            replace(one, typed=form.text(f"{Field.GUARDRAIL}:{one.key}:{row.adoption_id}"))
            for one in row.guardrails
        ),
    )


def attestation_of(form: Form) -> Attestation:
    """The answer chosen in a form.

    Raises:
        Refusal: it isn't an answer.
    """
    try:
        return Attestation(
            form.option(Field.ATTESTATION) or str(form.ids.get("k") or Attestation.AS_DECLARED)
        )
    except ValueError:
        raise Refusal("Choose how the week went.", field=Field.ATTESTATION) from None


def drifts_of(form: Form) -> dict[str, str]:
    """Who led each step that ran differently.

    Raises:
        Refusal: on its field, if that wasn't chosen for one of them.
    """
    modes = {step: form.option(f"{Field.MODE}:{step}") for step in _steps_of(form)}
    if Field.CHANGED in form.values:
        modes = {step: modes.get(step) for step in form.options(Field.CHANGED)}
    else:  # a form opened before there were checkboxes: a menu a step
        modes = {step: mode for step, mode in modes.items() if mode != Attestation.AS_DECLARED}
    for step, mode in modes.items():
        if mode not in set(Mode):
            field = f"{Field.MODE}:{step}"
            raise Refusal("Choose who led this step.", field=field if field in form.values else Field.CHANGED)
    return {step: str(mode) for step, mode in modes.items()}


def _steps_of(form: Form) -> list[str]:
    """The steps whose mode is asked for."""
    return [field.partition(":")[2] for field in form.values if field.startswith(f"{Field.MODE}:")]


def _text(form: Form, field: str, kept: Mapping[str, Any]) -> str | None:
    if field in form.values:
        return form.text(field)
    return str(kept[field])[:20] if kept.get(field) is not None else None


def _whole(typed: str, *, least: int) -> int | None:
    """A number that the input takes as its initial value; None for anything else."""
    return int(typed) if typed.isdecimal() and typed.isascii() and least <= int(typed) <= _MOST else None
