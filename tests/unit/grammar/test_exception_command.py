"""`/exception`: the step, whether it is critical, and a reason that is never lost."""

import json
from dataclasses import replace

import pytest

from cadence.refusals import Offer, Refusal, Unknown
from handlers.exceptions import LogException
from handlers.grammar.steps import UnknownStep
from templates.ids import Action
from tests.contexts import assert_golden
from tests.unit.grammar.vocabularies import NONE, ONE, TWO, Vocabulary, read

PLAYBOOK = "support-reply"


@pytest.mark.parametrize(
    ("typed", "critical", "reason"),
    [
        ("send tone was off", False, "tone was off"),
        ("support-reply send critical promised a refund", True, "promised a refund"),
        ("SEND, Critical: promised a refund", True, "promised a refund"),
        ("critical send promised a refund", True, "promised a refund"),
        ("`send` \u2014 tone was off", False, "tone was off"),
        ('send "critical thinking" was missing', False, '"critical thinking" was missing'),
        ("send tone was off, R&amp;D said", False, "tone was off, R&D said"),
        ("send", False, None),
        ("send critical", True, None),
        ("send critical=yes bad", True, "bad"),
        ("critical=TRUE send bad", True, "bad"),
        ("send bad critical = 1", True, "bad"),
        ("send critical critical=yes bad", True, "bad"),
        ("send critical=no bad", False, "bad"),
        ('send "runs=3" too slow', False, "runs=3 too slow"),
        ("send temp=0.2 was too hot", False, "temp=0.2 was too hot"),
    ],
)
def test_step_critical_reason(typed: str, critical: bool, reason: str | None) -> None:
    assert read(f"/exception {typed}") == LogException(
        step="send", critical=critical, reason=reason, playbook=PLAYBOOK
    )


@pytest.mark.parametrize(
    "link", ["https://x.slack.com/archives/C1/p1", "<https://x.slack.com/archives/C1/p1>"]
)
def test_a_link_is_kept_as_evidence(link: str) -> None:
    assert read(f"/exception send tone link={link}") == LogException(
        step="send", reason="tone", link="https://x.slack.com/archives/C1/p1", playbook=PLAYBOOK
    )


def test_a_step_called_critical_is_a_step() -> None:
    vocabulary = Vocabulary({"triage": ("critical", "minor")})
    assert read("/exception critical critical missed", vocabulary) == LogException(
        step="critical", critical=True, reason="missed", playbook="triage"
    )


def test_nothing_typed_leaves_all_to_the_form() -> None:
    assert read("/exception") == LogException()
    assert read("/exception support-reply") == LogException(playbook=PLAYBOOK)


def test_a_step_of_one_playbook_names_it() -> None:
    assert read("/exception close late", TWO) == LogException(
        step="close", reason="late", playbook="month-end"
    )
    assert read("/exception draft late", TWO) == LogException(step="draft", reason="late")


@pytest.mark.parametrize(
    ("typed", "answer", "kept", "reason"),
    [
        (
            "sned tone was off",
            "There's no step `sned` in Support reply. Did you mean `send`? You wrote: `tone was off`.",
            {"step": "send", "reason": "tone was off"},
            "tone was off",
        ),
        (
            "sned critical promised a refund",
            "There's no step `sned` in Support reply. Did you mean `send`? You wrote: `critical promised a refund`.",
            {"step": "send", "critical": True, "reason": "promised a refund"},
            "promised a refund",
        ),
        (
            "tone was off",
            "There's no step `tone` in Support reply. Steps: `draft` and `send`. You wrote: `tone was off`.",
            {"reason": "tone was off"},
            "tone was off",
        ),
        (
            "critical sned promised a refund",
            "There's no step `sned` in Support reply. Did you mean `send`? You wrote: `critical promised a refund`.",
            {"step": "send", "critical": True, "reason": "promised a refund"},
            "promised a refund",
        ),
        (
            "sned critical=yes",
            "There's no step `sned` in Support reply. Did you mean `send`? You wrote: `critical`.",
            {"step": "send", "critical": True},
            None,
        ),
        (
            "sned late link=https://a.b/c team=billing critical=no",
            "There's no step `sned` in Support reply. Did you mean `send`? "
            "You wrote: `late link=https://a.b/c team=billing`.",
            {"step": "send", "reason": "late", "link": "https://a.b/c", "team": "billing"},
            "late",
        ),
    ],
)
def test_an_unknown_step_gives_back_what_was_typed(
    typed: str, answer: str, kept: dict[str, object], reason: str | None
) -> None:
    with pytest.raises(UnknownStep) as refused:
        read(f"/exception {typed}")
    assert refused.value.plain == answer
    assert refused.value.reason == reason
    assert refused.value.offer is not None
    assert refused.value.offer.action == Action.LOG_EXCEPTION
    assert json.loads(refused.value.offer.value) == {"playbook": PLAYBOOK, **kept}


def test_the_offer_names_the_step() -> None:
    with pytest.raises(UnknownStep) as refused:
        read("/exception clse late", TWO)
    value = '{"playbook":"month-end","step":"close","reason":"late"}'
    assert refused.value.offer == Offer("Log it on “close”", Action.LOG_EXCEPTION, value)


def test_a_step_alone_offers_the_form_without_a_reason() -> None:
    with pytest.raises(UnknownStep) as refused:
        read("/exception sned")
    assert refused.value.offer is not None
    assert json.loads(refused.value.offer.value) == {"playbook": PLAYBOOK, "step": "send"}


@pytest.mark.parametrize("typed", ["sned off", "zzz off"])
def test_before_a_cycle_there_is_no_button(typed: str) -> None:
    with pytest.raises(UnknownStep) as refused:
        read(f"/exception {typed}", replace(ONE, waiting=frozenset({PLAYBOOK})))
    assert refused.value.offer is None


def test_what_does_not_fit_a_button_is_not_cut() -> None:
    with pytest.raises(UnknownStep) as refused:
        read(f"/exception sned {'y' * 1_001}")
    assert refused.value.offer is None


def test_a_long_reason_is_whole_beside_the_sentence() -> None:
    reason = "the reply promised a refund " * 30
    with pytest.raises(UnknownStep) as refused:
        read(f"/exception sned {reason}")
    assert refused.value.reason == reason.strip()
    assert len(refused.value.text) <= 600


@pytest.mark.parametrize(
    "typed",
    [
        "suport-reply send tone",
        "send tone link=foo",
        "send critical=maybe bad",
        "send bad critical=",
        "send critical critical=no bad",
        "send critial=yes bad",
        "send bad runs=3",
        "sned bad runs=3",
        "send bad week=2",
        "send bad link=https://a.b link=https://a.c",
        "send bad critical=yes critical=no",
        "send bad team=",
        f"send {'y' * 1200}",
    ],
)
def test_refusals_teach(typed: str) -> None:
    with pytest.raises(Refusal) as refused:
        read(f"/exception {typed}", ONE)
    assert_golden(refused.value.plain, f"teaches:{typed[:60]}")


def test_no_step_is_known_without_a_playbook() -> None:
    with pytest.raises(Unknown) as none:
        read("/exception send tone", NONE)
    assert_golden(none.value.plain, "no-playbook")
    with pytest.raises(UnknownStep) as refused:
        read("/exception zzz tone", TWO)
    assert_golden(refused.value.plain, "no-step")
    assert refused.value.offer is None
