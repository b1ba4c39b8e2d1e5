"""Tokens, from Slack's side: made by form, shown once, listed, revoked; their secret is stored nowhere."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlmodel import SQLModel

from bot.assistants.server import PATH
from bot.ops.commands import BUILT_IN_TEAM
from bot.rehearsal.harness import BotHarness
from bot.sandbox.answers import Answer
from bot.sandbox.forms import find_input
from bot.sandbox.kinds import Json, options_of, words_of
from bot.sandbox.views import View
from cadence.flows.tokens import BadToken, authenticate, note_use
from cadence.rules.tokens import parse_token
from storage.tables import ApiToken
from templates.contexts.tokens import ASSISTANT, TOOL, TokenLine, TokenList, TokenShown
from templates.ids import Field
from tests.contexts import assert_golden, shown
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


def types(harness: BotHarness, member: str, text: str) -> Answer:
    return harness.workspace.person(member).types(text, channel=DESK_CHANNEL)


def listed(harness: BotHarness, member: str) -> list[TokenLine]:
    """The tokens that somebody sees in the list."""
    return list(shown(types(harness, member, "/cadence token list"), TokenList).tokens)


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
    seen: list[Json] = []
    before = desk.workspace.deliver

    def twice(kind: object, body: dict[str, object], **rest: object) -> object:
        first = before(kind, body, **rest)  # type: ignore[arg-type]
        if body.get("type") == "view_submission":
            seen.append(before(kind, body, **rest).json)  # type: ignore[arg-type]
        return first

    person.types("/cadence token", channel=DESK_CHANNEL)
    desk.workspace.deliver = twice  # type: ignore[method-assign, assignment]
    view = person.submits({"name": "CI", "use": "tool", "playbook": "reply", "scopes": ["write"]}).view
    assert isinstance(view, View)
    assert TOKEN.search(view.words)
    (again,) = seen
    assert_golden(words_of(again["view"]["blocks"]), "sent-again")
    assert not TOKEN.search(str(again))
    assert len(rows(desk, ApiToken)) == 1


def test_the_list_has_the_last_use_and_revokes(desk: BotHarness) -> None:
    text = made_token(desk, LEAD, playbook="reply")
    assert [one.used_at for one in listed(desk, LEAD)] == [None]
    db, now = desk.bot.db, desk.clock.now()
    note_use(db, authenticate(db, text, now=now), now=now)
    note_use(db, authenticate(db, text, now=now), now=now + timedelta(seconds=59))
    assert [one.last_used_at for one in rows(desk, ApiToken)] == [now]
    later = now + timedelta(seconds=61)
    note_use(db, authenticate(db, text, now=later), now=later)
    assert [one.last_used_at for one in rows(desk, ApiToken)] == [later]
    said = types(desk, CURATOR, "/cadence token list")
    assert [one.used_at for one in shown(said, TokenList).tokens] == [later]
    assert said.message is not None
    assert_golden(desk.workspace.person(CURATOR).clicks(said.message, "Revoke"), "revoked")
    with pytest.raises(BadToken) as refused:
        authenticate(db, text, now=now)
    assert_golden(str(refused.value), "refused-revoked")
    assert [one.member for one in entries(desk, "token-revoked")] == [CURATOR]
    assert listed(desk, LEAD) == []


@pytest.mark.parametrize("wrong", ["", "rc_", "Bearer x", "rc_T01SANDBOX_aaaaaaaaaa_" + "a" * 43])
def test_what_is_no_token_is_refused_alike(desk: BotHarness, wrong: str) -> None:
    made_token(desk, LEAD, playbook="reply")
    with pytest.raises(BadToken) as refused:
        authenticate(desk.bot.db, wrong, now=desk.clock.now())
    assert_golden(str(refused.value), "refused-no-token")


def test_a_wrong_secret_and_another_workspace_are_refused(desk: BotHarness) -> None:
    text = made_token(desk, LEAD, playbook="reply")
    last = "A" if text[-1] != "A" else "B"
    for wrong in (text[:-1] + last, text.replace(BUILT_IN_TEAM, "T02OTHER")):
        with pytest.raises(BadToken) as refused:
            authenticate(desk.bot.db, wrong, now=desk.clock.now())
        assert_golden(str(refused.value), "refused-wrong")


def test_a_member_makes_one_for_their_own_assistant_only(desk: BotHarness) -> None:
    text = made_token(desk, AGENT, use="assistant", name="Claude")
    holder = authenticate(desk.bot.db, text, now=desk.clock.now())
    assert (holder.member, holder.playbook_id, holder.team_id) == (AGENT, None, None)
    for member in (AGENT, CURATOR):
        assert [one.name for one in listed(desk, member)] == ["Claude"]
    assert listed(desk, LEAD) == []
    assert_golden(types(desk, LEAD, "/cadence token revoke claude"), "refused-unseen-token")
    assert [one.revoked_by for one in rows(desk, ApiToken)] == [None]
    assert_golden(types(desk, AGENT, "/cadence token revoke claude"), "revoked-by-command")
    assert [one.revoked_by for one in rows(desk, ApiToken)] == [AGENT]


def test_whoever_can_make_one_only_for_an_assistant_is_offered_nothing_else(desk: BotHarness) -> None:
    offered = {}
    for member in (LEAD, AGENT):
        person = desk.workspace.person(member)
        person.types("/cadence token", channel=DESK_CHANNEL)
        _, element = find_input(person.form().blocks, Field.USE)
        offered[member] = [one["value"] for one in options_of(element)]
    assert offered == {LEAD: [TOOL, ASSISTANT], AGENT: [ASSISTANT]}
    made = person.submits({"name": "Claude"}).view
    assert made is not None
    token = shown(made, TokenShown)
    assert (token.scope, token.write, token.read) == ("", True, True)
    assert_golden(TOKEN.sub("rc_", made.words), "assistants-token")
    assert PATH in made.words


def test_the_form_chooses_the_only_playbook_of_its_owner(desk: BotHarness) -> None:
    person = desk.workspace.person(LEAD)
    person.types("/cadence token", channel=DESK_CHANNEL)
    made = person.submits({"name": "CI", "scopes": ["read"]})
    token = shown(made, TokenShown)
    assert (token.scope, token.write, token.read) == ("Reply", False, True)


def test_the_form_says_what_is_missing(desk: BotHarness) -> None:
    person = desk.workspace.person(LEAD)
    person.types("/cadence token", channel=DESK_CHANNEL)
    missing = person.submits({"name": "CI", "use": "tool", "playbook": None, "scopes": ["read"]})
    assert missing.errors.keys() == {"playbook"}
    assert_golden(missing.errors["playbook"], "refused-without-scope")
    made_token(desk, LEAD, playbook="reply", name="CI")
    person.types("/cadence token", channel=DESK_CHANNEL)
    taken = person.submits({"name": "ci", "use": "tool", "playbook": "reply", "scopes": ["read"]})
    assert_golden(taken.errors["name"], "refused-name-taken")
