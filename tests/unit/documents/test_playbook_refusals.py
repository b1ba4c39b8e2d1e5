import pytest

from cadence.documents import DocumentRefused, read_document, read_playbook, read_workspace
from tests.unit.documents.samples import PLAYBOOK, WORKSPACE, edited, problems_of

LONG = "x" * 81

# What is replaced in the specification's playbook, by what; how many lines below it the problem is; its
# place, and words of the reason and the suggestion.
ONE_PROBLEM = [
    # names
    ("playbook: support-reply", "playbook: Support Reply", 0, "playbook", "isn't a short name", "`support-reply`"),
    ("playbook: support-reply", "playbook: drifted", 0, "playbook", "reserved for commands", "another word"),
    ("playbook: support-reply", "playbook: ai-led", 0, "playbook", "reserved for commands", "another word"),
    ("playbook: support-reply", "playbook: nan", 0, "playbook", "reserved for commands", "another word"),
    ("playbook: support-reply", "playbook: 42", 0, "playbook", "42 is a number", "starting with a letter"),
    ("playbook: support-reply", f"playbook: {'a' * 41}", 0, "playbook", "isn't a short name", "2 to 40"),
    ("playbook: support-reply", "playbook: a", 0, "playbook", "isn't a short name", "2 to 40"),
    ("key: send", "key: critical", 0, "steps[1].key", "reserved for commands", "another word"),
    ("key: send", "key: Send It", 0, "steps[1].key", "isn't a step key", "`send-it`"),
    ("key: send", "key: draft", 0, "steps[1].key", "`draft` is already used", "its own key"),
    ("key: send", "key: support-reply", -7, "steps", "same short name as the playbook", "another key"),
    # text
    ("title: Support reply", f"title: {LONG}", 0, "title", "has 81 characters, more than 80", "shorten"),
    ("title: Support reply", 'title: ""', 0, "title", "is empty", "`Support reply`"),
    ("title: Support reply", "title:", 0, "title", "has no value", "`Support reply`"),
    ("title: Support reply", "title: 404", 0, "title", "the number 404", '"404"'),
    ("title: Support reply", "title: true", 0, "title", "`true`", '"true"'),
    ("title: Support reply", "title: [a]", 0, "title", "a list was found", "`Support reply`"),
    ("title: Support reply", 'title: "a\\nb"', 0, "title", "more than one line", "one line"),
    ("title: Support reply", 'title: "a\\u0007b"', 0, "title", "can't be shown", "again"),
    ("loop: Generate", f"loop: {'x' * 1000} Generate", 0, "loop", "more than 1000", "shorten"),
    # who, where
    ("owner: U01LEAD ", "owner: u01lead ", 0, "owner", "isn't a Slack member ID", "`U01LEAD`"),
    ("owner: U01LEAD ", "owner: Anna ", 0, "owner", "isn't a Slack member ID", "Copy member ID"),
    ("function: support", "function: suport", 0, "function", "`suport`", "`support`?"),
    ("function: support", "function: legal", 0, "function", "isn't known", "other"),
    ("function: support", "function: {a: b}", 0, "function", "a group", "sales, support"),
    ("kpi:", "pilot: Berlin!\nkpi:", 0, "pilot", "isn't a short name", "`berlin`"),
    # kpi
    ("unit: minutes", "unit: min", 0, "kpi.unit", "`min`", "`minutes`?"),
    ("direction: lower ", "direction: down ", 0, "kpi.direction", "`down`", "lower, higher"),
    ("target: 15", "target: 42", 0, "kpi.target", "isn't better than the baseline 42", "below"),
    ("target: 15", "target: 15m", 0, "kpi.target", "the text `15m`", "a number"),
    ("target: 15", "target: .inf", 0, "kpi.target", "isn't a number that can be measured", "a number"),
    ("target: 15", "target: .nan", 0, "kpi.target", "isn't a number that can be measured", "a number"),
    ("target: 15", "target: -1", 0, "kpi.target", "below zero", "0 or more"),
    ("baseline: 42", "baseline: yes", 0, "kpi.baseline", "the text `yes`", "a number"),
    ("baseline: 42", "baseline: 1e13", 0, "kpi.baseline", "isn't a number that can be measured", "a number"),
    ("window_days: 28", "window_days: 60", 0, "kpi.window_days", "60 isn't between 14 and 30", "28"),
    ("window_days: 28", "window_days: 13", 0, "kpi.window_days", "13 isn't between 14 and 30", "28"),
    ("window_days: 28", "window_days: 14.5", 0, "kpi.window_days", "isn't a whole number", "28"),
    ("limit: 4.6", "limt: 4.6", 0, "kpi.guardrails[0].limt", "no key `limt`", "`limit`?"),
    ("name: CSAT", "name: first response time", -1, "kpi.guardrails", "its own guardrail", "must not get worse"),
    (
        "- {name: CSAT, unit: score, direction: higher, limit: 4.6}",
        "- {name: CSAT, unit: score, direction: higher, limit: 4.6}\n"
        "    - {name: csat, unit: score, direction: higher, limit: 4.5}",
        1,
        "kpi.guardrails[1].name",
        "`csat` is already used",
        "its own name",
    ),
    ("inputs: [ticket", "kpis: [{name: NPS}]\ninputs: [ticket", 0, "kpis", "more than one KPI", "a guardrail"),
    # steps
    ("mode: ai-led", "mode: ai-leed", 0, "steps[1].mode", "`ai-leed`", "`ai-led`?"),
    ("mode: ai-led", "mode: AI led", 0, "steps[1].mode", "`AI led`", "`ai-led`?"),
    ("fallback: collaborative", "fallback: ai-led", 0, "steps[1].fallback", "planned mode itself", "collaborative"),
    ("fallback: human-led            #", "fallback: ai-led #", 0, "steps[0].fallback", "is above", "human-led"),
    ("exception_cap: 0.05", "exception_cap: 140", 0, "steps[1].exception_cap", "140 isn't between 0%", "such as"),
    ("exception_cap: 0.05", "exception_cap: -0.1", 0, "steps[1].exception_cap", "-0.1 isn't between", "such as"),
    ("exception_cap: 0.05", "exception_cap: 500%", 0, "steps[1].exception_cap", "500 isn't between", "such as 0.10"),
    ("exception_cap: 0.05", "cap: 0.05", 0, "steps[1].cap", "no key `cap`", "`exception_cap`?"),
    ("accuracy: 0.90", "accuracy: 1", 0, "steps[0].promote.accuracy", "1 can't be proven", "0.90"),
    ("accuracy: 0.90", "accuracy: 0", 0, "steps[0].promote.accuracy", "0 accepts everything", "0.90"),
    ("max_risk: 0.02, cycles: 2", "cycles: 0", 0, "steps[0].promote.cycles", "0 isn't between 1 and 12", "2"),
    (
        "exception_cap: 0.05",
        "exception_cap: 0.05\n    verify: {}",
        1,
        "steps[1].verify.sample",
        "no check is set",
        "sample",
    ),
    (
        "exception_cap: 0.05",
        "exception_cap: 0.05\n    verify: {sample: 51}",
        1,
        "steps[1].verify.sample",
        "51 isn't between 0 and 50",
        "5",
    ),
    # package
    ("quality: [tone matches the guide, every claim is in the knowledge base]", "quality: tone", 0, "quality",
     "the text `tone`", "write a list"),
    ("inputs: [ticket text,", "inputs: [ticket text, ticket text,", 0, "inputs[1]", "twice", "one of them"),
    ("inputs: [ticket text,", f"inputs: [{'y' * 301},", 0, "inputs[0]", "more than 300", "shorten"),
    ("inputs: [ticket text,", "inputs: [{a: b},", 0, "inputs[0]", "a group", "ticket text"),
    ("fixed: [rubric, caps] ", f"fixed: {[f'part {n}' for n in range(21)]} ", 0, "fixed", "21 items", "main"),
    ("adaptable: [tone guide]", "adaptable: [rubric]", 0, "adaptable", "`rubric` is fixed", "one of the two"),
    ("threshold: 0.90", "threshold: 0", 0, "rubric.threshold", "accepts everything", "0.90"),
    ("criteria: [tone, accuracy, policy adherence]", "criteria: []", 0, "rubric.criteria", "empty", "[tone]"),
    ("scale_rule: {cycles: 2}", "scale_rule: {cycles: 13}", 0, "scale_rule.cycles", "between 1 and 12", "2"),
    ("scale_rule: {cycles: 2}", "scale_rule: 2", 0, "scale_rule", "the number 2", "{cycles: 2}"),
    ("runs_per_week: 40", "runs_per_week: 0", 0, "runs_per_week", "between 1 and 100,000", "40"),
    ("setup_minutes: 60", "setup_minutes: 90", 0, "setup_minutes", "within the hour", "60"),
    ("setup_minutes: 60", "rule: lax", 0, "rule", "`lax`", "balanced, strict, evidence"),
    ("setup_minutes: 60", "min_runs: 0", 0, "min_runs", "between 1", "20"),
    (
        "on_failure: reopen the ticket, fallback: human-led}",
        "on_failure: reopen the ticket, fallback: human-led, automatic: true}",
        -2,
        "handoffs",
        "it isn't clear which step falls back: 2 steps are above human-led",
        "write `step: draft`",
    ),
    ("sla_hours: 24,", "sla_hours: 0,", 0, "handoffs[0].sla_hours", "0 hours isn't from 0.25 to 672", "24"),
    ("sla_hours: 24,", "sla_hours: 0.2,", 0, "handoffs[0].sla_hours", "0.2 hours isn't from 0.25", "24"),
    ("sla_hours: 24,", "sla_hours: 8760,", 0, "handoffs[0].sla_hours", "8760 hours isn't from 0.25 to 672", "24"),
    ("to: billing,", "to: Billing Team,", 0, "handoffs[0].to", "isn't a short name", "`billing-team`"),
    ("value_event: a reply sent that the customer did not reopen", 'value_event: ""', 0, "pillars.value_event",
     "is empty", "leave the line out"),
    ("value_event: a reply sent that the customer did not reopen", "value_event: TBD.", 0, "pillars.value_event",
     "isn't an answer", "answer with words"),
    # keys
    ("title: Support reply", "title: Support reply\ntitle: Again", 1, "title", "twice, first on line 2", "one"),
    ("title: Support reply", "title: Support reply\n7: x", 1, "", "a key must be a word", "a word for the key"),
    ("loop: Generate", "lop: x\nloop: Generate", 0, "lop", "no key `lop`", "known here"),
    ("quality: [", "qualities: [", 0, "qualities", "no key `qualities`", "`quality`?"),
    # what YAML allows and a document doesn't
    ("title: Support reply", "title: &t Support reply", 0, "title", "& gives", "delete the &"),
    ("title: Support reply", "title: *other", 0, "title", "* refers to", "quote a leading *"),
    ("title: Support reply", "title: !!str Support reply", 0, "title", "! gives", "delete the !"),
]  # fmt: skip


