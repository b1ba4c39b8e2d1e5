"""What may be answered to a check-in: by whom, which steps drifted, how many runs."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

from sqlmodel import Session

from cadence.flows import checkin_rows
from cadence.flows.callers import Caller
from cadence.flows.runs import TeamRun, current_modes, mode_of
from cadence.flows.weeks import ReportWeek
from cadence.mrkdwn import code, say
from cadence.refusals import NotAllowed, Refusal
from cadence.rules.calendar import WEEKS
from cadence.rules.modes import Mode
from storage.tables import Attestation

FAR_ABOVE = 20
"""How many times somebody's usual number of runs is taken for a slip of the finger."""


ALWAYS_FINE = 200
"""Runs in a week that are taken from anybody."""


@dataclass(frozen=True, slots=True)
class AnswerGiven:
    """One answer as someone gave it.

    Args:
        runs: how often the workflow ran; None takes the member's typical number.
        value: the KPI number as typed, None when it isn't theirs to give.
        guardrails: their numbers as typed, by name.
        complete_inputs: runs whose inputs were complete.
        drifts: the mode each drifted step was really run in, by step key.
    """

    attestation: Attestation
    playbook: str | None = None
    team: str | None = None
    adoption_id: int | None = None
    week: int | None = None
    week_start: date | None = None
    runs: int | None = None
    value: str | None = None
    complete_inputs: int | None = None
    drifts: Mapping[str, str] = field(default_factory=dict)
    note: str = ""
    guardrails: Mapping[str, str] = field(default_factory=dict)


def require_asked(session: Session, caller: Caller, run: TeamRun, week: ReportWeek) -> None:
    """Let a week through that this person was asked for.

    Raises:
        NotAllowed: they are no member of the team, or weren't then.
    """
    if not 1 <= week.week <= WEEKS or not checkin_rows.may_answer(
        session, run, member=caller.member, week_start=week.start
    ):
        raise NotAllowed(
            say(
                "Only members of {team} answer its check-in. {command} puts you in the team.",
                team=run.team.title,
                command=code(f"/cadence team join {run.team.slug}"),
            )
        )


def drifts_given(session: Session, caller: Caller, run: TeamRun, given: AnswerGiven) -> dict[str, Mode]:
    """Which steps were run in another mode than declared, by key.

    Raises:
        Refusal: an unknown step, no step that drifted, or drifts beside another attestation.
    """
    if given.attestation is Attestation.AS_DECLARED and given.drifts:
        raise Refusal(
            "A step in another mode means that something drifted; choose that.", field="attestation"
        )
    if given.attestation is not Attestation.DRIFTED:
        return {}
    modes = current_modes(session, run)
    drifts: dict[str, Mode] = {}
    for key, mode in given.drifts.items():
        step = run.step(key)
        if mode_of(modes, step) is not Mode(mode):
            drifts[key] = Mode(mode)
    if not drifts:
        first = run.spec.steps[0]
        if caller.surface in ("form", "shortcut"):
            raise Refusal(
                "Which step drifted? Choose who led it. A step in the mode it is declared in hasn't drifted.",
                field=f"mode:{first.key}",
            )
        raise Refusal(
            say(
                "Which step drifted, and who led it? For example {example}. "
                "A step in the mode it is declared in hasn't drifted.",
                example=code(f"/attest {run.playbook.slug} drifted {first.key}=human-led"),
            ),
            field=f"mode:{first.key}",
        )
    return drifts


def runs_given(session: Session, caller: Caller, run: TeamRun, given: AnswerGiven) -> int:
    """How often the workflow ran; without a number, as often as usual.

    Raises:
        Refusal: a number that can't be, or goes ill with the attestation.
    """
    if given.attestation is Attestation.NOT_RUN:
        if given.runs:
            raise Refusal(say("“Didn't run” goes with 0 runs, not {runs}.", runs=given.runs), field="runs")
        return 0
    usual = max(1, checkin_rows.typical(session, run, member=caller.member))
    runs = usual if given.runs is None else given.runs
    if runs == 0:
        raise Refusal("With 0 runs the answer is “Didn't run”.", field="runs")
    if runs < 0:
        raise Refusal("Runs can't be fewer than 0; write a whole number such as 14.", field="runs")
    most = max(ALWAYS_FINE, FAR_ABOVE * usual)
    if runs > most:
        raise Refusal(
            f"{runs:,} runs is far above your usual {usual:,}. Up to {most:,} are taken for a week; "
            "if there really were more, write that in the note.",
            field="runs",
        )
    return runs
