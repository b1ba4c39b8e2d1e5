"""Curators' overrides in words: in the digest of their week, and for good in the registry."""

from cadence.mrkdwn import Mrkdwn, mention, say
from storage.queries import playbooks
from storage.tables import Override, OverrideKind
from storage.work import UnitOfWork
from templates.filters import plural


def override_note(uow: UnitOfWork, row: Override) -> Mrkdwn:
    """An override as a sentence of the digest."""
    title = playbooks.by_id(uow, playbook_id=row.playbook_id).title
    passed = row.passed_over
    what = {
        OverrideKind.PUBLISH: say("published {title} before it was ready", title=title),
        OverrideKind.CAPACITY: say("added {title} to a team that already runs two cycles", title=title),
        OverrideKind.FIRST_CYCLES: say(
            "started another first cycle, of {title}, over the limit", title=title
        ),
        OverrideKind.CUTOVER: say("moved {title} to production although something was missing", title=title),
        OverrideKind.WAVE: say(
            "opened wave {number} of {title} before its gate held", number=passed.get("wave", ""), title=title
        ),
        OverrideKind.ACCESS: say(
            "let {team} adopt {title} outside the waves", team=passed.get("team", "a team"), title=title
        ),
    }[row.kind]
    return say("{who} {what}. Reason: {reason}", who=mention(row.member), what=what, reason=row.reason)


def override_line(row: Override) -> Mrkdwn:
    """An override as a line below its playbook."""
    passed = row.passed_over
    team, limit = passed.get("team", "A team"), passed.get("limit", "")
    what = {
        OverrideKind.PUBLISH: say("Published before it was ready"),
        OverrideKind.CAPACITY: say("{team} started it beside {limit} other cycles", team=team, limit=limit),
        OverrideKind.FIRST_CYCLES: say(
            "{team} started it over the limit of {limit}",
            team=team,
            limit=plural(int(limit or 0), "first cycle"),
        ),
        OverrideKind.CUTOVER: say(
            "Moved to production with {count} missing",
            count=plural(len(passed.get("missing", ())), "requirement"),
        ),
        OverrideKind.WAVE: say("Wave {number} opened before its gate held", number=passed.get("wave", "")),
        OverrideKind.ACCESS: say("{team} adopted it outside the waves", team=team),
    }[row.kind]
    return say("{what}, by {who}: “{reason}”", what=what, who=mention(row.member), reason=row.reason)
