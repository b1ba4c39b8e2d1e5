"""Forms and Homes: a stack of at most three forms a member, and one published Home."""

import copy
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from bot.sandbox.clock import SandboxClock
from bot.sandbox.errors import SlackError
from bot.sandbox.kinds import STATEFUL, Json, elements_of, words_of
from bot.sandbox.pulse import Pulse

STACK = 3


@dataclass(frozen=True, slots=True)
class View:
    """The current state of a form (modal) or a Home.

    Args:
        id: `V…`.
        user: who sees it.
        body: what the app sent, block and action IDs filled in.
        hash: changes with every update.
        root: ID of the first form of its stack.
        previous: ID of the form below.
        state: what was filled in by hand: block ID → action ID → value, as in `view.state.values`.
    """

    id: str
    user: str
    body: Json
    hash: str
    root: str
    previous: str | None = None
    state: dict[str, dict[str, Json]] = field(default_factory=dict)

    @property
    def kind(self) -> str:
        """ "modal" or "home"."""
        return str(self.body["type"])

    @property
    def title(self) -> str:
        """The words in its title bar; empty for a Home."""
        return str(self.body.get("title", {}).get("text", ""))

    @property
    def blocks(self) -> list[Json]:
        """Its blocks."""
        return list(self.body["blocks"])

    @property
    def callback_id(self) -> str:
        """The app's name for it."""
        return str(self.body.get("callback_id") or "")

    @property
    def words(self) -> str:
        """All the words a person reads in it, its title and buttons too."""
        bar = [self.body[key]["text"] for key in ("title", "submit", "close") if self.body.get(key)]
        return "\n".join([*bar, words_of(self.blocks)])

    @property
    def fields(self) -> list[str]:
        """The block IDs of its inputs, in order."""
        return [block["block_id"] for block in self.blocks if block["type"] == "input"]

    @property
    def buttons(self) -> list[str]:
        """The labels of the buttons among its blocks, in order."""
        return [
            element["text"]["text"] for _, element in elements_of(self.blocks) if element["type"] == "button"
        ]

    def as_row(self) -> Json:
        """Plain values, for the store."""
        return {key: getattr(self, key) for key in self.__slots__}


class Views:
    """All forms and Homes of a workspace."""

    def __init__(self, clock: SandboxClock, pulse: Pulse) -> None:
        self._clock = clock
        self._pulse = pulse
        self._stacks: dict[str, list[View]] = {}
        self._homes: dict[str, View] = {}

    def stack(self, user: str) -> list[View]:
        """The forms a member has open, the top one last."""
        with self._pulse.lock:
            return list(self._stacks.get(user, []))

    def home(self, user: str) -> View | None:
        """The Home published for a member, if any."""
        with self._pulse.lock:
            return self._homes.get(user)

    def find(self, view_id: str) -> View:
        """A form or Home by its ID; `not_found` if it is closed or never existed."""
        return self._find(lambda view: view.id == view_id)

    def find_external(self, external_id: str) -> View:
        """A form or Home by the ID the app gave it."""
        return self._find(lambda view: view.body.get("external_id") == external_id)

    def open(self, user: str, body: Json) -> View:
        """Show a form; earlier ones are closed."""
        with self._pulse.lock:
            self._stacks[user] = []
            return self._put(user, body)

    def push(self, user: str, body: Json) -> View:
        """Push a form on top of the open one; `push_limit_reached` after three."""
        with self._pulse.lock:
            open_now = self._stacks.get(user, [])
            if not open_now:
                raise SlackError("not_found")
            if len(open_now) >= STACK:
                raise SlackError("push_limit_reached")
            return self._put(user, body)

    def update(self, view: View, body: Json, expected_hash: str | None = None) -> View:
        """Replace a form's contents; values of inputs that stay are kept, as in Slack."""
        with self._pulse.lock:
            if expected_hash and expected_hash != view.hash:
                raise SlackError("hash_conflict")
            filled = self._with_ids(body)
            inputs = {
                (block["block_id"], element.get("action_id")): element["type"]
                for block, element in elements_of(filled["blocks"])
            }
            kept = {
                block: {
                    action: value
                    for action, value in actions.items()
                    if inputs.get((block, action)) == value["type"]
                }
                for block, actions in view.state.items()
            }
            return self.replace(replace(view, body=filled, hash=self._hash(), state=kept))

    def publish(self, user: str, body: Json, expected_hash: str | None = None) -> View:
        """Publish a member's Home."""
        with self._pulse.lock:
            old = self._homes.get(user)
            if old:
                return self.update(old, body, expected_hash)
            view_id = self._pulse.new_id("V")
            return self.replace(View(view_id, user, self._with_ids(body), self._hash(), view_id))

    def fill(self, view: View, block_id: str, action_id: str, value: Json) -> View:
        """Remember what a member put into one input."""
        with self._pulse.lock:
            state = copy.deepcopy(view.state)
            state.setdefault(block_id, {})[action_id] = value
            return self.replace(replace(view, state=state))

    def close(self, user: str, *, everything: bool = False) -> list[View]:
        """Close the top form, or all; returns those closed, the top one first."""
        with self._pulse.lock:
            stack = self._stacks.get(user, [])
            closed = [stack.pop() for _ in range(len(stack) if everything else min(1, len(stack)))]
            self._note_stack(user)
            return closed

    def drop(self, view: View) -> None:
        """Remove one form, wherever it is in its stack; nothing happens if it is already gone."""
        with self._pulse.lock:
            stack = self._stacks.get(view.user, [])
            self._stacks[view.user] = [other for other in stack if other.id != view.id]
            self._note_stack(view.user)

    def replace(self, view: View) -> View:
        """Put a view in the place of the one with its ID."""
        with self._pulse.lock:
            if view.kind == "home":
                self._homes[view.user] = view
                self._pulse.note("home", view.user, view.as_row())
            else:
                stack = self._stacks.get(view.user, [])
                self._stacks[view.user] = [view if old.id == view.id else old for old in stack]
                self._note_stack(view.user)
            return view

    def restore(self, kind: str, user: str, row: Json) -> None:
        """Put back what the store kept."""
        if kind == "home":
            self._homes[user] = View(**row)
        else:
            self._stacks[user] = [View(**view) for view in row["views"]]

    def _find(self, wanted: Callable[[View], bool]) -> View:
        with self._pulse.lock:
            everything = [*self._homes.values(), *(view for stack in self._stacks.values() for view in stack)]
        for view in everything:
            if wanted(view):
                return view
        raise SlackError("not_found")

    def _put(self, user: str, body: Json) -> View:
        stack = self._stacks.setdefault(user, [])
        view_id = self._pulse.new_id("V")
        root = stack[0].id if stack else view_id
        below = stack[-1].id if stack else None
        stack.append(View(view_id, user, self._with_ids(body), self._hash(), root, below))
        self._note_stack(user)
        return stack[-1]

    def _note_stack(self, user: str) -> None:
        self._pulse.note("stack", user, {"views": [view.as_row() for view in self._stacks.get(user, [])]})

    def _hash(self) -> str:
        return f"{int(self._clock.now().timestamp())}.{self._pulse.new_id('h')[1:]}"

    def _with_ids(self, body: Json) -> Json:
        return body | {"blocks": with_ids(body["blocks"], self._pulse)}


