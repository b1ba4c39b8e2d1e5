"""`/cadence handoff`: the verb, the handoff, the text."""

import pytest

from cadence.refusals import Refusal
from handlers.handoffs import Handoff
from tests.unit.grammar.vocabularies import read


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("", Handoff()),
        ("support-reply", Handoff(playbook="support-reply")),
        (
            "support-reply send billing refund for #4711",
            Handoff(verb="send", playbook="support-reply", to="billing", text="refund for #4711"),
        ),
        ("send #Billing refund", Handoff(verb="send", to="billing", text="refund")),
        ("send billing", Handoff(verb="send", to="billing")),
        ("send", Handoff(verb="send")),
        (
            "Support reply send support us a case team=support-emea link=https://x.example/1",
            Handoff(
                verb="send",
                playbook="support-reply",
                to="support-us",
                text="a case",
                link="https://x.example/1",
                team="support-emea",
            ),
        ),
        ("accept", Handoff(verb="accept")),
        ("accept #12", Handoff(verb="accept", number=12)),
        ("accept 12", Handoff(verb="accept", number=12)),
        ("accept 2 boxes came", Handoff(verb="accept", number=2, text="boxes came")),
        ("fail 2nd page missing", Handoff(verb="fail", text="2nd page missing")),
        ("fail #12 – it lacks the invoice", Handoff(verb="fail", number=12, text="it lacks the invoice")),
        ("done", Handoff(verb="done")),
        ("done #12 paid out", Handoff(verb="done", number=12, text="paid out")),
        ("withdraw 12", Handoff(verb="withdraw", number=12)),
        (
            "support-reply withdraw wrong case",
            Handoff(verb="withdraw", playbook="support-reply", text="wrong case"),
        ),
        ("show support-reply", Handoff(verb="show", playbook="support-reply")),
        ("support-reply show", Handoff(verb="show", playbook="support-reply")),
    ],
)
def test_what_is_typed_is_understood(typed: str, meant: Handoff) -> None:
    assert read(f"/cadence handoff {typed}".strip()) == meant


@pytest.mark.parametrize(
    ("typed", "answer"),
    [
        ("acept #1", "There's no handoff `acept`. Did you mean `/cadence handoff accept`?"),
        ("send biling x", "There's no team `biling`. Did you mean `billing`?"),
        (
            "suport-reply show",
            "There's no playbook `suport-reply`. Did you mean `/cadence handoff support-reply show`?",
        ),
        ("send billing x link=nowhere", "`link=nowhere` isn't a link."),
    ],
)
def test_refusals_teach(typed: str, answer: str) -> None:
    with pytest.raises(Refusal) as refused:
        read(f"/cadence handoff {typed}")
    assert refused.value.plain.startswith(answer)
