"""Tokens, from Slack's side: made by form, shown once, listed, revoked; their secret is stored nowhere."""

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlmodel import SQLModel

from bot.ops.commands import BUILT_IN_TEAM
from bot.rehearsal.harness import BotHarness
from bot.sandbox.views import View
from cadence.flows.tokens import BadToken, authenticate, note_use
from cadence.rules.tokens import parse_token
from storage.tables import ApiToken
from tests.harnesses import bot_harness
from tests.scenarios.plays import DESK, DESK_CHANNEL, REPLY, InCycle, entries, rows
from tests.scenarios.tokens.making import TOKEN, made_token

LEAD, AGENT, CURATOR = "U01LEAD", "U01AGENT1", "U01CURATOR"


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[BotHarness]:
    """Tuesday of the desk's first week."""
    with bot_harness(
        tmp_path, workspace=DESK, playbooks=[REPLY], played=InCycle("2026-03-03 11:00")
    ) as harness:
        yield harness


def types(harness: BotHarness, member: str, text: str) -> str:
    return harness.workspace.person(member).types(text, channel=DESK_CHANNEL).words


def everything(harness: BotHarness) -> str:
    """Every row of the database, as text."""
    with harness.bot.db.read() as session:
        return "\n".join(
            str(tuple(row))
            for table in SQLModel.metadata.tables.values()
            for row in session.connection().execute(table.select())
        )


def test_a_token_is_shown_once_and_its_secret_is_stored_nowhere(
    desk: BotHarness, capfd: pytest.CaptureFixture[str]
) -> None:
    text = made_token(desk, LEAD, playbook="reply")
    parts = parse_token(text)
    assert parts is not None
    assert parts.workspace_id == BUILT_IN_TEAM
    assert parts.secret not in everything(desk)
    assert parts.secret not in "".join(capfd.readouterr())
    (row,) = rows(desk, ApiToken)
    assert (row.key, row.name, row.made_by, row.may_write, row.may_read) == (
        parts.key,
        "Help desk",
        LEAD,
        True,
        False,
    )
    (entry,) = entries(desk, "token-made")
    assert (entry.member, entry.subject, entry.after["for"]) == (LEAD, f"token:{parts.key}", "Reply")


def test_a_form_sent_again_says_that_it_was_shown_once(desk: BotHarness) -> None:
    person = desk.workspace.person(LEAD)
    seen: list[str] = []
    before = desk.workspace.deliver

    def twice(kind: object, body: dict[str, object], **rest: object) -> object:
        first = before(kind, body, **rest)  # type: ignore[arg-type]
        if body.get("type") == "view_submission":
            seen.append(json.dumps(before(kind, body, **rest).body))  # type: ignore[arg-type]
        return first

    person.types("/cadence token", channel=DESK_CHANNEL)
    desk.workspace.deliver = twice  # type: ignore[method-assign, assignment]
    shown = person.submits({"name": "CI", "use": "tool", "playbook": "reply", "scopes": ["write"]}).view
    assert isinstance(shown, View)
    assert TOKEN.search(shown.words)
    (again,) = seen
    assert "was shown once" in again
    assert not TOKEN.search(again)
    assert len(rows(desk, ApiToken)) == 1


def test_the_list_has_the_last_use_and_revokes(desk: BotHarness) -> None:
    text = made_token(desk, LEAD, playbook="reply")
    assert "never used" in types(desk, LEAD, "/cadence token list")
    db, now = desk.bot.db, desk.clock.now()
    note_use(db, authenticate(db, text, now=now), now=now)
    note_use(db, authenticate(db, text, now=now), now=now + timedelta(seconds=59))
    assert [one.last_used_at for one in rows(desk, ApiToken)] == [now]
    later = now + timedelta(seconds=61)
    note_use(db, authenticate(db, text, now=later), now=later)
    assert [one.last_used_at for one in rows(desk, ApiToken)] == [later]
    listed = desk.workspace.person(CURATOR).types("/cadence token list", channel=DESK_CHANNEL).message
    assert listed is not None
    assert "last used" in listed.words
    assert "was revoked" in desk.workspace.person(CURATOR).clicks(listed, "Revoke").words
    with pytest.raises(BadToken, match="was revoked"):
        authenticate(db, text, now=now)
    assert [one.member for one in entries(desk, "token-revoked")] == [CURATOR]
    assert "No tokens yet" in types(desk, LEAD, "/cadence token list")


@pytest.mark.parametrize("wrong", ["", "rc_", "Bearer x", "rc_T01SANDBOX_aaaaaaaaaa_" + "a" * 43])
def test_what_is_no_token_is_refused_alike(desk: BotHarness, wrong: str) -> None:
    made_token(desk, LEAD, playbook="reply")
    with pytest.raises(BadToken, match="isn't a valid token"):
        authenticate(desk.bot.db, wrong, now=desk.clock.now())


def test_a_wrong_secret_and_another_workspace_are_refused(desk: BotHarness) -> None:
    text = made_token(desk, LEAD, playbook="reply")
    last = "A" if text[-1] != "A" else "B"
    for wrong in (text[:-1] + last, text.replace(BUILT_IN_TEAM, "T02OTHER")):
        with pytest.raises(BadToken, match="isn't a valid token"):
            authenticate(desk.bot.db, wrong, now=desk.clock.now())


def test_a_member_makes_one_for_their_own_assistant_only(desk: BotHarness) -> None:
    text = made_token(desk, AGENT, use="assistant", name="Claude")
    holder = authenticate(desk.bot.db, text, now=desk.clock.now())
    assert (holder.member, holder.playbook_id, holder.team_id) == (AGENT, None, None)
    assert "Claude" in types(desk, AGENT, "/cadence token list")
    assert "Claude" in types(desk, CURATOR, "/cadence token list")
    assert "Claude" not in types(desk, LEAD, "/cadence token list")
    assert "There's no token" in types(desk, LEAD, "/cadence token revoke claude")
    assert "was revoked" in types(desk, AGENT, "/cadence token revoke claude")


def test_whoever_can_make_one_only_for_an_assistant_is_offered_nothing_else(desk: BotHarness) -> None:
    forms = {}
    for member in (LEAD, AGENT):
        person = desk.workspace.person(member)
        person.types("/cadence token", channel=DESK_CHANNEL)
        form = person.view()
        assert form is not None
        forms[member] = json.dumps(form.body)
    assert "such as a help desk" in forms[LEAD]
    assert "such as a help desk" not in forms[AGENT]
    made = person.submits({"name": "Claude"}).view
    assert made is not None
    assert "It can write evidence and read figures as you." in made.words
    assert "/mcp" in made.words


def test_the_form_chooses_the_only_playbook_of_its_owner(desk: BotHarness) -> None:
    person = desk.workspace.person(LEAD)
    person.types("/cadence token", channel=DESK_CHANNEL)
    made = person.submits({"name": "CI", "scopes": ["read"]})
    assert made.view is not None
    assert "read figures for Reply" in made.view.words


def test_the_form_says_what_is_missing(desk: BotHarness) -> None:
    person = desk.workspace.person(LEAD)
    person.types("/cadence token", channel=DESK_CHANNEL)
    missing = person.submits({"name": "CI", "use": "tool", "playbook": None, "scopes": ["read"]})
    assert missing.errors == {"playbook": "Choose a playbook, a team, or both."}
    made_token(desk, LEAD, playbook="reply", name="CI")
    person.types("/cadence token", channel=DESK_CHANNEL)
    taken = person.submits({"name": "ci", "use": "tool", "playbook": "reply", "scopes": ["read"]})
    assert "already a token" in taken.errors["name"]
