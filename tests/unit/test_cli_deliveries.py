"""`cadence deliveries`: the outcome of every message, without asking Slack."""

import json
import re
from datetime import UTC, datetime, timedelta

import pytest

from bot.ops.commands import BUILT_IN_TEAM
from bot.sandbox import SandboxServer
from bot.settings import load_settings
from cadence.actor import Actor
from cadence.flows.people.profiles import ensure_workspace
from storage.engine import Database
from storage.outbox.queueing import NewMessage
from storage.tables import MessageState, Team
from storage.work import UnitOfWork
from tests.contexts import assert_golden
from tests.harnesses import FRIDAY_BEFORE
from tests.unit.test_cli import _elsewhere, cadence, running_cycle, slack, the_database, tokens

__all__ = ["_elsewhere", "slack"]
MONDAY = datetime(2026, 3, 2, 9, tzinfo=UTC)


def owe(*rows: tuple[str, str, MessageState, str]) -> None:
    """Queue rows of (kind, recipient, state, reason), a day apart, in the example workspace."""
    db = the_database()
    owed = [
        NewMessage(
            kind,
            recipient,
            {},
            about=(number,),
            due_at=MONDAY + number * timedelta(days=1),
            state=state,
            reason=reason,
        )
        for number, (kind, recipient, state, reason) in enumerate(rows)
    ]
    with db.write() as session:
        UnitOfWork.around(session, Actor.system(BUILT_IN_TEAM, request="req-1"), MONDAY).send(owed)
    db.close()


def test_every_message_of_a_week_is_listed_with_its_outcome(slack: SandboxServer) -> None:
    db = the_database()
    running_cycle(db)
    db.close()
    slack.workspace.change_user("U01AGENT1", tell=False, real_name="Mehmet Aydın")
    cadence("tick", "--now", "2026-03-05T10:00:00+01:00", **tokens(slack))

    said = cadence("deliveries")
    assert said.code == 0
    first, to_close, total, late, _, head, *rows = said.out.splitlines()
    assert first == f"8 messages in Rehearsal ({BUILT_IN_TEAM}). Times are Europe/Berlin."
    assert to_close.split() == ["due", "3"], "each check-in loses its buttons when its week is over"
    assert total.split() == ["sent", "3"]
    assert late.split()[:2] == ["skipped", "2"]
    assert head.split()[:4] == ["due", "what", "to", "state"]
    told = [re.split(r"  +", row)[1:3] for row in rows]
    assert ["check-in", "Mehmet Aydın"] in told
    assert ["cycle started", "the channel of Support EMEA"] in told
    assert not re.search(r"\b[CD]01[A-Z0-9]+", said.out), (
        "Slack's IDs are for --json; these people have no other name"
    )
    assert cadence("deliveries", "--to", "mehmet aydın").out.split()[0] == "2"
    found = json.loads(cadence("deliveries", "--json", "--to", "U01AGENT1").out)
    assert [(total["state"], total["count"]) for total in found["totals"]] == [("due", 1), ("sent", 1)]
    [message] = [one for one in found["messages"] if one["kind"] == "checkin"]
    dm = slack.workspace.person("U01AGENT1").last_dm()
    assert (message["state"], message["attempts"], message["ts"]) == ("sent", 1, dm.ts)
    assert message["due_at"] == "2026-03-05T09:00:00+00:00"
    assert message["first_attempt_at"] == message["last_attempt_at"] is not None


