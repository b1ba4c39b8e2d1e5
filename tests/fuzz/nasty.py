"""Texts, values, ids and mutated forms that people, clients and scripts might send."""

import copy
import json
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

from handlers.commands import COMMANDS
from templates.ids import Field
from tests.fuzz.arena import PEOPLE

Json = dict[str, Any]

EXAMPLES = {
    name: [one.partition(" ")[2] for entry in COMMANDS if entry.slash == name for one in entry.examples]
    for name in ("/kpi", "/attest", "/exception", "/cadence")
}
MARKUP = (
    "<!channel>",
    "<!here|here>",
    "<@U01AGENT2>",
    "<@U01AGENT2|agent>",
    "<#C02SUPAPAC|support-apac>",
    "<https://evil.example|click>",
    "@here",
    "@channel",
    "&lt;!channel&gt;",
    "&amp;lt;",
    "*bold*",
    "`code",
    "```",
    "> quote",
    "{{ 7*7 }}",
    "{{ self }}",
    "%s%n",
    "'; DROP TABLE ledger; --",
    "\u202eabc",
    "\x00",
    "\n\n",
    "\u2028",
    "💥" * 30,
    "w" * 1_000,
    "é" * 3_000,
)
NUMBERS = (
    "0",
    "-1",
    "14",
    "1e3",
    "12.5",
    "1,234.5",
    "92%",
    "1h30m",
    "4.6/5",
    "9" * 30,
    "nan",
    "inf",
    "٣",
    "²",
    "½",
)
DAYS = (
    "2026-03-02",
    "2026-03-09",
    "2026-03-16",
    "0001-01-01",
    "9999-12-31",
    "2026-02-30",
    "2026-W11-1",
    "tomorrow",
)
IDS = ("1", "2", "3", "4", "99", "0", "-1", "²", "9" * 30, "1e3", "", "x")
"""Adoptions: 1 and 2 run support-reply, 3 variance-review; 4 belongs to another workspace; 99 isn't there."""
STEPS = ("draft", "send", "sned", "", "a:b", "*")
WORDS = (
    *(
        "support-reply",
        "variance-review",
        "suport",
        "draft",
        "send",
        "drifted",
        "as-declared",
        "not-run",
        "help",
    ),
    *(
        "critical",
        "week=2",
        "week=9",
        "runs=14",
        "runs=-1",
        "team=support-emea",
        "draft=human-led",
        "send=robot",
    ),
    *(
        "link=https://x.example/1",
        "status",
        "why",
        "cycle",
        "start",
        "show",
        "team",
        "join",
        "leave",
        "away",
        "off",
    ),
    *("until", "next", "monday", "friday", "snooze", "playbook", "export", "settings", "=", "..", "—", "”"),
)

nasty_text = st.one_of(
    st.sampled_from((*MARKUP, *NUMBERS, *WORDS)),
    st.text(max_size=40),
    st.lists(st.sampled_from((*MARKUP, *WORDS)), max_size=6).map(" ".join),
)


@st.composite
def command_texts(draw: st.DrawFn, name: str) -> str:
    """An example of the command's help with words lost, doubled, moved and put in; or words; or anything."""
    kind = draw(st.integers(0, 9))
    if kind == 0:
        return draw(st.text(max_size=120))
    if kind <= 3:
        return " ".join(draw(st.lists(st.sampled_from((*WORDS, *NUMBERS, *DAYS, *MARKUP)), max_size=8)))
    words = draw(st.sampled_from(EXAMPLES[name])).split()
    for _ in range(draw(st.integers(0, 3))):
        at = draw(st.integers(0, len(words)))
        match draw(st.integers(0, 3)):
            case 0:
                del words[at : at + 1]
            case 1:
                words[at:at] = words[at : at + 1]
            case 2:
                words.insert(at, draw(st.sampled_from((*WORDS, *NUMBERS, *DAYS, *MARKUP))))
            case _:
                words[at : at + 1] = [draw(st.text(max_size=12))]
    return draw(st.sampled_from((" ", "  ", "\n"))).join(words)


def button_values(known: list[str]) -> st.SearchStrategy[str]:
    """Values that buttons really carried, ids put together anew, and garbage."""
    made = st.tuples(st.sampled_from(IDS), st.sampled_from((*STEPS, *DAYS))).map(":".join)
    return st.one_of(
        st.sampled_from(known) if known else made, made, st.sampled_from((*IDS, *DAYS)), nasty_text
    )


def _single(kind: str, options: list[str], draw: st.DrawFn) -> Any:
    """A value for one input, of the right shape mostly."""
    if draw(st.integers(0, 19)) == 0:
        return draw(st.sampled_from((None, 7, True, [], {}, "x", ["x"], {"value": None}, {"value": 3})))
    match kind:
        case "static_select" | "radio_buttons":
            return {"value": draw(st.sampled_from((*options, *IDS, *STEPS, "1:send", "4:send", "1:²")))}
        case "checkboxes" | "multi_static_select":
            return [{"value": one} for one in draw(st.lists(st.sampled_from((*options, "x")), max_size=2))]
        case "users_select":
            return draw(st.sampled_from(("U01LEAD", "U01AGENT1", "U0NOBODY", "<!channel>", "C1", "")))
        case "multi_users_select":
            return draw(
                st.lists(st.sampled_from(("U01LEAD", "U01AGENT1", "U0NOBODY", "<!here>", "")), max_size=3)
            )
        case "channels_select" | "conversations_select":
            return draw(st.sampled_from(("C01SUPEMEA", "C01CURATORS", "C0NEW", "<!here>", "")))
        case "datepicker":
            return draw(st.sampled_from(DAYS))
        case _:
            return draw(st.one_of(st.sampled_from(NUMBERS), nasty_text))


