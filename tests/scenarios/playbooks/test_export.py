"""An imported file can be exported, and importing that changes nothing (SPEC §2)."""

from pathlib import Path

import pytest
from sqlmodel import SQLModel, select

from bot.ops.commands import export_file, import_files
from bot.rehearsal.harness import BotHarness
from bot.settings import Settings
from cadence.documents import TeamSpec, WorkspaceSpec, read_playbook, read_workspace
from storage.tables import Curator, Playbook, PlaybookVersion, Team, TeamMember, TrailEntry, Workspace
from templates.contexts.playbooks import ImportForm, PlaybookImported
from tests.contexts import assert_golden, shown
from tests.harnesses import EXAMPLES, bot_harness
from tests.scenarios.plays import DESK, REPLY, at, changed, rows, start_cycle

PLAYBOOKS = [
    EXAMPLES / f"{slug}.yaml"
    for slug in ("inbound-routing", "support-reply", "test-refactor", "variance-review")
]
TABLES: tuple[type[SQLModel], ...] = (Playbook, PlaybookVersion, Team, TeamMember, TrailEntry)


def everything(harness: BotHarness) -> list[object]:
    """All rows that an import can write."""
    found: list[object] = [row.model_dump() for table in TABLES for row in rows(harness, table)]
    with harness.bot.db.read() as session:
        found += [row.model_dump(exclude={"planned_until"}) for row in session.exec(select(Workspace))]
        found += [row.model_dump() for row in session.exec(select(Curator))]
    return found


def settings(harness: BotHarness) -> Settings:
    return Settings(_env_file=None, database_url=harness.bot.db.url)


def exported(view_words: str) -> str:
    """The YAML of a view, as somebody copies it out of its code blocks."""
    blocks = [part.strip("\n") for part in view_words.split("```") if part.strip()]
    return "\n".join(blocks).replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&") + "\n"


def in_parts(text: str) -> dict[str, str]:
    """A long text for the form's three inputs of 3,000 characters, split between lines."""
    parts, part = [], ""
    for line in text.splitlines():
        if len(part) + len(line) >= 2_900:
            parts.append(part)
            part = ""
        part += f"{line}\n"
    return dict(zip(("yaml", "yaml:2", "yaml:3"), [*parts, part], strict=False))


def test_files_taken_out_by_the_command_line_change_nothing_when_they_come_back(tmp_path: Path) -> None:
    with bot_harness(tmp_path, workspace=EXAMPLES / "workspace.yaml", playbooks=PLAYBOOKS) as harness:
        before = everything(harness)
        files = []
        for slug in (None, *(file.stem for file in PLAYBOOKS)):
            files.append(tmp_path / f"{slug or 'workspace'}-out.yaml")
            files[-1].write_text(export_file(settings(harness), slug), encoding="utf-8")
        done, refused = import_files(settings(harness), files, now=at("2026-03-03 12:00"))
        assert not refused
        assert_golden("\n".join(done).replace(f"{tmp_path}/", ""), "files-that-change-nothing")
        assert everything(harness) == before


def test_what_is_taken_out_says_what_was_put_in(tmp_path: Path) -> None:
    with bot_harness(tmp_path, workspace=EXAMPLES / "workspace.yaml", playbooks=PLAYBOOKS) as harness:
        for file in PLAYBOOKS:
            out = export_file(settings(harness), file.stem)
            assert read_playbook(out) == read_playbook(file.read_text(encoding="utf-8"))
        people = read_workspace(export_file(settings(harness), None))
        original = read_workspace((EXAMPLES / "workspace.yaml").read_text(encoding="utf-8"))
        assert _by_slug(people) == _by_slug(original)
        assert set(people.curators) == set(original.curators)


def _by_slug(people: WorkspaceSpec) -> dict[str, TeamSpec]:
    """The teams by slug; their order and that of their members in a file don't matter."""
    return {
        team.slug: team.model_copy(update={"members": tuple(sorted(team.members))}) for team in people.teams
    }


