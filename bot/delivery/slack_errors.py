"""Slack's errors in one table: what each means for a message, and what a person must do about it.

Sources: the `errors` of each method in Slack's API reference (in the built-in workspace's `methods.json`),
and the errors of every method. Unknown errors count as permanent: nothing is repeated on a guess.
"""

from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """What happens to the message."""

    BUSY = "busy"
    """Rate limited: nothing was posted; the method isn't called in the workspace for as long as Slack
    says."""
    UNCLEAR = "unclear"
    """An error of Slack's: the message may have been posted. The next attempt looks for it first."""
    FIXABLE = "fixable"
    """A person can fix it: retried every hour while the message is useful."""
    PERMANENT = "permanent"
    """Slack will never accept this call: the message has failed."""
    DONE = "done"
    """Nothing is left to do: the message to change doesn't exist any more."""


@dataclass(frozen=True, slots=True)
class Known:
    """A row of the table. `remedy` is a sentence for a person; empty if nobody has to do anything."""

    kind: Kind
    remedy: str = ""


INVITE = "Invite the bot: type /invite and its name in the channel."
_COPY = "Copy the bot token again from the app's page, “OAuth & Permissions”, into SLACK_BOT_TOKEN."
_INSTALL = "Install the app in the workspace again, then put the new token into SLACK_BOT_TOKEN."
_GRANT = (
    "`cadence doctor` names the scopes: add them under “OAuth & Permissions”, then install the app again."
)
_ALLOW = "Ask an admin of the workspace to approve the app."
RESTRICTED = "Ask an admin to let the bot post in that channel, or give the team another one."
GONE = "Give the team another channel: this one is archived."
_PERSON = "This person can't get DMs. They may have left: remove them from the team."
_BOT = "This is a bug in the bot. Please report it with its code."


def _rows(kind: Kind, remedy: str, codes: str) -> dict[str, Known]:
    return dict.fromkeys(codes.split(), Known(kind, remedy))


ERRORS: dict[str, Known] = (
    _rows(Kind.BUSY, "", "ratelimited rate_limited message_limit_exceeded")
    | _rows(
        Kind.UNCLEAR,
        "",
        """internal_error fatal_error service_unavailable request_timeout team_added_to_org update_failed
        external_channel_migrating streaming_state_conflict file_update_failed""",
    )
    | _rows(Kind.FIXABLE, INVITE, "channel_not_found not_in_channel channel_is_limited_access")
    | _rows(Kind.FIXABLE, _COPY, "invalid_auth not_authed")
    | _rows(Kind.FIXABLE, _INSTALL, "account_inactive token_revoked token_expired")
    | _rows(Kind.FIXABLE, _GRANT, "missing_scope")
    | _rows(
        Kind.FIXABLE,
        _ALLOW,
        "no_permission access_denied team_access_not_granted app_access_restricted ekm_access_denied",
    )
    | _rows(
        Kind.FIXABLE,
        "Turn on the Messages tab on the app's page, under “App Home”.",
        "messages_tab_disabled",
    )
    | _rows(
        Kind.FIXABLE,
        RESTRICTED,
        """restricted_action restricted_action_non_threadable_channel restricted_action_read_only_channel
        restricted_action_thread_locked restricted_action_thread_only_channel posting_to_channel_denied""",
    )
    | _rows(Kind.PERMANENT, GONE, "is_archived is_inactive")
    | _rows(Kind.PERMANENT, _PERSON, "user_disabled user_not_found user_not_visible")
    | _rows(Kind.PERMANENT, "Set SLACK_BOT_TOKEN to the token of the right workspace.", "team_not_found")
    | _rows(
        Kind.DONE,
        "",
        """message_not_found edit_window_closed cant_update_message block_mismatch file_deleted file_is_deleted
        file_not_found""",
    )
    | _rows(
        Kind.PERMANENT,
        _BOT,
        """as_user_not_supported attachment_payload_limit_exceeded blocked_file_type cannot_reply_to_message
        cant_broadcast_message draft_already_deleted draft_already_sent draft_has_conflict draft_not_found
        duplicate_channel_not_found duplicate_message_not_found file_share_limit_reached invalid_arguments
        invalid_attachments invalid_blocks invalid_blocks_format invalid_cursor invalid_metadata_filter_keys
        invalid_metadata_format invalid_metadata_schema invalid_ts_latest invalid_ts_oldest
        invalid_user_combination limit_required markdown_text_conflict max_file_sharing_exceeded
        metadata_must_be_sent_from_app metadata_too_large method_not_supported_for_channel_type
        missing_argument missing_file_data msg_blocks_too_long msg_too_long no_dual_broadcast_content_update
        no_text not_enough_users send_on_behalf_not_allowed slack_connect_blocked_file_type
        slack_connect_canvas_sharing_blocked slack_connect_clip_sharing_blocked
        slack_connect_file_link_sharing_blocked slack_connect_file_upload_sharing_blocked
        slack_connect_lists_sharing_blocked too_many_attachments too_many_contact_cards too_many_users
        unable_to_share_files unknown_method users_list_not_supplied""",
    )
)


def known(code: str) -> Known:
    """The meaning of an error; unknown ones are permanent, and Slack's reference explains them."""
    return ERRORS.get(code, Known(Kind.PERMANENT))


def codes(kind: Kind) -> frozenset[str]:
    """The errors of a kind."""
    return frozenset(code for code, row in ERRORS.items() if row.kind is kind)
