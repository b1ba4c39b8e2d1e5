"""Rehearsals of the examples: three cycles each, in which every line of their answers can be carried out
(SPEC §10).

The first of them is also a golden file, meant to be read: pilot, demotion, a new rubric, recovery, a
promotion, a second team, a published version. `UPDATE_GOLDEN=1 make test-more` rewrites it.
"""

import os
import re
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Final

import pytest

from bot.rehearsal.answers import FileRefused, read_answers
from bot.rehearsal.rehearse import FIRST_MONDAY, rehearse_files
from cadence.documents import read_workspace
from tests.databases import OnPostgres, database
from tests.harnesses import EXAMPLES
from tests.scenarios.plays import DATA, DESK, REPLY

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


def rehearsed(playbook: Path, answers: Path, *, workspace: Path = WORKSPACE, weeks: int = 4) -> str:
    lines = rehearse_files(playbook, workspace, answers, weeks=weeks, first_monday=FIRST_MONDAY)
    return "\n".join(lines).replace(f"{EXAMPLES}/", "examples/") + "\n"


ON_SQLITE = pytest.mark.sqlite
"""A rehearsal uses SQLite; one of three cycles is enough on PostgreSQL."""
GOLDEN: Final = DATA / "three-cycles.txt"
SUPPORT_REPLY: Final[tuple[str, list[str], list[str]]] = (
    "support-reply",
    [
        "> The new refund policy goes into the prompt, and into the rubric.",
        "🔴 Demoted: “Send the edited reply”",
        "Replaces 22 min; we keep both.",
        "Checked in · 9 runs · “Draft three replies” ran as human-led",
        "🎉 Support reply hit its target",
        "42 min → 14.5 min (65% faster)",
        "✓ Rubric updated: “Send the edited reply”",
        "Support reply is set up: 41 min (60 planned).",
        "🟢 Promoted: “Send the edited reply” → AI-led",
        "Support reply v1 is published",
    ],
    [],
)


@pytest.mark.parametrize(
    ("slug", "holds", "lacks"),
    [
        pytest.param(*SUPPORT_REPLY, marks=[ON_SQLITE, pytest.mark.long]),
        pytest.param(*SUPPORT_REPLY, marks=[pytest.mark.postgres, pytest.mark.long], id="on PostgreSQL"),
        pytest.param(
            "inbound-routing",
            [
                "🟡 “Score fit and intent” is over its cap",
                "22 runs · “Draft the first note to the lead” ran as AI-led",
                "“four of them were test leads”",
                "Inbound lead routing missed its target",
                "Fri 27 Mar 16:00 America/New_York  posted in #sales-amer",
                "@Marcus Hale is going back to the plan",
                "missed the KPI target in cycle 1",
                "🟢 Promoted: “Draft the first note to the lead” → AI-led",
                "2 items before v1 can be published",
                "*Published before it was ready* by @Katrin Lindner: ",
            ],
            ["was demoted"],
            marks=[ON_SQLITE, pytest.mark.long],
        ),
        pytest.param(
            "test-refactor",
            [
                "Fri 27 Mar 10:00 Asia/Kolkata  posted to Ananya Iyer",
                "12 of 12",
                "🎉 Tests and refactors hit its target",
                "Tests and refactors is set up: 38 min (60 planned).",
                "🟢 Promoted: “Draft tests for the code to be changed” → AI-led",
                "Tests and refactors v1 is published",
            ],
            ["was demoted", "” is over its cap", "” ran as "],
            marks=[ON_SQLITE, pytest.mark.long],
        ),
        pytest.param(
            "variance-review",
            [
                "✓ Checked in · didn't run",
                "Before: 6 runs",
                "What was “Month-end close time” in week",
                "6 days, 5.5 days, no reading, 5 days",
                "Variance review is set up: 44 min (50 planned).",
                "⚪ Declined: “Write the explanation of each variance” → AI-led",
                "Variance review v1 is published",
            ],
            ["is now", "was demoted"],
            marks=[ON_SQLITE, pytest.mark.long],
        ),
    ],
)
def test_an_examples_three_cycles(slug: str, holds: list[str], lacks: list[str]) -> None:
    told = rehearsed(EXAMPLES / f"{slug}.yaml", EXAMPLES / "answers" / f"{slug}.csv", weeks=13)
    assert "could not be done" not in told
    if slug == "support-reply":
        if os.environ.get("UPDATE_GOLDEN"):
            GOLDEN.write_text(told, encoding="utf-8")
        assert told == GOLDEN.read_text(encoding="utf-8")
    for words in holds:
        assert words in told
    for words in lacks:
        assert words not in told


