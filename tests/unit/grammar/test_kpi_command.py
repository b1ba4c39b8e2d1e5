"""`/kpi`: which words are the number, which are the note."""

from dataclasses import replace

import pytest

from cadence.refusals import Refusal, Unknown
from cadence.rules.kpi import AmountError, Unit, parse_amount
from handlers.grammar import Help
from handlers.numbers import Kpi
from templates.ids import Action
from tests.contexts import assert_golden
from tests.unit.grammar.vocabularies import NONE, ONE, TWO, read


@pytest.mark.parametrize(
    ("typed", "value", "note"),
    [
        ("14m", "14m", None),
        ("14m note words", "14m", "note words"),
        ("support-reply 14m", "14m", None),
        ("Support Reply 14M.", "14M", None),
        ("support   reply   14m,  slow   week", "14m", "slow week"),
        ("14 holidays", "14", "holidays"),
        ("14m \u2014 \u201cslow week\u201d", "14m", "slow week"),
        ('14m "slow" week', "14m", '"slow" week'),
        ('14m "slow" and "short"', "14m", '"slow" and "short"'),
        ("14m it's slow", "14m", "it's slow"),
        ("12 quarts", "12 quarts", None),
        ("12quarts", "12quarts", None),
        ("1h 30", "1h 30", None),
        ("1h 30m slow", "1h 30m", "slow"),
        ("1 hour 30 minutes slow", "1 hour 30 minutes", "slow"),
        ('1h "30 replies"', "1h", "30 replies"),
        ("14m 3 tickets reopened", "14m", "3 tickets reopened"),
        ("1 234", "1 234", None),
        ("1\u00a0234", "1 234", None),
        ("92 % again", "92 %", "again"),
        ("4.6/5 CSAT", "4.6/5", "CSAT"),
        ("4.6 / 5 CSAT", "4.6 / 5", "CSAT"),
        ("4.6/ 5 CSAT", "4.6/ 5", "CSAT"),
        ("4.6 out of 5 in the survey", "4.6 out of 5", "in the survey"),
        ("$ 1.2k up", "$ 1.2k", "up"),
        ("EUR12", "EUR12", None),
        ("1.2 million euros saved", "1.2 million euros", "saved"),
        ("-3 fewer", "-3", "fewer"),
        ("14m first\nsecond", "14m", "first\nsecond"),
        ("14m &lt;b&gt; &amp;lt; R&amp;D", "14m", "<b> &lt; R&D"),
        (
            "14m ask <@U12|bob> in <#C1|general> <https://a.b/c?x=1&amp;y=2|a.b>",
            "14m",
            "ask @bob in #general https://a.b/c?x=1&y=2",
        ),
        ("14m <!here> <@U12>", "14m", "@here @U12"),
        ('14m "runs=3" is a note here', "14m", "runs=3 is a note here"),
        ('14m saw "runs=3", then “csat=low”.', "14m", "saw runs=3, then csat=low."),
        ('14m "runs=3 or so" today', "14m", '"runs=3 or so" today'),
        ("14m “runs=3' is odd", "14m", "“runs=3' is odd"),
        ('14 "15"', "14", "15"),
        ("14 15 tickets", "14", "15 tickets"),
        ("14 #15", "14", "#15"),
        ("14m \u202egnp\x00", "14m", "gnp"),
    ],
)
def test_number_and_note(typed: str, value: str, note: str | None) -> None:
    assert read(f"/kpi {typed}") == Kpi(value=value, note=note, playbook="support-reply")


def test_what_a_note_may_mean_as_a_guardrail_is_left_to_the_playbook() -> None:
    assert read("/kpi 14m see a=b") == Kpi(
        value="14m", note="see a=b", unread=(("a", "b"),), playbook="support-reply"
    )


@pytest.mark.parametrize(
    "typed", ["week=2 14m", "14m week=2", "14m week = 2", "14m week= 2,", "14m \u2014week=2"]
)
def test_options_stand_anywhere(typed: str) -> None:
    assert read(f"/kpi {typed}") == Kpi(value="14m", playbook="support-reply", week=2)


@pytest.mark.parametrize(
    "typed", ["14m csat=4.7", "csat = 4.7 14m", "14m csat= 4.7", '14m "csat"=4.7', '14m "csat"= 4.7']
)
def test_guardrails_stand_anywhere(typed: str) -> None:
    assert read(f"/kpi {typed}") == Kpi(value="14m", playbook="support-reply", guardrails=(("csat", "4.7"),))


