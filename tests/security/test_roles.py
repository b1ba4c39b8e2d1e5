"""Who can do what (SPEC §8), through every command, button and form. A refusal says who can: read the golden file."""

import json
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass

import pytest
from sqlalchemy.engine.interfaces import DBAPICursor
from sqlmodel import Session, SQLModel, col, select

from bot.ops.commands import BUILT_IN_TEAM
from bot.sandbox.delivery import Kind, encode, signed_headers
from bot.web import dispatch
from cadence.actor import Actor
from cadence.flows.outbox import KINDS
from cadence.mrkdwn import escape
from storage.tables import OutboxMessage, TrailEntry
from storage.work import UnitOfWork
from templates.contexts.answers import Done, Refused
from templates.contexts.base import MessageContext
from templates.contexts.playbooks import ImportForm
from templates.ids import Action, Callback, Field
from templates.render import render
from tests.contexts import assert_golden, is_shown, shown
from tests.fuzz.arena import OTHER_TEAM, Arena, Json, Reply
from tests.harnesses import EXAMPLES

OWNER, MEMBER, NEIGHBOUR, CURATOR, STRANGER = "U01LEAD", "U01AGENT1", "U02AGENT1", "U01CURATOR", "U0STRANGER"
EVERYBODY = frozenset({OWNER, MEMBER, NEIGHBOUR, CURATOR, STRANGER})
TEAM = frozenset({OWNER, MEMBER})
OWNERS = frozenset({OWNER, CURATOR})
CURATORS = frozenset({CURATOR})
WEEK = "2026-03-09"
HERE = "C0NOWHERE"
"""A channel of no team: it is the person that counts."""


def form(callback: Callback, ids: Json | None = None, **values: Json) -> Json:
    """A form as Slack submits it, opened by anybody."""
    blocks = [
        {"type": "input", "block_id": name, "element": {"type": "plain_text_input", "action_id": name}}
        for name in values
    ]
    state = {name: {name: value} for name, value in values.items()}
    return {
        "id": "V1",
        "hash": "1.a",
        "type": "modal",
        "callback_id": callback,
        "private_metadata": json.dumps(ids or {}),
        "blocks": blocks,
        "state": {"values": state},
    }


def text(value: str) -> Json:
    """A text field."""
    return {"value": value}


def option(value: str) -> Json:
    """A menu."""
    return {"selected_option": {"value": value}}


def team_form(slug: str | None = None) -> Json:
    """The form of a team; with a slug, of one that is there."""
    new = {} if slug else {Field.SLUG: text("night-shift")}
    return form(
        Callback.TEAM,
        {"slug": slug} if slug else {},
        **new,
        title=text("Night shift"),
        function=option("support"),
        channel={"selected_channel": "C0NEW"},
        timezone=text("Europe/Berlin"),
        members={"selected_users": [OWNER, MEMBER]},
    )


SETTINGS = form(
    Callback.SETTINGS,
    curators={"selected_users": [CURATOR, MEMBER]},
    timezone=text("Europe/Berlin"),
    rule=option("balanced"),
)
OWN_PLAYBOOK = (EXAMPLES / "support-reply.yaml").read_text().replace("target: 15", "target: 12")
NEW_PLAYBOOK = (EXAMPLES / "inbound-routing.yaml").read_text().replace("U03LEAD", OWNER)
WORKSPACE = (
    (EXAMPLES / "workspace.yaml")
    .read_text()
    .replace("curators: [U01CURATOR, U02CURATOR]", f"curators: [{STRANGER}]")
)


@dataclass(frozen=True)
class Deed:
    """An action, and who can do it."""

    name: str
    do: Callable[[Arena, str], Reply]
    may: frozenset[str]


def typed(command: str, words: str) -> Callable[[Arena, str], Reply]:
    return lambda arena, who: arena.types(who, command, words, HERE)


def pressed(action: Action, value: str) -> Callable[[Arena, str], Reply]:
    return lambda arena, who: arena.presses(who, action, value)


