"""Every part of `make bench` runs, on very little data. The figures are never asserted."""

from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from slack_bolt.adapter.wsgi import SlackRequestHandler

from bot.ops.commands import BUILT_IN_TEAM
from bot.runtime.http_server import serving
from storage.engine import Database
from tests.bench import api_bench, bare, start_bench
from tests.bench.__main__ import PARTS, main
from tests.bench.slack import slack
from tests.bench.thursday import EXPECTED, Thursday
from tests.bench.web_bench import TINY, Asker, outside
from tests.bench.web_inside import BARE, costs
from tests.bench.web_places import APP, fill
from tests.processes.programs import free_port


def test_what_each_request_costs_is_counted_while_it_is_carried_out(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/bench.db"
    db = Database(url)
    fill(db, TINY.place, now=datetime.now(UTC))
    bare.make_table(db)
    db.close()
    with slack(BUILT_IN_TEAM) as server:
        found = {one.kind: one for one in costs(url, server.url, TINY.place, count=2)}
    assert set(found) == {*EXPECTED, BARE}
    assert all(one.statements > found[BARE].statements >= 1 for one in found.values() if one.kind != BARE)
    assert all(one.transactions >= found[BARE].transactions >= 1 for one in found.values())


def test_the_load_is_answered_and_reported(tmp_path: Path) -> None:
    db, port = Database(f"sqlite:///{tmp_path}/bare.db"), free_port()
    bare.make_table(db)
    app = SlackRequestHandler(bare.bare_app(db, secret=APP.signing_secret))
    with serving(app, host="127.0.0.1", port=port, threads=2):
        day = Thursday(TINY.place, {0: 1, 1: 2}, date(2026, 11, 23), seed=1, hooks="")
        lines = list(outside(Asker(tmp_path, day), port, port, TINY, kind="/kpi"))
    db.close()
    assert "in 1 rounds; 0 wrong answers" in lines[0]
    assert [line.endswith("10 answers, 0 wrong)") for line in lines[1:]] == [True, True]


def test_a_process_that_has_just_started_is_looked_at(tmp_path: Path) -> None:
    assert start_bench.bare(tmp_path, f"sqlite:///{tmp_path}/bare.db").seconds > 0
    assert start_bench.imports("import json") > 0


def test_a_part_that_is_not_there_is_named() -> None:
    assert main(["nothing"]) == 2
    assert {"rules", "web", "start", "api"} <= set(PARTS)


@pytest.mark.long
def test_pushes_and_requests_are_answered_beside_each_other(tmp_path: Path) -> None:
    lines = list(api_bench.on("SQLite", f"sqlite:///{tmp_path}/bench.db", tmp_path, api_bench.TINY))
    assert "0 wrong answers" in lines[1]
    assert "in 1 rounds" in lines[2]
