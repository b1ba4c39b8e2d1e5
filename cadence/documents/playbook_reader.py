"""Reading a playbook: its keys, what each may be, and what must hold between them."""

from cadence.documents.kinds import choice, hours, item, member, share, slug, text, whole
from cadence.documents.kpi_reader import KEEP_ONE, KPI, ONE_KPI
from cadence.documents.playbook import (
    DEFAULT_SCALE_CYCLES,
    DEFAULT_SETUP_MINUTES,
    HandoffTerms,
    Pillars,
    PlaybookSpec,
    Rubric,
    ScaleRule,
)
from cadence.documents.section import Kind, Section, group, listing
from cadence.documents.step_reader import CYCLES, MODE, STEPS
from cadence.documents.words import ANSWER_LENGTH, MAX_ITEMS, TITLE_LENGTH, Function
from cadence.rules.modes import Mode
from cadence.rules.verdicts import Rule

RULE = choice(Rule, example=Rule.BALANCED)
FUNCTION = choice(Function, example=Function.SUPPORT)


def _rubric(section: Section) -> Rubric:
    return Rubric(
        threshold=section.needed("threshold", share("0.90", zero="accepts everything")),
        criteria=section.needed("criteria", listing(item("tone"), most=MAX_ITEMS, least=1)),
    )


_SOONEST, _LATEST = 0.25, 672
"""Hours a contract may give: a quarter of one, in which somebody can answer, to the four weeks of a cycle."""


def _handoff(section: Section, sla: Kind[float]) -> HandoffTerms:
    return HandoffTerms(
        to=section.needed("to", slug("billing")),
        inputs=section.needed("inputs", listing(item("tagged ticket"), most=MAX_ITEMS, least=1)),
        outputs=section.needed("outputs", listing(item("refund decision"), most=MAX_ITEMS, least=1)),
        sla_hours=section.needed("sla_hours", sla),
        on_failure=section.needed("on_failure", item("reopen the ticket")),
        fallback=section.needed("fallback", MODE),
    )


def _handoffs(sla: Kind[float]) -> Kind[tuple[HandoffTerms, ...]]:
    one = group(
        lambda section: _handoff(section, sla),
        HandoffTerms("", (), (), 1.0, "", Mode.HUMAN_LED),
        example="{to: billing, inputs: [tagged ticket], outputs: [refund decision], sla_hours: 24, "
        "on_failure: reopen the ticket, fallback: human-led}",
    )
    return listing(one, most=MAX_ITEMS)


_HANDOFFS = _handoffs(hours(_SOONEST, _LATEST, example="24"))
_HANDOFFS_KEPT = _handoffs(hours(0, 8760, example="24"))
"""A version never changes, so one from before these bounds is still read."""


def _pillars(section: Section) -> Pillars:
    def answer(key: str, example: str) -> str | None:
        return section.optional(key, text(ANSWER_LENGTH, example=example, lines=True, answer=True), None)

    return Pillars(
        value_event=answer("value_event", "a reply sent that the customer did not reopen"),
        input_contract=answer("input_contract", "ticket text, refreshed hourly; the queue pauses without it"),
        output_trust=answer("output_trust", "sources linked on each draft; low confidence goes to a person"),
        operational_owner=answer("operational_owner", "the support lead owns rules, exceptions and training"),
        replication_template=answer("replication_template", "this playbook, its checklist, its examples"),
    )


_PILLARS = group(_pillars, Pillars(), example="value_event: a reply the customer did not reopen")
_RUBRIC = group(_rubric, Rubric(0.9, ()), example="{threshold: 0.90, criteria: [tone, accuracy]}")
_SCALE_RULE = group(
    lambda section: ScaleRule(section.optional("cycles", CYCLES, DEFAULT_SCALE_CYCLES)),
    ScaleRule(),
    example="{cycles: 2}",
)


_SETUP = whole(1, 60, example="60", why="another team must be able to start within the hour")


def _items(example: str) -> Kind[tuple[str, ...]]:
    return listing(item(example), most=MAX_ITEMS)


def read_playbook_section(section: Section) -> PlaybookSpec:
    """The playbook of a file's top-level keys; problems are noted in the section's place."""
    return _playbook(section, _HANDOFFS)


def read_kept_playbook_section(section: Section) -> PlaybookSpec:
    """The playbook of a stored version, which may be from before a bound was drawn closer."""
    return _playbook(section, _HANDOFFS_KEPT)


def _playbook(section: Section, handoffs: Kind[tuple[HandoffTerms, ...]]) -> PlaybookSpec:
    second = "kpis" in section
    section.refuse_other("kpis", ONE_KPI, KEEP_ONE)
    spec = PlaybookSpec(
        slug=section.needed("playbook", slug("support-reply")),
        title=section.needed("title", text(TITLE_LENGTH, example="Support reply")),
        function=section.needed("function", FUNCTION),
        owner=section.needed(
            "owner",
            member("U01LEAD"),
            why="is missing: each playbook has one person who answers for it",
            right="write their Slack member ID, such as `owner: U01LEAD`",
        ),
        pilot=section.optional("pilot", slug("support-emea"), None),
        kpi=section.optional("kpi", KPI, KPI.blank) if second else section.needed("kpi", KPI),
        steps=section.needed("steps", STEPS),
        inputs=section.optional("inputs", _items("ticket text"), ()),
        outputs=section.optional("outputs", _items("sent reply"), ()),
        quality=section.optional("quality", _items("every claim is in the knowledge base"), ()),
        rubric=section.optional("rubric", _RUBRIC, None),
        loop=section.optional(
            "loop", text(ANSWER_LENGTH, example="Draft, edit, send, measure", lines=True), None
        ),
        scale_rule=section.optional("scale_rule", _SCALE_RULE, None),
        runs_per_week=section.needed(
            "runs_per_week",
            whole(1, 100_000, example="40"),
            why="is missing: the first weeks are judged by the runs one expects",
        ),
        setup_minutes=section.optional("setup_minutes", _SETUP, DEFAULT_SETUP_MINUTES),
        rule=section.optional("rule", RULE, None),
        min_runs=section.optional("min_runs", whole(1, 10_000, example="20"), None),
        examples=section.optional("examples", _items("a worked example another team can follow"), ()),
        checklist=section.optional("checklist", _items("connect the ticket queue"), ()),
        fixed=section.optional("fixed", _items("rubric"), ()),
        adaptable=section.optional("adaptable", _items("tone guide"), ()),
        handoffs=section.optional("handoffs", handoffs, ()),
        pillars=section.optional("pillars", _PILLARS, Pillars()),
    )
    _check(section, spec)
    return spec


def _check(section: Section, spec: PlaybookSpec) -> None:
    if section.sound("steps", "playbook") and spec.step(spec.slug):
        reason = f"the step `{spec.slug}` has the name of the playbook: commands can't tell them apart"
        section.refuse("steps", reason, "give the step another key")
    if section.sound("fixed", "adaptable"):
        for both in sorted(set(spec.fixed) & set(spec.adaptable)):
            section.refuse("adaptable", f"`{both}` is fixed too", "keep it in one of the two lists")