def test_totals_tell_the_reasons_and_filters_narrow_both() -> None:
    owe(
        ("checkin", "U01AGENT1", MessageState.SKIPPED, "away"),
        ("checkin", "U01AGENT2", MessageState.SKIPPED, "away"),
        ("digest", "C01CURATORS", MessageState.FAILED, "not_in_channel"),
        ("watch", "C01SUPEMEA", MessageState.DUE, ""),
    )
    said = cadence("deliveries")
    assert [line.split(maxsplit=2) for line in said.out.splitlines()[1:4]] == [
        ["due", "1"],
        ["skipped", "2", "2 away"],
        ["failed", "1", "1 not_in_channel"],
    ]
    assert [line.split()[3:5] for line in said.out.splitlines()[6:]] == [
        ["watch", "the"],
        ["digest", "the"],
        ["check-in", "U01AGENT2"],
        ["check-in", "U01AGENT1"],
    ]
    for options, kinds in (
        (["--state", "failed"], ["digest"]),
        (["--kind", "checkin"], ["checkin", "checkin"]),
        (["--kind", "Check-in"], ["checkin", "checkin"]),
        (["--to", "support-emea"], ["watch", "checkin", "checkin"]),
        (["--since", "2026-03-04"], ["watch", "digest"]),
        (["--since", "2026-03-05T08:00:00Z", "--state", "due"], ["watch"]),
        (["--limit", "1"], ["watch"]),
        (["--since", "1m"], []),
    ):
        found = json.loads(cadence("deliveries", "--json", *options).out)
        assert [message["kind"] for message in found["messages"]] == kinds, options
    assert_golden(cadence("deliveries", "--limit", "1").out.splitlines()[-1], "newest")
    assert_golden(cadence("deliveries", "--since", "1m").out, "none")


def test_a_name_in_capitals_is_a_team_before_it_is_an_id() -> None:
    owe(
        ("digest", "C09DESK", MessageState.DUE, ""),
        ("checkin", "U01AGENT1", MessageState.DUE, ""),
        ("digest", "C0LATER", MessageState.DUE, ""),
    )
    db = Database(load_settings().database)
    with db.write() as session:
        session.add(
            Team(
                workspace_id=BUILT_IN_TEAM,
                slug="desk",
                title="Desk",
                function="support",
                channel="C09DESK",
                timezone="UTC",
                created_at=MONDAY,
            )
        )
    db.close()
    for to, recipients in (("DESK", ["C09DESK"]), ("C0LATER", ["C0LATER"]), ("dsk", None)):
        said = cadence("deliveries", "--json", "--to", to)
        found = None if said.code else [one["recipient"] for one in json.loads(said.out)["messages"]]
        assert found == recipients, to


def test_a_recipient_is_found_however_it_is_written() -> None:
    owe(
        ("digest", "C01CURATORS", MessageState.DUE, ""),
        ("checkin", "U01CURATOR", MessageState.DUE, ""),
        ("checkin", "U01AGENT1", MessageState.DUE, ""),
    )
    for to, recipients in (
        ("u01agent1", ["U01AGENT1"]),
        ("@U01AGENT1", ["U01AGENT1"]),
        ("<@U01AGENT1>", ["U01AGENT1"]),
        ("<@U01AGENT1|mehmet>", ["U01AGENT1"]),
        ("<#C01CURATORS|curators>", ["C01CURATORS"]),
        ("curators", ["U01CURATOR", "C01CURATORS"]),
        ("Curators", ["U01CURATOR", "C01CURATORS"]),
    ):
        found = json.loads(cadence("deliveries", "--json", "--to", to).out)
        assert [one["recipient"] for one in found["messages"]] == recipients, to


@pytest.mark.parametrize(
    "options",
    [
        ["--state", "lost"],
        ["--kind", "chekin"],
        ["--kind", "zebra"],
        ["--to", "support"],
        ["--since", "lately"],
        ["--since", "0001-01-01"],
        ["--since", "9999-12-31"],
        ["--since", "0001-01-01T00:00:00+14:00"],
        ["--since", "1999-12-31T23:00:00Z"],
        ["--since", "2026-03-05T08:00"],
        ["--team-id", "T0NOWHERE"],
    ],
)
def test_a_filter_that_is_none_is_said_in_a_sentence(options: list[str]) -> None:
    owe(("checkin", "U01AGENT1", MessageState.SKIPPED, "away"))
    said = cadence("deliveries", *options)
    assert (said.code, said.out, len(said.sentences)) == (2, "", 1)
    assert_golden(said.err, f"filter:{' '.join(options)}")


def test_of_several_workspaces_one_is_named() -> None:
    db = the_database()
    ensure_workspace(UnitOfWork(db, Actor.system("T2OTHER"), FRIDAY_BEFORE), name="")
    db.close()
    assert_golden(cadence("deliveries").err, "which-workspace")
    assert_golden(cadence("deliveries", "--team-id", "T2OTHER").out, "none-in-other")