def sent(view: Json) -> Callable[[Arena, str], Reply]:
    return lambda arena, who: arena.submits(who, view)


def token_form(use: str = "tool", **values: Json) -> Json:
    """The form of a new token that can write."""
    return form(
        Callback.TOKEN,
        name=text("Help desk"),
        use=option(use),
        scopes={"selected_options": [{"value": "write"}]},
        **values,
    )


DEEDS = [
    Deed(
        "check in, form",
        sent(form(Callback.CHECKIN, {"a": 1, "w": WEEK, "k": "as-declared"})),
        TEAM,
    ),
    Deed("check in, button", pressed(Action.RAN_AS_DECLARED, f"1:{WEEK}"), TEAM),
    Deed("change a check-in", pressed(Action.CHANGE_CHECKIN, f"1:{WEEK}"), TEAM),
    Deed(
        "report the number, form",
        sent(form(Callback.KPI, {"a": 1, "w": WEEK}, value=text("14m"))),
        TEAM | OWNERS,
    ),
    Deed("report the number, button", pressed(Action.REPORT_KPI, f"1:{WEEK}"), TEAM | OWNERS),
    Deed(
        "log an exception, form",
        sent(form(Callback.EXCEPTION, step=option("1:send"), reason=text("tone"))),
        TEAM | OWNERS,
    ),
    Deed("see the exceptions", pressed(Action.SEE_EXCEPTIONS, "1:draft"), TEAM | OWNERS),
    Deed(
        "start a cycle, command",
        typed("/cadence", "cycle start support-reply 2026-03-16 team=support-amer"),
        OWNERS,
    ),
    Deed(
        "start a cycle, form",
        sent(
            form(
                Callback.CYCLE_START,
                playbook=option("support-reply"),
                team=option("support-amer"),
                date={"selected_date": "2026-03-16"},
            )
        ),
        OWNERS,
    ),
    Deed(
        "open a playbook's draft",
        typed("/cadence", "playbook revise support-reply"),
        OWNERS,
    ),
    Deed("begin a playbook", typed("/cadence", "playbook new"), EVERYBODY),
    Deed("edit a playbook", pressed(Action.EDIT_PLAYBOOK, "support-reply"), OWNERS),
    Deed("edit a part of a playbook", pressed(Action.EDIT_PART, "support-reply:steps:draft"), OWNERS),
    Deed("choose a KPI", pressed(Action.CHOOSE_KPI, "support:0"), EVERYBODY),
    Deed("begin a playbook's draft anew", pressed(Action.START_OVER, "support-reply:"), OWNERS),
    Deed(
        "fill in a part of a playbook",
        sent(
            form(Callback.PLAYBOOK_BASICS, {"slug": "support-reply"}, title=text("Reply"))
            | {"previous_view_id": "V0"}
        ),
        OWNERS,
    ),
    Deed(
        "name somebody else as owner",
        sent(form(Callback.PLAYBOOK_BASICS, title=text("Mine"), owner={"selected_user": "U01AGENT2"})),
        CURATORS,
    ),
    Deed(
        "save the edited playbook",
        sent(form(Callback.PLAYBOOK, {"slug": "support-reply"})),
        OWNERS,
    ),
    Deed(
        "save a playbook's draft",
        sent(form(Callback.IMPORT, {"playbook": "support-reply", "revision": 1}, yaml=text(OWN_PLAYBOOK))),
        OWNERS,
    ),
    Deed("look at a pilot", typed("/cadence", "pilot support-reply"), EVERYBODY),
    Deed("ask for a review", typed("/cadence", "pilot support-reply ask"), OWNERS),
    Deed("ask for a review, button", pressed(Action.ASK_REVIEW, "support-reply"), OWNERS),
    Deed("review a pilot", pressed(Action.REVIEW_PILOT, "support-reply"), CURATORS),
    Deed("approve a pilot", pressed(Action.APPROVE_PILOT, "0:1:support-reply"), CURATORS),
    Deed(
        "send a draft back",
        sent(form(Callback.SEND_BACK_PILOT, {"ref": "0:1:support-reply"}, remark=text("Who owns it?"))),
        CURATORS,
    ),
    Deed("name owners", pressed(Action.NAME_OWNERS, "support-reply"), OWNERS),
    Deed(
        "name owners, form",
        sent(
            form(
                Callback.OWNERS,
                {"slug": "support-reply"},
                **{
                    duty: {"selected_user": OWNER}
                    for duty in ("rules", "updates", "exceptions", "adoption", "training")
                },
            )
        ),
        OWNERS,
    ),
    Deed(
        "ask for the reason to start a first cycle anyway",
        pressed(Action.START_FIRST, "variance-review:support-emea:2026-04-06"),
        CURATORS,
    ),
    Deed(
        "ask for the reason to publish anyway",
        pressed(Action.PUBLISH_ANYWAY, "1:support-reply"),
        CURATORS,
    ),
    Deed(
        "publish anyway",
        sent(
            form(
                Callback.PUBLISH_ANYWAY,
                {"playbook": "support-reply", "revision": 1},
                reason=text("Two more teams start with it on Monday."),
            )
        ),
        CURATORS,
    ),
    Deed(
        "retire a playbook",
        typed("/cadence", "playbook retire support-reply nobody needs it"),
        CURATORS,
    ),
    Deed(
        "retire a playbook, form",
        sent(form(Callback.RETIRE, playbook=option("support-reply"), reason=text("nobody needs it"))),
        CURATORS,
    ),
    Deed("compare versions, form", typed("/cadence", "playbook diff"), EVERYBODY),
    Deed("read the registry", typed("/cadence", "registry"), EVERYBODY),
    Deed("revise a playbook", sent(form(Callback.IMPORT, yaml=text(OWN_PLAYBOOK))), OWNERS),
    Deed(
        "bring in a playbook",
        sent(form(Callback.IMPORT, yaml=text(NEW_PLAYBOOK))),
        OWNERS,
    ),
    Deed("import a workspace file", sent(form(Callback.IMPORT, yaml=text(WORKSPACE))), CURATORS),
    Deed("say what changes, button", pressed(Action.SAY_WHAT_CHANGES, "1:draft"), OWNERS),
    Deed(
        "say what changes, form",
        sent(form(Callback.WATCH_ANSWER, {"a": 1, "s": "draft"}, note=text("Shorter drafts."))),
        OWNERS,
    ),
    Deed("nudge once more", pressed(Action.NUDGE_AGAIN, f"1:{WEEK}"), OWNERS),
    Deed("say they are away, button", pressed(Action.THEY_ARE_AWAY, f"1:{WEEK}"), OWNERS),
    Deed(
        "say they are away, form",
        sent(
            form(
                Callback.AWAY,
                date={"selected_date": "2026-03-12"},
                until={"selected_date": "2026-03-20"},
                members={"selected_users": ["U01AGENT2"]},
            )
        ),
        OWNERS,
    ),
    Deed("say they are away, command", typed("/cadence", "away 2026-03-20 <@U01AGENT2>"), OWNERS),
    Deed("change a team", sent(team_form("support-emea")), TEAM | CURATORS),
    Deed(
        "put others in a team",
        typed("/cadence", "team join support-emea <@U09AGENT1>"),
        TEAM | CURATORS,
    ),
    Deed(
        "take others out of a team",
        typed("/cadence", "team leave support-emea <@U01AGENT2>"),
        TEAM | CURATORS,
    ),
    Deed("approve a promotion to collaborative", pressed(Action.APPROVE_PROMOTION, "2"), OWNERS),
    Deed("approve a promotion to AI-led", pressed(Action.APPROVE_PROMOTION, "1"), CURATORS),
    Deed("decline a promotion, button", pressed(Action.DECLINE_PROMOTION, "1"), OWNERS),
    Deed(
        "decline a promotion, form",
        sent(form(Callback.DECLINE_PROMOTION, {"p": 2}, reason=text("Not yet."))),
        OWNERS,
    ),
    Deed(
        "hand something over",
        sent(form(Callback.HANDOFF, contract=option("1:1:0"), what=text("a refund"))),
        TEAM | OWNERS,
    ),
    Deed("accept a handoff, button", pressed(Action.ACCEPT_HANDOFF, "1"), CURATORS),
    Deed("accept a handoff, command", typed("/cadence", "handoff accept #1"), CURATORS),
    Deed("send a handoff back, button", pressed(Action.FAIL_HANDOFF, "1"), CURATORS),
    Deed(
        "send a handoff back, form",
        sent(form(Callback.HANDOFF_FAIL, {"h": 1}, reason=text("It lacks the invoice."))),
        CURATORS,
    ),
    Deed("be done with a handoff, button", pressed(Action.FINISH_HANDOFF, "1"), CURATORS),
    Deed("be done with a handoff, command", typed("/cadence", "handoff done #1"), CURATORS),
    Deed("withdraw a handoff, button", pressed(Action.WITHDRAW_HANDOFF, "1"), TEAM | OWNERS),
    Deed("withdraw a handoff, command", typed("/cadence", "handoff withdraw #1"), TEAM | OWNERS),
    Deed("settle a failed handoff, button", pressed(Action.SETTLE_HANDOFF, "1"), OWNERS),
    Deed("settle a failed handoff, command", typed("/cadence", "handoff settle #1"), OWNERS),
    Deed("open the settings, command", typed("/cadence", "settings"), CURATORS),
    Deed("open the settings, button", pressed(Action.OPEN_SETTINGS, ""), CURATORS),
    Deed("save the settings", sent(SETTINGS), CURATORS),
    Deed(
        "open a team's settings",
        typed("/cadence", "settings support-reply team=support-emea"),
        OWNERS,
    ),
    Deed(
        "save a team's settings",
        sent(form(Callback.ADOPTION_SETTINGS, {"a": 1}, champion={"selected_user": MEMBER}, hours=text(""))),
        OWNERS,
    ),
    Deed(
        "loosen a team's rule",
        sent(
            form(
                Callback.ADOPTION_SETTINGS,
                {"a": 1},
                champion={"selected_user": MEMBER},
                rule=option("evidence"),
            )
        ),
        CURATORS,
    ),
    Deed("help", typed("/cadence", "help"), EVERYBODY),
    Deed("list the playbooks", typed("/cadence", "playbook list"), EVERYBODY),
    Deed("show a playbook", pressed(Action.SHOW_PLAYBOOK, "support-reply"), EVERYBODY),
    Deed("export a playbook", typed("/cadence", "playbook export support-reply"), EVERYBODY),
    Deed("export records, command", typed("/cadence", "export support-reply"), OWNERS),
    Deed(
        "export records, form",
        sent(form(Callback.EXPORT, playbook=option("support-reply"))),
        OWNERS,
    ),
    Deed("export everything there is", typed("/cadence", "export all"), OWNERS),
    Deed(
        "choose a check-in",
        sent(form(Callback.CHOOSE_CHECKIN, checkin=option(f"1:{WEEK}"))),
        TEAM,
    ),
    Deed("see the members of a team", typed("/cadence", "team members support-emea"), EVERYBODY),
    Deed("see a team's holidays", typed("/cadence", "team holidays support-emea"), EVERYBODY),
    Deed(
        "change a team's holidays",
        typed("/cadence", "team holidays support-emea DE-BY"),
        TEAM | CURATORS,
    ),
    Deed("open the holidays of a team", pressed(Action.TEAM_HOLIDAYS, "support-emea"), EVERYBODY),
    Deed(
        "change a team's holidays, form",
        sent(form(Callback.HOLIDAYS, team=option("support-emea"), country=text("DE-BY"))),
        TEAM | CURATORS,
    ),
    Deed(
        "add a training sample",
        sent(
            form(Callback.ADD_SAMPLE, step=option("1:draft"), text=text("Dear you"), grade=option("accept"))
        ),
        OWNERS,
    ),
    Deed("open the form of a training sample", pressed(Action.ADD_SAMPLE, "support-reply"), OWNERS),
    Deed("see every champion's training", pressed(Action.SHOW_TRAINING, "support-reply"), OWNERS),
    Deed("open the assessment", pressed(Action.ASSESS, "variance-review"), CURATORS),
    Deed("sort the practices", pressed(Action.SORT_PRACTICES, "variance-review"), CURATORS),
    Deed("see the assessment", typed("/cadence", "assess variance-review show"), CURATORS),
    Deed("see the cutover", typed("/cadence", "cutover variance-review"), CURATORS),
    Deed("ask for the cutover", pressed(Action.ASK_CUTOVER, "support-reply"), OWNERS),
    Deed("hold the cutover", pressed(Action.HOLD_CUTOVER, "variance-review"), CURATORS),
    Deed(
        "move to production anyway",
        sent(
            form(Callback.CUTOVER_ANYWAY, {"slug": "variance-review"}, reason=text("The board decided so."))
        ),
        CURATORS,
    ),
    Deed(
        "make a playbook's token",
        sent(token_form(playbook=option("support-reply"))),
        OWNERS,
    ),
    Deed("make a team's token", sent(token_form(team=option("support-emea"))), CURATORS),
    Deed("make a token for one's assistant", sent(token_form("assistant")), EVERYBODY),
    Deed("revoke a token", pressed(Action.REVOKE_TOKEN, "1"), OWNERS),
    Deed(
        "revoke an assistant's token",
        pressed(Action.REVOKE_TOKEN, "2"),
        TEAM - {OWNER} | CURATORS,
    ),
    Deed("see the tokens", typed("/cadence", "token list"), EVERYBODY),
    Deed("train as the champion", pressed(Action.TRAIN, "1"), frozenset({OWNER})),
    Deed("read the lessons", pressed(Action.READ_LESSONS, "1"), frozenset({OWNER})),
    Deed("join a team", typed("/cadence", "team join support-emea"), EVERYBODY),
    Deed("be away oneself", typed("/cadence", "away 2026-03-20"), EVERYBODY),
    Deed("mute", typed("/cadence", "mute"), EVERYBODY),
]


