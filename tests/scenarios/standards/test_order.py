"""Verdicts follow the order of reports, never the clocks (Hypothesis)."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import given, settings
from hypothesis import strategies as st

from bot.ops.commands import BUILT_IN_TEAM
from cadence.actor import Actor
from cadence.flows.checkins.answers import AnswerGiven, answer
from cadence.flows.cycles.starting import CycleGiven, start_cycle
from cadence.flows.exceptions.logging import ExceptionGiven, log_exception
from cadence.flows.history.replay import replay
from cadence.flows.rubrics.recording import StepMeant, revise_rubric
from cadence.flows.standards.declaring import ModeGiven, declare_mode
from cadence.refusals import Refusal
from cadence.rules.modes import Mode
from storage.engine import Database
from storage.queries import standards
from storage.tables import Attestation
from storage.work import UnitOfWork
from tests.databases import database
from tests.harnesses import EXAMPLES, Imported
from tests.scenarios.plays import DESK, at

BEFORE, NOON = datetime(2026, 2, 27, 12, tzinfo=UTC), at("2026-03-05 12:00")
MEMBER, OWNER, CURATOR = "U01AGENT2", "U01LEAD", "U01CURATOR"
_TEXTS = (
    DESK.read_text(encoding="utf-8"),
    (EXAMPLES / "support-reply.yaml").read_text(encoding="utf-8").replace("support-emea", "solo"),
)
Act = Callable[[Database, Actor, datetime], object]


def caller(member: str, number: int) -> Actor:
    return Actor(BUILT_IN_TEAM, member, "command", request=f"request-{number}")


def exception(*, critical: bool = False) -> Act:
    given = ExceptionGiven(
        step="send", reason="tone was off", critical=critical, playbook="support-reply", ask=False
    )
    return lambda db, who, now: log_exception(UnitOfWork(db, who, now), given)


def check_in(runs: int) -> Act:
    given = AnswerGiven(Attestation.AS_DECLARED, playbook="support-reply", runs=runs)
    return lambda db, who, now: answer(UnitOfWork(db, who, now), [given])


def declare(mode: Mode) -> Act:
    given = ModeGiven(step="send", mode=mode, reason="we start over", playbook="support-reply", team="solo")
    return lambda db, who, now: declare_mode(UnitOfWork(db, who, now), given)


def revise() -> Act:
    meant = StepMeant(step="send", playbook="support-reply", team="solo")
    return lambda db, who, now: revise_rubric(UnitOfWork(db, who, now), meant, change="the greeting first")


ACTS: dict[str, tuple[str, Act]] = {
    "exception": (MEMBER, exception()),
    "critical": (MEMBER, exception(critical=True)),
    "10 runs": (MEMBER, check_in(10)),
    "30 runs": (MEMBER, check_in(30)),
    "collaborative": (CURATOR, declare(Mode.COLLABORATIVE)),
    "ai-led": (CURATOR, declare(Mode.AI_LED)),
    "revise": (OWNER, revise()),
}


def verdicts(acts: Sequence[tuple[str, int]], *, skewed: bool) -> list[tuple[object, ...]]:
    """The decisions when these events happen one after another, each with a clock this many minutes off."""
    with (
        TemporaryDirectory() as folder,
        database(Path(folder) / "order.db", Imported(_TEXTS, BEFORE)) as db,
    ):
        given = CycleGiven("support-reply", team="solo", starts_on=at("2026-03-02 12:00").date())
        start_cycle(UnitOfWork(db, caller(OWNER, 0), BEFORE), given)
        for number, (name, minutes) in enumerate(acts, start=1):
            member, act = ACTS[name]
            now = NOON + timedelta(minutes=minutes) if skewed else NOON + timedelta(seconds=number)
            with suppress(Refusal):  # a mode that the step is in already
                act(db, caller(member, number), now)
        with db.read() as session:
            rows = standards.verdicts_after(UnitOfWork.around(session, Actor.system(BUILT_IN_TEAM)), after=0)
            again = replay(UnitOfWork.around(session, Actor.system(BUILT_IN_TEAM), NOON + timedelta(days=1)))
            assert again.differences == ()
            return [
                (
                    *(row.step, row.decision, row.line, row.mode, row.lands_on, row.alerted),
                    *(row.exceptions, row.critical, row.attested, row.assumed),
                )
                for row, _, _ in rows
            ]


@settings(max_examples=12)
@given(
    st.lists(st.tuples(st.sampled_from(sorted(ACTS)), st.integers(-10, 10)), min_size=2, max_size=9),
)
def test_clocks_that_differ_change_no_verdict(acts: list[tuple[str, int]]) -> None:
    assert verdicts(acts, skewed=True) == verdicts(acts, skewed=False)
