import pytest

from cadence.documents import Function, TeamSpec, WorkspaceSpec, read_workspace
from cadence.rules.verdicts import Rule
from tests.contexts import assert_golden
from tests.unit.documents.samples import WORKSPACE, edited, mistake, problems_of, told

SECOND = """\
  - team: support-apac
    title: Support APAC
    function: support
    channel: C02SUPAPAC
"""


def test_the_specification_example_loads_unchanged() -> None:
    assert read_workspace(WORKSPACE) == WorkspaceSpec(
        curators=("U01CURATOR",),
        curator_channel="C01CURATORS",
        timezone="Europe/Berlin",
        teams=(
            TeamSpec(
                slug="support-emea",
                title="Support EMEA",
                function=Function.SUPPORT,
                region="EMEA",
                channel="C01SUPEMEA",
                timezone="Europe/Berlin",
                country="DE",
                members=("U01LEAD", "U01AGENT1", "U01AGENT2"),
                reporter="U01LEAD",
            ),
        ),
    )


def test_a_team_takes_the_zone_and_country_of_the_workspace() -> None:
    text, _ = edited(WORKSPACE + SECOND, "teams:\n", "  country: AT\n  rule: strict\nteams:\n")
    spec = read_workspace(text)
    assert spec.rule is Rule.STRICT
    team = spec.team("support-apac")
    assert team is not None
    assert (team.timezone, team.country, team.members, team.reporter) == ("Europe/Berlin", "AT", (), None)
    first = spec.team("support-emea")
    assert first is not None
    assert first.country == "DE"


def test_norway_is_a_country_and_not_a_no() -> None:
    text, _ = edited(WORKSPACE, "country: DE", "country: NO")
    team = read_workspace(text).team("support-emea")
    assert team is not None
    assert team.country == "NO"


def test_teams_alone_are_a_workspace_file_when_each_says_its_zone() -> None:
    teams = WORKSPACE[WORKSPACE.index("teams:") :]
    spec = read_workspace(teams)
    assert spec == WorkspaceSpec(teams=spec.teams)
    assert len(spec.teams) == 1
    (problem,) = problems_of(teams + SECOND)
    assert (problem.line, problem.where) == (11, "teams[1].timezone")


@pytest.mark.parametrize(
    ("old", "new", "below", "where"),
    [
        ("curators: [U01CURATOR]", "curators: []", 0, "workspace.curators"),
        ("  curators: [U01CURATOR]\n", "", 0, "workspace.curators"),
        ("curators: [U01CURATOR]", "curators: U01CURATOR", 0, "workspace.curators"),
        ("curators: [U01CURATOR]", "curators: [U1, U01C]", 0, "workspace.curators[0]"),
        ("C01CURATORS", "'#curators'", 0, "workspace.curator_channel"),
        ("  timezone: Europe/Berlin\nteams", "  timezone: CEST\nteams", 0, "workspace.timezone"),
        ("teams:\n", "  rule: mild\nteams:\n", 0, "workspace.rule"),
        ("teams:\n", "  colours: DE\nteams:\n", 0, "workspace.colours"),
        ("team: support-emea", "team: help", 0, "teams[0].team"),
        ("    function: support\n", "", -2, "teams[0].function"),
        ("channel: C01SUPEMEA", "channel: c01supemea", 0, "teams[0].channel"),
        ("timezone: Europe/Berlin  ", "timezone: berlin ", 0, "teams[0].timezone"),
        ("timezone: Europe/Berlin  ", "timezone: sao paulo ", 0, "teams[0].timezone"),
        ("timezone: Europe/Berlin        #", "timezone: Factory #", 0, "teams[0].timezone"),
        ("timezone: Europe/Berlin        #", "timezone: ../etc/passwd #", 0, "teams[0].timezone"),
        ("teams:\n", "  working_days: [sun, moon]\nteams:\n", 0, "workspace.working_days[1]"),
        ("country: DE", "country: DE-XX", 0, "teams[0].country"),
        ("country: DE", "country: de-by", 0, "teams[0].country"),
        ("country: DE", "country: SG-01", 0, "teams[0].country"),
        ("country: DE", "country: de", 0, "teams[0].country"),
        ("country: DE", "country: DEU", 0, "teams[0].country"),
        ("country: DE", "country: UK", 0, "teams[0].country"),
        ("country: DE", "country: Brazil", 0, "teams[0].country"),
        ("country: DE", "country: XQ", 0, "teams[0].country"),
        ("U01AGENT1, U01AGENT2", "U01AGENT1, U01AGENT1", 0, "teams[0].members[2]"),
        ("U01AGENT1, U01AGENT2", "anna", 0, "teams[0].members[1]"),
        ("reporter: U01LEAD", "reporter: U09OTHER", 0, "teams[0].reporter"),
        ("    members: [U01LEAD, U01AGENT1, U01AGENT2]\n", "", 0, "teams[0].reporter"),
        ("region: EMEA", "region: ''", 0, "teams[0].region"),
    ],
)  # fmt: skip
def test_one_mistake_is_one_problem_with_its_line(old: str, new: str, below: int, where: str) -> None:
    text, line = edited(WORKSPACE, old, new)
    (problem,) = problems_of(text)
    assert (problem.line, problem.where) == (line + below, where)
    assert_golden(told(problem), f"mistake:{mistake(f'{where} {new}')}")


@pytest.mark.parametrize(
    ("old", "new", "line", "where"),
    [
        ("team: support-apac", "team: support-emea", 15, "teams[1].team"),
        ("channel: C02SUPAPAC", "channel: C01SUPEMEA", 18, "teams[1].channel"),
    ],
)
def test_two_teams_share_neither_name_nor_channel(old: str, new: str, line: int, where: str) -> None:
    text, _ = edited(WORKSPACE + SECOND, old, new)
    (problem,) = problems_of(text)
    assert (problem.line, problem.where) == (line, where)
    assert_golden(told(problem), f"twice:{where}")


def test_a_member_may_be_in_two_teams() -> None:
    spec = read_workspace(WORKSPACE + SECOND + "    members: [U01LEAD]\n")
    assert [team.slug for team in spec.teams if "U01LEAD" in team.members] == ["support-emea", "support-apac"]


def test_whether_guests_take_part_is_true_or_false() -> None:
    text, _ = edited(WORKSPACE, "teams:\n", "  guests: true\nteams:\n")
    assert read_workspace(text).guests is True
    text, _ = edited(WORKSPACE, "teams:\n", "  guests: some\nteams:\n")
    (problem,) = problems_of(text)
    assert_golden(told(problem), "guests")