APART = {("say what changes, button", MEMBER), ("loosen a team's rule", OWNER)}
"""Whom another rule refuses than everybody else."""


def words(reply: Reply) -> str:
    """Everything a reply says."""
    return json.dumps([reply.message, reply.views, reply.errors], ensure_ascii=False)


def refusal(arena: Arena, reply: Reply) -> str:
    """The sentence of a refusal: under a field, in the form of an import, else in a message or a form of its own."""
    seen = reply.seen()
    if is_shown(seen, ImportForm):
        [problem] = shown(seen, ImportForm).problems
        return problem.reason
    assert arena.outcomes == ["refused"]
    return "\n".join(reply.errors.values()) or shown(seen, Refused).text


def rows(session: Session) -> dict[str, list[tuple[object, ...]]]:
    """Every row of the database as its driver reads it, but for those that only say that somebody was met."""
    with closing(session.connection().connection.cursor()) as cursor:
        return {name: _rows(cursor, name) for name in TABLES}


TABLES = [name for name in SQLModel.metadata.tables if name not in ("member", "home_change")]


def _rows(cursor: DBAPICursor, table: str) -> list[tuple[object, ...]]:
    cursor.execute(f'SELECT * FROM "{table}"')
    return [row for row in cursor.fetchall() if "profiles-changed" not in row]


