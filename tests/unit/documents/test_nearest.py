import pytest

from cadence.nearest import nearest


@pytest.mark.parametrize(
    ("word", "candidates", "meant"),
    [
        ("sned", ["draft", "send"], "send"),
        ("SEND", ["draft", "send"], "send"),
        (" send ", ["draft", "send"], "send"),
        ("supp", ["support-reply", "routing"], "support-reply"),
        ("sup", ["support-emea", "support-apac"], None),
        ("reply", ["support-reply", "routing"], "support-reply"),
        ("cap", ["exception_cap", "lowest-cap-of-all"], None),
        ("cap", ["exception_cap", "mode"], "exception_cap"),
        ("s", ["send"], None),
        ("xyz", ["send"], None),
        ("", ["send"], None),
        ("send", [], None),
        ("berlin", ["Berlin", "BERLIN"], "Berlin"),
    ],
)
def test_the_nearest_word_or_none(word: str, candidates: list[str], meant: str | None) -> None:
    assert nearest(word, candidates) == meant
