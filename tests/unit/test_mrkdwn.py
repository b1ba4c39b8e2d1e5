"""Input never becomes a mention, a link, a ping or the end of its code span."""

import re
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cadence.mrkdwn import Mrkdwn, channel_link, code, escape, mention, plain_text, say

SPECIALS = re.compile(r"[<>]|&(?!(?:amp|lt|gt);)")
NASTY = st.text(st.sampled_from("<>&@#!`|\n\r*_~U01Cx :"), max_size=40) | st.text(max_size=40)


FORMATTING = re.compile(r"[*~`]|(?<![^\W_])_|_(?![^\W_])")


@pytest.mark.parametrize("typed", ["snake_case", "2 > 1", "a & b", "Größe", "日本語", "5%", "50 € (2/3)"])
def test_plain_words_are_shown_as_they_are(typed: str) -> None:
    assert shown(escape(typed)) == typed


def shown(text: str) -> str:
    """What Slack prints for escaped text."""
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


@pytest.mark.parametrize(
    ("typed", "safe"),
    [
        ("<!channel>", "&lt;!channel&gt;"),
        ("<@U01LEAD>", "&lt;@U01LEAD&gt;"),
        ("<#C01SUPEMEA|x>", "&lt;#C01SUPEMEA|x&gt;"),
        ("<https://bad.example|good.example>", "&lt;https://bad.example|good.example&gt;"),
        ("&lt;!here&gt;", "&amp;lt;!here&amp;gt;"),
        ("a & b", "a &amp; b"),
        (12.5, "12.5"),
        (None, "None"),
        ("", ""),
        ("*bold* _slanted_ ~gone~ `code`", "∗bold∗ ˍslantedˍ ∼gone∼ ˋcodeˋ"),
        ("snake_case stays, 2 > 1", "snake_case stays, 2 &gt; 1"),
        ("> quoted", "› quoted"),
        ("refund\n*Demoted by the bot*", "refund ∗Demoted by the bot∗"),
        ("A sentence.\r\nAnother one", "A sentence. Another one"),
        (", ", ", "),
    ],
)
def test_escape_disarms_the_three_characters(typed: object, safe: str) -> None:
    assert escape(typed) == safe
    assert isinstance(escape(typed), Mrkdwn)


@given(NASTY)
def test_nothing_is_left_that_slack_would_read(typed: str) -> None:
    assert SPECIALS.search(escape(typed)) is None
    assert FORMATTING.search(escape(typed)) is None
    assert len(escape(typed).splitlines()) <= 1
    assert escape(escape(typed)) == escape(typed)


@pytest.mark.parametrize("member", ["U01LEAD", "W012A3CDE", "USLACKBOT"])
def test_a_member_id_becomes_a_mention(member: str) -> None:
    assert mention(member) == f"<@{member}>"


@pytest.mark.parametrize("channel", ["C01SUPEMEA", "G01OLD", "D01DM"])
def test_a_channel_id_becomes_a_link(channel: str) -> None:
    assert channel_link(channel) == f"<#{channel}>"


@pytest.mark.parametrize(
    "forged",
    [
        "",
        "U",
        "u01lead",
        "U01LEAD>",
        "U01LEAD|everyone",
        "U01LEAD> <!channel",
        "U01LEAD\n",
        "!channel",
        "HERE",
        "EVERYONE",
        "S01GROUP",
        "Ü01LEAD",
        "U٠١LEAD",
        "U" + "0" * 40,
    ],
)
def test_what_is_no_id_is_shown_as_it_is(forged: str) -> None:
    assert mention(forged) == escape(forged)
    assert channel_link(forged) == escape(forged)


def test_a_member_is_no_channel_and_a_channel_no_member() -> None:
    assert mention("C01SUPEMEA") == "C01SUPEMEA"
    assert channel_link("U01LEAD") == "U01LEAD"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("/kpi 14m", "`/kpi 14m`"),
        ("a`b", "`aˋb`"),
        ("a\nb", "`a b`"),
        ("a\r\nb", "`a b`"),
        ("a\u2028b\x0bc", "`a b c`"),
        ("<!here>", "`&lt;!here&gt;`"),
        (escape("a & b"), "`a &amp; b`"),  # safe text isn't escaped a second time
        (7, "`7`"),
    ],
)
def test_code_is_one_line_and_ends_where_it_should(text: object, expected: str) -> None:
    assert code(text) == expected


@given(NASTY)
def test_code_holds_exactly_two_backticks_whatever_is_in_it(text: str) -> None:
    made = code(text)
    assert made[0] == made[-1] == "`"
    assert made.count("`") == 2
    assert len(f"{made}.".splitlines()) == 1
    assert SPECIALS.search(made) is None


@given(NASTY, NASTY)
def test_say_escapes_every_value_that_is_not_safe_already(one: str, two: str) -> None:
    made = say("<!date> {one}, {two!s} & {link}", one=one, two=two, link=mention("U01LEAD"))
    assert made == f"<!date> {escape(one)}, {escape(two)} & <@U01LEAD>"


def test_say_formats_first_and_escapes_then() -> None:
    assert say("{x!r}", x="<b>") == "'&lt;b&gt;'"
    assert (
        say("{x:>5}|{n:.1f}|{day:%-d %B}", x="<", n=12.34, day=date(2026, 12, 4)) == " &lt;|12.3|4 December"
    )
    assert say("{{literal}}") == "{literal}"


def test_say_never_reads_a_value_as_a_template() -> None:
    assert say("{x}", x="{secret} {0}") == "{secret} {0}"
    with pytest.raises(KeyError):
        say("{missing}")


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("it said &lt;b&gt; &amp; left", "it said <b> & left"),
        ("<https://pay.example/1|refund> and <https://pay.example/2>", "refund and https://pay.example/2"),
        ("<#C01|support> <#C02> <!here> <!subteam^S01|@desk>", "#support #C02 @here @desk"),
        ("<@U01LEAD|lead> <mailto:a@b.example|a@b.example>", "<@U01LEAD> a@b.example"),
        ("<!date^1772708400^{date}|Thursday> a < b", "Thursday a < b"),
        ("&amp;lt;", "&lt;"),
    ],
)
def test_a_message_as_people_read_it(written: str, read: str) -> None:
    assert plain_text(written) == read