@ON_SQLITE
def test_one_cycle_is_told_as_three_begin() -> None:
    told = rehearsed(EXAMPLES / "support-reply.yaml", EXAMPLES / "answers" / "support-reply.csv", weeks=4)
    assert "could not be done" not in told
    assert "🎉 Support reply hit its target" in told
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
    told = rehearsed(REPLY, answers, workspace=DESK)
    assert "could not be done: U01AGENT1 sees no menu with “Next year”" in told
    assert "could not be done: U01LEAD has no form to fill in" in told
    assert "Exception logged" in told


def test_every_example_playbook_has_answers() -> None:
    playbooks = {file.stem for file in EXAMPLES.glob("*.yaml")} - {"workspace"}
    assert {file.stem for file in (EXAMPLES / "answers").glob("*.csv")} == playbooks


@ON_SQLITE
def test_the_same_files_give_the_same_transcript(tmp_path: Path) -> None:
    answers = tmp_path / "answers.csv"
    answers.write_text("1,Thu,10:05,U01AGENT1,press As planned runs=9\n", encoding="utf-8")
    first, second = (rehearsed(REPLY, answers, workspace=DESK) for _ in range(2))
    assert first == second
    assert "Checked in · 9 runs" in first


def test_impossible_actions_are_reported_and_the_weeks_continue(tmp_path: Path) -> None:
    answers = tmp_path / "answers.csv"
    answers.write_text(
        "1,Wed,10:00,U01AGENT1,press As planned runs=9\n"
        "1,Thu,10:05,U01LEAD,press As planned runs=9 value='12 quarts'\n"
        "1,Thu,10:05,U01AGENT1,press As planned in='Another playbook' runs=9\n"
        "1,Thu,10:06,U01AGENT1,press As planned in='Reply' runs=9\n",
        encoding="utf-8",
    )
    told = rehearsed(REPLY, answers, workspace=DESK)
    assert "could not be done: U01AGENT1 sees no button [As planned]" in told
    assert "sees no button [As planned] in a message that says “Another playbook”" in told
    assert "could not be done: value: “12 quarts” isn't a number of minutes" in told
    assert "Checked in · 9 runs · Thu 10:06" in told


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("1,Thu,10:42,U01LEAD", "has 4 columns; write week,day,time,member,says"),
        ("0,Thu,10:42,U01LEAD,/kpi 14m", "`0` isn't a week; the first is 1"),
        ("x,Thu,10:42,U01LEAD,/kpi 14m", "`x` isn't a week"),
        ("1,Thx,10:42,U01LEAD,/kpi 14m", "`Thx` isn't a day; write Mon to Sun"),
        ("1,Thu,25:42,U01LEAD,/kpi 14m", "`25:42` isn't a time"),
        ("1,Thu,10:42,U01LEAD,hello", "`hello` isn't an action"),
        ("1,Thu,10:42,U09NOBODY,/kpi 14m", "U09NOBODY isn't in the workspace file"),
    ],
)
def test_every_mistake_of_an_answers_file_is_reported(tmp_path: Path, line: str, problem: str) -> None:
    people = read_workspace(DESK.read_text(encoding="utf-8"))
    answers = tmp_path / "answers.csv"
    answers.write_text(
        f"week,day,time,member,says\n{line}\n\n# a remark\n9,Foo,1,U01LEAD,/kpi 14m\n", encoding="utf-8"
    )
    with pytest.raises(FileRefused) as refused:
        read_answers(answers, people)
    first, second = refused.value.problems
    assert f":2: {problem}" in first
    assert ":5: `Foo` isn't a day" in second


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
