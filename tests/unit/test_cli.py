"""The command line: its output, what it saves, and its errors."""

import json
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest
from ruamel.yaml import YAML
from typer.testing import CliRunner

from bot import cli
from bot.cli import app
from bot.ops.commands import BUILT_IN_TEAM, import_into
from bot.rehearsal.harness import workspace_from
from bot.runtime.embedded_runner import WorkerLock
from bot.sandbox import SandboxServer, Workspace
from bot.sandbox.clock import SandboxClock
from bot.sandbox.store import Store
from bot.settings import load_settings
from cadence.actor import Actor
from cadence.documents import read_workspace
from cadence.flows.cycles.starting import CycleGiven, start_cycle
from cadence.flows.people.profiles import ensure_workspace
from storage.engine import Database, sqlite_file
from storage.work import UnitOfWork
from tests.contexts import assert_golden
from tests.databases import image
from tests.harnesses import EXAMPLES, FRIDAY_BEFORE
from tests.processes.programs import free_port

SECRET = "sesame-open-1234567890"
BAD_PLAYBOOK = (
    (EXAMPLES / "support-reply.yaml")
    .read_text()
    .replace("unit: minutes", "unit: quarts", 1)
    .replace("mode: ai-led", "mode: robot-led")
)


@dataclass
class Said:
    """The output of a command."""

    code: int
    out: str
    err: str

    @property
    def sentences(self) -> list[str]:
        """The lines of its complaint."""
        return self.err.splitlines()


@pytest.fixture(autouse=True)
def _elsewhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """In a folder without a `.env`, on a port that is free, and with the tests' own logging left alone."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PORT", str(free_port()))
    monkeypatch.setattr("bot.logs.set_up_logs", lambda **_: None)


def cadence(*arguments: str | Path, **settings: str) -> Said:
    """Run a command. An error without a sentence is raised, and fails the test."""
    result = CliRunner().invoke(app, [str(one) for one in arguments], env=settings, catch_exceptions=False)
    return Said(result.exit_code, result.stdout, result.stderr)


def the_database() -> Database:
    """The database that commands use here, with the example files in it."""
    url = load_settings().database
    file = sqlite_file(url)
    assert file is not None
    file.parent.mkdir(exist_ok=True)
    file.write_bytes(image(examples))
    return Database(url)


def examples(db: Database) -> None:
    """The example files, in the built-in workspace."""
    ensure_workspace(UnitOfWork(db, Actor.system(BUILT_IN_TEAM), FRIDAY_BEFORE), name="")
    _, refused = import_into(
        db, BUILT_IN_TEAM, [EXAMPLES / "workspace.yaml", EXAMPLES / "support-reply.yaml"], now=FRIDAY_BEFORE
    )
    assert not refused


@pytest.fixture
def migrated() -> None:
    """The database that commands use here, migrated before: they needn't."""
    file = sqlite_file(load_settings().database)
    assert file is not None
    file.parent.mkdir(exist_ok=True)
    file.write_bytes(image())


def running_cycle(db: Database) -> None:
    """A cycle of the support playbook from Monday 2 March 2026 on."""
    start_cycle(
        UnitOfWork(db, Actor(BUILT_IN_TEAM, "U01LEAD", "command"), FRIDAY_BEFORE),
        CycleGiven("support-reply", starts_on=datetime(2026, 3, 2, tzinfo=UTC).date()),
    )


@pytest.fixture
def slack() -> Iterator[SandboxServer]:
    """A Slack workspace with the example people."""
    spec = read_workspace((EXAMPLES / "workspace.yaml").read_text())
    with SandboxServer(workspace_from(spec, clock=SandboxClock())) as server:
        yield server


def tokens(server: SandboxServer) -> dict[str, str]:
    return {"SLACK_API_URL": server.api_url, "SLACK_BOT_TOKEN": server.workspace.app.token}


def messages(workspace: Workspace) -> int:
    """How many messages the bot has posted, anywhere."""
    return sum(bool(message.bot_id) for message in workspace.messages.everywhere())


# --- settings ---------------------------------------------------------------------------------------------

