import pytest

from cadence.documents import (
    KPI_CATALOGUE,
    Change,
    DocumentRefused,
    Function,
    Guardrail,
    HandoffTerms,
    Kpi,
    Pillars,
    PlaybookSpec,
    Promote,
    Rubric,
    ScaleRule,
    Step,
    Verify,
    diff_playbooks,
    differences,
    dump_playbook,
    package_gaps,
    playbook_from_data,
    read_playbook,
    to_data,
)
from cadence.rules.amounts import Unit
from cadence.rules.kpi import Direction
from cadence.rules.modes import Mode
from cadence.rules.verdicts import Rule
from tests.unit.documents.samples import PLAYBOOK, edited

SMALLEST = """\
playbook: routing
title: Routing
function: sales
owner: U03LEAD
kpi: {name: Touch, unit: minutes, direction: lower, baseline: 90, target: 30}
steps:
  - {key: score, title: Score, mode: ai-led, exception_cap: 0.1}
  - {key: note, title: Note, mode: collaborative, exception_cap: 0}
  - {key: decide, title: Decide, mode: human-led, exception_cap: 1, fallback: human-led}
runs_per_week: 12
"""


def test_the_specification_example_loads_unchanged() -> None:
    assert read_playbook(PLAYBOOK) == PlaybookSpec(
        slug="support-reply",
        title="Support reply",
        function=Function.SUPPORT,
        owner="U01LEAD",
        kpi=Kpi(
            name="First response time",
            unit=Unit.MINUTES,
            direction=Direction.LOWER,
            baseline=42,
            target=15,
            window_days=28,
            guardrails=(Guardrail(name="CSAT", unit=Unit.SCORE, direction=Direction.HIGHER, limit=4.6),),
        ),
        steps=(
            Step(
                key="draft",
                title="Draft three replies",
                mode=Mode.COLLABORATIVE,
                fallback=Mode.HUMAN_LED,
                exception_cap=0.10,
                promote=Promote(accuracy=0.90, max_risk=0.02, cycles=2),
            ),
            Step(
                key="send",
                title="Send the edited reply",
                mode=Mode.AI_LED,
                fallback=Mode.COLLABORATIVE,
                exception_cap=0.05,
            ),
        ),
        inputs=("ticket text", "customer profile", "policy constraints"),
        outputs=("sent reply", "tagged ticket"),
        quality=("tone matches the guide", "every claim is in the knowledge base"),
        rubric=Rubric(threshold=0.90, criteria=("tone", "accuracy", "policy adherence")),
        loop="Generate three drafts, edit, send, measure; refine prompts and rubric every Friday.",
        scale_rule=ScaleRule(cycles=2),
        runs_per_week=40,
        setup_minutes=60,
        examples=("a worked example another team can follow",),
        checklist=("connect the ticket queue", "load the policy file", "grade 20 past replies"),
        fixed=("rubric", "caps"),
        adaptable=("tone guide",),
        handoffs=(
            HandoffTerms(
                to="billing",
                inputs=("tagged ticket",),
                outputs=("refund decision",),
                sla_hours=24.0,
                on_failure="reopen the ticket",
                fallback=Mode.HUMAN_LED,
            ),
        ),
        pillars=Pillars(
            value_event="a reply sent that the customer did not reopen",
            input_contract="ticket text and customer profile, refreshed hourly; queue pauses when missing",
            output_trust="confidence shown on each draft, sources linked, low confidence goes to a person",
            operational_owner="the support lead owns rules, the exception queue, training and adoption",
            replication_template="this playbook, its checklist and its graded examples",
        ),
    )


def test_what_is_left_out_gets_its_default() -> None:
    spec = read_playbook(SMALLEST)
    assert [step.fallback for step in spec.steps] == [Mode.COLLABORATIVE, Mode.HUMAN_LED, Mode.HUMAN_LED]
    assert {step.promote for step in spec.steps} == {Promote(accuracy=0.90, max_risk=0.02, cycles=2)}
    assert spec.kpi.window_days == 28
    assert (spec.setup_minutes, spec.scale_cycles, spec.scale_rule) == (60, 2, None)
    assert (spec.pilot, spec.rule, spec.min_runs) == (None, None, None)


def test_part_of_a_group_gets_the_defaults_of_the_rest() -> None:
    spec = read_playbook(SMALLEST.replace("exception_cap: 0.1}", "exception_cap: 0.1, promote: {cycles: 3}}"))
    assert spec.steps[0].promote == Promote(accuracy=0.90, max_risk=0.02, cycles=3)
    assert read_playbook(SMALLEST + "scale_rule: {}\n").scale_rule == ScaleRule(cycles=2)


def test_what_spec_6_adds_is_read() -> None:
    text = SMALLEST.replace(
        "exception_cap: 0.1}",
        "exception_cap: 0.1, verify: {automated: fit check, sample: 5, escalate_to: U01CURATOR}}",
    )
    spec = read_playbook(text + "pilot: sales-amer\nrule: strict\nmin_runs: 30\n")
    assert spec.steps[0].verify == Verify(automated="fit check", sample=5, escalate_to="U01CURATOR")
    assert (spec.pilot, spec.rule, spec.min_runs) == ("sales-amer", Rule.STRICT, 30)


def test_stored_data_is_read_as_strictly_as_a_file() -> None:
    data = to_data(read_playbook(PLAYBOOK))
    with pytest.raises(DocumentRefused) as refused:
        playbook_from_data({**data, "owner": ["U01LEAD"], "setup_minutes": 0})
    first, second = refused.value.problems
    assert str(first) == "owner: a list was found; write text such as `U01LEAD`"
    assert (second.line, second.where) == (0, "setup_minutes")


