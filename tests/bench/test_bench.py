"""The parts of `make bench` run at all, on next to nothing. What they measure is never asserted."""

from datetime import UTC, datetime
from pathlib import Path

from slack_bolt.adapter.wsgi import SlackRequestHandler

from bot.runtime.http_server import serving
from storage.engine import Database
from tests.bench import bare, start_bench
from tests.bench.__main__ import PARTS, main
from tests.bench.web_bench import TINY, Asker, outside
from tests.bench.web_inside import costs
from tests.bench.web_places import APP, fill, slack
from tests.processes.programs import free_port


def test_what_a_request_costs_is_counted_while_numbers_are_recorded(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/bench.db"
    db = Database(url)
    fill(db, TINY.place, now=datetime.now(UTC))
    bare.make_table(db)
    db.close()
    with slack() as server:
        ours, least = costs(url, server.api_url, TINY.place, count=2)
    assert ours.statements > least.statements >= 1
    assert ours.transactions >= least.transactions >= 1


def test_the_load_is_answered_and_told_of(tmp_path: Path) -> None:
    db, port = Database(f"sqlite:///{tmp_path}/bare.db"), free_port()
    bare.make_table(db)
    app = SlackRequestHandler(bare.bare_app(db, secret=APP.signing_secret))
    with serving(app, host="127.0.0.1", port=port, threads=2):
        lines = list(outside(Asker(tmp_path, TINY.place), port, port, TINY))
    db.close()
    assert "in 1 rounds; 0 wrong answers" in lines[0]
    assert [line.endswith("20 answers, 0 wrong)") for line in lines[1:]] == [True, True]


def test_a_process_that_has_just_started_is_looked_at(tmp_path: Path) -> None:
    assert start_bench.bare(tmp_path, f"sqlite:///{tmp_path}/bare.db").seconds > 0
    assert start_bench.imports("import json") > 0


def test_a_part_that_is_not_there_is_named() -> None:
    assert main(["nothing"]) == 2
    assert {"rules", "web", "start"} <= set(PARTS)