NO_SERVER = "http://127.0.0.1:9/api/"
BOT = {"SLACK_BOT_TOKEN": f"xoxb-{SECRET}"}
APP = {"SLACK_CLIENT_ID": "1.2", "SLACK_CLIENT_SECRET": SECRET}


@pytest.mark.usefixtures("migrated")
@pytest.mark.parametrize(
    ("command", "settings", "sentences"),
    [
        ("run", BOT, ["SLACK_APP_TOKEN is missing"]),
        ("run", {"SLACK_APP_TOKEN": f"xapp-{SECRET}"}, ["SLACK_BOT_TOKEN is missing"]),
        ("web", {}, ["SLACK_BOT_TOKEN is missing", "SLACK_SIGNING_SECRET is missing"]),
        ("web", BOT, ["SLACK_SIGNING_SECRET is missing"]),
        ("web", {"SLACK_SIGNING_SECRET": SECRET}, ["SLACK_BOT_TOKEN is missing"]),
        ("web", APP, ["SLACK_SIGNING_SECRET is missing"]),
        ("run", APP, ["Socket Mode isn't for it: run `cadence web` and `cadence worker`"]),
        ("import workspace.yaml", APP, ["No workspace has installed the bot yet"]),
        ("worker", {"SLACK_CLIENT_ID": "1.2"}, ["SLACK_CLIENT_ID and SLACK_CLIENT_SECRET belong together"]),
        ("tick", {}, ["no built-in workspace answers at http://127.0.0.1:"]),
        ("worker", {}, ["no built-in workspace answers at http://127.0.0.1:"]),
        ("tick", BOT | {"SLACK_API_URL": NO_SERVER}, ["Slack can't be reached"]),
        ("worker", BOT | {"SLACK_API_URL": NO_SERVER}, ["Slack can't be reached"]),
        ("web", BOT | {"SLACK_SIGNING_SECRET": SECRET, "SLACK_API_URL": NO_SERVER}, ["can't be reached"]),
        ("run", BOT | {"SLACK_APP_TOKEN": SECRET, "SLACK_API_URL": NO_SERVER}, ["can't be reached"]),
        ("plan", BOT | {"SLACK_API_URL": "slack.com"}, ["SLACK_API_URL isn't a web address"]),
        ("plan", {"SLACK_BOT_TOKEN": f"xoxp-{SECRET}"}, ["starts with `xoxb-`"]),
        ("plan", {"SLACK_BOT_TOKEN": f"xoxb-{SECRET} and more"}, ["SLACK_BOT_TOKEN contains a space"]),
        ("plan", {"DATABASE_URL": f"mysql://cadence:{SECRET}@db/cadence"}, ["neither SQLite nor PostgreSQL"]),
        ("plan", {"PORT": "many", "CADENCE_LOG": "loud"}, ["PORT", "CADENCE_LOG"]),
        ("run", {"PORT": "70000"}, ["PORT"]),
    ],
)
def test_a_setting_that_is_missing_or_wrong_is_said_in_a_sentence(
    command: str, settings: Mapping[str, str], sentences: list[str]
) -> None:
    said = cadence(*command.split(), **settings)
    assert (said.code, said.out) == (2, "")
    assert len(said.sentences) == len(sentences)
    for sentence, words in zip(said.sentences, sentences, strict=True):
        assert words in sentence
        assert sentence.endswith(".")
    assert SECRET not in said.err


@pytest.mark.parametrize("command", ["run", "plan", "tick", "migrate", "export", "import workspace.yaml"])
@pytest.mark.parametrize(
    ("settings", "why"),
    [
        ({"DATABASE_URL": f"postgresql://cadence:{SECRET}@127.0.0.1:9/cadence"}, "no PostgreSQL"),
        ({"DATABASE_URL": "sqlite:////proc/nowhere/cadence.db"}, "no folder"),
        ({"DATABASE_URL": "sqlite:"}, "no address"),
        ({"CADENCE_DATA": __file__}, "a file as folder"),
    ],
    ids=["no PostgreSQL", "no folder", "no address", "a file as folder"],
)
def test_a_database_that_cannot_be_used_is_said_in_a_sentence(
    command: str, settings: dict[str, str], why: str, slack: SandboxServer
) -> None:
    with_slack = tokens(slack) if command == "tick" else {}
    said = cadence(*command.split(), **settings, **with_slack)
    assert said.code == 2
    assert_golden(said.err, f"database:{why}")


