import pytest

from cadence.documents import DocumentRefused, read_document, read_playbook, read_workspace
from cadence.mrkdwn import escape
from tests.contexts import assert_golden
from tests.unit.documents.samples import PLAYBOOK, WORKSPACE, edited, mistake, problems_of, told

LONG = "x" * 81

# What is replaced in the specification's playbook, by what; how many lines below it the problem is, and its
# place. The golden file has the reason and the suggestion.
ONE_PROBLEM = [
    # names
    ("playbook: support-reply", "playbook: Support Reply", 0, "playbook"),
    ("playbook: support-reply", "playbook: drifted", 0, "playbook"),
    ("playbook: support-reply", "playbook: ai-led", 0, "playbook"),
    ("playbook: support-reply", "playbook: nan", 0, "playbook"),
    ("playbook: support-reply", "playbook: 42", 0, "playbook"),
    ("playbook: support-reply", f"playbook: {'a' * 41}", 0, "playbook"),
    ("playbook: support-reply", "playbook: a", 0, "playbook"),
    ("key: send", "key: critical", 0, "steps[1].key"),
    ("key: send", "key: Send It", 0, "steps[1].key"),
    ("key: send", "key: draft", 0, "steps[1].key"),
    ("key: send", "key: support-reply", -7, "steps"),
    # text
    ("title: Support reply", f"title: {LONG}", 0, "title"),
    ("title: Support reply", 'title: ""', 0, "title"),
    ("title: Support reply", "title:", 0, "title"),
    ("title: Support reply", "title: 404", 0, "title"),
    ("title: Support reply", "title: true", 0, "title"),
    ("title: Support reply", "title: [a]", 0, "title"),
    ("title: Support reply", 'title: "a\\nb"', 0, "title"),
    ("title: Support reply", 'title: "a\\u0007b"', 0, "title"),
    ("loop: Generate", f"loop: {'x' * 1000} Generate", 0, "loop"),
    # who, where
    ("owner: U01LEAD ", "owner: u01lead ", 0, "owner"),
    ("owner: U01LEAD ", "owner: Anna ", 0, "owner"),
    ("function: support", "function: suport", 0, "function"),
    ("function: support", "function: legal", 0, "function"),
    ("function: support", "function: {a: b}", 0, "function"),
    ("kpi:", "pilot: Berlin!\nkpi:", 0, "pilot"),
    # kpi
    ("unit: minutes", "unit: min", 0, "kpi.unit"),
    ("direction: lower ", "direction: down ", 0, "kpi.direction"),
    ("target: 15", "target: 42", 0, "kpi.target"),
    ("target: 15", "target: 15m", 0, "kpi.target"),
    ("target: 15", "target: .inf", 0, "kpi.target"),
    ("target: 15", "target: .nan", 0, "kpi.target"),
    ("target: 15", "target: -1", 0, "kpi.target"),
    ("baseline: 42", "baseline: yes", 0, "kpi.baseline"),
    ("baseline: 42", "baseline: 1e13", 0, "kpi.baseline"),
    ("baseline: 42", "baseline: 10000000000000", 0, "kpi.baseline"),
    ("title: Support reply", "title: 007", 0, "title"),
    ("title: Support reply", "title: 0x1F", 0, "title"),
    ("window_days: 28", "window_days: 1e3", 0, "kpi.window_days"),
    ("window_days: 28", "window_days: 14.50", 0, "kpi.window_days"),
    ("exception_cap: 0.05", "exception_cap: 101.50 %", 0, "steps[1].exception_cap"),
    ("exception_cap: 0.05", "exception_cap: 1.4e2", 0, "steps[1].exception_cap"),
    ("accuracy: 0.90", "accuracy: 0.0", 0, "steps[0].promote.accuracy"),
    ("window_days: 28", "window_days: 60", 0, "kpi.window_days"),
    ("window_days: 28", "window_days: 13", 0, "kpi.window_days"),
    ("window_days: 28", "window_days: 14.5", 0, "kpi.window_days"),
    ("limit: 4.6", "limt: 4.6", 0, "kpi.guardrails[0].limt"),
    ("name: CSAT", "name: first response time", -1, "kpi.guardrails"),
    (
        "- {name: CSAT, unit: score, direction: higher, limit: 4.6}",
        "- {name: CSAT, unit: score, direction: higher, limit: 4.6}\n"
        "    - {name: csat, unit: score, direction: higher, limit: 4.5}",
        1,
        "kpi.guardrails[1].name",
    ),
    ("inputs: [ticket", "kpis: [{name: NPS}]\ninputs: [ticket", 0, "kpis"),
    # steps
    ("mode: ai-led", "mode: ai-leed", 0, "steps[1].mode"),
    ("mode: ai-led", "mode: AI led", 0, "steps[1].mode"),
    ("fallback: collaborative", "fallback: ai-led", 0, "steps[1].fallback"),
    ("fallback: human-led            #", "fallback: ai-led #", 0, "steps[0].fallback"),
    ("exception_cap: 0.05", "exception_cap: 140", 0, "steps[1].exception_cap"),
    ("exception_cap: 0.05", "exception_cap: -0.1", 0, "steps[1].exception_cap"),
    ("exception_cap: 0.05", "exception_cap: 500%", 0, "steps[1].exception_cap"),
    ("exception_cap: 0.05", "cap: 0.05", 0, "steps[1].cap"),
    ("accuracy: 0.90", "accuracy: 1", 0, "steps[0].promote.accuracy"),
    ("accuracy: 0.90", "accuracy: 0", 0, "steps[0].promote.accuracy"),
    ("max_risk: 0.02, cycles: 2", "cycles: 0", 0, "steps[0].promote.cycles"),
    (
        "exception_cap: 0.05",
        "exception_cap: 0.05\n    verify: {}",
        1,
        "steps[1].verify.sample",
    ),
    (
        "exception_cap: 0.05",
        "exception_cap: 0.05\n    verify: {sample: 51}",
        1,
        "steps[1].verify.sample",
    ),
    # package
    ("quality: [tone matches the guide, every claim is in the knowledge base]", "quality: tone", 0, "quality"),
    ("inputs: [ticket text,", "inputs: [ticket text, ticket text,", 0, "inputs[1]"),
    ("inputs: [ticket text,", f"inputs: [{'y' * 301},", 0, "inputs[0]"),
    ("inputs: [ticket text,", "inputs: [{a: b},", 0, "inputs[0]"),
    ("fixed: [rubric, caps] ", f"fixed: {[f'part {n}' for n in range(21)]} ", 0, "fixed"),
    ("adaptable: [tone guide]", "adaptable: [rubric]", 0, "adaptable"),
    ("threshold: 0.90", "threshold: 0", 0, "rubric.threshold"),
    ("criteria: [tone, accuracy, policy adherence]", "criteria: []", 0, "rubric.criteria"),
    ("scale_rule: {cycles: 2}", "scale_rule: {cycles: 13}", 0, "scale_rule.cycles"),
    ("scale_rule: {cycles: 2}", "scale_rule: 2", 0, "scale_rule"),
    ("runs_per_week: 40", "runs_per_week: 0", 0, "runs_per_week"),
    ("setup_minutes: 60", "setup_minutes: 90", 0, "setup_minutes"),
    ("setup_minutes: 60", "rule: lax", 0, "rule"),
    ("setup_minutes: 60", "min_runs: 0", 0, "min_runs"),
    (
        "on_failure: reopen the ticket, fallback: human-led}",
        "on_failure: reopen the ticket, fallback: human-led, automatic: true}",
        -2,
        "handoffs",
    ),
    ("sla_hours: 24,", "sla_hours: 0,", 0, "handoffs[0].sla_hours"),
    ("sla_hours: 24,", "sla_hours: 0.2,", 0, "handoffs[0].sla_hours"),
    ("sla_hours: 24,", "sla_hours: 8760,", 0, "handoffs[0].sla_hours"),
    ("to: billing,", "to: Billing Team,", 0, "handoffs[0].to"),
    ("value_event: a reply sent that the customer did not reopen", 'value_event: ""', 0, "pillars.value_event"),
    ("value_event: a reply sent that the customer did not reopen", "value_event: TBD.", 0, "pillars.value_event"),
    # keys
    ("title: Support reply", "title: Support reply\ntitle: Again", 1, "title"),
    ("title: Support reply", "title: Support reply\n7: x", 1, ""),
    ("loop: Generate", "lop: x\nloop: Generate", 0, "lop"),
    ("quality: [", "qualities: [", 0, "qualities"),
    # what YAML allows and a document doesn't
    ("title: Support reply", "title: &t Support reply", 0, "title"),
    ("title: Support reply", "title: *other", 0, "title"),
    ("title: Support reply", "title: !!str Support reply", 0, "title"),
]  # fmt: skip


