"""The parts of Slack's data on a person that the bot uses."""

from collections.abc import Iterable
from typing import Any

from cadence.flows.people import Profile, Status
from cadence.typed import one_line


def member_profile(user: dict[str, Any]) -> Profile:
    """The used parts of Slack's user object; a server may have fewer."""
    details = user.get("profile") or {}
    name = (
        details.get("display_name") or user.get("real_name") or details.get("real_name") or user.get("name")
    )
    return Profile(
        member=str(user["id"]),
        name=one_line(str(name or "")) or str(user["id"]),
        timezone=user.get("tz") or None,
        is_admin=bool(user.get("is_admin") or user.get("is_owner")),
        is_bot=bool(user.get("is_bot")) or user.get("id") == "USLACKBOT",
        is_guest=bool(user.get("is_restricted") or user.get("is_ultra_restricted")),
        is_stranger=bool(user.get("is_stranger")),
        homes=_homes(user),
        deleted=bool(user.get("deleted")),
        status=_status(details),
    )


def _homes(user: dict[str, Any]) -> frozenset[str]:
    """The workspaces a person belongs to, empty if the server doesn't say; several in an organization."""
    across = user.get("enterprise_user")
    teams = across.get("teams") if isinstance(across, dict) else None
    found = [user.get("team_id"), *(teams if isinstance(teams, list) else ())]
    return frozenset(one for one in found if isinstance(one, str) and one)


def _status(details: dict[str, Any]) -> Status:
    expires = details.get("status_expiration")
    return Status(
        text=one_line(str(details.get("status_text") or "")),
        emoji=one_line(str(details.get("status_emoji") or "")),
        expires=expires if isinstance(expires, int) else 0,
    )


def pick(profiles: Iterable[Profile], wanted: set[str]) -> list[Profile]:
    """Those of some people that the bot deals with."""
    return [profile for profile in profiles if profile.member in wanted]