@pytest.mark.usefixtures("migrated")
@pytest.mark.parametrize("command", ["tick", "worker", "import workspace.yaml", "export"])
def test_a_refused_token_is_reported_in_a_sentence(command: str, slack: SandboxServer) -> None:
    said = cadence(*command.split(), **tokens(slack) | {"SLACK_BOT_TOKEN": f"xoxb-{SECRET}"})
    assert said.code == 2
    assert len(said.sentences) == 1
    assert_golden(said.err, "refused-token")
    assert SECRET not in said.err


def test_a_refused_app_token_stops_the_start(slack: SandboxServer) -> None:
    said = cadence("run", **tokens(slack), SLACK_APP_TOKEN=f"xapp-{SECRET}")
    assert (said.code, len(said.sentences)) == (2, 1)
    assert "SLACK_APP_TOKEN" in said.err
    assert SECRET not in said.err


@pytest.mark.parametrize(
    ("host", "words"), [("127.0.0.1", "Address already in use"), ("no.invalid", "not known")]
)
def test_an_address_to_listen_at_that_is_taken_or_wrong(host: str, words: str, slack: SandboxServer) -> None:
    settings = tokens(slack) | {"SLACK_SIGNING_SECRET": SECRET, "HOST": host, "PORT": str(slack.port)}
    said = cadence("web", **settings)
    assert (said.code, len(said.sentences)) == (2, 1)
    assert words in said.err
    said = cadence("sandbox", **settings)
    assert (said.code, said.out, len(said.sentences)) == (2, "", 1)


def test_the_built_in_workspace_needs_a_database_of_its_own() -> None:
    db = the_database()
    lock = WorkerLock(db.url)
    assert lock.try_now()
    try:
        said = cadence("run")
    finally:
        lock.release()
        db.close()
    assert (said.code, said.out, len(said.sentences)) == (2, "", 1)
    assert_golden(said.err, "another-process")


THURSDAY_AT_TEN = ["Thu", "2026-03-05", "10:00", "Europe/Berlin"]

# --- tick and plan ----------------------------------------------------------------------------------------


def test_a_tick_sends_what_is_due_once(slack: SandboxServer) -> None:
    db = the_database()
    running_cycle(db)
    db.close()
    thursday = "2026-03-05T10:00:00+01:00"
    first = cadence("tick", "--now", thursday, **tokens(slack))
    assert first.code == 0, first.err
    assert_golden(first.out.splitlines()[-1], "tick:first")  # the post on the started cycle comes too late
    assert slack.workspace.person("U01AGENT1").last_dm().buttons[0] == "As planned"
    assert messages(slack.workspace) == 3

    again = cadence("tick", "--now", thursday, **tokens(slack))
    assert again.code == 0
    assert_golden(again.out, "tick:again")
    assert messages(slack.workspace) == 3


def test_a_tick_asks_who_the_new_people_are_before_it_plans_for_them(slack: SandboxServer) -> None:
    slack.workspace.change_user("U01AGENT2", tell=False, tz="America/New_York")
    db = the_database()
    running_cycle(db)
    db.close()
    ticked = cadence("tick", "--now", "2026-03-05T10:00:00+01:00", **tokens(slack))
    assert_golden(ticked.out.splitlines()[-1], "tick:elsewhere")
    assert slack.workspace.person("U01AGENT2").dm() == []


def test_a_plan_prints_who_gets_what_and_when_and_sends_nothing(slack: SandboxServer) -> None:
    db = the_database()
    running_cycle(db)
    said = cadence("plan", "--weeks", "2", "--now", "2026-03-01T12:00:00Z")
    assert said.code == 0
    lines = said.out.splitlines()
    check_ins = [line.split()[4] for line in lines if line.split()[:4] == THURSDAY_AT_TEN]
    assert check_ins == ["Mehmet", "Lukas", "Jana"]
    assert_golden(said.out, "plan")
    assert not any(line[4:14] > "2026-03-15" for line in lines)
    assert messages(slack.workspace) == 0
    with db.engine.connect() as connection:
        assert connection.exec_driver_sql("SELECT kind FROM ledger").scalars().all() == ["cycle-started"]
    db.close()