@pytest.mark.parametrize("deed", DEEDS, ids=lambda deed: deed.name)
@pytest.mark.parametrize("who", sorted(EVERYBODY))
def test_only_those_who_may_do(arena: Arena, deed: Deed, who: str) -> None:
    with arena.harness.bot.db.read() as session:
        before = rows(session)
    reply = deed.do(arena, who)
    with arena.harness.bot.db.read() as session:
        after = rows(session)
    if who not in deed.may:
        by = f" by {who}" if (deed.name, who) in APART else ""
        assert_golden(refusal(arena, reply), f"refused:{deed.name}{by}")
        assert after == before, "a refusal changes nothing"
    elif arena.outcomes == ["refused"]:
        assert_golden(refusal(arena, reply), f"not-now:{deed.name}")
    else:
        assert arena.outcomes == ["ok"]
        assert not is_shown(reply.seen(), ImportForm) or not shown(reply.seen(), ImportForm).problems


def test_what_a_person_did_is_in_the_trail_with_who_when_and_where_from(arena: Arena) -> None:
    arena.submits(CURATOR, SETTINGS)
    arena.types(MEMBER, "/attest", "as-declared", HERE)
    with arena.harness.bot.db.read() as session:
        done = [row for row in session.exec(select(TrailEntry).order_by(col(TrailEntry.id))) if row.member]
    last = done[-2:]
    assert [(row.member, row.action, row.surface, row.at) for row in last] == [
        (CURATOR, "settings", "form", arena.harness.clock.now()),
        (MEMBER, "check-in", "command", arena.harness.clock.now()),
    ]
    assert {row.workspace_id for row in last} == {BUILT_IN_TEAM}


