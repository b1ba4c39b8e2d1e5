"""Nothing is undocumented, and nothing that is documented is missing: each table is compared with the program.

The week's nudges have a test of their own, `tests/unit/test_nudge_table.py`; the deployment notes have
`tests/unit/bot/test_deployment_notes.py`.
"""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer

from bot.api.app import build_app
from bot.api.evidence import Pushes
from bot.api.problems import CODES
from bot.assistants.server import READ, WRITE
from bot.cli import app
from bot.runtime.clocks import utc_now
from bot.settings import Settings
from cadence.flows.outbox import KINDS
from handlers.commands import COMMANDS
from handlers.shortcuts import SHORTCUTS
from handlers.workflows import STEPS
from storage.engine import Database
from templates.ids import Action
from tests.harnesses import EXAMPLES

ROOT = EXAMPLES.parent
DOCS = {one.stem: one.read_text(encoding="utf-8") for one in (ROOT / "docs").glob("*.md")}
README = (ROOT / "README.md").read_text(encoding="utf-8")
CLI = typer.main.get_command(app)


def table(text: str, first: str) -> list[list[str]]:
    """The rows of every table whose header begins with that word, as cells."""
    rows, inside = [], False
    for line in text.splitlines():
        cells = [cell.strip() for cell in re.split(r"(?<!\\)\|", line.strip().strip("|"))]
        if line.startswith("|") and cells[0] == first:
            inside = True
        elif not line.startswith("|"):
            inside = False
        elif inside and set(line) - set("|-: "):
            rows.append(cells)
    assert rows, f"there is no table of a {first}"
    return rows


def coded(cell: str) -> list[str]:
    """The code spans of a cell."""
    return re.findall(r"`([^`]+)`", cell)


def commands_of(line: str) -> Iterator[str]:
    """`/cadence team create\\|join [team]` names two commands; `/kpi [playbook]` one."""
    words = line.replace("\\|", "|").split()
    if not words[0].startswith("/"):
        yield f"/cadence {line}"
        return
    names = {entry.command for entry in COMMANDS}
    if words[0] != "/cadence" or len(words) < 2:
        yield words[0]
    elif f"/cadence {words[1]}" in names:
        yield f"/cadence {words[1]}"
    else:
        for one in words[2].split("|"):
            yield f"/cadence {words[1]} {one}"


def test_every_slash_command_is_in_the_docs() -> None:
    told = {
        name
        for row in table(DOCS["commands"], "command")
        for line in coded(row[0])
        for name in commands_of(line)
    }
    assert told == {entry.command for entry in COMMANDS}


def test_every_shortcut_is_in_the_docs() -> None:
    told = {found for row in table(DOCS["commands"], "shortcut") for found in re.findall("“([^”]+)”", row[0])}
    assert told == {one.name for one in SHORTCUTS}


def test_every_setting_is_in_the_docs() -> None:
    told = [name for row in table(DOCS["settings"], "setting") for name in coded(row[0])]
    assert sorted(told) == sorted(name.upper() for name in Settings.model_fields)


def test_every_metric_is_in_the_docs() -> None:
    source = (ROOT / "bot" / "metrics.py").read_text(encoding="utf-8")
    counted = {name.removesuffix("_total") for name in re.findall(r'"(cadence_[a-z_]+)"', source)}
    assert {row[0].strip("`").removesuffix("_total") for row in table(DOCS["metrics"], "metric")} == counted


def test_every_subcommand_and_option_is_in_the_docs() -> None:
    assert isinstance(CLI, typer.core.TyperGroup)
    told = {coded(row[0])[0].split()[1]: sorted(coded(row[1])) for row in table(DOCS["cli"], "command")}
    real = {
        name: sorted(one.opts[0] for one in command.params if one.param_type_name == "option")
        for name, command in CLI.commands.items()
    }
    assert told == real