@pytest.mark.parametrize("running", [True, False], ids=["running", "kept"])
def test_a_plan_goes_by_the_clock_of_the_built_in_workspace(
    running: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    db = the_database()
    running_cycle(db)
    db.close()
    folder = load_settings().cadence_data
    workspace = workspace_from(
        read_workspace((EXAMPLES / "workspace.yaml").read_text()), clock=SandboxClock()
    )
    with SandboxServer(workspace) as server:
        store = Store(folder / "workspace.db", workspace)
        workspace.clock.set(datetime(2026, 3, 1, 12, tzinfo=UTC))
        store.close()
        if running:
            monkeypatch.setenv("PORT", str(server.port))
            (folder / "workspace.db").unlink()
        said = cadence("plan")
    lines = [line.split() for line in said.out.splitlines()]
    assert [*THURSDAY_AT_TEN, "Lukas", "Brandt"] in [line[:6] for line in lines]


def test_a_plan_calls_people_by_their_names(slack: SandboxServer) -> None:
    slack.workspace.change_user("U01AGENT2", tell=False, real_name="Ayşe Demir")
    db = the_database()
    running_cycle(db)
    db.close()
    cadence("tick", "--now", "2026-03-05T10:00:00+01:00", **tokens(slack))
    said = cadence("plan", "--now", "2026-03-05T12:00:00Z", **tokens(slack)).out
    assert "U01AGENT2" not in said
    assert_golden("\n".join(line for line in said.splitlines() if "Demir" in line), "named")


def test_a_plan_and_the_doctor_are_json_for_programs(slack: SandboxServer) -> None:
    db = the_database()
    running_cycle(db)
    db.close()
    said = json.loads(cadence("plan", "--json", "--now", "2026-03-01T12:00:00Z", **tokens(slack)).out)
    [first] = [one for one in said if one["kind"] == "checkin" and one["recipient"] == "U01AGENT1"]
    assert first["at"] == "2026-03-05T09:00:00+00:00"
    assert first["name"] == slack.workspace.user("U01AGENT1").real_name, "asked of Slack"
    found = json.loads(cadence("doctor", "--json").out)
    assert all(one["ok"] for one in found)
    assert any(one["what"].startswith("Database") for one in found)


def test_a_file_that_is_not_there_is_answered_with_the_one_that_was_meant(tmp_path: Path) -> None:
    (tmp_path / "support-reply.yaml").write_text("")
    for command in (["import"], ["rehearse", "--workspace", EXAMPLES / "workspace.yaml"]):
        said = cadence(*command, tmp_path / "suport-reply.yaml")
        assert said.code == 2
        assert said.sentences == [
            f"There's no file {tmp_path / 'suport-reply.yaml'}. Did you mean {tmp_path / 'support-reply.yaml'}?"
        ]


def test_a_plan_of_nothing_says_how_to_begin() -> None:
    assert_golden(cadence("plan").out, "no-plan")


@pytest.mark.parametrize("command", ["tick", "plan"])
@pytest.mark.parametrize(
    "now",
    [
        "2026-03-02T09:00",
        "2026-03-02",
        "tomorrow",
        "",
        "9999-12-31T00:00:00Z",
        "0001-01-01T00:00:00+14:00",
    ],
)
def test_an_instant_that_is_none_is_said_in_a_sentence(command: str, now: str) -> None:
    said = cadence(command, "--now", now)
    assert (said.code, said.out, len(said.sentences)) == (2, "", 1)
    assert_golden(said.err, f"instant:{now}")


# --- import, export, migrate ------------------------------------------------------------------------------


def test_an_import_takes_files_in_any_order_and_exports_them_again(tmp_path: Path) -> None:
    done = cadence("import", EXAMPLES / "support-reply.yaml", EXAMPLES / "workspace.yaml")
    assert (done.code, done.err) == (0, "")
    assert_golden(done.out.replace(str(EXAMPLES), "EXAMPLES"), "import:new")

    (tmp_path / "playbook.yaml").write_text(cadence("export", "support-reply").out)
    (tmp_path / "workspace.yaml").write_text(cadence("export").out)
    again = cadence("import", tmp_path / "playbook.yaml", tmp_path / "workspace.yaml")
    assert_golden(again.out.replace(str(tmp_path), "HERE"), "import:again")
    assert cadence("export", "support-reply").out == (tmp_path / "playbook.yaml").read_text()


def test_an_import_names_every_problem_of_every_file_and_saves_the_good_ones(tmp_path: Path) -> None:
    bad, binary, pilot = tmp_path / "bad.yaml", tmp_path / "binary.yaml", tmp_path / "pilot.yaml"
    bad.write_text(BAD_PLAYBOOK)
    binary.write_bytes(b"\xff\xfe\x00playbook")
    pilot.write_text(
        (EXAMPLES / "test-refactor.yaml").read_text().replace("pilot: platform-india", "pilot: nobody")
    )
    said = cadence(
        "import",
        bad,
        binary,
        tmp_path / "missing.yaml",
        tmp_path,
        pilot,
        EXAMPLES / "workspace.yaml",
        EXAMPLES / "inbound-routing.yaml",
    )
    assert said.code == 2
    assert len(said.sentences) == 6
    assert_golden(said.err.replace(str(tmp_path), "HERE"), "import:problems")
    assert_golden(said.out.replace(str(EXAMPLES), "EXAMPLES"), "import:good-ones")
    for refused in ("support-reply", "test-refactor"):
        assert cadence("export", refused).code == 2
    assert cadence("export", "inbound-routing").code == 0


def test_an_export_of_a_playbook_that_is_not_there() -> None:
    said = cadence("export", "nothing")
    assert (said.code, said.out, len(said.sentences)) == (2, "", 1)


def test_a_command_names_its_workspace_if_there_are_several() -> None:
    db = the_database()
    ensure_workspace(UnitOfWork(db, Actor.system("T2OTHER"), FRIDAY_BEFORE), name="")
    db.close()
    said = cadence("export")
    assert (said.code, said.err) == (
        2,
        f"Which workspace? Add --team-id with one of {BUILT_IN_TEAM}, T2OTHER.\n",
    )
    assert "support-emea" in cadence("export", "--team-id", BUILT_IN_TEAM).out
    assert "support-emea" not in cadence("export", "--team-id", "T2OTHER").out


def test_migrate_makes_the_tables_once_and_checks_them() -> None:
    first = cadence("migrate")
    assert first.code == 0
    assert_golden(re.sub(r"^\d+", "ALL", first.out), "migrate:first")
    assert_golden(cadence("migrate").out, "migrate:again")
    assert_golden(cadence("migrate", "--check").out, "migrate:check")


@pytest.mark.parametrize("command", ["migrate", "plan", "run", "export"])
def test_a_database_from_a_newer_version_is_left_alone(command: str) -> None:
    db = the_database()
    with db.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = 'from-the-future'")
    db.close()
    said = cadence(command)
    assert (said.code, said.out, len(said.sentences)) == (2, "", 1)
    assert_golden(said.err, "newer-version")


# --- manifest, doctor, rehearse ---------------------------------------------------------------------------


def test_the_manifest_is_yaml_or_json_for_a_socket_or_for_http() -> None:
    made = YAML(typ="safe").load(cadence("manifest").out)
    assert made["settings"]["socket_mode_enabled"] is True
    assert json.loads(cadence("manifest", "--json").out) == made
    over_http = json.loads(cadence("manifest", "--json", "--http", "https://bot.example.com/").out)
    assert over_http["settings"]["interactivity"]["request_url"] == "https://bot.example.com/slack/events"
    said = cadence("manifest", "--http", "nowhere")
    assert (said.code, said.out, len(said.sentences)) == (2, "", 1)


def test_the_doctor_ends_with_0_when_all_is_well_and_1_when_something_is_to_do(slack: SandboxServer) -> None:
    well = cadence("doctor")
    assert (well.code, well.err) == (0, "")
    assert all(line.split()[0] == "ok" for line in well.out.splitlines())

    ill = cadence("doctor", **tokens(slack))
    assert ill.code == 1
    assert_golden("\n".join(line for line in ill.out.splitlines() if line.startswith("TODO")), "doctor")
    assert tokens(slack)["SLACK_BOT_TOKEN"] not in ill.out


def test_every_line_of_an_answers_file_that_cannot_be_played_is_named(tmp_path: Path) -> None:
    answers = tmp_path / "answers.csv"
    lines = (
        "week,day,time,member,says",
        "1,Thu",
        "0,Thu,10:00,U01LEAD,/kpi 14",
        "²,Thu,10:00,U01LEAD,/kpi 14",
        "1,Foo,10:00,U01LEAD,/kpi 14",
        "1,Thu,25:00,U01LEAD,/kpi 14",
        "1,Thu,10:00,U99NOBODY,/kpi 14",
        "# a remark",
        "1,Thu,10:00,U01LEAD,hello",
        "1,Thu,10:00,U01LEAD,/kpi\0 14",
        "1,Thu,10:00,U01LEAD,press As planned runs=14 runs=15",
        "1,Thu,10:00,U01LEAD,/cadence adopt => team=a team=b",
        "1,Thu,10:00,U01LEAD,/cadence request => reason=a => reason=b",
    )
    answers.write_text("\n".join(lines), encoding="utf-8")
    said = cadence(*REHEARSE, "--answers", answers)
    assert (said.code, said.out) == (2, "")
    assert [sentence.partition(": ")[0] for sentence in said.sentences] == [
        f"{answers}:{number}" for number in (2, 3, 4, 5, 6, 7, 9, 11, 12)
    ]
    assert_golden(said.err.replace(str(tmp_path), "HERE"), "answers")


REHEARSE = ("rehearse", EXAMPLES / "support-reply.yaml", "--workspace", EXAMPLES / "workspace.yaml")


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("--start", "2026-03-03"),
        ("--start", "soon"),
        ("--start", "9999-12-27"),
        ("--answers", "missing.csv"),
        ("--workspace", "missing.yaml"),
        ("--workspace", str(EXAMPLES / "support-reply.yaml")),
    ],
)
def test_a_rehearsal_that_cannot_be_played_says_why(option: str, value: str) -> None:
    said = cadence(*REHEARSE, option, value)
    assert (said.code, said.out) == (2, "")
    assert_golden(said.err.replace(str(EXAMPLES), "EXAMPLES"), f"rehearsal:{option} {Path(value).name}")


