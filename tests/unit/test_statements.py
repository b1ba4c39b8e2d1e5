"""The tests that `make check` repeats on PostgreSQL run every statement that was noted."""

from hypothesis import given
from hypothesis import strategies as st

from tests.statements import Runs, chosen

SQL = st.lists(st.sampled_from("abcdefgh"), unique=True)
RUNS = st.dictionaries(st.text("tuvw", min_size=1), st.tuples(st.floats(0, 9), SQL))


@given(RUNS)
def test_each_statement_is_run_by_a_chosen_test(runs: Runs) -> None:
    run = {sql for test in chosen(runs) for sql in runs[test][1]}
    assert run == {sql for _, statements in runs.values() for sql in statements}


def test_of_tests_that_run_the_same_the_quickest_is_chosen() -> None:
    runs: Runs = {
        "slow": (2.0, ["a", "b"]),
        "quick": (1.0, ["a", "b"]),
        "part": (0.1, ["b"]),
        "none": (0.1, []),
    }
    assert chosen(runs) == {"quick"}
