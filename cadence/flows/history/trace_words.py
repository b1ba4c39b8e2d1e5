"""The contents of a trail entry in words."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

from cadence.mrkdwn import Mrkdwn, escape, mention, say
from cadence.rules.drift import DriftEvent
from cadence.rules.modes import WORDS
from cadence.rules.percent import percent_of
from templates import filters
from templates.contexts.pilots import DUTY_WORDS

_MODES: Final = frozenset(WORDS)
_NEVER_SHOWN: Final = frozenset(
    {
        *("id", "lesson", "adoption", "cycle", "setup", "handoff", "seed"),
        *("after_exception", "after_check_in", "after_measured"),
    }
)
"""Ids and the like: stored for judging again, not for display."""


def mode_word(mode: str) -> str:
    """A mode in words; anything else unchanged."""
    return filters.mode(mode) if mode in _MODES else mode


def plain(value: Any) -> str:
    """Any stored value in words: `rule strict, time zone UTC`. Empty values are left out."""
    match value:
        case None | False:
            return ""
        case True:
            return "yes"
        case dict():
            told = {str(name): plain(one) for name, one in value.items() if name not in _NEVER_SHOWN}
            return ", ".join(f"{_named(name)} {one}" for name, one in told.items() if one)
        case list():
            return ", ".join(filter(None, map(plain, value)))
        case float():
            return f"{value:g}"
    text = str(value)
    if text in _MODES:
        return mode_word(text)
    return _day(text) or text


def _named(name: str) -> str:
    return {"timezone": "time zone"}.get(name, name.replace("_", " "))


def _day(text: str) -> str:
    if len(text) != len("2026-03-02"):
        return ""
    try:
        return filters.day(text)
    except ValueError:
        return ""


_ATTESTED: Final = {"as-declared": "as planned", "drifted": "something changed", "not-run": "didn't run it"}
_DECISIONS: Final = {"hold": "within the cap", "watch": "over the cap", "demote": "demoted"}
_PROMOTIONS: Final = {
    "propose": "ready for promotion",
    "hold": "not ready yet",
    "insufficient": "not enough samples yet",
}
_RESULTS: Final = {"met": "target met", "not met": "target not met", "insufficient": "not enough data"}
_COURSES: Final = {
    "deepening": "deepening",
    "decaying": "fading",
    "plateau": "on a plateau",
    "steady": "steady",
    "insufficient": "too early to tell",
}
LINE_WORDS: Final = {
    "critical": "for a critical exception",
    "evidence": "on evidence",
    "cap": "still over the cap at cycle close",
}
"""Why a step was demoted, by the line of the rule."""
_CAUSES: Final = {
    "check-in": "after an answer",
    "close": "when the cycle closed",
    "exception": "after an exception",
    "undo": "after an exception was undone",
    "runs": "after a tool counted runs",
    "member": "after days away changed",
    "mode-change": "after who leads the step changed",
    "week": "when the week began",
}


@dataclass(frozen=True, slots=True)
class Words:
    """What is needed to describe an entry.

    Args:
        zone: the reader's.
        unit: of the entry's number, if it has one.
        steps: titles by key.
        team: a team's title by its id.
    """

    zone: ZoneInfo
    unit: str | None = None
    steps: Mapping[str, str] = field(default_factory=dict)
    team: Callable[[int], str] = str


Told = Callable[[Any, Words], str]


def _joined(*parts: str | None) -> Mrkdwn:
    return Mrkdwn(", ".join(escape(part) for part in parts if part))


def _quoted(text: object) -> str:
    return f"“{text}”" if text else ""


def _number(value: Any, words: Words) -> str:
    return filters.amount(float(value), words.unit) if words.unit else plain(value)


def _step(key: str, words: Words) -> str:
    return words.steps.get(key, key)


def _check_in(data: Any, words: Words) -> str:
    drifts = "; ".join(
        f"“{_step(key, words)}” ran as {mode_word(mode)}" for key, mode in data.get("drifts", {}).items()
    )
    runs, complete = data["runs"], data.get("complete_inputs")
    return _joined(
        _ATTESTED[data["attestation"]] + (f" ({drifts})" if drifts else ""),
        filters.plural(runs, "run") if data["attestation"] != "not-run" else "",
        f"{complete} with complete inputs" if complete is not None else "",
        f"{data['value_events']} counted" if data.get("value_events") is not None else "",
        _quoted(data.get("note")),
    )


def _exception(data: Any, _words: Words) -> str:
    via = say(" via {via}", via=data["via"]) if data.get("via") else ""
    link = say(" {link}", link=filters.link(data["link"])) if data.get("link") else ""
    return say(
        "{critical}{reason}{link}{via}",
        critical="critical: " if data.get("critical") else "",
        reason=_quoted(data["reason"]),
        link=link,
        via=via,
    )


def _runs(data: Any, _words: Words) -> str:
    return say("{runs} via {via}", runs=filters.plural(data["runs"], "run"), via=data["via"])


def _check(data: Any, words: Words) -> str:
    passed = f"{data['name']}: {data['passes']:,} of {data['samples']:,} passed"
    return say("{step}, {passed} via {via}", step=_step(data["step"], words), passed=passed, via=data["via"])


def _verdict(data: Any, _words: Words) -> str:
    cause = str(data["cause"]).partition(":")[0]
    return _joined(_DECISIONS[data["decision"]], LINE_WORDS.get(data["line"]), _CAUSES.get(cause))


def _declared(data: Any, _words: Words) -> str:
    if isinstance(data, str):
        return mode_word(data)
    reason = _quoted(data.get("reason"))
    return f"{mode_word(data['mode'])}: {reason}" if reason else mode_word(data["mode"])


def _drift(data: Any, _words: Words) -> str:
    total = data["attested"] + data.get("awaited", 0)
    counts = f"{data['drifted']} of {filters.plural(total, 'check-in')}"
    share = percent_of(data["drifted"], total, limit=data.get("limit_share"))
    used = (
        " or ".join(mode_word(one) for one in (data.get("used"), data.get("also")) if one) or "another mode"
    )
    return f"running as {used} (planned: {mode_word(data['declared'])}): {counts}{f' ({share})' if share else ''}"


def _members(data: Any, _words: Words) -> str:
    return Mrkdwn(", ".join(mention(str(member)) for member in data))


def _sample(data: Any, _words: Words) -> str:
    passed = f"{data['passes']} of {filters.plural(data['samples'], 'sample')} passed"
    return _joined(passed, f"{data['risky']} risky", _quoted(data.get("note")))


def _revised(data: Any, _words: Words) -> str:
    return _joined(f"rubric revision {data['revision']}", _quoted(data.get("change")))


def _cycle_started(data: Any, _words: Words) -> str:
    return f"from {filters.day(data['starts_on'])}, on revision {data['revision']}"


def _cycle_closed(data: Any, words: Words) -> str:
    value = data.get("kpi_value")
    median = f"median {_number(value, words)}" if value is not None else "no reading"
    return _joined(_RESULTS[data["result"]], median)


def _planned_cycles(data: Any, _words: Words) -> str:
    return filters.plural(data["cycles"], "cycle") if data.get("cycles") else "no end planned"


def _course(data: Any, _words: Words) -> str:
    if isinstance(data, str):
        return _COURSES[data]
    return _joined(_COURSES[data["course"]], f"week of {filters.day(data['week'])}")


def _away(data: Any, _words: Words) -> str:
    if "until" not in data:
        return f"from {filters.day(data['from'])}"
    return filters.date_range(date.fromisoformat(data["from"]), date.fromisoformat(data["until"]))


def _snoozed(data: Any, words: Words) -> str:
    until = datetime.fromisoformat(data["until"]).astimezone(words.zone)
    return f"until {filters.day(until)} {filters.clock(until)}"


def _setup_done(data: Any, _words: Words) -> str:
    by_run = "finished by the first check-in with runs" if data.get("ended") == "first-run" else ""
    minutes = data.get("minutes")
    return _joined(f"after {minutes:,} min" if minutes is not None else "", by_run)


def _audit(data: Any, words: Words) -> str:
    drawn = filters.plural(len(data["drawn"]), "run")
    return f"{drawn} of {_step(data['step'], words)}, week of {filters.day(data['week'])}"


def _promotion(data: Any, words: Words) -> str:
    if not isinstance(data, dict):
        return ""  # the verb says what became of it
    return _joined(_PROMOTIONS[data["decision"]] if "decision" in data else "", _reason(data, words))


def _reason(data: Any, _words: Words) -> str:
    return _quoted(data.get("reason") or data.get("why"))


def _text(data: Any, _words: Words) -> str:
    return _quoted(data.get("text") if isinstance(data, dict) else data)


def _imported(data: Any, _words: Words) -> str:
    return _joined(f"revision {data['revision']}", "; ".join(data.get("changes", ())))


def _published(data: Any, words: Words) -> str:
    number = f"v{data['number']}" if data.get("number") else ""
    passed = len(data.get("passed_over") or ())
    return _joined(
        data["state"],
        number,
        f"{filters.plural(passed, 'item')} still missing" if passed else "",
        _reason(data, words),
    )


def _reviewed(data: Any, _words: Words) -> str:
    revision = (
        f"draft {data['revision']}" if data.get("revision") else str(data.get("state", "")).replace("-", " ")
    )
    return _joined(revision, _quoted(data.get("remark")))


def _duties(data: Any, _words: Words) -> str:
    named = [
        say("{duty}: {who}", duty=DUTY_WORDS.get(duty, duty), who=mention(member))
        for duty, member in data.items()
        if member
    ]
    return Mrkdwn(", ".join(named))


def _moved(data: Any, _words: Words) -> str:
    if "name" not in data:
        return ""
    return _joined(f"to {data['name']}", "from the next cycle" if data.get("from_next_cycle") else "")


def _adopted(data: Any, _words: Words) -> str:
    champion = data.get("champion")
    return _joined(
        str(data.get("version", "")), say("champion {who}", who=mention(champion)) if champion else ""
    )


def _cutover(data: Any, words: Words) -> str:
    missing = ", ".join(data.get("missing", ()))
    return _joined(f"not met: {missing}" if missing else "", _reason(data, words))


def _training_sample(data: Any, words: Words) -> str:
    grade = {True: "accept", False: "reject"}.get(data.get("passed"), "")
    return _joined(
        f"sample {data['sample']}" if "sample" in data else "", _step(data.get("step", ""), words), grade
    )


def _token(data: Any, _words: Words) -> str:
    return _joined(data["name"], data["for"])


def _champion_trained(data: Any, _words: Words) -> str:
    agreed = f"agreed on {data['agreed']} of {data['samples']}" if data["samples"] else ""
    return _joined(say("{who}", who=mention(data["champion"])), agreed)


def _next_team(data: Any, words: Words) -> str:
    return (
        words.team(int(data["team"])) if data.get("team") else _joined("no next team", _reason(data, words))
    )


def _handoff(data: Any, words: Words) -> str:
    if not isinstance(data, dict):
        return ""
    lacking = ", ".join(data.get("lacking") or ())
    return _joined(
        f"to {data['to']}" if data.get("to") else "",
        _quoted(data.get("what")),
        f"missing: {lacking}" if lacking else "",
        _reason(data, words),
    )


def _wave(data: Any, words: Words) -> str:
    if not isinstance(data, dict):
        return ""
    number = f"wave {data['wave']}" if data.get("wave") else ""
    teams = ", ".join(data["teams"]) if isinstance(data.get("teams"), list) else ""
    return _joined(number, teams, _reason(data, words))


def _wave_team(data: Any, _words: Words) -> str:
    champion = data.get("champion")
    return _joined(
        str(data.get("team", "")),
        say("champion {who}", who=mention(champion)) if champion else "no champion",
        "has room" if data.get("room") else "",
    )


def _requested(data: Any, words: Words) -> str:
    return _joined(f"for {data['team']}" if data.get("team") else "", _reason(data, words))


def _adapted(data: Any, _words: Words) -> str:
    return _joined(str(data["part"]), _quoted(data["text"]) or "back to the playbook's")


def _nothing(_data: Any, _words: Words) -> str:
    return ""


def _plain(data: Any, _words: Words) -> str:
    return plain(data)


def _called(data: Any, _words: Words) -> str:
    return say("{tool}, {outcome}", tool=data["tool"].replace("_", " "), outcome=data["outcome"])


ACTIONS: Final[Mapping[str, tuple[str, Told]]] = {
    "assistant-called": ("asked by an assistant", _called),
    "check-in": ("checked in", _check_in),
    "check-in-corrected": ("corrected a check-in", _check_in),
    "reading": ("reported the number", _number),
    "reading-corrected": ("corrected the number", _number),
    "exception": ("logged an exception", _exception),
    "runs-measured": ("counted runs", _runs),
    "check-result": ("ran the automated check", _check),
    "exception-withdrawn": ("undid an exception", _exception),
    "verdict": ("checked the step", _verdict),
    "demotion": ("demoted", _declared),
    "promotion": ("promoted", _declared),
    "taken-back": ("undid the demotion", _declared),
    "fallback": ("switched the step: a handoff was sent back", _declared),
    "fallback-ended": ("switched the step back: handoffs work again", _declared),
    "declaration": ("changed who leads the step", _declared),
    "window-opened": ("reset the counters", _plain),
    "drift": ("found drift", _drift),
    "drift-reported": ("found drift reported by one person", _drift),
    "drift-withdrawn": ("closed the drift: check-ins were corrected", _nothing),
    DriftEvent.BACK_TO_PLAN: ("went back to the plan", _text),
    "watch-answered": ("added a plan", _text),
    "nudged-again": ("sent another reminder", _members),
    "rubric-result": ("graded a sample", _sample),
    "rubric-revised": ("updated the rubric", _revised),
    "audit-drawn": ("picked runs to grade", _audit),
    "promotion-judged": ("checked for promotion", _promotion),
    "promotion-approved": ("approved the promotion", _promotion),
    "promotion-declined": ("declined the promotion", _promotion),
    "promotion-lapsed": ("let the promotion expire", _promotion),
    "promotion-reopened": ("proposed the promotion again", _promotion),
    "cycle-started": ("started a cycle", _cycle_started),
    "cycle-closed": ("closed the cycle", _cycle_closed),
    "cycle-judged-again": ("recalculated the closed cycle", _cycle_closed),
    "course-changed": ("found a change of course", _course),
    "next-team": ("chose the next team", _next_team),
    "submitted": ("submitted to the registry", _nothing),
    "watched": ("planned the last cycle, then weekly check-ins", _planned_cycles),
    "month-ended": ("ended four watched weeks", _nothing),
    "paused": ("paused", _nothing),
    "resumed": ("resumed", _nothing),
    "access-overridden": ("let the team in outside the waves", _reason),
    "playbook-requested": ("requested the playbook", _requested),
    "request-taken-back": ("took back a request", _requested),
    "wave-planned": ("planned a wave", _wave),
    "wave-changed": ("changed a planned wave", _wave),
    "wave-team-confirmed": ("confirmed a team of a wave", _wave_team),
    "wave-opened": ("opened a wave", _wave),
    "wave-canceled": ("canceled a wave", _wave),
    "comparison-posted": ("posted the comparison of teams", _nothing),
    "part-adapted": ("adapted a part", _adapted),
    "capacity-overridden": ("started another cycle over the limit", _reason),
    "adopted": ("adopted", _adopted),
    "setup-started": ("started setup", _nothing),
    "checklist-ticked": ("checked off an item", _text),
    "checklist-unticked": ("unchecked an item", _text),
    "setup-done": ("finished setup", _setup_done),
    "assessed": ("assessed the pilot", _plain),
    "practices-sorted": ("sorted the pilot's practices", _plain),
    "cutover-asked": ("asked for the cutover", _cutover),
    "cutover-held": ("held the cutover", _cutover),
    "cutover-passed": ("moved the playbook to production", _cutover),
    "cutover-overridden": ("moved the playbook to production anyway", _cutover),
    "lessons-read": ("read the lessons", _nothing),
    "training-sample-added": ("added a training sample", _training_sample),
    "training-sample-removed": ("removed a training sample", _training_sample),
    "training-graded": ("graded a training sample", _training_sample),
    "champion-trained": ("found the champion trained", _champion_trained),
    "team-moved": ("moved the team to another version", _moved),
    "playbook-imported": ("saved the playbook", _imported),
    "playbook-published": ("published the playbook", _published),
    "pilot-asked": ("asked for a review of the draft", _reviewed),
    "pilot-approved": ("approved the pilot", _reviewed),
    "pilot-sent-back": ("sent the draft back", _reviewed),
    "first-cycles-overridden": ("started a first cycle over the limit", _reason),
    "duties-named": ("named the owners", _duties),
    "token-made": ("made a token", _token),
    "token-revoked": ("revoked a token", _token),
    "playbook-retired": ("retired the playbook", _published),
    "lesson-learned": ("added a lesson", _text),
    "handoff-sent": ("sent a handoff", _handoff),
    "handoff-accepted": ("accepted the handoff", _handoff),
    "handoff-failed": ("sent the handoff back", _handoff),
    "handoff-done": ("finished the handoff", _handoff),
    "handoff-withdrawn": ("withdrew the handoff", _handoff),
    "team-created": ("created the team", _plain),
    "team-changed": ("changed the team", _plain),
    "join-asked": ("asked to join the team", _plain),
    "join-answered": ("answered a request to join", _plain),
    "settings": ("changed the settings", _plain),
    "adoption-settings": ("changed the settings", _plain),
    "hours-set": ("changed nudge hours", _plain),
    "profiles-changed": ("updated people from Slack", _plain),
    "away": ("set days away", _away),
    "back": ("ended days away", _away),
    "snoozed": ("snoozed the check-in", _snoozed),
    "muted": ("turned reminders off", _nothing),
    "unmuted": ("turned reminders on", _nothing),
    "exported": ("exported records", _nothing),
    "installed": ("installed the bot", _nothing),
    "uninstalled": ("uninstalled the bot", _nothing),
}
"""The verb of each action, and how its stored values are described."""


def verb(action: str) -> str:
    """The action as a verb: `answered the check-in`."""
    return ACTIONS[action][0] if action in ACTIONS else action.replace("-", " ")


def told(action: str, before: Any, after: Any, words: Words) -> tuple[str, str]:
    """The values before and after, in words; empty if there was none.

    For settings and the like, only changes. Entries of other versions with another format are shown plainly.
    """
    if isinstance(before, dict) and isinstance(after, dict) and _of(action) is _plain:
        names = [name for name in {**before, **after} if before.get(name) != after.get(name)]
        before, after = ({name: one.get(name) for name in names} for one in (before, after))
    return _said(action, before, words), _said(action, after, words)


def _of(action: str) -> Told:
    return ACTIONS[action][1] if action in ACTIONS else _plain


def _said(action: str, data: Any, words: Words) -> str:
    if data is None:
        return ""
    try:
        return _of(action)(data, words)
    except (AttributeError, KeyError, TypeError, ValueError):
        return plain(data)
