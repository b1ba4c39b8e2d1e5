"""Input is stored and shown without invisible characters."""

from unicodedata import category

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cadence.typed import one_line, visible

ANY = st.text(max_size=60) | st.text(
    st.sampled_from(
        "ab \n\r\t\x00\x1b\x7f\x85\x9b\xad\u200b\u200c\u200d\u200e"
        "\u202e\u2066\u2028\ufe0f\ufeff\U000e0041❤👩مख"
    ),
    max_size=60,
)


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("plain words", "plain words"),
        ("two\nlines", "two\nlines"),
        ("two\r\nlines\u2028three\x85four", "two\nlines\nthree\nfour"),
        ("a\tb", "a b"),
        ("nul\x00 escape\x1b[31m bell\x07 delete\x7f", "nul escape[31m bell delete"),
        ("C1 \x80\x9b", "C1 "),
        ("zero\u200bwidth\u2060 \ufeff", "zerowidth "),
        ("soft\xadhyphen", "softhyphen"),
        ("\u202enihtemos\u202c \u2066x\u2069 \u200e\u200f\u061c", "nihtemos x "),
        ("tags\U000e0001\U000e0068\U000e0069\U000e007f", "tags"),
        ("hidden\U000e0101\U000e0102\U000e0103", "hidden\U000e0101"),
        ("blank\u3164\u115f\uffa0", "blank"),
        ("joined\u200dby nothing\u200c", "joinedby nothing"),
        (
            "family 👩\u200d👩\u200d👧 flag 🏳️\u200d🌈 heart ❤️",
            "family 👩\u200d👩\u200d👧 flag 🏳️\u200d🌈 heart ❤️",
        ),
        ("می\u200cخواهم", "می\u200cخواهم"),
        ("क्\u200dष", "क्\u200dष"),
        ("1 234,5 € – “quoted”", "1 234,5 € – “quoted”"),
        ("half \ud83d", "half "),
    ],
)
def test_what_nobody_can_see_goes(typed: str, kept: str) -> None:
    assert visible(typed) == kept


@given(ANY)
def test_nothing_hidden_is_left_and_cleaning_again_changes_nothing(typed: str) -> None:
    kept = visible(typed)
    assert visible(kept) == kept
    left = {char for char in kept if category(char) in {"Cc", "Cf", "Cs"}} - set("\n\u200c\u200d")
    assert all(category(char) == "Cf" and 0x0600 <= ord(char) <= 0x08E2 for char in left)


@given(ANY)
def test_one_line_is_one_line(typed: str) -> None:
    line = one_line(typed)
    assert len(line.splitlines()) <= 1
    assert line == line.strip()
    assert one_line(line) == line


@pytest.mark.parametrize(
    ("typed", "line"),
    [
        ("one\ntwo\n\nthree", "one two three"),
        ("  a   b  ", "a b"),
        ("\n", ""),
    ],
)
def test_lines_become_words(typed: str, line: str) -> None:
    assert one_line(typed) == line