@pytest.mark.parametrize(("old", "new", "below", "where", "reason", "right"), ONE_PROBLEM)
def test_one_mistake_is_one_problem_with_its_line(
    old: str, new: str, below: int, where: str, reason: str, right: str
) -> None:
    text, line = edited(PLAYBOOK, old, new)
    (problem,) = problems_of(text)
    assert (problem.line, problem.where) == (line + below, where)
    assert reason in problem.reason
    assert right in problem.right


@pytest.mark.parametrize(
    ("line", "where", "group_line", "reason"),
    [
        ("title: Support reply\n", "title", 1, "is missing"),
        ("function: support\n", "function", 1, "is missing"),
        ("owner: U01LEAD                     # Slack member ID\n", "owner", 1, "one person who answers for it"),
        ("runs_per_week: 40                  # what a team expects to run; used until its check-ins say better\n",
         "runs_per_week", 1, "the expected runs"),
        ("  name: First response time\n", "kpi.name", 6, "is missing"),
        ("  baseline: 42\n", "kpi.baseline", 6, "no change can be shown"),
        ("  target: 15\n", "kpi.target", 6, "when it is met"),
        ("    title: Send the edited reply\n", "steps[1].title", 21, "is missing"),
        ("    mode: ai-led\n", "steps[1].mode", 21, "who leads"),
        ("    exception_cap: 0.05\n", "steps[1].exception_cap", 21, "how many exceptions"),
        ("  threshold: 0.90                  # on the calibration set\n", "rubric.threshold", 30, "is missing"),
    ],
)  # fmt: skip
def test_missing_keys_are_reported_at_their_group(
    line: str, where: str, group_line: int, reason: str
) -> None:
    text, _ = edited(PLAYBOOK, line, "")
    problem = next(problem for problem in problems_of(text) if problem.where == where)
    assert problem.line == group_line
    assert reason in problem.reason
    assert f"`{where.rpartition('.')[2]}: " in problem.right


