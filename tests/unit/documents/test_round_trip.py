import json
from typing import TypeVar

from hypothesis import given, settings
from hypothesis import strategies as st

from cadence.documents import (
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
    TeamSpec,
    Verify,
    WorkspaceSpec,
    diff_playbooks,
    dump_playbook,
    dump_workspace,
    playbook_from_data,
    read_document,
    to_data,
)
from cadence.documents.words import NO_ANSWER, RESERVED
from cadence.rules.amounts import Unit
from cadence.rules.kpi import Direction, better
from cadence.rules.modes import LADDER, Mode, rank
from cadence.rules.verdicts import Rule

T = TypeVar("T")
NASTY = [
    "NO", "yes", "null", "~", "true", "1:30", "2026-12-20", "012", "0x1F", "1_000", "1e3", ".5", ".inf", "-", "- a",
    "a: b", "key:", "a #b", "#b", "&a", "*a", "!a", "%a", "@a", "`a`", "[a]", "{a}", "a, b", "'", '"', "'a\"b'",
    "\\n", "? a", "| a", "> a", "a  b", "---", "...", "<!channel>", "São Paulo", "日本語", "👩‍💻 ok", "\ufeffa",
    "a\u00a0b",
]  # fmt: skip
READABLE = st.characters(exclude_categories=("Cc", "Cs", "Zl", "Zp"))


def lines_of(most: int) -> st.SearchStrategy[str]:
    free = st.text(READABLE, min_size=1, max_size=most).map(str.strip).filter(bool)
    words = st.lists(st.sampled_from(NASTY), min_size=1, max_size=4).map(" ".join)
    return st.one_of(st.sampled_from(NASTY), words, free).map(lambda text: text[:most].strip()).filter(bool)


def answers(most: int) -> st.SearchStrategy[str]:
    indented = st.tuples(st.integers(0, 4), lines_of(60)).map(lambda pair: " " * pair[0] + pair[1])
    several = st.lists(st.one_of(indented, st.just("")), min_size=1, max_size=5).map("\n".join).map(str.strip)
    return several.filter(
        lambda text: 0 < len(text) <= most and text.casefold().rstrip(".!") not in NO_ANSWER
    )


def names(pattern: str) -> st.SearchStrategy[str]:
    return st.from_regex(pattern, fullmatch=True).filter(lambda word: word not in RESERVED)


def lists(part: st.SearchStrategy[T], least: int = 0, most: int = 4) -> st.SearchStrategy[tuple[T, ...]]:
    return st.lists(part, min_size=least, max_size=most, unique=True).map(tuple)


SLUGS = names("[a-z][a-z0-9-]{1,39}")
MEMBERS = st.from_regex("[UW][A-Z0-9]{2,20}", fullmatch=True)
CHANNELS = st.from_regex("[CG][A-Z0-9]{2,20}", fullmatch=True)
NUMBERS = st.floats(0, 1e12, allow_nan=False)
SHARES = st.floats(0, 1)
OPEN_SHARES = st.floats(0, 1, exclude_min=True, exclude_max=True)
CYCLES = st.integers(1, 12)
ITEMS = lists(lines_of(300))


@st.composite
def kpis(draw: st.DrawFn) -> Kpi:
    direction = draw(st.sampled_from(Direction))
    one, other = draw(st.lists(NUMBERS, min_size=2, max_size=2, unique=True))
    name = draw(lines_of(60))
    guardrails = st.builds(
        Guardrail,
        name=lines_of(60),
        unit=st.sampled_from(Unit),
        direction=st.sampled_from(Direction),
        limit=st.floats(-1e12, 1e12),
    )
    return Kpi(
        name=name,
        unit=draw(st.sampled_from(Unit)),
        direction=direction,
        baseline=other if better(one, other, direction) else one,
        target=one if better(one, other, direction) else other,
        window_days=draw(st.integers(14, 30)),
        guardrails=tuple(
            draw(
                st.lists(
                    guardrails.filter(lambda guardrail: guardrail.name.casefold() != name.casefold()),
                    max_size=2,
                    unique_by=lambda guardrail: guardrail.name.casefold(),
                )
            )
        ),
    )


@st.composite
def steps(draw: st.DrawFn) -> Step:
    mode = draw(st.sampled_from(Mode))
    verify = st.builds(
        Verify, automated=st.none() | lines_of(60), sample=st.integers(0, 50), escalate_to=st.none() | MEMBERS
    )
    return Step(
        key=draw(names("[a-z][a-z0-9_-]{0,39}")),
        title=draw(lines_of(80)),
        mode=mode,
        fallback=draw(st.sampled_from(LADDER[: rank(mode)] or (Mode.HUMAN_LED,))),
        exception_cap=draw(SHARES),
        promote=draw(st.builds(Promote, accuracy=OPEN_SHARES, max_risk=SHARES, cycles=CYCLES)),
        verify=draw(st.none() | verify),
    )


