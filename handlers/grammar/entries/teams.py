"""Teams."""

from typing import Final

from handlers.grammar import commands, read_settings, readers
from handlers.grammar.entries.entry import Entry

ENTRIES: Final = (
    Entry(
        slash="/cadence",
        name="team create",
        usage="[name] [#channel] [@member …]",
        summary="opens the form for a new team",
        who="owner",
        examples=("/cadence team create Support EMEA",),
        read=readers.create_team,
        bare=commands.CreateTeam,
    ),
    Entry(
        slash="/cadence",
        name="team join",
        usage="[team] [@member …]",
        summary="adds you, or the people you mention, to a team",
        who="member",
        examples=("/cadence team join support-emea",),
        read=readers.join_team,
        bare=commands.JoinTeam,
        options=("team",),
    ),
    Entry(
        slash="/cadence",
        name="team leave",
        usage="[team] [@member …]",
        summary="takes you, or the people you mention, out of a team",
        who="member",
        examples=("/cadence team leave support-emea",),
        read=readers.leave_team,
        bare=commands.LeaveTeam,
        options=("team",),
    ),
    Entry(
        slash="/cadence",
        name="team members",
        usage="[team]",
        summary="lists a team's members",
        who="member",
        examples=("/cadence team members support-emea",),
        read=lambda request: commands.TeamMembers(team=request.take_team()),
        bare=commands.TeamMembers,
        options=("team",),
    ),
    Entry(
        slash="/cadence",
        name="team holidays",
        usage="[team] [country]",
        summary="shows the public holidays on which a team isn't nudged, or changes whose they are",
        who="member",
        examples=("/cadence team holidays", "/cadence team holidays support-emea DE-BY"),
        read=read_settings.holidays,
        bare=commands.TeamHolidays,
        options=("team",),
    ),
)
