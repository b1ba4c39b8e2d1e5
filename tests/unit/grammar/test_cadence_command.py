"""`/cadence`: its subcommands, days, teams."""

from datetime import date

import pytest

from cadence.refusals import Refusal
from handlers.commands import COMMANDS
from handlers.cycles.running import ShowCycle, StartCycle
from handlers.editor import NewPlaybook
from handlers.grammar import Command, Help, parse
from handlers.grammar.dates import find_day
from handlers.numbers import Kpi
from handlers.overview.status import Digest, Status, Why
from handlers.people.absences import Away, Mute, Snooze, SnoozeUntil
from handlers.people.teams import CreateTeam, JoinTeam, LeaveTeam, TeamHolidays, TeamMembers
from handlers.playbooks.files import ExportPlaybook, ImportPlaybook, ListPlaybooks, ShowPlaybook
from handlers.rubrics import Rubric
from handlers.workspaces import Settings
from tests.contexts import assert_golden
from tests.unit.grammar.vocabularies import ONE, THURSDAY, TWO, read

PLAYBOOK = "support-reply"


@pytest.mark.parametrize(
    ("typed", "command"),
    [
        ("", Help()),
        ("help", Help()),
        ("help playbook import", Help(topic="playbook import")),
        ("HELP /kpi", Help(topic="kpi")),
        ("playbook", ListPlaybooks()),
        ("team", TeamMembers()),
        ("cycle", ShowCycle(or_start=True)),
        ("help playbook", Help(topic="playbook")),
        ("team help", Help(topic="team")),
        ("status help", Help(topic="status")),
        ("status", Status()),
        ("Status Support reply.", Status(playbook=PLAYBOOK)),
        ("status team=support-us", Status(playbook=PLAYBOOK, team="support-us")),
        ("why", Why()),
        ("why send", Why(playbook=PLAYBOOK, step="send")),
        ("why support-reply send", Why(playbook=PLAYBOOK, step="send")),
        ("why support-reply", Why(playbook=PLAYBOOK)),
        ("rubric", Rubric()),
        (
            "rubric support-reply draft passes=19 samples=20 risky=1 two refunds",
            Rubric(playbook=PLAYBOOK, step="draft", passes=19, samples=20, risky=1, note="two refunds"),
        ),
        ("team holidays", TeamHolidays()),
        ("team holidays support-emea de-by", TeamHolidays(team="support-emea", country="DE-BY")),
        ("team holidays DE", TeamHolidays(country="DE")),
        ("team holidays support-emea Bavaria", TeamHolidays(team="support-emea", country="BAVARIA")),
        ("settings support-reply team=support-emea", Settings(playbook=PLAYBOOK, team="support-emea")),
        ("settings", Settings()),
        ("playbook new", NewPlaybook()),
        ("rubric draft samples=1,200", Rubric(playbook=PLAYBOOK, step="draft", samples=1200)),
        (
            "rubric draft revise refunds name their case",
            Rubric(playbook=PLAYBOOK, step="draft", revise=True, change="refunds name their case"),
        ),
        ("rubric draft revise", Rubric(playbook=PLAYBOOK, step="draft", revise=True)),
        ("playbook import", ImportPlaybook()),
        ("playbook list", ListPlaybooks()),
        ("playbook show", ShowPlaybook()),
        ("playbook show support-reply", ShowPlaybook(playbook=PLAYBOOK)),
        ("playbook export support-reply", ExportPlaybook(playbook=PLAYBOOK)),
        ("team create", CreateTeam()),
        (
            "team create \u201cSupport \u00c9MEA\u201d <#C12|sup> <@U1|bob> <@U2>",
            CreateTeam(team="support-emea", title="Support \u00c9MEA", channel="C12", members=("U1", "U2")),
        ),
        ("team create \u65e5\u672c", CreateTeam(title="\u65e5\u672c")),
        ("team join", JoinTeam()),
        ("team join support-emea", JoinTeam(team="support-emea")),
        ("team join Support EMEA <@U1|bob>", JoinTeam(team="support-emea", members=("U1",))),
        ("team leave team=support-emea", LeaveTeam(team="support-emea")),
        ("team members support-us", TeamMembers(team="support-us")),
        ("cycle start", StartCycle()),
        ("cycle start next monday", StartCycle(playbook=PLAYBOOK, day=date(2026, 11, 30))),
        ("cycle start support-reply 2026-12-21", StartCycle(playbook=PLAYBOOK, day=date(2026, 12, 21))),
        ("cycle show support-reply 20 Nov", ShowCycle(playbook=PLAYBOOK, day=date(2026, 11, 20))),
        ("cycle show support-reply", ShowCycle(playbook=PLAYBOOK)),
        ("digest", Digest()),
        ("away", Away()),
        ("away <@U9|x>", Away(member="U9")),
        ("away off", Away(off=True)),
        ("away off <@U9|x>", Away(off=True, member="U9")),
        ("away tomorrow", Away(start=date(2026, 11, 27), until=date(2026, 11, 27))),
        ("away 20 Dec", Away(start=date(2026, 12, 20), until=date(2026, 12, 20))),
        ("away today", Away(start=THURSDAY, until=THURSDAY)),
        ("away 12/20 to 12/24", Away(start=date(2026, 12, 20), until=date(2026, 12, 24))),
        ("away 12/20-12/24", Away(start=date(2026, 12, 20), until=date(2026, 12, 24))),
        ("away 12/20 12/24", Away(start=date(2026, 12, 20), until=date(2026, 12, 24))),
        ("away 20.12. to 24.12.2026", Away(start=date(2026, 12, 20), until=date(2026, 12, 24))),
        ("away until 20/12/2026", Away(until=date(2026, 12, 20))),
        ("away 1/1", Away(start=date(2027, 1, 1), until=date(2027, 1, 1))),
        ("away until 20 Dec", Away(until=date(2026, 12, 20))),
        ("away until friday <@U9|x>", Away(until=date(2026, 11, 27), member="U9")),
        ("away 2026-12-20..2027-01-02", Away(start=date(2026, 12, 20), until=date(2027, 1, 2))),
        ("away 2026-12-20 .. 2027-01-02", Away(start=date(2026, 12, 20), until=date(2027, 1, 2))),
        ("away 20 Dec to 2 Jan", Away(start=date(2026, 12, 20), until=date(2027, 1, 2))),
        ("away from 20 Dec until 2 January 2027", Away(start=date(2026, 12, 20), until=date(2027, 1, 2))),
        ("away 20 Dec\u202628 Dec", Away(start=date(2026, 12, 20), until=date(2026, 12, 28))),
        ("away 20 Dec \u2013 28 Dec", Away(start=date(2026, 12, 20), until=date(2026, 12, 28))),
        ("away 20 Nov..28 Nov", Away(start=date(2026, 11, 20), until=date(2026, 11, 28))),
        ("away monday..friday", Away(start=date(2026, 11, 30), until=date(2026, 12, 4))),
        ("away tomorrow..tomorrow", Away(start=date(2026, 11, 27), until=date(2026, 11, 27))),
        ("snooze", Snooze()),
        ("snooze hour", Snooze(until=SnoozeUntil.HOUR)),
        ("snooze for an hour", Snooze(until=SnoozeUntil.HOUR)),
        ("snooze until Friday.", Snooze(until=SnoozeUntil.FRIDAY)),
        ("snooze tomorrow", Snooze(until=SnoozeUntil.TOMORROW)),
        ("mute", Mute()),
        ("mute on", Mute()),
        ("mute off", Mute(off=True)),
        ("kpi 14m R&amp;amp;D", Kpi(value="14m", note="R&amp;D", playbook=PLAYBOOK)),
        ("week=2 /kpi 14m", Kpi(value="14m", playbook=PLAYBOOK, week=2)),
        ("kpi help", Help(topic="kpi")),
    ],
)
def test_reads(typed: str, command: Command) -> None:
    assert read(f"/cadence {typed}") == command


