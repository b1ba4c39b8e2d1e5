"""People's own nudges, and the workspace's settings."""

from typing import Final

from handlers.grammar import commands, read_settings, readers
from handlers.grammar.entries.entry import Entry

ENTRIES: Final = (
    Entry(
        slash="/cadence",
        name="settings",
        usage="[playbook] [team=slug]",
        summary="opens the settings of a team that runs a playbook, or, for curators, the workspace's",
        who="owner",
        examples=("/cadence settings", "/cadence settings support-reply team=support-emea"),
        read=read_settings.settings,
        bare=commands.Settings,
        options=("team",),
    ),
    Entry(
        slash="/cadence",
        name="away",
        usage="<from..until|until|off> [@member]",
        summary="suspends your nudges while you are away",
        who="member",
        examples=("/cadence away 2026-12-20..2027-01-02", "/cadence away until friday", "/cadence away off"),
        read=readers.away,
        bare=commands.Away,
    ),
    Entry(
        slash="/cadence",
        name="snooze",
        usage="hour|tomorrow|friday",
        summary="moves your own check-in",
        who="member",
        examples=("/cadence snooze hour", "/cadence snooze tomorrow"),
        read=readers.snooze,
        bare=commands.Snooze,
    ),
    Entry(
        slash="/cadence",
        name="mute",
        usage="[off]",
        summary="stops reminders, never the check-in itself",
        who="member",
        examples=("/cadence mute", "/cadence mute off"),
        read=readers.mute,
        bare=commands.Mute,
    ),
)
