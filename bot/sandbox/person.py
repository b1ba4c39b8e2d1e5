"""A member in Slack's client: types, clicks, fills in, reads. Used by tests, rehearsals and the page."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from bot.sandbox import payloads
from bot.sandbox.answers import Answer, SubmitResult, show_command_ack, show_submit_ack
from bot.sandbox.errors import CantDo, SlackError
from bot.sandbox.forms import find_input, find_option, refused_fields, state_of
from bot.sandbox.kinds import STATEFUL, Json, elements_of
from bot.sandbox.messages import Message
from bot.sandbox.onlooker import Onlooker
from bot.sandbox.views import View, state_values

Target = Message | View
"""What can be clicked on: a message, a form or a Home, as it was when it was last looked at."""


class Person(Onlooker):
    """One member. Everything that can't be done in Slack's client raises `CantDo`, an AssertionError.

    Args:
        workspace: where they are.
        user_id: who they are.
    """

    def types(self, command: str, text: str = "", *, channel: str | None = None) -> Answer:
        """Type a slash command in a channel, or in the DM with the bot when none is given.

        `types("/kpi", "support-reply 14m")` and `types("/kpi support-reply 14m")` are the same. `@name` and
        `#name` become mentions.
        """
        word, _, rest = command.partition(" ")
        if not word.startswith("/"):
            raise CantDo(f"`{command}` isn't a slash command")
        if self._workspace.commands and word not in self._workspace.commands:
            raise CantDo(f"{word} is not a valid command. Type / to see the commands.")
        room = self._room(channel) if channel else self.dm_channel
        mark = self._workspace.messages.mark()
        body = payloads.slash_command(self._workspace, self.user, room, word, text or rest)
        ack = self._workspace.deliver("slash_commands", body)
        failure = show_command_ack(self._workspace, self.id, room.id, word, ack)
        return self._answer(ack.status, failure, mark)

    def clicks(
        self,
        target: Target,
        label: str | None = None,
        *,
        action_id: str | None = None,
        value: str | None = None,
        block_id: str | None = None,
        stale: bool = False,
    ) -> Answer:
        """Press the one button that fits the label, action ID and value given.

        Args:
            target: the message, form or Home; it is looked at again first.
            label: the button's words.
            action_id: its action ID.
            value: its value.
            block_id: of its block.
            stale: press it on the earlier version of the message, as a double click faster than an update
                does.
        """
        now = target if stale else self._again(target)
        buttons = [
            (block, element) for block, element in elements_of(now.blocks) if element["type"] == "button"
        ]
        wanted = [
            (block, element)
            for block, element in buttons
            if label in (None, element["text"]["text"])
            and block_id in (None, block["block_id"])
            and action_id in (None, element["action_id"])
            and value in (None, element.get("value"))
        ]
        if len(wanted) != 1:
            there = ", ".join(
                f"[{b['text']['text']}] {b['action_id']}={b.get('value', '')}" for _, b in buttons
            )
            how_many = "several buttons fit" if wanted else "there is no button"
            raise CantDo(f"{how_many} {label or action_id or value!r}; the buttons are: {there or 'none'}")
        block, element = wanted[0]
        shown: Json = {key: element[key] for key in ("text", "value", "style", "url") if key in element}
        return self._act(now, block, element, shown)

    def chooses(
        self, target: Target, action_id: str, value: Any, *, block_id: str | None = None, stale: bool = False
    ) -> Answer:
        """Choose in a menu, overflow menu, radio buttons, checkboxes or picker of a message or Home.

        Args:
            target: the message, form or Home.
            action_id: of the menu (or its block ID).
            value: an option's value or label, a member's ID, a date; a list where several can be chosen.
            block_id: of its block, if the same action ID is used in several.
            stale: choose on the earlier version of the message.
        """
        now = target if stale else self._again(target)
        blocks = [block for block in now.blocks if block_id in (None, block["block_id"])]
        for block, element in elements_of(blocks):
            if element["type"] == "overflow" and action_id in (element["action_id"], block["block_id"]):
                return self._act(now, block, element, {"selected_option": find_option(element, value)})
        block, element = find_input(blocks, action_id)
        state = state_of(element, value)
        now = self._remember(now, block, element, state)
        return self._act(now, block, element, {key: part for key, part in state.items() if key != "type"})

    def shortcut(self, callback_id: str, message: Message | None = None) -> Answer:
        """Use a global shortcut, or a message shortcut on a message."""
        mark = self._workspace.messages.mark()
        again = self._current(message) if message else None
        body = payloads.shortcut(self._workspace, self.user, callback_id, again)
        ack = self._workspace.deliver("interactive", body)
        return self._answer(ack.status, ack.failure, mark)

    def says(self, text: str, channel: str, *, thread_ts: str | None = None) -> Message:
        """Write an ordinary message; the app is notified of one in its DM."""
        room = self._room(channel)
        if self.id not in room.members or room.archived:
            raise CantDo(f"{self.user.shown} can't write in this channel")
        ts = self._workspace.messages.next_ts()
        said = self._workspace.messages.save(Message(room.id, ts, self.id, text=text, thread_ts=thread_ts))
        if room.kind == "im":
            event = payloads.show_message(self._workspace, said) | {"channel": room.id, "channel_type": "im"}
            self._workspace.emit(event)
        return said

    def opens_home(self) -> View:
        """Open the bot's Home tab and return it; CantDo if the app published none."""
        self._opens_tab("home")
        return self.home()

    def opens_messages(self) -> list[Message]:
        """Open the bot's Messages tab: the app gets the event, and the DM is shown."""
        self._opens_tab("messages")
        return self.dm()

    def _opens_tab(self, tab: str) -> None:
        """Both tabs send `app_home_opened`; the view is included for the Home only, once there is one."""
        event: Json = {"type": "app_home_opened", "user": self.id, "channel": self.dm_channel.id, "tab": tab}
        published = self._workspace.views.home(self.id)
        if published and tab == "home":
            event["view"] = payloads.show_view(self._workspace, published)
        self._workspace.emit(event)

    # --- forms ----------------------------------------------------------------------------------------------

    def fills(self, view: View, values: Mapping[str, Any]) -> "Person":
        """Put values into the fields of a form, by block ID; see `forms.state_of` for their format.

        A field with `dispatch_action` notifies the app at once when its value changes, as in Slack; the form
        may change meanwhile.
        """
        for name, value in values.items():
            now = self._workspace.views.find(view.id)
            block, element = find_input(now.blocks, name)
            state = state_of(element, value)
            before = state_values(now.blocks, now.state)[block["block_id"]][element["action_id"]]
            now = self._workspace.views.fill(now, block["block_id"], element["action_id"], state)
            if block.get("dispatch_action") and state != before:
                self._act(now, block, element, {key: part for key, part in state.items() if key != "type"})
        return self

    def submits(self, values: Mapping[str, Any] | None = None) -> SubmitResult:
        """Press the submit button of the form on top, after filling in `values`."""
        view = self.form()
        if values:
            self.fills(view, values)
            view = self._workspace.views.find(view.id)
        if not view.body.get("submit") or view.body.get("submit_disabled"):
            raise CantDo(f"the form `{view.title}` has no submit button to press")
        refused = refused_fields(view)
        if refused:
            return SubmitResult(errors=refused, view=view, sent=False)
        mark = self._workspace.messages.mark()
        ack = self._workspace.deliver(
            "interactive", payloads.view_submission(self._workspace, self.user, view)
        )
        result = show_submit_ack(self._workspace, view, ack)
        return replace(result, view=self.view(), messages=self._seen_since(mark))

    def closes(self) -> View | None:
        """Close the form on top with its close button; returns the form that shows then."""
        top = self.form()
        clear = bool(top.body.get("clear_on_close"))
        for view in self._workspace.views.close(self.id, everything=clear):
            if view.body.get("notify_on_close"):
                body = payloads.view_closed(self._workspace, self.user, view, cleared=clear)
                self._workspace.deliver("interactive", body)
        return self.view()

    # --- how ------------------------------------------------------------------------------------------------

    def _act(self, target: Target, block: Json, element: Json, chosen: Json) -> Answer:
        mark = self._workspace.messages.mark()
        action = {
            "type": element["type"],
            "action_id": element["action_id"],
            "block_id": block["block_id"],
        } | chosen
        if isinstance(target, View):
            body = payloads.view_action(self._workspace, self.user, target, action)
        else:
            choices = self._workspace.choices.get((self.id, target.channel, target.ts), {})
            body = payloads.message_action(self._workspace, self.user, target, action, choices)
        ack = self._workspace.deliver("interactive", body)
        return self._answer(ack.status, ack.failure, mark)

    def _remember(self, target: Target, block: Json, element: Json, state: Json) -> Target:
        if element["type"] not in STATEFUL:
            return target
        if isinstance(target, View):
            return self._workspace.views.fill(target, block["block_id"], element["action_id"], state)
        choices = self._workspace.choices.setdefault((self.id, target.channel, target.ts), {})
        choices.setdefault(block["block_id"], {})[element["action_id"]] = state
        return target

    def _again(self, target: Target) -> Target:
        try:
            return (
                self._workspace.views.find(target.id) if isinstance(target, View) else self._current(target)
            )
        except SlackError as error:
            raise CantDo(f"it is gone: {error.code}") from error

    def _current(self, message: Message) -> Message:
        self._room(message.channel)
        found = self._workspace.messages.get(message.channel, message.ts)
        if found.only_to not in (None, self.id):
            raise CantDo(f"{self.user.shown} doesn't see this message")
        return found

    def _answer(self, status: int, failure: str | None, mark: int) -> Answer:
        return Answer(status, self._seen_since(mark), self.view(), failure)

    def _seen_since(self, mark: int) -> tuple[Message, ...]:
        return tuple(
            message
            for message in self._workspace.messages.since(mark)
            if message.only_to in (None, self.id)
            and self.id in self._workspace.channel(message.channel).members
        )
