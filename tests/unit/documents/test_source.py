import pytest
from hypothesis import given
from hypothesis import strategies as st

from cadence.documents import DocumentRefused, Problem, read_document
from cadence.documents.source import MAX_BYTES, parse
from cadence.documents.values import NO_VALUE
from tests.contexts import assert_golden
from tests.unit.documents.samples import PLAYBOOK, mistake, problems_of, told

UNREADABLE = [
    ("", 1),
    ("# only a comment\n", 1),
    ("---\n...\n", 1),
    ("hello\n", 1),
    ("\n- a\n- b\n", 2),
    ("a: 1\nb:\n\tc: 2\n", 3),
    ("a: 1\nb: c: d\n", 2),
    ("a: 1\n  b: 2\n", 2),
    ("a: 1\nb: @anna\n", 2),
    ("a: 1\nb: `x`\n", 2),
    ("a: 1\nb: *bold* move\n", 2),
    ("a: 1\nb: *\n", 2),
    ("a: 1\nb: & c\n", 2),
    ("a: 1\nb: !< x\n", 2),
    ("a: 1\nword\nb: 2\n", 2),
    ("a: 1\nword\n", 2),
    ("a: 1\nb: 'open\nc: 2\n", 2),
    ('a: 1\nb: "\\q"\n', 2),
    ('a: 1\nb: "\\UFFFFFFFF"\n', 2),
    ("a: 1\nb: [1, 2\nc: 3\n", 2),
    ("a: 1\nb: {c: 1\n", 2),
    ("a:\n    b: 1\n  c: 2\n", 3),
    ("  a: 1\nb: 2\n", 2),
    ("a: }\n", 1),
    ("a: 1\nb: \x07\n", 2),
    ("a: 1\nb: \ud800\n", 2),
    ("a: 1\n---\nb: 2\n", 2),
    ("a:\n  " + "[" * 8 + "]" * 8 + "\n", 2),
    ("[" * 20_000, 1),
    ("a: " + "x" * MAX_BYTES, 1),
]


@pytest.mark.parametrize(("text", "line"), UNREADABLE)
def test_what_cannot_be_read_is_refused_in_plain_words(text: str, line: int) -> None:
    (problem,) = problems_of(text)
    assert problem.line == line
    assert_golden(told(problem), f"unreadable:{mistake(text)}")


def test_every_tab_is_reported() -> None:
    assert [problem.line for problem in problems_of("a:\n\tb: 1\n\n \tc: 2\n")] == [2, 4]


def test_a_bomb_of_aliases_is_never_expanded() -> None:
    levels = "".join(f"l{n}: &l{n} [{', '.join([f'*l{n - 1}'] * 9)}]\n" for n in range(1, 30))
    problems = problems_of(f"playbook: ab\nl0: &l0 [x]\n{levels}")
    assert [problem.where for problem in problems].count("l29") == 1


@pytest.mark.parametrize(
    ("word", "value"),
    [
        ("NO", "NO"),
        ("yes", "yes"),
        ("on", "on"),
        ("1:30", "1:30"),
        ("2026-12-20", "2026-12-20"),
        ("1_000", "1_000"),
        ("012", 12),
        ("0o14", 12),
        ("0x1F", 31),
        ("-3", -3),
        ("+.5", 0.5),
        ("1e3", 1000.0),
        ("9" * 5000, float("inf")),
        ("-.INF", float("-inf")),
        ("True", True),
        ("false", False),
        ("~", None),
        ("null", None),
        ("", None),
        ('"12"', "12"),
        ("'true'", "true"),
    ],
)
def test_words_mean_what_yaml_1_2_says(word: str, value: object) -> None:
    found = parse(f"a: {word}\n").data["a"]
    if value is None:
        assert found is NO_VALUE
    else:
        assert found == value
        assert isinstance(found, type(value))
        assert isinstance(found, bool | str) or str(found) == word, "as it was written"


def test_values_keep_their_lines() -> None:
    source = parse("# head\n\na: 1\nb:\n  - x\n  -\n    c: 2\nd:\n\ne: 3\n")
    assert source.data == {"a": 1, "b": ["x", {"c": 2}], "d": NO_VALUE, "e": 3}
    assert source.lines[()].value == 3
    assert {loc[0]: line.key for loc, line in source.lines.items() if len(loc) == 1 and loc[0]} == {
        "a": 3,
        "b": 4,
        "d": 8,
        "e": 10,
    }
    assert [source.lines["b", at].value for at in (0, 1)] == [5, 7]
    assert source.lines["d",].value == 8


def test_a_byte_order_mark_is_no_mistake() -> None:
    assert read_document("\ufeff" + PLAYBOOK) == read_document(PLAYBOOK)


@given(st.text(alphabet=st.sampled_from("ab:-[]{}'\"\\#&*!|>%@`?,. \n\t0~x\x00\u2028é"), max_size=60))
def test_any_text_is_read_or_refused(text: str) -> None:
    with pytest.raises(DocumentRefused):
        read_document(text)


def _problems(text: str) -> tuple[Problem, ...]:
    try:
        read_document(text)
    except DocumentRefused as refused:
        return refused.problems
    return ()


@given(st.data())
def test_a_damaged_playbook_is_read_or_refused(data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(PLAYBOOK)))
    end = data.draw(st.integers(start, min(start + 40, len(PLAYBOOK))))
    text = PLAYBOOK[:start] + data.draw(st.text(max_size=8)) + PLAYBOOK[end:]
    last = len((text + "\n").splitlines()) + 1
    assert all(1 <= problem.line <= last for problem in _problems(text))
