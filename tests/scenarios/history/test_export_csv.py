"""The records as CSV: requested in Slack, sent as a file, parsed and compared with the rows (SPEC §9)."""

import csv
import io
import zipfile
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from bot.cli import app as cli
from bot.rehearsal.harness import BotHarness
from bot.sandbox.capabilities import Capabilities
from bot.sandbox.faults import Fault
from cadence.actor import Actor
from cadence.documents import read_playbook
from cadence.flows.history.export_files import TABLES, cell
from storage.queries import history, playbooks
from storage.tables import (
    CheckIn,
    LoggedException,
    MessageState,
    Reading,
    StepVerdict,
    TrailEntry,
)
from storage.work import UnitOfWork
from templates.contexts.answers import Refused
from templates.contexts.checkins import Attested
from templates.contexts.exceptions import ExceptionLogged
from templates.contexts.numbers import Recorded
from tests.contexts import assert_golden, is_shown
from tests.delivery.post_office import Script
from tests.harnesses import bot_harness
from tests.scenarios.plays import (
    DESK,
    DESK_CHANNEL,
    REPLY,
    TRIAGE,
    at,
    bot_dms,
    entries,
    ledger,
    rows,
    start_cycle,
)

OWNER, MEMBER, OUTSIDER, CURATOR = "U01LEAD", "U01AGENT1", "U01AGENT2", "U01CURATOR"
Files = dict[str, list[dict[str, str]]]


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[BotHarness]:
    """A week with a correction, an exception that looks like a formula, and a playbook that nobody runs."""
    with bot_harness(tmp_path, workspace=DESK, playbooks=[REPLY, TRIAGE], played=a_week) as harness:
        yield harness


def a_week(harness: BotHarness) -> None:
    start_cycle(harness)
    harness.play_until(at("2026-03-05 12:00"))
    for member, words in (
        (OWNER, "/attest as-declared runs=20"),
        (OWNER, "/attest drifted runs=21 draft=human-led send=collaborative -1 machine"),
        (MEMBER, '/exception send +HYPERLINK("https://evil.example","tone") link=https://acme.example/1'),
        (OWNER, "/kpi 14m +2 people"),
        (OWNER, "/kpi 13.5m"),
    ):
        told = harness.workspace.person(member).types(words, channel=DESK_CHANNEL)
        assert any(is_shown(told, kind) for kind in (Attested, ExceptionLogged, Recorded)), told.words
    harness.tick()


def read(content: bytes) -> tuple[Files, dict[str, str]]:
    """The tables and the other files of an archive."""
    tables, others = {}, {}
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        for name in archive.namelist():
            text = archive.read(name).decode("utf-8")
            if name.endswith(".csv"):
                assert "\r\n" in text
                tables[name.removesuffix(".csv")] = list(csv.DictReader(io.StringIO(text, newline="")))
            else:
                others[name] = text
    return tables, others


def arrived(harness: BotHarness, member: str) -> bytes:
    """The last file in somebody's DM."""
    harness.tick()
    message = [one for one in bot_dms(harness, member) if one.files][-1]
    content = harness.workspace.files.get(message.files[0]).content
    assert content
    return content


def test_it_arrives_in_the_dm_and_says_what_the_rows_say(desk: BotHarness) -> None:
    told = desk.workspace.person(OWNER).types("/cadence export reply")
    assert_golden(told, "exporting")
    tables, others = read(arrived(desk, OWNER))
    assert set(tables) == {
        *("readings", "attestations", "exceptions", "verdicts", "trail"),
        *("assessments", "course_changes", "cutovers", "training_samples", "training_grades"),
        *("waves", "wave_teams", "adoption_requests", "adaptations"),
        *("pilot_reviews", "duties", "measured_runs", "check_results"),
    }
    assert read_playbook(others["playbooks/reply.yaml"]).slug == "reply"
    assert_golden(others["about.txt"], "about")
    counts = {name: len(found) for name, found in tables.items()}
    for name, table in (
        ("readings", Reading),
        ("attestations", CheckIn),
        ("exceptions", LoggedException),
        ("verdicts", StepVerdict),
    ):
        assert counts[name] == len(rows(desk, table)) > 0, name
    assert counts["pilot_reviews"] == 1, "of this playbook only"

    first, second = tables["attestations"]
    assert (first["runs"], second["runs"], second["attestation"]) == ("20", "21", "drifted")
    assert second["drifted_steps"] == "draft=human-led send=collaborative"
    assert first["replaced_at"] == second["answered_at"] == "2026-03-05T11:00:00+00:00"
    assert datetime.fromisoformat(first["replaced_at"]) == desk.clock.now()
    assert second["note"] == "'-1 machine"

    [logged] = tables["exceptions"]
    assert logged["reason"] == "'" + rows(desk, LoggedException)[0].reason
    assert logged["link"] == "https://acme.example/1"
    assert (logged["playbook"], logged["team"], logged["cycle"], logged["step"]) == (
        "reply",
        "desk",
        "1",
        "send",
    )

    numbers = [(one["number"], one["value"], one["unit"], one["note"]) for one in tables["readings"]]
    assert numbers == [
        ("First response time", "14", "minutes", "'+2 people"),
        ("First response time", "13.5", "minutes", ""),
    ]
    about = {(one["action"], one["playbook"], one["team"]) for one in tables["trail"]}
    assert {
        ("check-in", "reply", "desk"),
        ("exception", "reply", "desk"),
        ("verdict", "reply", "desk"),
    } <= about
    assert all(one["playbook"] == "reply" for one in tables["trail"])