@pytest.mark.parametrize(
    ("typed", "cap"),
    [
        *[
            ("8", 0.08),
            ("8%", 0.08),
            ("8 %", 0.08),
            ("0.08", 0.08),
            ("8.5", 0.085),
            ("1", 0.01),
            ("1%", 0.01),
        ],
        *[("100", 1.0), ("100%", 1.0), ("1.0", 1.0), ("0", 0.0)],
    ],
)
def test_a_cap_is_a_percentage_or_a_share(typed: str, cap: float) -> None:
    text = PLAYBOOK.replace("exception_cap: 0.05", f"exception_cap: {typed}")
    spec = read_playbook(text)
    assert spec.steps[1].exception_cap == cap
    assert read_playbook(dump_playbook(spec)) == spec
    assert playbook_from_data(to_data(spec)) == spec


def test_text_is_trimmed_and_keeps_its_lines() -> None:
    spec = read_playbook(SMALLEST + 'loop: "  Draft\\tit.  \\r\\n  Send it. "\n')
    assert spec.loop == "Draft it.\n  Send it."


def test_package_gaps_names_every_missing_part() -> None:
    assert package_gaps(read_playbook(PLAYBOOK)) == ()
    assert package_gaps(read_playbook(SMALLEST)) == (
        "inputs",
        "outputs",
        "quality",
        "rubric",
        "loop",
        "scale rule",
        "examples",
        "checklist",
        "pillars (when a run counts, input contract, output trust, operational owner, replication template)",
    )


@pytest.mark.parametrize(
    ("old", "new", "gap"),
    [
        ("inputs: [ticket text, customer profile, policy constraints]", "inputs: []", "inputs"),
        ("scale_rule: {cycles: 2}            #", "#", "scale rule"),
        ("  output_trust: confidence shown on each draft, sources linked, low confidence goes to a person\n", "",
         "pillars (output trust)"),
    ],
)  # fmt: skip
def test_one_missing_part_is_one_gap(old: str, new: str, gap: str) -> None:
    text, _ = edited(PLAYBOOK, old, new)
    assert package_gaps(read_playbook(text)) == (gap,)


def test_a_step_is_found_by_its_key() -> None:
    spec = read_playbook(PLAYBOOK)
    assert spec.step("send") is spec.steps[1]
    assert spec.step("sned") is None


@pytest.mark.parametrize(
    ("old", "new", "changes"),
    [
        ("target: 15", "target: 12.5", ["KPI target: 15 min → 12.5 min"]),
        ("mode: ai-led", "mode: collaborative\n    fallback: human-led #", None),
        ("key: send", "key: reply",
         ["“Send the edited reply” was removed", "“Send the edited reply” was added: AI-led, cap 5%"]),
        ("limit: 4.6", "limit: 4.7", ["Limit of guardrail CSAT: 4.6 → 4.7"]),
        ("title: Send the edited reply", "title: Send it",
         ["“Send it” is the new name of “Send the edited reply”"]),
        ("exception_cap: 0.05", "exception_cap: 0.052", ["Cap of “Send the edited reply”: 5% → 5.2%"]),
        ("owner: U01LEAD", "owner: U01OTHER", ["Owner: <@U01LEAD> → <@U01OTHER>"]),
        ("inputs: [ticket text, ", "inputs: [", ["Inputs: removed ticket text"]),
        ("scale_rule: {cycles: 2}            #", "#", ["Scale rule: removed cycles 2"]),
        ("setup_minutes: 60", "pilot: support-emea\nsetup_minutes: 45",
         ["Pilot: added support-emea", "Minutes to set up: 60 → 45"]),
    ],
)  # fmt: skip
def test_a_revision_lists_its_changes(old: str, new: str, changes: list[str] | None) -> None:
    text, _ = edited(PLAYBOOK, old, new)
    if changes is None:
        text = text.replace("    fallback: collaborative\n", "", 1)
        changes = [
            "“Send the edited reply” is now collaborative (was AI-led)",
            "A demotion of “Send the edited reply” now leads to human-led (was collaborative)",
        ]
    told = differences(read_playbook(PLAYBOOK), read_playbook(text))
    assert told == tuple(changes)


def test_equal_documents_have_no_changes_and_order_is_a_change() -> None:
    spec = read_playbook(SMALLEST)
    assert diff_playbooks(spec, spec) == ()
    lines = SMALLEST.splitlines(keepends=True)
    lines[6], lines[7] = lines[7], lines[6]
    assert diff_playbooks(spec, read_playbook("".join(lines))) == (
        Change("steps (order)", ["score", "note", "decide"], ["note", "score", "decide"]),
    )


def test_added_and_removed_steps_are_listed_in_full() -> None:
    before, after = read_playbook(SMALLEST), read_playbook(SMALLEST.replace("key: note", "key: letter"))
    removed, added = diff_playbooks(before, after)
    assert (removed.path, removed.after) == ("steps[note]", None)
    assert (added.path, added.before) == ("steps[letter]", None)
    assert isinstance(added.after, dict)
    assert added.after["title"] == "Note"


def test_the_catalogue_offers_what_each_function_measures() -> None:
    assert set(KPI_CATALOGUE) == set(Function)
    assert {function: len(kpis) for function, kpis in KPI_CATALOGUE.items()} == {
        "sales": 4,
        "support": 5,
        "finance": 4,
        "engineering": 4,
        "other": 0,
    }
    lower = {kpi.name for kpis in KPI_CATALOGUE.values() for kpi in kpis if kpi.direction is Direction.LOWER}
    assert lower == {
        "Time to first touch",
        "Cycle time to proposal",
        "First response time",
        "Resolution time",
        "Reopen rate",
        "Month-end close time",
        "Forecast error",
        "Lead time for changes",
        "Change failure rate",
        "Time to restore",
    }
