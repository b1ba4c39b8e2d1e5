"""What a member sees after an action, and how the app's acks become visible."""

import json
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from bot.sandbox.errors import SlackError
from bot.sandbox.kinds import Json
from bot.sandbox.limits import problems_of_message, problems_of_view
from bot.sandbox.messages import Message
from bot.sandbox.views import View, with_ids

if TYPE_CHECKING:
    from bot.sandbox.delivery import AppAnswer
    from bot.sandbox.workspace import Workspace

SLACKBOT = "USLACKBOT"


@dataclass(frozen=True, slots=True)
class Answer:
    """The result of a command, a click or a shortcut, once the app acked it.

    Args:
        status: HTTP status of the ack; 0 if none came in time.
        messages: messages that became visible to the member meanwhile, including changed ones, in that order.
        view: the form now on top, if any.
        failure: why Slack calls it failed: `operation_timeout`, `dispatch_failed`, `invalid_command_response`.
    """

    status: int
    messages: tuple[Message, ...] = ()
    view: View | None = None
    failure: str | None = None

    @property
    def message(self) -> Message | None:
        """The newest of its messages."""
        return self.messages[-1] if self.messages else None

    @property
    def text(self) -> str:
        """The fallback text of that message; empty when nothing was said."""
        return self.message.text if self.message else ""

    @property
    def blocks(self) -> list[Json]:
        """The blocks of that message."""
        return self.message.blocks if self.message else []

    @property
    def words(self) -> str:
        """The text of all its messages."""
        return "\n".join(message.words for message in self.messages)


@dataclass(frozen=True, slots=True)
class SubmitResult:
    """The result of submitting a form.

    Args:
        errors: block ID → the error under the field, from Slack's client or from the app.
        closed: the form is gone.
        view: the form now on top, if any.
        sent: whether the app got it; False if Slack's client refused.
        messages: messages that became visible to the member meanwhile.
        failure: what went wrong between Slack and the app.
    """

    errors: dict[str, str] = field(default_factory=dict)
    closed: bool = False
    view: View | None = None
    sent: bool = True
    messages: tuple[Message, ...] = ()
    failure: str | None = None

    @property
    def words(self) -> str:
        """The text of all its messages."""
        return "\n".join(message.words for message in self.messages)


def show_command_ack(
    workspace: "Workspace", user: str, channel: str, command: str, ack: "AppAnswer"
) -> str | None:
    """Show the body of a slash command's ack; returns why Slack considers the command failed, if so."""
    failure = ack.failure
    body: Json = {}
    if not failure and ack.body.strip():
        body = ack.json or {"text": _plain(ack.body)}
        if problems_of_message(body):
            failure = "invalid_command_response"
    if failure:
        note = f'{command} failed with the error "{failure}"'
        workspace.messages.save(
            Message(channel, workspace.messages.next_ts(), SLACKBOT, text=note, only_to=user)
        )
    elif body:
        say(workspace, channel, body, only_to=None if body.get("response_type") == "in_channel" else user)
    return failure


def _plain(body: str) -> str:
    try:
        return str(json.loads(body))
    except ValueError:
        return body


def say(workspace: "Workspace", channel: str, body: Json, *, only_to: str | None) -> Message:
    """Post as the app, for everybody or for one member; the body is already validated."""
    app = workspace.app
    return workspace.messages.save(
        Message(
            channel,
            workspace.messages.next_ts(),
            app.user,
            app.bot_id,
            text=body.get("text") or "",
            blocks=with_ids(body.get("blocks") or [], workspace.pulse),
            thread_ts=body.get("thread_ts"),
            only_to=only_to,
        )
    )


def respond(workspace: "Workspace", name: str, body: Json) -> Message | None:
    """What an app POSTs to a response URL: a new message, a replaced original, or a deleted one (None)."""
    url = workspace.tickets.use(name)
    original_ts = url.message_ts or url.last_ts
    if original_ts and body.get("delete_original"):
        workspace.messages.remove(workspace.messages.get(url.channel, original_ts))
        return None
    problems = problems_of_message(body)
    if problems:
        raise SlackError("invalid_blocks" if body.get("blocks") else "no_text", problems, status=400)
    if original_ts and body.get("replace_original"):
        old = workspace.messages.get(url.channel, original_ts)
        blocks = with_ids(body.get("blocks") or [], workspace.pulse)
        edited = None if old.ephemeral else workspace.messages.next_ts()
        return workspace.messages.save(
            replace(old, text=body.get("text") or "", blocks=blocks, edited=edited)
        )
    only_to = None if body.get("response_type") == "in_channel" else url.user
    message = say(workspace, url.channel, body, only_to=only_to)
    url.last_ts = message.ts
    return message


def show_submit_ack(workspace: "Workspace", view: View, ack: "AppAnswer") -> SubmitResult:
    """Apply the ack of a `view_submission`: errors, update, push, clear, or just close."""
    if ack.failure:
        return SubmitResult(failure=ack.failure)
    body = ack.json
    match body.get("response_action"):
        case "errors":
            errors = {str(block): str(said) for block, said in (body.get("errors") or {}).items()}
            strangers = sorted(errors.keys() - set(view.fields))
            if strangers or not errors:
                return SubmitResult(
                    errors=errors, failure=f"errors for blocks that aren't inputs: {strangers}"
                )
            return SubmitResult(errors=errors)
        case "update" | "push" as action:
            return _next_view(workspace, view, body.get("view"), push=action == "push")
        case "clear":
            workspace.views.close(view.user, everything=True)
        case None:
            workspace.views.drop(view)
        case other:
            return SubmitResult(failure=f"unknown response_action: {other}")
    return SubmitResult(closed=True)


def _next_view(workspace: "Workspace", view: View, body: object, *, push: bool) -> SubmitResult:
    if not isinstance(body, dict):
        return SubmitResult(failure="the ack holds no view")
    problems = problems_of_view(body)
    if problems:
        return SubmitResult(failure="; ".join(problems))
    try:
        if push:
            workspace.views.push(view.user, body)
        else:
            workspace.views.update(workspace.views.find(view.id), body)
    except SlackError as error:
        return SubmitResult(failure=error.code)
    return SubmitResult()
