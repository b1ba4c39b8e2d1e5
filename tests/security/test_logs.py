"""No log line contains a token or what people wrote, even when a database rejects a row and quotes it."""

import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.conftest import on_ci
from tests.storage import postgres

WRITTEN = "hydrangea"
EVENT, FRAME = "unexpected error", "in quote"
"""What the log calls each failure, and where its traceback says the last ones happened."""
TROUBLE = """
import logging, sys, threading
from pathlib import Path
from bot.logs import set_up_logs
from tests.databases import OnPostgres
from tests.harnesses import bot_harness

folder, form, socket = sys.argv[1:]
set_up_logs(level="debug", form=form)
OnPostgres.socket = socket or None
SQLITE = "CREATE TRIGGER never_{0} BEFORE INSERT ON {0} BEGIN SELECT RAISE(ABORT, 'never'); END"
POSTGRES = "ALTER TABLE {0} ADD CONSTRAINT never_{0} CHECK (workspace_id = 'never') NOT VALID"

with bot_harness(Path(folder)) as harness:
    agent, lead = harness.workspace.person("U01AGENT1"), harness.workspace.person("U01LEAD")
    lead.types("/cadence cycle start support-reply 2026-03-02", channel="C01SUPEMEA")
    harness.play_until(harness.clock.now().replace(month=3, day=5))
    with harness.bot.db.engine.begin() as connection:
        for table in ("exception", "reading", "lesson", "mode_change"):
            connection.exec_driver_sql((POSTGRES if socket else SQLITE).format(table))
    for who, line in (
        (agent, "/exception draft {written}"),
        (lead, "/kpi 14m {written}"),
        (lead, "/cadence learn support-reply {written}"),
        (lead, "/cadence mode support-reply draft human-led {written}"),
    ):
        answer = who.types(line.format(written="hydrangea"), channel="C01SUPEMEA")
        print(answer.words)
    lead.says("hydrangea, please", lead.dm_channel.id)
    harness.tick()
    print("SECRETS", harness.workspace.app.token, harness.workspace.app.signing_secret)

def quote(words):
    raise ValueError(f"can't read {words}")

def library():
    try:
        quote("hydrangea")
    except ValueError as error:
        logging.getLogger("slack_bolt.App").exception(f"Failed to run listener function (error: {error})")
        logging.getLogger("asyncio").error("never retrieved: %r", error)

library()
thread = threading.Thread(target=quote, args=("hydrangea",))
thread.start()
thread.join()
quote("hydrangea")
"""


@pytest.mark.sqlite
@pytest.mark.parametrize("form", ["text", "json"])
def test_no_line_holds_what_people_wrote_or_a_token(tmp_path: Path, form: str) -> None:
    _check(tmp_path, form, socket="")


@pytest.mark.postgres
def test_no_line_holds_a_row_that_postgresql_refuses(tmp_path: Path) -> None:
    with ExitStack() as stack:
        try:
            socket = stack.enter_context(postgres.cluster())
        except postgres.NoPostgres as reason:
            if on_ci():
                pytest.fail(str(reason))
            pytest.skip(str(reason))
        _check(tmp_path, "json", socket=socket)


def _check(tmp_path: Path, form: str, *, socket: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", TROUBLE, str(tmp_path), form, socket],
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    answers, _, secrets = done.stdout.partition("SECRETS")
    assert answers.count(" E-") == 4, done.stdout + done.stderr
    assert done.stderr.count(EVENT) == 4
    assert done.stderr.count("IntegrityError") >= 4
    assert ("SQLSTATE 23514" if socket else "SQLITE_CONSTRAINT") in done.stderr
    assert done.stderr.count("ValueError") >= 4
    assert done.stderr.count("crashed") == 2
    assert FRAME in done.stderr
    leaked = [
        line for line in done.stderr.splitlines() if any(one in line for one in (WRITTEN, *secrets.split()))
    ]
    assert leaked == []
