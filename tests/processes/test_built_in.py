"""`cadence run` and `cadence sandbox` without tokens, and what can be done beside them."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from slack_sdk import WebClient

from tests.processes.programs import Program, eventually, fetch, free_port, run, started


@dataclass
class BuiltIn:
    """`cadence run` as a newcomer starts it."""

    folder: Path
    program: Program
    port: str

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"


@pytest.fixture(scope="module")
def built_in(tmp_path_factory: pytest.TempPathFactory) -> Iterator[BuiltIn]:
    folder, port = tmp_path_factory.mktemp("built-in"), str(free_port())
    with started(folder, "run", PORT=port) as program:
        eventually(lambda: "Stop with Ctrl-C" in program.out, "the page is up", program)
        yield BuiltIn(folder, program, port)


def test_it_says_where_the_page_and_health_are_and_they_answer(built_in: BuiltIn) -> None:
    for path in ("", "/healthz", "/readyz", "/metrics"):
        assert f"{built_in.url}{path}" in built_in.program.out
        assert fetch(f"{built_in.url}{path}")[0] == 200
    assert "<title>" in fetch(built_in.url)[1]


def test_a_tick_beside_it_works_in_the_same_workspace(built_in: BuiltIn) -> None:
    ticked = run(built_in.folder, "tick", PORT=built_in.port)
    assert (ticked.returncode, ticked.stderr) == (0, "")
    assert ticked.stdout.endswith(".\n")


def test_a_second_one_says_in_one_sentence_that_the_port_is_taken(built_in: BuiltIn, tmp_path: Path) -> None:
    second = run(tmp_path, "run", PORT=built_in.port)
    assert (second.returncode, second.stdout) == (2, "")
    assert second.stderr == (
        f"Nothing can listen at 127.0.0.1, port {built_in.port} (Address already in use). "
        "Set PORT (or HOST) to another one, such as PORT=3001.\n"
    )


def test_it_stops_when_asked_and_logs_nothing_that_went_well(built_in: BuiltIn) -> None:
    assert built_in.program.stop() == 0
    assert built_in.program.err == ""


def test_the_sandbox_prints_how_to_point_a_bot_at_it_and_nothing_else(tmp_path: Path) -> None:
    with started(tmp_path, "sandbox", PORT=str(free_port())) as program:
        eventually(lambda: "SLACK_SIGNING_SECRET" in program.out, "the exports", program)
        first, *lines = program.out.splitlines()
        assert first.startswith("The workspace Rehearsal is at http://127.0.0.1:")
        exports = dict(line.removeprefix("  export ").split("=", 1) for line in lines)
        assert list(exports) == [
            "SLACK_API_URL",
            "SLACK_BOT_TOKEN",
            "SLACK_APP_TOKEN",
            "SLACK_SIGNING_SECRET",
        ]
        client = WebClient(
            token=exports["SLACK_BOT_TOKEN"], base_url=exports["SLACK_API_URL"], retry_handlers=[]
        )
        assert client.auth_test()["team_id"] == "T01SANDBOX"

        assert program.stop() == 0
        assert program.err == ""