def test_a_curator_has_everything_and_an_owner_only_their_own(desk: BotHarness) -> None:
    curator = desk.workspace.person(CURATOR)
    curator.types("/cadence export")
    curator.submits({"playbook": "Everything in this workspace"})
    tables, others = read(arrived(desk, CURATOR))
    assert {"playbooks/reply.yaml", "playbooks/triage.yaml"} <= set(others)
    asked = entries(desk, "exported")
    assert [(one.member, one.surface, one.subject) for one in asked] == [
        (CURATOR, "form", "workspace:T01SANDBOX")
    ]
    assert len(tables["trail"]) == len(rows(desk, TrailEntry))
    assert {one["subject"] for one in tables["trail"]} >= {"workspace:T01SANDBOX", "playbook:triage"}


@pytest.mark.parametrize("words", ["", "all", "reply"])
def test_members_have_none_of_it(desk: BotHarness, words: str) -> None:
    """Answers reveal who didn't answer: that is only for owners and curators."""
    for role, who in (("member", MEMBER), ("outsider", OUTSIDER)):
        told = desk.workspace.person(who).types(f"/cadence export {words}".strip())
        assert is_shown(told, Refused)
        assert_golden(told, f"refused:{role}-{words or 'bare'}")
        assert desk.workspace.person(who).view() is None
    assert ledger(desk, "export") == []


def test_a_former_owner_gets_no_export(desk: BotHarness) -> None:
    desk.workspace.person(OWNER).types("/cadence export reply")
    with desk.bot.db.write() as session:
        row = playbooks.by_slug(UnitOfWork.around(session, Actor.system("T01SANDBOX")), slug="reply")
        assert row is not None
        row.owner = OUTSIDER
        session.add(row)
    desk.tick()
    assert [row.reason for row in ledger(desk, "export", MessageState.SKIPPED)] == [
        "no longer theirs to export"
    ]


def test_asked_twice_it_comes_once_and_an_unclear_end_is_looked_for(desk: BotHarness) -> None:
    owner = desk.workspace.person(OWNER)
    for _ in range(2):
        owner.types("/cadence export reply")
    desk.tick()
    assert len([one for one in bot_dms(desk, OWNER) if one.files]) == 1
    with desk.bot.db.write() as session:  # as if the worker had died right after Slack accepted the file
        row = session.merge(ledger(desk, "export")[0])
        row.state, row.reason = MessageState.DUE, "ReadTimeout"
    desk.clock.advance(timedelta(minutes=1))
    desk.tick()
    assert len([one for one in bot_dms(desk, OWNER) if one.files]) == 1
    assert [row.state for row in ledger(desk, "export")] == [MessageState.SENT]


@pytest.mark.parametrize(
    ("fault", "granted"),
    [
        (Fault.DROPPED, True),
        (Fault.LATE, True),
        (Fault.BAD_GATEWAY, True),
        (Fault.LATE, False),  # the DM's history shows that
    ],
)
def test_it_comes_once_whatever_happens_to_its_upload(desk: BotHarness, fault: Fault, granted: bool) -> None:
    if not granted:
        desk.workspace.capabilities = Capabilities(scopes=desk.workspace.scopes - {"files:read"})
    script = Script()
    script.next["files.completeUploadExternal"] = [fault]
    desk.server.faults = script
    desk.workspace.person(OWNER).types("/cadence export reply")
    began = desk.clock.now()
    desk.play_until(began + timedelta(seconds=30))
    script.land()
    desk.play_until(began + timedelta(minutes=1))
    assert len([one for one in bot_dms(desk, OWNER) if one.files]) == 1
    assert [row.state for row in ledger(desk, "export")] == [MessageState.SENT]