@pytest.mark.parametrize(("old", "new", "below", "where"), ONE_PROBLEM)
def test_one_mistake_is_one_problem_with_its_line(old: str, new: str, below: int, where: str) -> None:
    text, line = edited(PLAYBOOK, old, new)
    (problem,) = problems_of(text)
    assert (problem.line, problem.where) == (line + below, where)
    assert_golden(told(problem), f"mistake:{mistake(new)}")


@pytest.mark.parametrize(
    ("line", "where", "group_line"),
    [
        ("title: Support reply\n", "title", 1),
        ("function: support\n", "function", 1),
        ("owner: U01LEAD                     # Slack member ID\n", "owner", 1),
        ("runs_per_week: 40                  # what a team expects to run; used until its check-ins say better\n",
         "runs_per_week", 1),
        ("  name: First response time\n", "kpi.name", 6),
        ("  baseline: 42\n", "kpi.baseline", 6),
        ("  target: 15\n", "kpi.target", 6),
        ("    title: Send the edited reply\n", "steps[1].title", 21),
        ("    mode: ai-led\n", "steps[1].mode", 21),
        ("    exception_cap: 0.05\n", "steps[1].exception_cap", 21),
        ("  threshold: 0.90                  # on the calibration set\n", "rubric.threshold", 30),
    ],
)  # fmt: skip
def test_missing_keys_are_reported_at_their_group(line: str, where: str, group_line: int) -> None:
    text, _ = edited(PLAYBOOK, line, "")
    problem = next(problem for problem in problems_of(text) if problem.where == where)
    assert problem.line == group_line
    assert_golden(told(problem), f"missing:{where}")
    assert f"`{where.rpartition('.')[2]}: " in problem.right