def test_another_database_made_from_the_files_gives_the_same_files(tmp_path: Path) -> None:
    with bot_harness(tmp_path, workspace=DESK, playbooks=[REPLY]) as harness:
        outs = [export_file(settings(harness), slug) for slug in (None, "reply")]
    files = [tmp_path / "people.yaml", tmp_path / "playbook.yaml"]
    for file, text in zip(files, outs, strict=True):
        file.write_text(text, encoding="utf-8")
    fresh = Settings(_env_file=None, database_url=f"sqlite:///{tmp_path / 'fresh.db'}")
    _, refused = import_files(fresh, files, now=at("2026-03-03 12:00"))
    assert not refused
    assert [export_file(fresh, slug) for slug in (None, "reply")] == outs


@pytest.mark.parametrize("file", PLAYBOOKS, ids=lambda file: file.stem)
def test_a_playbook_copied_out_of_slack_goes_back_in_unchanged(tmp_path: Path, file: Path) -> None:
    with bot_harness(tmp_path, workspace=EXAMPLES / "workspace.yaml", playbooks=[file]) as harness:
        before = everything(harness)
        curator = harness.workspace.person("U01CURATOR")
        opened = curator.types(f"/cadence playbook export {file.stem}").view
        assert opened is not None
        text = exported(
            "\n".join(block["text"]["text"] for block in opened.blocks if block["type"] == "section")
        )
        assert read_playbook(text) == read_playbook(file.read_text(encoding="utf-8"))
        curator.closes()

        curator.types("/cadence playbook import")
        result = curator.submits(in_parts(text))
        imported = shown(result, PlaybookImported)
        assert (imported.new, imported.version, imported.changes) == (False, 1, ())
        assert_golden(result, f"imported-without-changes:{file.stem}")
        assert everything(harness) == before


def test_a_change_makes_one_new_revision_and_says_what_changed(tmp_path: Path) -> None:
    with bot_harness(tmp_path, workspace=DESK, playbooks=[REPLY]) as harness:
        start_cycle(harness)
        file = changed(REPLY, tmp_path, ("runs_per_week: 40", "runs_per_week: 50"))
        lead = harness.workspace.person("U01LEAD")
        lead.types("/cadence playbook import")
        said = lead.submits({"yaml": file.read_text(encoding="utf-8")})
        imported = shown(said, PlaybookImported)
        assert (imported.new, imported.version, len(imported.changes)) == (False, 2, 1)
        assert_golden(said, "imported-with-a-change")
        first, second = rows(harness, PlaybookVersion)
        assert (first.revision, first.spec["runs_per_week"]) == (1, 40)
        assert (second.revision, second.spec["runs_per_week"], second.created_by) == (2, 50, "U01LEAD")


def test_every_problem_of_a_file_is_said_in_the_form_and_nothing_is_saved(tmp_path: Path) -> None:
    with bot_harness(tmp_path, workspace=DESK, playbooks=[REPLY]) as harness:
        file = changed(
            REPLY,
            tmp_path,
            ("mode: ai-led", "mode: robot"),
            ("exception_cap: 0.10", "exception_cap: 150"),
            ("loop:", "lop:"),
        )
        before = everything(harness)
        lead = harness.workspace.person("U01LEAD")
        lead.types("/cadence playbook import")
        said = lead.submits({"yaml": file.read_text(encoding="utf-8")})
        problems = [one.where for one in shown(said, ImportForm).problems]
        assert problems == ["steps[0].exception_cap", "steps[1].mode", "steps[1].exception_cap", "lop"]
        assert_golden(said, "refused-with-every-problem")
        assert everything(harness) == before


def test_a_member_cant_import_somebody_elses_playbook(tmp_path: Path) -> None:
    with bot_harness(tmp_path, workspace=DESK, playbooks=[REPLY]) as harness:
        agent = harness.workspace.person("U01AGENT1")
        agent.types("/cadence playbook import")
        file = changed(REPLY, tmp_path, ("target: 15", "target: 40"))
        refused = agent.submits({"yaml": file.read_text(encoding="utf-8")})
        assert_golden(refused, "refused-to-a-member")
        assert len(rows(harness, PlaybookVersion)) == 1