@pytest.mark.parametrize(
    "typed",
    [
        "stats",
        "atest ran",
        "publish support-reply",
        "revise",
        "show",
        "start support-reply",
        "join desk",
        "publsh",
        "zzz",
        "playbook imprt",
        "cycle stat",
        "playbok new",
        "playbook zzz",
        "playbook list x",
        "status foo",
        "status support-reply foo",
        "digest week=2",
        "why support-reply sned",
        "team join suport-emea",
        "team join support-us team=support-emea",
        f"team create {'x' * 49}",
        "cycle start suport-reply 21 Dec",
        "cycle start support-reply 2026-13-40",
        "cycle start 31 Feb",
        "cycle start 5/6",
        "cycle start 5/6/2027",
        "away until 12/11",
        "away 13/20",
        "away 1/0",
        "away 0/13",
        "away 2027-01-02..2026-12-20",
        "away yesterday",
        "away 2036-01-01",
        "away until 25 nov",
        "away 1 dec..20 nov",
        "away until 2036-01-01",
        "away from 20 Dec",
        "away <@U1|a> <@U2|b>",
        "snooze a week",
        "rubric draft passes=19 samples=20 risk=1",
        "rubric draft passes= samples=20",
        "rubric draft samples=1000000000",
        "rubric draft passes=1,4 samples=2,0",
        "settings tokens",
        "status runs=3",
        "learn risky=1 helped",
        "status link=https://a.b/c",
        "mute critical=yes",
        "learn champion=<@U1|a> helped",
        "adopt support-reply champoin=<@U1|a>",
        "adopt support-reply champion=<@U1|a> champion=<@U2|b>",
    ],
)
def test_refusals_teach(typed: str) -> None:
    with pytest.raises(Refusal) as refused:
        read(f"/cadence {typed}")
    assert_golden(refused.value.plain, f"teaches:{typed[:60]}")


