"""Rehearsals of the examples: three cycles each, in which every line of their answers can be carried out
(SPEC §10).

The first of them is also a golden file, meant to be read: pilot, demotion, a new rubric, recovery, a
promotion, a second team, a published version. `UPDATE_GOLDEN=1 make test-more` rewrites it.
"""

import os
import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from html import unescape
from pathlib import Path
from typing import Final

import pytest

from bot.rehearsal.answers import FileRefused, read_answers
from cadence.documents import read_workspace
from cadence.rules.modes import Mode
from storage.tables import Attestation, PromotionState
from templates.contexts.checkins import Attested, CheckinMessage, Drift, KpiMissing
from templates.contexts.cycles import CycleClosed
from templates.contexts.numbers import Recorded
from templates.contexts.playbooks import PlaybookPublished, PublishBlocked
from templates.contexts.promotions import Promoted, PromotionProposed
from templates.contexts.rubrics import RubricRevised
from templates.contexts.setup import SetupPost
from templates.contexts.standards import Demoted, ModeDeclared, Watch
from templates.contexts.standards import Drift as DriftAlert
from tests.contexts import assert_golden
from tests.databases import OnPostgres, database
from tests.harnesses import EXAMPLES
from tests.scenarios.plays import DATA, DESK, REPLY, at
from tests.scenarios.rehearsal.recorded import Rehearsal, rehearsed

WORKSPACE = EXAMPLES / "workspace.yaml"


