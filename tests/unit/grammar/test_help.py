"""Help is the table, and the table can be typed."""

from typing import Any, get_args

import pytest

from cadence.refusals import Unknown
from handlers.commands import COMMANDS
from handlers.grammar import Entry, Help, by_task, help_entries, help_rest
from handlers.grammar.table import Task
from tests.contexts import assert_golden
from tests.unit.grammar.vocabularies import ONE, read


@pytest.mark.parametrize("entry", [*COMMANDS], ids=lambda entry: entry.name)
def test_every_example_is_a_command_of_its_entry(entry: Entry[Any]) -> None:
    assert entry.examples
    for example in entry.examples:
        assert example.startswith(entry.command)
        assert type(read(example, ONE)) is type(entry.bare())


@pytest.mark.parametrize(
    "entry", [entry for entry in COMMANDS if entry.bare is not Help], ids=lambda entry: entry.name
)
def test_every_command_answers_help_and_opens_bare(entry: Entry[Any]) -> None:
    assert read(f"{entry.command} help") == Help(topic=entry.name)
    assert read(entry.command) == entry.bare()
    assert [shown.command for shown in help_entries(COMMANDS, entry.name, frozenset())] == [entry.command]


@pytest.mark.parametrize(
    ("roles", "has", "has_not"),
    [
        (frozenset({"member"}), {"/kpi", "/cadence status"}, {"/cadence cycle start", "/cadence settings"}),
        (
            frozenset({"member", "owner"}),
            {"/kpi", "/cadence cycle start", "/cadence settings"},
            {"/cadence playbook retire"},
        ),
        (frozenset({"curator"}), {"/kpi", "/cadence cycle start", "/cadence settings"}, set()),
        (frozenset(), {"/kpi"}, {"/cadence settings"}),
    ],
)
def test_help_lists_what_the_person_may_do(roles: frozenset[str], has: set[str], has_not: set[str]) -> None:
    listed = {entry.command for entry in help_entries(COMMANDS, None, roles)}
    assert has <= listed
    assert not has_not & listed


def test_help_names_who_may_the_rest() -> None:
    of_member = dict(help_rest(COMMANDS, frozenset({"member"})))
    owners, curators = of_member
    assert_golden(f"{owners}\n{curators}", "who-may-the-rest")
    start = "/cadence cycle start"
    assert start in of_member[owners]
    assert [who for who, _ in help_rest(COMMANDS, frozenset({"owner"}))] == [curators]
    assert help_rest(COMMANDS, frozenset({"curator"})) == []
    mine = {entry.command for entry in help_entries(COMMANDS, None, frozenset({"member"}))}
    assert mine | {name for names in of_member.values() for name in names} == {
        one.command for one in COMMANDS
    }


def help_asked(line: str) -> None:
    command = read(f"/cadence {line}")
    assert isinstance(command, Help)
    help_entries(COMMANDS, command.topic, frozenset())


def test_a_suggestion_keeps_everything_that_was_typed() -> None:
    for line, offered in (
        ("stauts support-reply", "/cadence status support-reply"),
        ("wy support-reply send", "/cadence why support-reply send"),
        ("cycel", "/cadence cycle"),
        ("playbook imprt", "/cadence playbook import"),
        ("cycle strat", "/cadence cycle start"),
        ("help stauts", "/cadence help status"),
        ("cycle strat support-reply", "/cadence cycle start support-reply"),
        (
            "playbook retrie support-reply nobody needs it",
            "/cadence playbook retire support-reply nobody needs it",
        ),
        ("team jion desk <@U01LEAD|jana>", "/cadence team join desk <@U01LEAD|jana>"),
        (
            "larn support-reply first line\nsecond line",
            "/cadence learn support-reply first line\nsecond line",
        ),
        ("mtue", "/cadence mute"),
        (f"larn support-reply {'x' * 1_600}", None),
    ):
        with pytest.raises(Unknown) as refused:
            help_asked(line)
        offer = refused.value.offer
        assert (offer.value if offer else None) == offered, line


def test_every_command_has_its_heading() -> None:
    grouped = by_task(COMMANDS)
    assert [task for task, _ in grouped] == list(get_args(Task))
    assert sorted(entry.command for _, entries in grouped for entry in entries) == sorted(
        entry.command for entry in COMMANDS
    )
    assert all(entry.summary[0].isupper() and not entry.summary.endswith(".") for entry in COMMANDS)


def test_a_topic_is_explained_to_every_role() -> None:
    (retire,) = help_entries(COMMANDS, "playbook retire", frozenset({"member"}))
    assert retire.who == "curator"
    assert [entry.command for entry in help_entries(COMMANDS, "/Team", frozenset())] == [
        "/cadence team create",
        "/cadence team join",
        "/cadence team leave",
        "/cadence team members",
        "/cadence team holidays",
    ]
    assert help_entries(COMMANDS, "cadence cycle start", frozenset())[0].who == "owner"


def test_an_unknown_topic_names_the_nearest() -> None:
    with pytest.raises(Unknown) as refused:
        help_entries(COMMANDS, "stauts", frozenset())
    assert_golden(refused.value.plain, "no-topic:near")
    with pytest.raises(Unknown) as refused:
        help_entries(COMMANDS, "x" * 500, frozenset())
    assert_golden(refused.value.plain, "no-topic:far")