def test_subcommands_named_anywhere_exist() -> None:
    assert isinstance(CLI, typer.core.TyperGroup)
    named = set(re.findall(r"(?:`|^)cadence ([a-z]+)", README + "".join(DOCS.values()), re.MULTILINE))
    assert {"rehearse", "doctor", "deliveries"} <= named <= set(CLI.commands)


def test_the_program_is_called_one_way() -> None:
    """`cadence …`, on the path after one line; only a systemd unit needs an absolute path."""
    said = README + "".join(DOCS.values())
    assert [line for line in said.splitlines() if "bin/cadence" in line and "/opt/cadence/" not in line] == []
    assert "source .venv/bin/activate" in README
    assert "source .venv/bin/activate" in DOCS["cli"]


def test_every_target_of_make_is_in_the_docs() -> None:
    made = re.findall(r"^([a-z-]+):.*##", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    assert [coded(row[0])[0].removeprefix("make ") for row in table(DOCS["cli"], "target")] == made


def test_every_kind_of_message_is_in_the_reference() -> None:
    told = [coded(row[0])[0] for row in table(DOCS["reference"], "kind")]
    assert sorted(told) == sorted(KINDS)


def test_every_button_is_in_the_reference_with_who_may() -> None:
    rows = table(DOCS["reference"], "button")
    assert sorted(coded(row[1])[0] for row in rows) == sorted(Action)
    roles = re.compile("everyone|yourself|curator|owner|team|the member asked|the person who|people who can")
    assert [row[1] for row in rows if not roles.search(row[2])] == []


def test_every_path_and_problem_of_the_api_is_in_the_docs() -> None:
    document = build_app(Pushes(Database("sqlite://"), utc_now)).openapi()
    told = {tuple(coded(row[0])[0].split()) for row in table(DOCS["api"], "path")}
    assert told == {
        (method.upper(), path) for path, methods in document["paths"].items() for method in methods
    }
    codes = {coded(row[0])[0]: int(row[1]) for row in table(DOCS["api"], "code")}
    assert codes == {code: status for code, (status, _) in CODES.items()}


def test_every_tool_of_assistants_and_every_step_of_workflows_is_in_the_docs() -> None:
    assert [coded(row[0])[0] for row in table(DOCS["api"], "tool")] == [*READ, *WRITE]
    assert [row[0] for row in table(DOCS["api"], "step")] == [one.title for one in STEPS]


def anchors(file: Path) -> set[str]:
    """The anchors of a Markdown file's headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.+)$", file.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", one).strip().lower().replace(" ", "-") for one in headings}


@pytest.mark.parametrize(
    "path",
    [
        "README.md",
        "ARCHITECTURE.md",
        "CONTRIBUTING.md",
        "SECURITY.md",
        "CHANGELOG.md",
        *(f"docs/{one.name}" for one in (ROOT / "docs").glob("*.md")),
    ],
)
def test_links_lead_somewhere(path: str) -> None:
    text = (ROOT / path).read_text(encoding="utf-8")
    for target, anchor in re.findall(r"\]\((?!https?://)([^)#]*)#?([^)]*)\)", text):
        file = (ROOT / path).parent / target if target else ROOT / path
        assert file.exists(), target
        assert not anchor or anchor in anchors(file), f"{target}#{anchor}"


def test_the_readme_is_short_and_its_pictures_are_described() -> None:
    text = re.sub(r"!\[[^\]]*\]\([^)]*\)", "", README)
    assert len(text.split()) < 1000
    described = re.findall(r"!\[([^\]]*)\]\((docs/pictures/[^)]+)\)", README)
    assert sorted(shown for _, shown in described) == sorted(
        f"docs/pictures/{one.name}" for one in (ROOT / "docs" / "pictures").iterdir()
    )
    assert [shown for alt, shown in described if len(alt.split()) < 8] == []


def test_the_glossary_has_eight_words() -> None:
    assert len(table(README, "word")) == 8
