import csv
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from cadence.documents import (
    PlaybookSpec,
    WorkspaceSpec,
    dump_playbook,
    package_gaps,
    read_document,
    read_playbook,
    read_workspace,
)
from cadence.documents.words import CHANNEL
from cadence.rules.modes import Mode

EXAMPLES = Path(__file__).parents[3] / "examples"
PLAYBOOKS = sorted(path for path in EXAMPLES.glob("*.yaml") if path.name != "workspace.yaml")


def rows(name: str) -> list[dict[str, str]]:
    with (EXAMPLES / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def workspace() -> WorkspaceSpec:
    return read_workspace((EXAMPLES / "workspace.yaml").read_text("utf-8"))


def test_there_is_an_example_for_each_function() -> None:
    specs = [read_playbook(path.read_text("utf-8")) for path in PLAYBOOKS]
    assert [spec.slug for spec in specs] == [path.stem for path in PLAYBOOKS]
    assert {spec.function.value for spec in specs} == {"sales", "support", "finance", "engineering"}


@pytest.mark.parametrize("path", PLAYBOOKS, ids=lambda path: path.stem)
def test_an_example_is_complete_and_its_people_exist(path: Path, workspace: WorkspaceSpec) -> None:
    spec = read_document(path.read_text("utf-8"))
    assert isinstance(spec, PlaybookSpec)
    assert package_gaps(spec) == ()
    assert read_playbook(dump_playbook(spec)) == spec
    pilot = workspace.team(spec.pilot or "")
    assert pilot is not None
    assert pilot.function is spec.function
    assert spec.owner in pilot.members
    assert all(workspace.team(handoff.to) for handoff in spec.handoffs)
    assert all(
        step.verify.escalate_to in pilot.members
        for step in spec.steps
        if step.verify and step.verify.escalate_to
    )


def test_the_figures_of_the_support_reply_are_kept() -> None:
    spec = read_playbook((EXAMPLES / "support-reply.yaml").read_text("utf-8"))
    assert spec.kpi.target == 15
    assert [(guardrail.name, guardrail.limit) for guardrail in spec.kpi.guardrails] == [("CSAT", 4.6)]
    assert spec.rubric is not None
    assert spec.rubric.threshold == 0.90
    assert spec.scale_cycles == 2
    assert [step.mode for step in spec.steps] == [Mode.COLLABORATIVE, Mode.AI_LED]


def test_ci_checks_fall_back_to_a_person() -> None:
    spec = read_playbook((EXAMPLES / "test-refactor.yaml").read_text("utf-8"))
    step = spec.step("ci-checks")
    assert step is not None
    assert (step.mode, step.fallback) == (Mode.AI_LED, Mode.HUMAN_LED)


def test_the_workspace_spans_functions_regions_and_zones(workspace: WorkspaceSpec) -> None:
    assert len(workspace.teams) >= 6
    assert len({team.timezone for team in workspace.teams}) >= 5
    assert len({team.region for team in workspace.teams}) >= 4
    assert all(team.reporter and team.country for team in workspace.teams)


def test_everybody_and_every_channel_has_a_name(workspace: WorkspaceSpec) -> None:
    people = {row["member"]: row for row in rows("names.csv")}
    members = {member for team in workspace.teams for member in team.members}
    assert set(people) == members | set(workspace.curators)
    assert len({row["name"] for row in people.values()}) == len(people)
    assert all(ZoneInfo(row["timezone"]) for row in people.values())
    channels = {row["channel"]: row["name"] for row in rows("channels.csv")}
    assert set(channels) == {team.channel for team in workspace.teams} | {workspace.curator_channel}
    assert all(CHANNEL.fullmatch(channel) for channel in channels)
    assert len(set(channels.values())) == len(channels)
