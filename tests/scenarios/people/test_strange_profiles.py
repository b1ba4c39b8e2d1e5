"""Slack's data on a person is stored without invisible characters, and without those that PostgreSQL can't
store."""

from bot.rehearsal.harness import BotHarness
from bot.sandbox import payloads
from storage.tables import Member
from tests.scenarios.plays import rows


def test_a_name_with_unstorable_characters_is_kept_without_them(harness: BotHarness) -> None:
    user = {
        "id": "U01LEAD",
        "tz": "Europe/\x00Berlin",
        "profile": {
            "display_name": "Le\x00a\u202e\nLead",
            "status_text": "\x00",
            "status_emoji": ":\x00palm_tree:",
        },
    }
    body = payloads.event_body(harness.workspace, {"type": "user_change", "user": user})
    assert harness.workspace.deliver("events_api", body).status == 200
    (lead,) = [one for one in rows(harness, Member) if one.id == "U01LEAD"]
    assert (lead.name, lead.timezone) == ("Lea Lead", None)
