"""How values are written."""

import json
from datetime import date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jinja2 import StrictUndefined, UndefinedError
from markupsafe import Markup

from bot.sandbox.kinds import words_of
from cadence.mrkdwn import Mrkdwn, escape
from cadence.rules.percent import probability
from cadence.typed import one_line
from templates import filters
from templates.ids import Action
from tests.templates.samples.common import BERLIN


@pytest.mark.parametrize(
    ("share", "digits", "shown"),
    [
        (0.728, 0, "72%"),
        (0.8999, 0, "89%"),
        (0.89999, 1, "89.9%"),
        (0.9, 0, "90%"),
        (0.9, 1, "90%"),
        (0.004, 0, "under 1%"),
        (0.0004, 1, "under 0.1%"),
        (0.0, 0, "0%"),
        (0.9999, 0, "99%"),
    ],
)
def test_a_probability_is_rounded_down(share: float, digits: int, shown: str) -> None:
    assert probability(share, digits) == shown


@given(st.floats(0, 1), st.floats(0.01, 0.99))
def test_a_probability_below_its_threshold_is_never_shown_above_it(share: float, threshold: float) -> None:
    shown = probability(share)
    if share < threshold and not shown.startswith("under"):
        assert float(shown[:-1]) / 100 <= threshold


@pytest.mark.parametrize(
    ("count", "noun", "many", "shown"),
    [
        (0, "exception", "", "0 exceptions"),
        (1, "exception", "", "1 exception"),
        (1200, "run", "", "1,200 runs"),
        (2, "person", "people", "2 people"),
    ],
)
def test_plural(count: int, noun: str, many: str, shown: str) -> None:
    assert filters.plural(count, noun, many) == shown


def test_days_and_times() -> None:
    at = datetime(2026, 12, 17, 9, 5, tzinfo=BERLIN)
    assert filters.local_time(at) == "Thu 09:05"
    assert filters.clock(at) == "09:05"
    assert filters.day(at) == filters.day("2026-12-17") == "Thu 17 Dec"
    assert filters.short_day(date(2026, 1, 3)) == "3 Jan"
    assert filters.iso(date(2026, 1, 3)) == "2026-01-03"


def test_an_instant_is_a_date_token_with_the_readers_zone_in_its_fallback() -> None:
    moment = datetime(2026, 12, 18, 10, 0, tzinfo=BERLIN)
    token = f"<!date^{int(moment.timestamp())}^{{date_short_pretty}} {{time}}|Fri 18 Dec 10:00>"
    assert filters.at(moment) == token
    assert isinstance(filters.at(moment), Mrkdwn)
    assert words_of({"type": "mrkdwn", "text": f"Until {token}, at the latest"}) == (
        "Until Fri 18 Dec 10:00, at the latest"
    )


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (1, "1st"),
        (2, "2nd"),
        (3, "3rd"),
        (4, "4th"),
        (11, "11th"),
        (12, "12th"),
        (13, "13th"),
        (22, "22nd"),
        (111, "111th"),
    ],
)
def test_which_one_of_several_is_an_ordinal(number: int, words: str) -> None:
    assert filters.ordinal(number) == words


@pytest.mark.parametrize(
    ("first", "last", "shown"),
    [
        (date(2026, 12, 14), date(2026, 12, 20), "Mon 14 – Sun 20 Dec"),
        (date(2026, 12, 18), date(2027, 1, 2), "Fri 18 Dec – Sat 2 Jan"),
        (date(2026, 12, 14), date(2027, 12, 20), "Mon 14 Dec – Mon 20 Dec"),
        (date(2026, 12, 14), date(2026, 12, 14), "Mon 14 Dec"),
    ],
)
def test_date_range(first: date, last: date, shown: str) -> None:
    assert filters.date_range(first, last) == shown


@pytest.mark.parametrize(("count", "shown"), [(2, "+2"), (-1, "−1"), (0, "+0"), (-1200, "−1,200")])
def test_signed(count: int, shown: str) -> None:
    assert filters.signed(count) == shown


@pytest.mark.parametrize(
    ("value", "word"), [("ai-led", "AI-led"), ("human-led", "human-led"), ("collaborative", "collaborative")]
)
def test_a_mode_has_its_word_and_a_meaning(value: str, word: str) -> None:
    assert filters.mode(value) == word
    assert len(filters.mode_meaning(value)) > 20


def test_a_mode_that_does_not_exist_is_an_error() -> None:
    with pytest.raises(ValueError, match="robot-led"):
        filters.mode("robot-led")


@pytest.mark.parametrize("unit", ["minutes", "hours", "days", "percent", "count", "currency", "score"])
def test_every_unit_has_examples_and_a_way_to_be_written(unit: str) -> None:
    assert len(filters.examples(unit)) == 2
    assert filters.amount(24, unit).startswith("24")