@pytest.fixture(autouse=True)
def _where_it_keeps_its_rows(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Iterator[None]:
    """A rehearsal uses a SQLite file; with `--postgres` or this mark, a PostgreSQL database must give the same
    transcript."""
    with ExitStack() as places:
        if request.node.get_closest_marker("postgres"):
            monkeypatch.setattr(OnPostgres, "socket", request.getfixturevalue("postgres_socket"))
        if OnPostgres.socket is not None:
            monkeypatch.setattr(
                "bot.rehearsal.rehearse.Database",
                lambda _url, **_options: places.enter_context(database(tmp_path / "none")),
            )
        yield


ON_SQLITE = pytest.mark.sqlite
"""A rehearsal uses SQLite; one of three cycles is enough on PostgreSQL."""
GOLDEN: Final = DATA / "three-cycles.txt"


def example(slug: str, *, weeks: int = 13) -> Rehearsal:
    return rehearsed(EXAMPLES / f"{slug}.yaml", WORKSPACE, EXAMPLES / "answers" / f"{slug}.csv", weeks=weeks)


def support_reply(played: Rehearsal) -> None:
    """Demoted, recovered, promoted, published; the whole transcript is a golden file."""
    if os.environ.get("UPDATE_GOLDEN"):
        GOLDEN.write_text(played.told, encoding="utf-8")
    assert played.told == GOLDEN.read_text(encoding="utf-8")
    plan = "The new refund policy goes into the prompt, and into the rubric."
    assert {one.answer for one in played.shown(Watch)} == {plan}
    assert "Send the edited reply" in {one.step for one in played.shown(Demoted)}
    assert 22 in {one.replaced for one in played.shown(Recorded)}
    drift = Drift(step="Draft three replies", mode=Mode.HUMAN_LED)
    assert (9, (drift,)) in {(one.runs, one.drifts) for one in played.check_ins()}
    closed = closings(played)
    assert (closed[1].result, closed[1].kpi.baseline, closed[1].kpi.value) == ("met", 42, 14.5)
    assert "Send the edited reply" in {one.step for one in played.shown(RubricRevised)}
    assert {(one.state, one.minutes, one.planned) for one in played.shown(SetupPost)} == {("done", 41, 60)}
    assert promoted(played) == {("Send the edited reply", Mode.AI_LED)}
    assert {one.number for one in played.shown(PlaybookPublished)} == {1}


def inbound_routing(played: Rehearsal) -> None:
    """A missed target, a drift that is settled, and a version that is published too early."""
    [watch, *_] = played.shown(Watch)
    assert watch.step == "Score fit and intent"
    assert watch.evidence.ratio is not None
    assert watch.evidence.ratio > watch.evidence.cap
    drift = Drift(step="Draft the first note to the lead", mode=Mode.AI_LED)
    assert (22, (drift,)) in {(one.runs, one.drifts) for one in played.check_ins()}
    assert "four of them were test leads" in {one.note for one in played.check_ins()}
    first = closings(played)[1]
    assert first.result == "not met"
    assert_golden("\n".join(first.promotions), "promotions-after-a-missed-target")
    assert_golden("\n".join(played.heads(first.promotions[0])), "where-the-first-close-is-told")
    settled = {(one.decision, one.decided_by) for one in played.shown(DriftAlert)}
    assert settled == {("back_to_plan", "U03LEAD")}
    assert promoted(played) == {("Draft the first note to the lead", Mode.AI_LED)}
    [blocked] = played.shown(PublishBlocked)
    assert (blocked.number, len(blocked.gaps)) == (1, 2)
    overrides = {one.override and one.override.member for one in played.shown(PlaybookPublished)}
    assert overrides == {"U01CURATOR"}
    assert played.shown(Demoted) == []


def all_goes_well(played: Rehearsal) -> None:
    """All goes well."""
    friday = at("2026-03-27 10:00", "Asia/Kolkata")
    [asked] = [
        one
        for one in played.messages_of(CheckinMessage)
        if one.channel == "D05LEAD" and one.posted_at.replace(microsecond=0) == friday
    ]
    assert_golden("\n".join(played.heads(asked.words.splitlines()[0])), "where-week-four-is-asked")
    closed = closings(played)
    assert (closed[1].result, closed[1].attested, closed[1].expected) == ("met", 12, 12)
    assert {(one.state, one.minutes, one.planned) for one in played.shown(SetupPost)} == {("done", 38, 60)}
    assert promoted(played) == {("Draft tests for the code to be changed", Mode.AI_LED)}
    assert {one.number for one in played.shown(PlaybookPublished)} == {1}
    assert played.shown(Demoted) == []
    assert played.shown(Watch) == []
    assert not any(one.drifts for one in played.check_ins())


def variance_review(played: Rehearsal) -> None:
    """A week without a run, one without a number, and a promotion that is declined."""
    assert Attestation.NOT_RUN in {one.attestation for one in played.check_ins()}
    [answered] = [row for one in played.shown(Attested) for row in one.rows]
    assert answered.previous is not None
    assert answered.previous.runs == 6
    missing = {(one.kpi.name, one.week) for one in played.shown(KpiMissing)}
    assert ("Month-end close time", 3) in missing
    assert closings(played)[1].readings == (6, 5.5, None, 5)
    assert {(one.state, one.minutes, one.planned) for one in played.shown(SetupPost)} == {("done", 44, 50)}
    declined = {(one.step, one.after, one.state) for one in played.shown(PromotionProposed)}
    assert declined == {("Write the explanation of each variance", Mode.AI_LED, PromotionState.DECLINED)}
    assert {one.number for one in played.shown(PlaybookPublished)} == {1}
    for changed in (Demoted, Promoted, ModeDeclared):
        assert played.messages_of(changed) == []


def closings(played: Rehearsal) -> dict[int, CycleClosed]:
    """How each cycle of the pilot team closed, by its number, as its channel reads it."""
    return {one.number: one for one in reversed(played.shown(CycleClosed)) if not one.names_team}


def promoted(played: Rehearsal) -> set[tuple[str, str]]:
    """Each step that was promoted, and its mode since."""
    return {(one.step, one.after) for one in played.shown(Promoted)}


@pytest.mark.parametrize(
    ("slug", "proves"),
    [
        pytest.param("support-reply", support_reply, marks=[ON_SQLITE, pytest.mark.long]),
        pytest.param(
            "support-reply",
            support_reply,
            marks=[pytest.mark.postgres, pytest.mark.long],
            id="on PostgreSQL",
        ),
        pytest.param("inbound-routing", inbound_routing, marks=[ON_SQLITE, pytest.mark.long]),
        pytest.param("test-refactor", all_goes_well, marks=[ON_SQLITE, pytest.mark.long]),
        pytest.param("variance-review", variance_review, marks=[ON_SQLITE, pytest.mark.long]),
    ],
)
def test_an_examples_three_cycles(slug: str, proves: Callable[[Rehearsal], None]) -> None:
    played = example(slug)
    assert played.impossible == []
    proves(played)


@ON_SQLITE
def test_one_cycle_is_told_as_three_begin() -> None:
    played = example("support-reply", weeks=4)
    assert played.impossible == []
    assert closings(played)[1].result == "met"
    assert_golden(played.left_out(), "lines-after-week-4")
    told = played.told.rstrip().removesuffix(played.left_out()).rstrip()
    assert told == GOLDEN.read_text(encoding="utf-8")[: len(told)]


def test_a_menu_and_a_commands_form_are_filled_in_and_their_answers_shown(tmp_path: Path) -> None:
    answers = tmp_path / "answers.csv"
    answers.write_text(
        "1,Tue,10:00,U01LEAD,/exception => step=1:send reason='tone was off'\n"
        "1,Thu,10:05,U01AGENT1,choose Tomorrow\n"
        "1,Thu,10:06,U01AGENT1,choose Next year\n"
        "1,Thu,10:07,U01LEAD,/cadence help => runs=9\n",
        encoding="utf-8",
    )
    played = rehearsed(REPLY, DESK, answers)
    assert len(played.impossible) == 2
    assert_golden(played.told_as_impossible(), "no-such-menu-and-no-form")
    [logged] = played.answers
    assert_golden(logged, "exception-logged-by-form")
    assert all(line in played.told for line in unescape(logged).splitlines())


def test_every_example_playbook_has_answers() -> None:
    playbooks = {file.stem for file in EXAMPLES.glob("*.yaml")} - {"workspace"}
    assert {file.stem for file in (EXAMPLES / "answers").glob("*.csv")} == playbooks


@ON_SQLITE
def test_the_same_files_give_the_same_transcript(tmp_path: Path) -> None:
    answers = tmp_path / "answers.csv"
    answers.write_text("1,Thu,10:05,U01AGENT1,press As planned runs=9\n", encoding="utf-8")
    first, second = (rehearsed(REPLY, DESK, answers) for _ in range(2))
    assert first.told == second.told
    assert [one.runs for one in first.check_ins()] == [9]


@pytest.mark.parametrize(
    ("lines", "weeks", "case"),
    [
        (["2,Fri,10:00", "3,Thu,10:00", "1,Thu,10:05"], 1, "lines-out-of-order"),
        (["1,Thu,10:05", "2,Tue,09:00"], 1, "one-line-left-out"),
        (["1,Thu,10:05", "2,Mon,09:00"], 1, "no-line-left-out"),
    ],
)
def test_lines_after_the_last_week_are_named(tmp_path: Path, lines: list[str], weeks: int, case: str) -> None:
    answers = tmp_path / "answers.csv"
    answers.write_text("".join(f"{line},U01AGENT1,/cadence status\n" for line in lines), encoding="utf-8")
    assert_golden(rehearsed(REPLY, DESK, answers, weeks=weeks).left_out(), case)


def test_impossible_actions_are_reported_and_the_weeks_continue(tmp_path: Path) -> None:
    answers = tmp_path / "answers.csv"
    answers.write_text(
        "1,Wed,10:00,U01AGENT1,press As planned runs=9\n"
        "1,Thu,10:05,U01LEAD,press As planned runs=9 value='12 quarts'\n"
        "1,Thu,10:05,U01AGENT1,press As planned in='Another playbook' runs=9\n"
        "1,Thu,10:06,U01AGENT1,press As planned in='Reply' runs=9\n",
        encoding="utf-8",
    )
    played = rehearsed(REPLY, DESK, answers)
    assert len(played.impossible) == 3
    assert_golden(played.told_as_impossible(), "impossible-actions")
    assert [(one.runs, one.answered_at) for one in played.check_ins()] == [(9, at("2026-03-05 10:06"))]


@pytest.mark.parametrize(
    ("line", "mistake"),
    [
        ("1,Thu,10:42,U01LEAD", "columns"),
        ("0,Thu,10:42,U01LEAD,/kpi 14m", "week-zero"),
        ("x,Thu,10:42,U01LEAD,/kpi 14m", "week"),
        ("1,Thx,10:42,U01LEAD,/kpi 14m", "day"),
        ("1,Thu,25:42,U01LEAD,/kpi 14m", "time"),
        ("1,Thu,10:42,U01LEAD,hello", "action"),
        ("1,Thu,10:42,U09NOBODY,/kpi 14m", "member"),
        ('1,Thu,10:42,U01LEAD,"/exception send wrong tone', "open-quote"),
        ("1,Thu,10:42,U01LEAD,/kpi " + "1" * 200_000, "length"),
    ],
)
def test_every_mistake_of_an_answers_file_is_reported(tmp_path: Path, line: str, mistake: str) -> None:
    people = read_workspace(DESK.read_text(encoding="utf-8"))
    answers = tmp_path / "answers.csv"
    answers.write_text(
        f"week,day,time,member,says\n{line}\n\n# a remark\n9,Foo,1,U01LEAD,/kpi 14m\n", encoding="utf-8"
    )
    with pytest.raises(FileRefused) as refused:
        read_answers(answers, people)
    assert len(refused.value.problems) == 2
    problems = "\n".join(refused.value.problems)
    assert_golden(problems.replace(f"{tmp_path}/", ""), f"mistakes:{mistake}")


def test_an_action_may_contain_commas_and_spaces(tmp_path: Path) -> None:
    people = read_workspace(DESK.read_text(encoding="utf-8"))
    answers = tmp_path / "answers.csv"
    answers.write_text("1, Thu, 9:05, U01LEAD, /attest as-declared one, two,  three \n", encoding="utf-8")
    [line] = read_answers(answers, people)
    assert (line.week, line.weekday, f"{line.at:%H:%M}", line.member) == (1, 3, "09:05", "U01LEAD")
    assert line.says == "/attest as-declared one, two,  three"


@pytest.mark.parametrize("file", sorted(EXAMPLES.rglob("answers/*.csv")), ids=lambda file: file.stem)
def test_an_example_names_no_dates_since_the_page_plays_it_from_the_current_week(file: Path) -> None:
    says = [line for line in file.read_text(encoding="utf-8").splitlines() if not line.startswith("#")]
    assert not [line for line in says if re.search(r"\b\d{4}-\d{2}-\d{2}\b", line)]