@pytest.mark.parametrize("weeks", ["0", "61"])
def test_a_rehearsal_has_1_to_60_weeks(weeks: str) -> None:
    said = cadence(*REHEARSE, "--weeks", weeks)
    assert (said.code, said.out) == (2, "")
    assert "--weeks" in said.err


def test_a_playbook_with_mistakes_is_named_with_its_lines(tmp_path: Path) -> None:
    bad = tmp_path / "bad.yaml"
    bad.write_text(BAD_PLAYBOOK)
    said = cadence("rehearse", bad, "--workspace", EXAMPLES / "workspace.yaml")
    assert said.code == 2
    assert [sentence.partition(": ")[0] for sentence in said.sentences] == [f"{bad}:9", f"{bad}:27"]


# --- this machine -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("before", "after"),
    [("", "127.0.0.1,localhost"), ("corp.example", "corp.example,127.0.0.1,localhost"), ("*", "*")],
)
def test_requests_to_this_machine_bypass_proxies(
    before: str, after: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.setenv("no_proxy", before)
    monkeypatch.setattr(cli, "app", lambda: None)
    cli.main()
    assert os.environ["no_proxy"] == after


def test_ctrl_c_ends_without_a_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted() -> None:
        raise KeyboardInterrupt

    monkeypatch.setenv("no_proxy", "*")
    monkeypatch.setattr(cli, "app", interrupted)
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert ended.value.code == 130