# --- forged ids -------------------------------------------------------------------------------------------------

FOREIGN = [4, 5, 99, 0]
"""An adoption of another workspace, and ids that aren't there."""


@pytest.mark.parametrize("adoption", FOREIGN)
@pytest.mark.parametrize(
    "deed",
    [
        lambda a: pressed(Action.RAN_AS_DECLARED, f"{a}:{WEEK}"),
        lambda a: pressed(Action.CHANGE_CHECKIN, f"{a}:{WEEK}"),
        lambda a: pressed(Action.REPORT_KPI, f"{a}:{WEEK}"),
        lambda a: pressed(Action.SEE_EXCEPTIONS, f"{a}:draft"),
        lambda a: pressed(Action.SAY_WHAT_CHANGES, f"{a}:draft"),
        lambda a: pressed(Action.WHY, f"{a}:draft"),
        lambda a: pressed(Action.SHOW_MATH, f"{a}:draft"),
        lambda a: pressed(Action.NUDGE_AGAIN, f"{a}:{WEEK}"),
        lambda a: pressed(Action.THEY_ARE_AWAY, f"{a}:{WEEK}"),
        lambda a: sent(form(Callback.CHECKIN, {"a": a, "w": WEEK, "k": "as-declared"})),
        lambda a: sent(form(Callback.CHECKIN_ALL, {"w": WEEK}, **{f"runs:{a}": text("14")})),
        lambda a: sent(form(Callback.KPI, {"a": a, "w": WEEK}, value=text("14m"))),
        lambda a: sent(form(Callback.KPI, {}, adoption=option(str(a)), value=text("14m"))),
        lambda a: sent(form(Callback.EXCEPTION, step=option(f"{a}:send"), reason=text("tone"))),
        lambda a: sent(form(Callback.WATCH_ANSWER, {"a": a, "s": "draft"}, note=text("Shorter."))),
        lambda a: sent(form(Callback.HANDOFF, contract=option(f"{a}:1:0"), what=text("a refund"))),
        lambda a: sent(form(Callback.WHY, step=option(f"{a}:draft"))),
        lambda a: sent(form(Callback.BACK_TO_PLAN, {"a": a, "s": "draft"}, note=text("Shorter."))),
    ],
)
@pytest.mark.parametrize("who", [OWNER, CURATOR])
def test_ids_from_elsewhere_open_nothing(
    arena: Arena, deed: Callable[[int], Callable[[Arena, str], Reply]], adoption: int, who: str
) -> None:
    with arena.harness.bot.db.read() as session:
        before = rows(session)
    reply = deed(adoption)(arena, who)
    assert_golden(refusal(arena, reply), f"from-elsewhere:{'field' if reply.errors else 'message'}")
    with arena.harness.bot.db.read() as session:
        assert rows(session) == before


