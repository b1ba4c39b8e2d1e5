"""Values of KPIs and guardrails: the form, and what was recorded."""

from dataclasses import dataclass
from datetime import date
from typing import ClassVar

from templates.contexts.base import Choice, GuardrailAsked, Kpi, MessageContext, ViewContext


@dataclass(frozen=True, slots=True, kw_only=True)
class Guardrail:
    """A number that must not get worse. `value` is None without a reading, `held` then too.

    `week` of the cycle: the value's, if it is an earlier one than the message is about. `given_by` is who gave it, if
    that's another person than the message is for. `replaced` is the value it corrects, given by `replaced_of` if
    that's another person.
    """

    name: str
    unit: str
    direction: str
    limit: float
    value: float | None = None
    held: bool | None = None
    week: int | None = None
    given_by: str | None = None
    replaced: float | None = None
    replaced_of: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded(MessageContext):
    """A recorded KPI number. `kpi.value` is the number; `replaced` the one it corrects, given by
    `replaced_of` if that's another person; `met` compares it with the target.

    `guardrails` came with it, or instead of it: then `kpi.value` is None. `result` is the cycle's, if that is closed.
    `was` is what it was before.
    `week` is that of the cycle if it isn't the current one, which a correction then names.
    """

    TEMPLATE: ClassVar[str] = "answers/numbers/recorded.json.j2"

    slug: str
    playbook: str
    team: str
    kpi: Kpi
    met: bool
    week_start: date
    replaced: float | None = None
    replaced_of: str = ""
    guardrails: tuple[Guardrail, ...] = ()
    result: str | None = None
    was: str | None = None
    week: int | None = None
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetReached(MessageContext):
    """A running cycle's KPI first reached its target, in `week` of it. The cycle closes on the day `closes`.

    Args:
        told: the number as it was first posted, if it was corrected since.
        met: the target is still met, and no guardrail is past its limit.
    """

    TEMPLATE: ClassVar[str] = "messages/numbers/target_reached.json.j2"

    slug: str
    playbook: str
    team: str
    week: int
    kpi: Kpi
    closes: date
    guardrails: tuple[Guardrail, ...] = ()
    told: float | None = None
    met: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class KpiForm(ViewContext):
    """A KPI number. Inputs: `adoption` (when there are several), `value`, `week` (when asked), `note`.

    Args:
        kpi: of the adoption it is about; None if the person has yet to choose one.
        adoptions: to choose from; empty if it is known.
        selected: the value of the adoption chosen beforehand.
        weeks: to choose from; empty if it isn't asked.
        week: the value of the week chosen beforehand.
        week_start: the Monday of the week it is about, if known.
        named: `week=N`, typed before the adoption was chosen.
        guardrails: of the adoption, in `guardrail:{key}`; if one has yet to be chosen, those already typed.
        only_guardrails: the value can stay empty, because the command named guardrails only.
    """

    TEMPLATE: ClassVar[str] = "modals/numbers/kpi.json.j2"

    playbook: str = ""
    team: str = ""
    kpi: Kpi | None = None
    adoptions: tuple[Choice, ...] = ()
    selected: str | None = None
    weeks: tuple[Choice, ...] = ()
    week: str | None = None
    week_start: date | None = None
    named: int | None = None
    value: str = ""
    note: str = ""
    guardrails: tuple[GuardrailAsked, ...] = ()
    only_guardrails: bool = False
