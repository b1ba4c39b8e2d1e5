"""`cadence rehearse`: the same files give the same transcript, whatever the environment."""

import os
import subprocess
from pathlib import Path

from tests.contexts import assert_golden
from tests.harnesses import EXAMPLES
from tests.processes.programs import CADENCE, PATIENCE_SECONDS, environment

ANSWERS = """week,day,time,member,says
1,Mon,09:10,U01AGENT1,/exception send tone was off
1,Thu,10:42,U01AGENT1,press As planned runs=14
1,Thu,11:05,U01LEAD,/kpi support-reply 31m
1,Fri,16:00,U01AGENT2,/attest not-run
"""
CHECKIN = "Thu 05 Mar 10:00"
ASKED = ("Mon 02 Mar 09:10", "Thu 05 Mar 10:42", "Thu 05 Mar 11:05", "Fri 06 Mar 16:00")
"""When each of them is carried out."""
ELSEWHERE = {
    "TZ": "Pacific/Auckland",
    "PYTHONHASHSEED": "4711",
    "PORT": "1",
    "HOST": "192.0.2.1",
    "CADENCE_CURATORS": "U01AGENT1",
    "CADENCE_LOG": "debug",
    "CADENCE_THREADS": "2",
    "SLACK_APP_TOKEN": "xapp-nobody",
    "SLACK_API_URL": "http://192.0.2.1/api/",
    "DATABASE_URL": "mysql://nowhere",
    "HTTPS_PROXY": "http://192.0.2.1:9",
    "LC_ALL": "C",
}


def test_the_transcript_is_the_same_in_every_environment(tmp_path: Path) -> None:
    answers = tmp_path / "answers.csv"
    answers.write_text(ANSWERS)
    arguments = [
        "rehearse",
        str(EXAMPLES / "support-reply.yaml"),
        "--workspace",
        str(EXAMPLES / "workspace.yaml"),
    ]
    begun = [
        subprocess.Popen(
            [*CADENCE, *arguments, "--answers", str(answers), "--weeks", "1"],
            cwd=tmp_path,
            env=environment(tmp_path, settings),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        for settings in ({"PYTHONHASHSEED": "0"}, ELSEWHERE)
    ]
    (here, complaints), (elsewhere, more) = [
        process.communicate(timeout=PATIENCE_SECONDS) for process in begun
    ]
    assert [process.returncode for process in begun] == [0, 0], complaints + more
    assert here == elsewhere
    assert complaints == more == b""

    said = here.decode().split("\n\n")
    assert {CHECKIN, *ASKED} <= {one[: len(CHECKIN)] for one in said}
    assert_golden("\n\n".join(one for one in said if one.startswith(ASKED)), "answers")
    assert not any(name.endswith(".db") for _, _, names in os.walk(tmp_path) for name in names)