@pytest.mark.parametrize("slug", ["support-reply", "support-emea"])
def test_a_slug_finds_the_rows_of_ones_own_workspace(arena: Arena, slug: str) -> None:
    title = "SECRET"
    with arena.harness.bot.db.write() as session:
        for table in ("playbook", "team"):
            session.connection().exec_driver_sql(
                f"UPDATE {table} SET title = '{title}' WHERE workspace_id = '{OTHER_TEAM}'"
            )
    replies = [
        arena.presses(CURATOR, Action.SHOW_PLAYBOOK, slug),
        arena.presses(CURATOR, Action.START_CYCLE, slug),
        arena.presses(CURATOR, Action.CREATE_TEAM, slug),
        arena.types(CURATOR, "/cadence", "status", HERE),
        arena.types(CURATOR, "/cadence", "playbook list", HERE),
        arena.types(CURATOR, "/cadence", f"team members {slug}", HERE),
        arena.types(CURATOR, "/cadence", "digest", HERE),
        arena.types(CURATOR, "/cadence", "cycle show support-reply team=support-emea", HERE),
    ]
    assert [reply for reply in replies if title in words(reply)] == []


def test_nobody_can_be_asked_who_has_no_say_here(arena: Arena) -> None:
    reply = arena.presses(MEMBER, Action.ASK_THEM, f"{STRANGER}:send <https://evil.example|me> money")
    assert_golden(refusal(arena, reply), "no-say-here")


