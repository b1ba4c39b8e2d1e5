"""The tools of people's assistants: each calls the flow of a slash command, for the person it acts for."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Annotated, Final, Literal

import structlog
from pydantic import AfterValidator, BeforeValidator, Field
from pydantic_core import PydanticCustomError

from cadence.flows import overview
from cadence.flows.checkins import AnswerGiven, answer
from cadence.flows.core import NeedsChoice, Repeated, admit, named
from cadence.flows.exceptions import ExceptionGiven, NeedsConfirming, log_exception
from cadence.flows.machines import MOST_RUNS
from cadence.flows.numbers import NumberGiven, record_number
from cadence.flows.tokens import note_call
from cadence.refusals import Refusal
from cadence.rules.modes import Mode
from cadence.typed import visible
from handlers.context import Services
from handlers.listeners import sentence_for
from storage.engine import Conflict, is_busy, is_unreachable
from storage.tables import Attestation
from storage.work import UnitOfWork
from templates.contexts.base import MessageContext
from templates.plain import plain_text
from templates.render import render

log: Final = structlog.get_logger()
Scope = Literal["read", "write"]


def _visible(text: str | None) -> str | None:
    return None if text is None else visible(text)


def _no_bool(given: object) -> object:
    if isinstance(given, bool):
        raise PydanticCustomError("int_type", "Input should be a valid integer")
    return given


Visible = AfterValidator(_visible)
"""Removes invisible characters, as from what people type. It comes last: a limit on its length is text's alone."""
NoBool = BeforeValidator(_no_bool)
"""Refuses true and false where a number is due."""
LONGEST_NAME: Final = 200
"""Characters of a short name; a person's words for one may be longer than the name."""
Playbook = Annotated[
    str | None,
    Field(
        max_length=LONGEST_NAME,
        description="The playbook's short name, such as support-reply; needed if there are several.",
    ),
    Visible,
]
Team = Annotated[
    str | None,
    Field(max_length=LONGEST_NAME, description="The team's short name; needed if several run the playbook."),
    Visible,
]
Week = Annotated[
    int | None,
    Field(ge=1, le=4, description="The week of the cycle, 1 to 4; without it, this week."),
    NoBool,
]
Note = Annotated[str, Field(max_length=2_000, description="A remark that the team can read."), Visible]
Step = Annotated[
    str, Field(max_length=LONGEST_NAME, description="The step's short name, such as draft."), Visible
]
Modes = Annotated[
    dict[str, Mode] | None,
    Field(description="For “changed”: how each changed step was actually led, by the step's short name."),
]
_ANSWERS: Final[Mapping[str, Attestation]] = {
    "as-planned": Attestation.AS_DECLARED,
    "changed": Attestation.DRIFTED,
    "not-run": Attestation.NOT_RUN,
}


@dataclass(frozen=True, slots=True)
class Said:
    """What a tool answers: the text, and whether it was refused."""

    text: str
    refused: bool = False


def call(services: Services, uow: UnitOfWork, tool: str, run: Callable[[UnitOfWork], MessageContext]) -> Said:
    """Admit the person, run the tool, and record the call in the trail.

    A refusal is an answer too: it says what would be right. So is an error, whose own text may quote rows.
    """
    try:
        said = _said(services, uow, run)
        said = replace(said, text=named(uow, said.text))
    except Exception as error:  # noqa: BLE001 - every error becomes a sentence
        said = Said(sentence_for(services, error).text, refused=True)
        if is_busy(error) or is_unreachable(error):  # so the trail would be
            return said
        uow.facts.clear()
    try:
        note_call(uow, tool=tool, outcome="refused" if said.refused else "answered")
    except Exception as error:
        if not (is_busy(error) or is_unreachable(error)):
            raise
        # The call itself was carried out, and its flow has its own entry.
        log.warning("assistant's call not recorded", tool=tool, error=type(error).__name__)
    return said


def _said(services: Services, uow: UnitOfWork, run: Callable[[UnitOfWork], MessageContext]) -> Said:
    """What a tool answers to somebody who takes part."""

    def admitted() -> MessageContext:
        admit(uow, meet=partial(services.meet, uow.workspace_id, uow.actor.member))
        return run(uow)

    try:
        try:
            answer = admitted()
        except Conflict:  # somebody else was faster: now it is found
            uow.facts.clear()
            answer = admitted()
        return Said(plain_text(render(answer).blocks))
    except Repeated as before:
        return Said(plain_text(before.answer["blocks"]) if before.answer else "This was done before.")
    except NeedsConfirming as asked:
        return Said(
            f"{asked.plain} To confirm, call it again with confirm={sorted(asked.agreed)}.", refused=True
        )
    except NeedsChoice as unclear:
        return Said(f"{unclear.plain} Name the playbook and the team.", refused=True)
    except Refusal as refused:
        return Said(refused.plain, refused=True)