def with_ids(blocks: list[Json], pulse: Pulse) -> list[Json]:
    """The blocks with the block and action IDs that Slack fills in where the app left them out."""
    filled = copy.deepcopy(blocks)
    for block in filled:
        block.setdefault("block_id", pulse.new_id("b"))
    for _, element in elements_of(filled):
        element.setdefault("action_id", pulse.new_id("a"))
    return filled


def state_values(blocks: list[Json], filled: dict[str, dict[str, Json]]) -> dict[str, dict[str, Json]]:
    """`state.values` of a form or message: entered values, and the initial values of the rest."""
    values: dict[str, dict[str, Json]] = {}
    for block, element in elements_of(blocks):
        if element["type"] in STATEFUL:
            block_id, action_id = block["block_id"], element["action_id"]
            value = filled.get(block_id, {}).get(action_id) or initial_state(element)
            values.setdefault(block_id, {})[action_id] = value
    return values


_ONE = {
    "static_select": ("selected_option", "initial_option"),
    "external_select": ("selected_option", "initial_option"),
    "radio_buttons": ("selected_option", "initial_option"),
    "users_select": ("selected_user", "initial_user"),
    "conversations_select": ("selected_conversation", "initial_conversation"),
    "channels_select": ("selected_channel", "initial_channel"),
    "datepicker": ("selected_date", "initial_date"),
    "timepicker": ("selected_time", "initial_time"),
    "datetimepicker": ("selected_date_time", "initial_date_time"),
    "rich_text_input": ("rich_text_value", "initial_value"),
}
_MANY = {
    "checkboxes": ("selected_options", "initial_options"),
    "multi_static_select": ("selected_options", "initial_options"),
    "multi_external_select": ("selected_options", "initial_options"),
    "multi_users_select": ("selected_users", "initial_users"),
    "multi_conversations_select": ("selected_conversations", "initial_conversations"),
    "multi_channels_select": ("selected_channels", "initial_channels"),
    "file_input": ("files", "initial_files"),
}


def state_key(kind: str) -> str:
    """The key under which an element's state has its value."""
    return (_ONE.get(kind) or _MANY.get(kind) or ("value", ""))[0]


def takes_many(kind: str) -> bool:
    """Whether an element's value is a list."""
    return kind in _MANY


def initial_state(element: Json) -> Json:
    """The state of an untouched element."""
    kind = element["type"]
    if kind in _MANY:
        key, initial = _MANY[kind]
        return {"type": kind, key: copy.deepcopy(element.get(initial, []))}
    key, initial = _ONE.get(kind, ("value", "initial_value"))
    return {"type": kind, key: copy.deepcopy(element.get(initial))}