def test_with_several_playbooks_an_unnamed_one_stays_open() -> None:
    assert read("/cadence status team=finance", TWO) == Status(team="finance")
    assert read("/cadence cycle start next monday", TWO) == StartCycle(day=date(2026, 11, 30))
    assert read("/cadence why close", TWO) == Why(playbook="month-end", step="close")
    assert read("/cadence why draft", TWO) == Why(step="draft")


def test_a_command_nobody_has_names_the_nearest() -> None:
    for command in ("/cadance", "/xyzzy"):
        with pytest.raises(Refusal) as refused:
            parse(COMMANDS, command, "", ONE)
        assert_golden(refused.value.plain, f"no-command:{command}")


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("2026-12-20", date(2026, 12, 20)),
        ("2026-2-3", date(2026, 2, 3)),
        ("20 Dec", date(2026, 12, 20)),
        ("20th of December, 2027", date(2027, 12, 20)),
        ("Dec 20", date(2026, 12, 20)),
        ("December 20, 2027", date(2027, 12, 20)),
        ("20 Sept", date(2027, 9, 20)),
        ("1 may", date(2027, 5, 1)),
        ("29 Feb", date(2028, 2, 29)),
        ("26 Nov", THURSDAY),
        ("25 Nov", date(2026, 11, 25)),  # just passed, which is refused rather than taken for next year's
        ("26 Oct", date(2026, 10, 26)),
        ("25 Oct", date(2027, 10, 25)),
        ("today", THURSDAY),
        ("Tomorrow!", date(2026, 11, 27)),
        ("thursday", THURSDAY),
        ("fri", date(2026, 11, 27)),
        ("monday", date(2026, 11, 30)),
        ("next monday", date(2026, 11, 30)),
        ("next friday", date(2026, 12, 4)),
        ("this friday", date(2026, 11, 27)),
        ("29 Feb 2027", None),
        ("20/12", date(2026, 12, 20)),
        ("9999-01-01", None),
        ("mo", None),
        ("someday", None),
        ("", None),
    ],
)
def test_days(text: str, day: date | None) -> None:
    assert find_day(text, THURSDAY) == day


def test_days_that_are_over_count_backwards_when_asked() -> None:
    assert find_day("27 Nov", THURSDAY, past=True) == date(2025, 11, 27)
    assert find_day("monday", THURSDAY, past=True) == date(2026, 11, 23)
    assert find_day("thursday", THURSDAY, past=True) == THURSDAY
