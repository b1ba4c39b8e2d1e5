"""Errors of the workspace: for the app as in Slack, for a test in plain words."""

from collections.abc import Sequence

from bot.sandbox.kinds import Json


class SlackError(Exception):
    """An answer `{"ok": false, "error": code}`.

    Args:
        code: Slack's error code, such as `channel_not_found`.
        messages: the reasons, shown in `response_metadata.messages` as Slack does.
        status: the HTTP status, 200 for all but a few.
        retry_after: seconds, for `ratelimited`.
        extra: more keys of the answer, such as `needed` and `provided`.
    """

    def __init__(
        self,
        code: str,
        messages: Sequence[str] = (),
        *,
        status: int = 200,
        retry_after: int | None = None,
        extra: Json | None = None,
    ) -> None:
        super().__init__(code)
        self.code = code
        self.messages = tuple(messages)
        self.status = status
        self.retry_after = retry_after
        self.extra = extra or {}


class CantDo(AssertionError):
    """A member can't do this in Slack's client: there is no such button, option, field or channel to use."""