def test_the_value_of_a_forged_button_arrives_as_plain_text(arena: Arena) -> None:
    what = "<!channel> <https://evil.example|click>"
    reply = arena.presses(MEMBER, Action.ASK_THEM, f"{OWNER}:{what} {'x' * 500}")
    assert_golden(shown(reply.seen(), Done).text, "asked")
    with arena.harness.bot.db.read() as session:
        sent = session.exec(select(OutboxMessage).where(OutboxMessage.kind == "asked")).one()
    uow = UnitOfWork(arena.harness.bot.db, Actor.system(BUILT_IN_TEAM), sent.due_at)
    made = KINDS[sent.kind].compose(uow, sent)
    assert isinstance(made, MessageContext)
    arrived = render(made).blocks[0]["text"]["text"]
    assert what not in arrived
    assert escape(what) in arrived
    assert len(arrived) < 300


# --- another workspace's requests -------------------------------------------------------------------------------


def _from_elsewhere() -> list[tuple[Kind, Json]]:
    who = {"team": {"id": OTHER_TEAM}, "user": {"id": OWNER, "team_id": OTHER_TEAM}, "trigger_id": "1.1"}
    button = {"type": "button", "action_id": Action.SHOW_PLAYBOOK, "block_id": "b", "value": "support-reply"}
    view = form(Callback.EXCEPTION, step=option("4:send"), reason=text("tone"))
    command = {"team_id": OTHER_TEAM, "user_id": OWNER, "channel_id": "C1", "trigger_id": "1.1"}
    return [
        ("slash_commands", command | {"command": "/cadence", "text": "playbook list"}),
        ("slash_commands", command | {"command": "/exception", "text": "support-reply send tone"}),
        ("interactive", who | {"type": "block_actions", "actions": [button], "channel": {"id": "C1"}}),
        ("interactive", who | {"type": "view_submission", "view": view}),
    ]


@pytest.mark.parametrize(("kind", "body"), _from_elsewhere(), ids=["list", "exception", "button", "form"])
def test_a_signed_request_of_a_workspace_that_is_not_installed_gets_nothing(
    arena: Arena, kind: Kind, body: Json
) -> None:
    """Its rows are there, from an installation before; the token of this one must not speak for it."""
    with arena.harness.bot.db.read() as session:
        before = rows(session)
    sent_body = encode(kind, body)
    headers = signed_headers(kind, sent_body, arena.harness.workspace.app.signing_secret, None)
    status, answer, _ = dispatch(arena.harness.bot.app, sent_body, headers)
    assert status == 200
    assert_golden(answer, "not-installed")
    with arena.harness.bot.db.read() as session:
        assert rows(session) == before