_KEYS = {
    "static_select": "selected_option",
    "radio_buttons": "selected_option",
    "checkboxes": "selected_options",
    "multi_static_select": "selected_options",
    "users_select": "selected_user",
    "multi_users_select": "selected_users",
    "channels_select": "selected_channel",
    "conversations_select": "selected_conversation",
    "datepicker": "selected_date",
}


def _options(element: Json) -> list[str]:
    groups = element.get("option_groups") or [{"options": element.get("options") or []}]
    return [option["value"] for group in groups for option in group["options"]]


SOUND: dict[str, Any] = {
    Field.RUNS: "14",
    Field.VALUE: "14m",
    Field.SAMPLES: "20",
    Field.PASSES: "19",
    Field.RISKY: "1",
    Field.INPUTS: "10",
    Field.ITEMS: [{"value": "0"}],
    Field.NOTE: "A quiet week.",
    Field.MANUAL_WORK: "Copying numbers.",
    Field.CHANGED_FOR_AI: "Shorter tickets.",
    Field.LOCAL_KNOWLEDGE: "The refund rules.",
    Field.FEEDBACK: "The Friday review.",
    Field.PRACTICES: "Read it twice",
    Field.TEXT: "Dear customer, your refund is on its way.",
    Field.REASON: "policy adherence was off",
    Field.WHAT: "refund for case 4711",
    Field.VERSION: "draft",
    Field.LINK: "https://sandbox.slack.com/archives/C01/p1",
    Field.TITLE: "Night Shift",
    Field.SLUG: "night-shift",
    Field.CHANNEL: "C0NEW",
    Field.TIMEZONE: "Europe/Berlin",
    Field.COUNTRY: "DE",
    Field.FUNCTION: {"value": "support"},
    Field.REPORTER: "U01LEAD",
    Field.MEMBERS: ["U01LEAD", "U01AGENT1"],
    Field.PLAYBOOK: {"value": "support-reply"},
    Field.NAME: "Time to reply",
    Field.REMARK: "Who owns the exception queue?",
    Field.USE: {"value": "assistant"},
    Field.SCOPES: [{"value": "write"}],
    Field.TEAM: {"value": "support-amer"},
    Field.TEAMS: [{"value": "billing"}, {"value": "payments-uk"}],
    Field.DATE: "2026-03-16",
    Field.UNTIL: "2026-03-20",
    Field.YAML: (Path(__file__).parents[2] / "examples" / "inbound-routing.yaml")
    .read_text()
    .replace("U03LEAD", "U01LEAD"),
}
"""The value of a careful person for a field."""
_ROWS = (f"{Field.RUNS}:", f"{Field.VALUE}:")


def _sound(block: Json) -> Any:
    element, name = block["element"], block["block_id"]
    if name in SOUND:
        return SOUND[name]
    started = [value for key, value in element.items() if key.startswith("initial_")]
    if started:
        return started[0]
    if element["type"] in ("checkboxes", "multi_static_select"):
        return []
    options = _options(element)
    return (
        {"value": options[0]}
        if options
        else SOUND.get(name.partition(":")[0] if name.startswith(_ROWS) else "")
    )


def carefully(view: Json) -> Json:
    """The state of a form that a careful person filled in."""
    return {
        block["block_id"]: {
            block["element"]["action_id"]: {
                "type": block["element"]["type"],
                _KEYS.get(block["element"]["type"], "value"): _sound(block),
            }
        }
        for block in view["blocks"]
        if block.get("type") == "input"
    }


@st.composite
def filled_forms(draw: st.DrawFn, opened: list[tuple[str, Json]]) -> tuple[str, Json]:
    """Submissions of the forms as the bot opened them: filled in carefully except for a few fields, or
    none."""
    member, view = draw(st.sampled_from(opened))
    view = copy.deepcopy(view)
    inputs = [block for block in view["blocks"] if block.get("type") == "input"]
    spoilt = draw(st.sets(st.integers(0, len(inputs) - 1), max_size=3)) if inputs else set()
    values: dict[str, Json] = {}
    for at, block in enumerate(inputs):
        element = block["element"]
        key = _KEYS.get(element["type"], "value")
        given = _single(element["type"], _options(element), draw) if at in spoilt else _sound(block)
        if at not in spoilt or draw(st.integers(0, 5)):
            values[block["block_id"]] = {element["action_id"]: {"type": element["type"], key: given}}
    if draw(st.integers(0, 14)) == 0:
        stray = draw(
            st.sampled_from((*[one.value for one in Field], "mode:x", "runs:4", "runs:²", "value:99", "z"))
        )
        values[stray] = {
            stray: draw(st.sampled_from(({"value": "7"}, {"selected_option": {"value": "1"}}, {}, None)))
        }
    if draw(st.integers(0, 7)) == 0:
        view["private_metadata"] = draw(_METADATA)
    view |= {"id": f"V{draw(st.integers(0, 9))}", "hash": draw(st.sampled_from(("1.a", "1.b")))}
    return draw(st.sampled_from((member, member, *PEOPLE))), view | {"state": {"values": values}}


_VALUE: st.SearchStrategy[Any] = st.one_of(
    st.sampled_from((*IDS, *DAYS, *STEPS, 1, 2, 4, 99, -1, 10**30, None, True, [], {})), nasty_text
)
_METADATA = st.one_of(
    st.dictionaries(st.sampled_from(("a", "w", "k", "s", "slug")), _VALUE, max_size=4).map(json.dumps),
    st.sampled_from(("", "{", "[]", "7", "null", '"x"', '{"a": {"a": 1}}', "\x00")),
)