def test_a_list_of_kpis_is_refused_in_one_sentence() -> None:
    text = "playbook: ab\nkpi:\n  - {name: CSAT}\n  - {name: NPS}\n"
    problem = next(problem for problem in problems_of(text) if problem.where == "kpi")
    assert problem.line == 3
    assert_golden(told(problem), "two-kpis")


def test_a_flood_of_unknown_keys_is_cut_short() -> None:
    problems = problems_of(PLAYBOOK + "".join(f"k{number}: x\n" for number in range(9000)))
    assert len(problems) == 50


def test_too_many_steps_are_counted() -> None:
    step = "  - {key: k%d, title: t, mode: human-led, exception_cap: 0.1}\n"
    text = "playbook: ab\nsteps:\n" + "".join(step % number for number in range(13))
    problem = next(problem for problem in problems_of(text) if problem.where == "steps")
    assert_golden(told(problem), "many-steps")


MANY = """\
playbook: Support Reply
titel: Support reply
function: suport
owner:
kpi:
  name: First response time
  unit: minutes
  direction: lower
  baseline: 42
  target: 50
  target: 40
  window_days: 60
steps:
  - key: help
    title: Draft
    mode: ai-led
    exception_cap: 0.1
  - key: send
    title: Send
    mode: collaborative
    fallback: ai-led
    exception_cap: 140
runs_per_week: many
pillars: {value_event: n/a}
"""


def test_all_problems_are_reported_at_once_by_line() -> None:
    problems = problems_of(MANY)
    assert [(problem.line, problem.where) for problem in problems] == [
        (1, "playbook"),
        (2, "titel"),
        (3, "function"),
        (4, "owner"),
        (10, "kpi.target"),
        (11, "kpi.target"),
        (12, "kpi.window_days"),
        (14, "steps[0].key"),
        (21, "steps[1].fallback"),
        (22, "steps[1].exception_cap"),
        (23, "runs_per_week"),
        (24, "pillars.value_event"),
    ]
    assert_golden("\n".join(map(str, problems)), "all-at-once")


def test_the_refusal_counts_its_problems_and_names_the_first() -> None:
    with pytest.raises(DocumentRefused) as many:
        read_playbook(MANY)
    assert_golden(many.value.plain, "refusal:many")
    text, _ = edited(PLAYBOOK, "function: support", "function: suport")
    with pytest.raises(DocumentRefused) as one:
        read_playbook(text)
    assert_golden(one.value.plain, "refusal:one")


def test_what_a_person_typed_never_pings_anybody() -> None:
    ping = "<!channel>"
    text, _ = edited(PLAYBOOK, "function: support", f"function: {ping}")
    with pytest.raises(DocumentRefused) as refused:
        read_playbook(text)
    assert ping not in refused.value.text
    assert escape(ping) in refused.value.text


def test_each_reader_takes_its_own_document() -> None:
    assert read_document(PLAYBOOK) == read_playbook(PLAYBOOK)
    assert read_document(WORKSPACE) == read_workspace(WORKSPACE)
    with pytest.raises(DocumentRefused) as refused:
        read_playbook(WORKSPACE)
    assert_golden(refused.value.plain, "not-a-playbook")
    with pytest.raises(DocumentRefused) as refused:
        read_workspace(PLAYBOOK)
    assert_golden(refused.value.plain, "not-a-workspace")


@pytest.mark.parametrize("text", ["playbok: x", "work: x", "x: y"])
def test_a_file_that_says_not_what_it_is(text: str) -> None:
    (problem,) = problems_of(text)
    assert_golden(told(problem), f"no-kind:{text}")