@pytest.mark.parametrize(
    ("readings", "bars"),
    [
        ((42, 24, None, 14), "█▄·▁"),
        ((5, 5, 5), "▅▅▅"),
        ((14, 13, 14), "▅▄▅"),
        ((None, 14), ""),
        ((), ""),
        ((0, 1, 2, 3, 4, 5, 6, 7), "▁▂▃▄▅▆▇█"),
    ],
)
def test_sparkline(readings: tuple[float | None, ...], bars: str) -> None:
    assert filters.sparkline(readings) == bars


def test_a_sparkline_at_the_bottom_of_its_scale_is_left_out() -> None:
    assert filters.sparkline((14, 12, 13), 15, 42) == ""
    assert filters.sparkline((31, 14, 13), 15, 42) == "▅▁▁"


@pytest.mark.parametrize(
    ("text", "size", "cut"),
    [
        ("short", 5, "short"),
        ("longer", 5, "long…"),
        ("a&b&c", 8, "a&b…"),
        ("a&b&c", 7, "a&…"),
        ("&&", 10, "&&"),
        ("&&", 9, "&…"),
        ("end of word", 8, "end of…"),
        ("👍👍👍", 6, "👍👍👍"),
        ("👍👍👍", 5, "👍👍…"),
        (Mrkdwn("a &amp; b"), 6, "a…"),
        (Mrkdwn("ask <@U01LEAD> now"), 10, "ask…"),
        (Mrkdwn("ask <@U01LEAD> now"), 16, "ask <@U01LEAD>…"),
    ],
)
def test_clip_cuts_between_whole_pieces(text: str, size: int, cut: str) -> None:
    clipped = filters.clip(text, size)
    assert clipped == cut
    assert type(clipped) is type(text)


@given(st.text(), st.integers(1, 50))
def test_clip_fits_once_escaped_and_keeps_the_beginning(text: str, size: int) -> None:
    clipped = filters.clip(text, size)
    assert len(escape(clipped)) <= size
    assert clipped == text or one_line(text).startswith(clipped[:-1].strip())
    assert len(filters.clip(escape(text), size)) <= size


@pytest.mark.parametrize("cut", [filters.clip, filters.name])
def test_what_is_printed_already_is_not_cut(cut: object) -> None:
    with pytest.raises(TypeError, match="Clip the value"):
        cut(Markup("&quot;"), 3)  # type: ignore[operator]


def test_a_name_stays_on_one_line() -> None:
    assert filters.name(" Support\n  reply\t") == "Support reply"
    assert filters.name("x" * 81) == "x" * 79 + "…"


@pytest.mark.parametrize(
    ("url", "label", "shown"),
    [
        ("https://example.com/a?b=1&c=2", None, "<https://example.com/a?b=1&amp;c=2>"),
        ("https://example.com/a", "The first <b>", "<https://example.com/a|The first &lt;b&gt;>"),
        ("javascript:alert(1)", "here", "javascript:alert(1)"),
        ("https://evil.example|click", None, "https://evil.example|click"),
        ("<https://evil.example>", None, "&lt;https://evil.example&gt;"),
        ("https://a.example two", None, "https://a.example two"),
        ("https://a.example/" + "x" * 1000, None, "https://a.example/" + "x" * 281 + "…"),
    ],
)
def test_only_plain_web_addresses_become_links(url: str, label: str | None, shown: str) -> None:
    assert filters.link(url, label) == shown


@given(st.text())
def test_printed_values_are_escaped_for_json_strings(text: str) -> None:
    shown = json.loads(f'"{filters.printed(text)}"')
    assert shown == escape(text)


@given(st.text().filter(lambda text: "\x00" not in text))
def test_raw_comes_back_as_it_was(text: str) -> None:
    assert json.loads(f'"{filters.raw(text)}"') == text


def test_raw_and_printed_leave_alone_what_is_printed_already() -> None:
    done = Markup("a&b")
    assert filters.raw(done) is done
    assert filters.printed(done) is done


@pytest.mark.parametrize(
    ("value", "shown"),
    [(3, "3"), (True, "true"), (False, "false"), (Action.WHY, "verdict.why"), (Mrkdwn("<@U1>"), "<@U1>")],
)
def test_printed(value: object, shown: str) -> None:
    assert filters.printed(value) == shown


@pytest.mark.parametrize("value", [None, 1.5, date(2026, 1, 1), ["a"], {"a": 1}])
def test_what_needs_a_filter_is_refused_without_one(value: object) -> None:
    with pytest.raises(TypeError, match="without a filter"):
        filters.printed(value)


def test_undefined_is_an_error() -> None:
    with pytest.raises(UndefinedError, match="nobody"):
        filters.printed(StrictUndefined(name="nobody"))


@pytest.mark.parametrize(
    ("body", "line"),
    [
        ("\n  one\n  two  \n", "one two"),
        (r"one \n two", r"one\ntwo"),
        (r"\n one \n\n  \n two \n", r"one\ntwo"),
        (filters.printed("  a\n\n b\\n  "), filters.printed("  a\n\n b\\n  ")),
    ],
)
def test_flow_lays_out_the_template_and_leaves_values_alone(body: str, line: str) -> None:
    assert filters.flow(Markup(body)) == line