class Tools:
    """What assistants can do: each method is a tool, and its signature and docstring describe it to them.

    Args:
        person: the unit of work of the person for whom the tool is called.
        require: raises a refusal if their token doesn't have a scope.
    """

    def __init__(
        self, services: Services, person: Callable[[], UnitOfWork], require: Callable[[Scope], None]
    ) -> None:
        self._services = services
        self._person = person
        self._require = require

    def _call(self, tool: str, scope: Scope, run: Callable[[UnitOfWork], MessageContext]) -> Said:
        def allowed(uow: UnitOfWork) -> MessageContext:
            self._require(scope)
            return run(uow)

        return call(self._services, self._person(), tool, allowed)

    def refuse(self, tool: str, sentence: str) -> Said:
        """Answer a call that names no tool, or whose arguments aren't valid."""

        def run(_uow: UnitOfWork) -> MessageContext:
            raise Refusal(sentence)

        return call(self._services, self._person(), tool, run)

    def status(self, playbook: Playbook = None, team: Team = None) -> Said:
        """See this week: the KPI, check-ins, the gate, and how each step is led."""
        return self._call("status", "read", lambda uow: overview.status(uow, playbook=playbook, team=team))

    def why(self, step: Step, playbook: Playbook = None, team: Team = None) -> Said:
        """See why a step is led the way it is, with the numbers behind it."""
        return self._call(
            "why", "read", lambda uow: overview.why(uow, playbook=playbook, step=step, team=team)
        )

    def digest(self) -> Said:
        """See the weekly digest so far. For curators."""
        return self._call("digest", "read", overview.show_digest)

    def check_in(
        self,
        answered: Annotated[
            Literal["as-planned", "changed", "not-run"],
            Field(description="How the week went, as the person said."),
        ],
        runs: Annotated[
            int | None,
            Field(ge=0, le=MOST_RUNS, description="How often they ran it; without it, their usual number."),
            NoBool,
        ] = None,
        steps: Modes = None,
        playbook: Playbook = None,
        team: Team = None,
        week: Week = None,
        note: Note = "",
    ) -> Said:
        """Answer the person's weekly check-in. Only report what they told you; never estimate for them."""
        given = AnswerGiven(
            attestation=_ANSWERS[answered],
            runs=runs,
            drifts=steps or {},
            playbook=playbook,
            team=team,
            week=week,
            note=note,
        )
        return self._call("check_in", "write", lambda uow: answer(uow, [given]))

    def report_kpi(
        self,
        value: Annotated[
            str,
            Field(max_length=40, description="The number as people write it, such as 12.5, 1h30m or 4%."),
            Visible,
        ],
        playbook: Playbook = None,
        team: Team = None,
        week: Week = None,
        note: Note = "",
    ) -> Said:
        """Report this week's number of the KPI. A second number in the same week corrects the first."""
        given = NumberGiven(value=value, playbook=playbook, team=team, week=week, note=note)
        return self._call("report_kpi", "write", lambda uow: record_number(uow, given))

    def log_exception(
        self,
        step: Step,
        reason: Annotated[
            str,
            Field(min_length=1, max_length=2_000, description="What went wrong, in a few words."),
            Visible,
        ],
        critical: Annotated[
            bool, Field(description="Whether it must never happen. It demotes the step right away.")
        ] = False,
        link: Annotated[
            str | None, Field(max_length=1_000, description="Where it can be seen."), Visible
        ] = None,
        playbook: Playbook = None,
        team: Team = None,
        confirm: Annotated[
            tuple[str, ...],
            Field(description="What an earlier answer asked to confirm, once the person confirmed it."),
        ] = (),
    ) -> Said:
        """Log one run in which a step went wrong. The step may be demoted for it."""
        given = ExceptionGiven(
            step=step,
            reason=reason,
            critical=critical,
            link=link,
            playbook=playbook,
            team=team,
            agreed=frozenset(confirm),
        )
        return self._call("log_exception", "write", lambda uow: log_exception(uow, given))