def test_a_list_of_kpis_is_refused_in_one_sentence() -> None:
    text = "playbook: ab\nkpi:\n  - {name: CSAT}\n  - {name: NPS}\n"
    problem = next(problem for problem in problems_of(text) if problem.where == "kpi")
    assert problem.line == 3
    assert "more than one KPI" in problem.reason


def test_a_flood_of_unknown_keys_is_cut_short() -> None:
    problems = problems_of(PLAYBOOK + "".join(f"k{number}: x\n" for number in range(9000)))
    assert len(problems) == 50


def test_too_many_steps_are_counted() -> None:
    step = "  - {key: k%d, title: t, mode: human-led, exception_cap: 0.1}\n"
    text = "playbook: ab\nsteps:\n" + "".join(step % number for number in range(13))
    problem = next(problem for problem in problems_of(text) if problem.where == "steps")
    assert problem.reason == "the list has 13 items, more than 12"


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
    assert str(problems[9]) == (
        "line 22, steps[1].exception_cap: 140 isn't between 0% and 100%; write a share such as 0.10"
    )


def test_the_refusal_counts_its_problems_and_names_the_first() -> None:
    with pytest.raises(DocumentRefused) as many:
        read_playbook(MANY)
    assert many.value.plain.startswith("There are 12 problems. The first: line 1, playbook: `Support Reply`")
    text, _ = edited(PLAYBOOK, "function: support", "function: suport")
    with pytest.raises(DocumentRefused) as one:
        read_playbook(text)
    assert one.value.plain.startswith("There's one problem: line 3, function:")
    assert one.value.plain.endswith("did you mean `support`?")


def test_what_a_person_typed_never_pings_anybody() -> None:
    text, _ = edited(PLAYBOOK, "function: support", "function: <!channel>")
    with pytest.raises(DocumentRefused) as refused:
        read_playbook(text)
    assert "<!channel>" not in refused.value.text
    assert "&lt;!channel&gt;" in refused.value.text


def test_each_reader_takes_its_own_document() -> None:
    assert read_document(PLAYBOOK) == read_playbook(PLAYBOOK)
    assert read_document(WORKSPACE) == read_workspace(WORKSPACE)
    with pytest.raises(DocumentRefused, match="this is a workspace file"):
        read_playbook(WORKSPACE)
    with pytest.raises(DocumentRefused, match="this is a playbook"):
        read_workspace(PLAYBOOK)


@pytest.mark.parametrize(
    ("text", "right"), [("playbok: x", "`playbook:`?"), ("work: x", "`workspace:`?"), ("x: y", "begin with")]
)
def test_a_file_that_says_not_what_it_is(text: str, right: str) -> None:
    (problem,) = problems_of(text)
    assert "which kind of file" in problem.reason
    assert right in problem.right