def test_a_sentence_is_sent_if_slack_accepts_no_file(desk: BotHarness) -> None:
    desk.workspace.capabilities = Capabilities(scopes=desk.workspace.scopes - {"files:write"})
    desk.workspace.person(OWNER).types("/cadence export reply")
    desk.tick()
    desk.tick()
    said = bot_dms(desk, OWNER)[-1]
    assert said.files == ()
    assert_golden(said, "no-file-accepted")


def test_the_command_line_writes_a_folder(
    desk: BotHarness, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_URL", desk.bot.db.url)
    folder = tmp_path / "out"
    for words in (["reply"], ["reply", "triage"], []):
        told = CliRunner().invoke(cli, ["export", "--csv", str(folder), *words])
        assert told.exit_code == 0, told.output
        assert_golden(told.output.replace(str(tmp_path), ""), f"written:{'-'.join(words) or 'all'}")
        with (folder / "attestations.csv").open(encoding="utf-8", newline="") as lines:
            assert len(list(csv.DictReader(lines))) == 2
    with (folder / "readings.csv").open(encoding="utf-8", newline="") as lines:
        assert [row["value"] for row in csv.DictReader(lines)] == ["14", "13.5"]
    assert sorted(path.name for path in folder.rglob("*")) == [
        *("adaptations.csv", "adoption_requests.csv"),
        *("assessments.csv", "attestations.csv", "check_results.csv", "course_changes.csv"),
        *("cutovers.csv", "duties.csv"),
        *("exceptions.csv", "measured_runs.csv", "pilot_reviews.csv", "playbooks"),
        *("readings.csv", "reply.yaml", "trail.csv", "training_grades.csv", "training_samples.csv"),
        *("triage.yaml", "verdicts.csv", "wave_teams.csv", "waves.csv"),
    ]
    (tmp_path / "file").write_text("")
    for case, words in (
        ("no-folder", ["--csv", str(tmp_path / "file" / "x")]),
        ("typo", ["--csv", str(folder), "relpy"]),
        ("several", ["reply", "triage"]),
    ):
        told = CliRunner().invoke(cli, ["export", *words])
        assert told.exit_code == 2, told.output
        assert_golden(told.output.replace(str(tmp_path), ""), f"not-written:{case}")


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("=1+1", "'=1+1"),
        ("+49 30", "'+49 30"),
        ("-1", "'-1"),
        ("@here", "'@here"),
        ("\tx", "'\tx"),
        ("'quoted", "''quoted"),
        ("＝1", "'＝1"),
        (" =1", "' =1"),
        ("\u200b=1", "'\u200b=1"),
        ("\ufeff-1", "'\ufeff-1"),
        ("\u202e\u00a0@x", "'\u202e\u00a0@x"),
        (" a=1", " a=1"),
        ("\u200b", "\u200b"),
        ("tone, “off”", "tone, “off”"),
        (-1.5, "-1.5"),
        (0.1, "0.1"),
        (14.0, "14"),
        (True, "yes"),
        (None, ""),
        ({"b": 1, "a": "ü"}, '{"a": "ü", "b": 1}'),
    ],
)
def test_a_cell_does_no_harm(value: Any, shown: str) -> None:
    assert cell(value) == shown
    if isinstance(value, str):
        assert (shown.removeprefix("'") if shown.startswith("'") else shown) == value


def test_pages_give_every_row_once(desk: BotHarness, monkeypatch: pytest.MonkeyPatch) -> None:
    def lines() -> dict[str, list[list[str]]]:
        with desk.bot.db.read() as session:
            return {
                table.name: list(table.lines(UnitOfWork.around(session, Actor.system("T01SANDBOX")), None))
                for table in TABLES
            }

    whole = lines()
    monkeypatch.setattr(history, "PAGE", 1)
    assert lines() == whole
    assert all(len(line) == len(table.columns) for table in TABLES for line in whole[table.name])
