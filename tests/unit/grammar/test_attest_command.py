"""`/attest`: the answers, the modes, the runs."""

import pytest

from cadence.refusals import Refusal
from cadence.rules.modes import Mode
from handlers.checkins.attest import Attest
from storage.tables.reports import Attestation
from tests.contexts import assert_golden
from tests.unit.grammar.vocabularies import ONE, TWO, Vocabulary, read

PLAYBOOK = "support-reply"
HUMAN, TOGETHER, AI = Mode.HUMAN_LED, Mode.COLLABORATIVE, Mode.AI_LED


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        *(
            (text, Attestation.AS_DECLARED)
            for text in (
                "as-planned",
                "As Planned",
                "planned",
                "as-declared",
                "As Declared",
                "as_declared",
                "declared",
                "ran",
            )
        ),
        *(
            (text, Attestation.AS_DECLARED)
            for text in ("ok", "OK!", "as\u2014declared", "we ran it as declared", '"ran"')
        ),
        *(
            (text, Attestation.DRIFTED)
            for text in ("changed", "Something changed", "drifted", "drift", "Drifted.", "something drifted")
        ),
        *(
            (text, Attestation.NOT_RUN)
            for text in ("not-run", "not run", "didnt run", "didn't run", "no", "No.")
        ),
        *((text, Attestation.NOT_RUN) for text in ("didn\u2019t run", "did not run it", "no runs")),
    ],
)
def test_the_three_answers_and_their_synonyms(typed: str, said: Attestation) -> None:
    assert read(f"/attest {typed}") == Attest(attestation=said, playbook=PLAYBOOK)


@pytest.mark.parametrize(
    "typed", ["ran runs=14", "runs=14 ran", "ran 14", "ran 14 runs", "ran runs = 14", "support-reply ran 14"]
)
def test_runs(typed: str) -> None:
    assert read(f"/attest {typed}") == Attest(attestation=Attestation.AS_DECLARED, runs=14, playbook=PLAYBOOK)


@pytest.mark.parametrize(
    ("typed", "note"),
    [
        ('ran 14 "15"', "15"),
        ('ran runs=14 "15"', "15"),
        ('ran 14 "quiet week"', "quiet week"),
        ("ran 14 runs, 3 were slow", "3 were slow"),
        ("ran 14 runs ² are squares", "² are squares"),
        ("ran runs=14 3 runs were slow", "3 runs were slow"),
    ],
)
def test_runs_and_a_note_with_a_number(typed: str, note: str) -> None:
    assert read(f"/attest {typed}") == Attest(
        attestation=Attestation.AS_DECLARED, runs=14, note=note, playbook=PLAYBOOK
    )


@pytest.mark.parametrize(
    ("typed", "modes", "note"),
    [
        ("drifted draft=human-led", (("draft", HUMAN),), None),
        ("drifted DRAFT=Human", (("draft", HUMAN),), None),
        ("drifted draft=human led we were short", (("draft", HUMAN),), "we were short"),
        ("draft=collab", (("draft", TOGETHER),), None),
        ("drifted draft:ai, send = human", (("draft", AI), ("send", HUMAN)), None),
        ("drifted draft human led, send ai", (("draft", HUMAN), ("send", AI)), None),
        ("drifted draft human-led and a note", (("draft", HUMAN),), "and a note"),
        ("drifted we were short send=ai_led", (("send", AI),), "we were short"),
        ("drifted", (), None),
        ("drifted note: human reviewers", (), "note: human reviewers"),
        ("drifted see a=b", (), "see a=b"),
    ],
)
def test_drifted_steps_and_their_modes(
    typed: str, modes: tuple[tuple[str, Mode], ...], note: str | None
) -> None:
    assert read(f"/attest {typed}") == Attest(
        attestation=Attestation.DRIFTED, modes=modes, note=note, playbook=PLAYBOOK
    )


@pytest.mark.parametrize("note", ["²", "½", "①", "² runs"])
def test_only_digits_are_a_number_of_runs(note: str) -> None:
    assert read(f"/attest ran {note}") == Attest(
        attestation=Attestation.AS_DECLARED, note=note, playbook=PLAYBOOK
    )


def test_what_is_left_out_stays_open() -> None:
    assert read("/attest") == Attest()
    assert read("/attest runs=14") == Attest(runs=14, playbook=PLAYBOOK)
    assert read("/attest ran", TWO) == Attest(attestation=Attestation.AS_DECLARED)


@pytest.mark.parametrize("typed", ["ran runs=1,400", "ran 1,400", "ran 1,400 runs"])
def test_runs_have_commas_at_their_thousands(typed: str) -> None:
    assert read(f"/attest {typed}") == Attest(
        attestation=Attestation.AS_DECLARED, runs=1400, playbook=PLAYBOOK
    )


def test_a_step_of_one_playbook_names_it() -> None:
    assert read("/attest drifted close=human", TWO) == Attest(
        attestation=Attestation.DRIFTED, modes=(("close", HUMAN),), playbook="month-end"
    )
    assert read("/attest drifted draft=human", TWO) == Attest(
        attestation=Attestation.DRIFTED, modes=(("draft", HUMAN),)
    )


def test_a_step_can_have_the_name_of_another_commands_option() -> None:
    steps = Vocabulary({"triage": ("critical", "teams")})
    assert read("/attest changed critical=human teams=ai", steps) == Attest(
        attestation=Attestation.DRIFTED, modes=(("critical", HUMAN), ("teams", AI)), playbook="triage"
    )


@pytest.mark.parametrize(
    "typed",
    [
        "drifed short of people",
        "no drift",
        "undo",
        "support-reply undo",
        "suport-reply ran",
        "drifted darft=human",
        "drifted zzz=human",
        "drifted draft=robot",
        "drifted draft=h",
        "drifted draft=ai draft=human",
        "drifted darft=",
        "ran runs=",
        "ran 14 15",
        "ran runs=14 15",
        "ran 14 runs 15",
        "ran runz=14",
        "ran runs=1.5",
        "ran runs=1,4",
        "ran runs=1,,4",
        "ran 1,4 runs",
        "ran runs=100001",
        "ran runs=²",
        "ran runs=-1",
        "ran draft=human",
        "not-run runs=3",
        "ran week=9",
        "ran critical=yes",
        "ran in a hurry link=https://a.b/c",
    ],
)
def test_refusals_teach(typed: str) -> None:
    with pytest.raises(Refusal) as refused:
        read(f"/attest {typed}", ONE)
    assert_golden(refused.value.plain, f"teaches:{typed[:60]}")


def test_the_playbook_that_was_named_is_in_the_correction() -> None:
    with pytest.raises(Refusal) as refused:
        read("/attest month-end drifed", TWO)
    assert_golden(refused.value.plain, "named-playbook")