@pytest.mark.parametrize(
    ("typed", "name"), [("14 csat=", "csat"), ("14 csat= week=2", "csat"), ('14 "First CSAT"=', "First CSAT")]
)
def test_a_guardrail_without_a_number_is_left_to_the_playbook(typed: str, name: str) -> None:
    command = read(f"/kpi {typed}")
    assert isinstance(command, Kpi)
    assert (command.value, command.guardrails, command.note) == ("14", ((name, ""),), None)


def test_a_guardrail_can_have_the_name_of_another_commands_option() -> None:
    names = replace(ONE, guardrails=frozenset({"risky", "weeks"}))
    assert read("/kpi 14m risky=3 weeks=2", names) == Kpi(
        value="14m", playbook="support-reply", guardrails=(("risky", "3"), ("weeks", "2"))
    )


def test_a_team_is_known_in_any_case() -> None:
    assert read("/kpi 14m team=Support-EMEA") == Kpi(
        value="14m", playbook="support-reply", team="support-emea"
    )
    assert read("/kpi team=<#C1|support-emea> 14m") == Kpi(
        value="14m", playbook="support-reply", team="support-emea"
    )


def test_with_several_playbooks_an_unnamed_one_stays_open() -> None:
    assert read("/kpi 14m", TWO) == Kpi(value="14m")
    assert read("/kpi month-end 14m", TWO) == Kpi(value="14m", playbook="month-end")
    assert read("/kpi month end 14m", TWO) == Kpi(value="14m", playbook="month-end")
    assert read("/kpi 14m", NONE) == Kpi(value="14m")


def test_nothing_typed_leaves_all_to_the_form() -> None:
    assert read("/kpi") == Kpi()
    assert read("/kpi   ") == Kpi()
    assert read("/kpi week=2") == Kpi(week=2, playbook="support-reply")


@pytest.mark.parametrize("typed", ["help", "HELP", "help!", "--help", "?", "help me please"])
def test_help_comes_first(typed: str) -> None:
    assert read(f"/kpi {typed}") == Help(topic="kpi")


@pytest.mark.parametrize(
    "typed",
    [
        "undo",
        "support-reply undo",
        "suport-reply 14m slow",
        "billing 14m",
        "hello",
        "support-reply soon",
        "nan",
        "14m week=5",
        "14m week=0",
        "14m week=two",
        "14m week=",
        "14 15",
        "92% 93%.",
        "14m 2 days",
        "14m wek=two",
        "14m wek=2",
        "14m runs=3 is a note here",
        "14m critical=yes",
        "14m see link=https://a.b/c",
        "14m team=",
        "14m week=1 week=2",
        "14m team=suport-emea",
        "14m team=x",
        "1h 30 slow",
        "14 200 tickets",
        "1 hour and 30 minutes",
    ],
)
def test_refusals_teach(typed: str) -> None:
    with pytest.raises(Refusal) as refused:
        read(f"/kpi {typed}")
    assert_golden(refused.value.plain, f"teaches:{typed[:60]}")


def test_without_any_playbook_the_refusal_offers_the_form() -> None:
    with pytest.raises(Unknown) as refused:
        read("/kpi billing 14m", NONE)
    assert_golden(refused.value.plain, "no-playbook")
    assert refused.value.offer is not None
    assert refused.value.offer.action == Action.NEW_PLAYBOOK


def test_a_note_of_a_thousand_characters_is_kept_and_a_longer_one_refused_with_its_length() -> None:
    kept = read(f"/kpi 14m {'x' * 1000}")
    assert isinstance(kept, Kpi)
    assert kept.note == "x" * 1000
    with pytest.raises(Refusal) as refused:
        read(f"/kpi 14m {'x' * 1001}")
    assert_golden(refused.value.plain, "long-note")


def test_escapes_count_as_the_character_that_was_typed() -> None:
    kept = read(f"/kpi 14m {'&amp;' * 1000}")
    assert isinstance(kept, Kpi)
    assert kept.note == "&" * 1000


def test_an_amount_that_is_refused_shows_what_to_type() -> None:
    command = read("/kpi 12 quarts", ONE)
    assert isinstance(command, Kpi)
    with pytest.raises(AmountError) as wrong:
        parse_amount(command.value or "", Unit.MINUTES)
    assert wrong.value.examples == ("14m", "14")