HANDOFFS = st.builds(
    HandoffTerms,
    to=SLUGS,
    inputs=lists(lines_of(300), least=1),
    outputs=lists(lines_of(300), least=1),
    sla_hours=st.floats(0.25, 672),
    on_failure=lines_of(300),
    fallback=st.sampled_from(Mode),
)
ANSWERS = st.none() | answers(1000)


@st.composite
def playbooks(draw: st.DrawFn) -> PlaybookSpec:
    slug = draw(SLUGS)
    unlike = steps().filter(lambda step: step.key != slug)
    fixed = draw(ITEMS)
    return PlaybookSpec(
        slug=slug,
        title=draw(lines_of(80)),
        function=draw(st.sampled_from(Function)),
        owner=draw(MEMBERS),
        pilot=draw(st.none() | SLUGS),
        kpi=draw(kpis()),
        steps=tuple(draw(st.lists(unlike, min_size=1, max_size=3, unique_by=lambda step: step.key))),
        inputs=draw(ITEMS),
        outputs=draw(ITEMS),
        quality=draw(ITEMS),
        rubric=draw(
            st.none() | st.builds(Rubric, threshold=OPEN_SHARES, criteria=lists(lines_of(300), least=1))
        ),
        loop=draw(st.none() | answers(1000)),
        scale_rule=draw(st.none() | st.builds(ScaleRule, cycles=CYCLES)),
        runs_per_week=draw(st.integers(1, 100_000)),
        setup_minutes=draw(st.integers(1, 60)),
        rule=draw(st.none() | st.sampled_from(Rule)),
        min_runs=draw(st.none() | st.integers(1, 10_000)),
        examples=draw(ITEMS),
        checklist=draw(ITEMS),
        fixed=fixed,
        adaptable=tuple(item for item in draw(ITEMS) if item not in fixed),
        handoffs=draw(lists(HANDOFFS, most=2)),
        pillars=draw(st.builds(Pillars, **dict.fromkeys(Pillars.model_fields, ANSWERS))),
    )


ZONES = st.sampled_from(["Europe/Berlin", "America/Sao_Paulo", "Asia/Kolkata", "Australia/Lord_Howe", "UTC"])
COUNTRIES = st.none() | st.sampled_from(["NO", "DE", "BR", "IN", "GB"])


@st.composite
def teams(draw: st.DrawFn) -> TeamSpec:
    members = draw(lists(MEMBERS))
    return TeamSpec(
        slug=draw(SLUGS),
        title=draw(lines_of(80)),
        function=draw(st.sampled_from(Function)),
        region=draw(st.none() | lines_of(60)),
        channel=draw(CHANNELS),
        timezone=draw(ZONES),
        country=draw(COUNTRIES),
        members=members,
        reporter=draw(st.none() | st.sampled_from(members)) if members else None,
    )


@st.composite
def workspaces(draw: st.DrawFn) -> WorkspaceSpec:
    several = draw(
        st.lists(teams(), max_size=3, unique_by=(lambda team: team.slug, lambda team: team.channel))
    )
    if draw(st.booleans()):
        return WorkspaceSpec(teams=tuple(several))
    country = draw(COUNTRIES)
    return WorkspaceSpec(
        curators=draw(lists(MEMBERS, least=1)),
        curator_channel=draw(CHANNELS),
        timezone=draw(ZONES),
        country=country,
        rule=draw(st.none() | st.sampled_from(Rule)),
        teams=tuple(team.model_copy(update={"country": team.country or country}) for team in several),
    )


@given(playbooks())
@settings(deadline=None, max_examples=60)
def test_a_playbook_survives_its_file_and_its_row(spec: PlaybookSpec) -> None:
    assert read_document(dump_playbook(spec)) == spec
    row = json.loads(json.dumps(to_data(spec)))
    assert playbook_from_data(row) == spec
    assert to_data(playbook_from_data(row)) == row


@given(workspaces())
@settings(deadline=None, max_examples=60)
def test_a_workspace_survives_its_file(spec: WorkspaceSpec) -> None:
    assert read_document(dump_workspace(spec)) == spec


@given(playbooks(), playbooks())
@settings(deadline=None, max_examples=10)
def test_a_diff_is_empty_exactly_when_nothing_changed(one: PlaybookSpec, other: PlaybookSpec) -> None:
    assert (diff_playbooks(one, other) == ()) == (one == other)
    assert diff_playbooks(one, one) == ()
