"""The contents of a log line: where something failed, never what people wrote."""

import subprocess
import sys

import pytest

BREAKS = """
import structlog
from bot.logs import set_up_logs

set_up_logs(level="info", form="{form}")

def send(reason: str) -> None:
    raise ValueError("no such channel")

try:
    send("the customer shouted" + " at us")
except ValueError:
    structlog.get_logger("bot").exception("message can't be written", key="watch:1")
"""


@pytest.mark.parametrize("form", ["text", "json"])
def test_a_traceback_shows_where_but_not_what_people_wrote(form: str) -> None:
    said = subprocess.run(
        [sys.executable, "-c", BREAKS.format(form=form)], capture_output=True, text=True, check=True
    ).stderr
    assert "no such channel" in said
    assert "watch:1" in said
    assert "in send" in said
    assert "the customer shouted at us" not in said


def test_a_line_that_nobody_reads_is_lost_and_nothing_else() -> None:
    said = subprocess.run(
        [
            sys.executable,
            "-c",
            "import os, sys, structlog\n"
            "from bot.logs import set_up_logs\n"
            "reads, writes = os.pipe()\n"
            "os.close(reads)\n"
            "sys.stderr = open(writes, 'w')\n"
            "set_up_logs(level='info', form='json')\n"
            "log = structlog.get_logger('bot')\n"
            "log.warning('into a broken pipe')\n"
            "sys.stderr = open(os.devnull, 'w')\n"
            "sys.stderr.close()\n"
            "log.warning('into a closed file')\n"
            "sys.stdout.write('goes on')\n",
        ],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert said == "goes on"
