"""Each week attested runs are drawn at random, and the owner grades them in one form (SPEC §6)."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlmodel import select

from bot.rehearsal.harness import BotHarness
from bot.sandbox.messages import Message
from cadence.actor import Actor
from cadence.flows.rubrics.audits import AuditMeant, audit_form
from cadence.refusals import Refusal
from cadence.rules.audits import draw, place_in_week
from storage.tables import Playbook, RubricResult, SpotAudit
from storage.work import UnitOfWork
from templates.contexts.rubrics import AuditedStep, AuditForm, RiskyGrade, SampleRecorded, SpotAuditDue
from tests.contexts import assert_golden, contexts, is_shown, shown
from tests.harnesses import bot_harness
from tests.scenarios.plays import (
    DESK,
    DESK_CHANNEL,
    REPLY,
    InCycle,
    at,
    bot_dms,
    changed,
    entries,
    ledger,
    rows,
)

OWNER, MEMBER, CURATOR = "U01LEAD", "U01AGENT1", "U01CURATOR"
OWNER_NAME, MEMBER_NAME = "Jana Hoffmann", "Mehmet Aydın"
FRIDAY = at("2026-03-06 11:00")


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[BotHarness]:
    """Two people; three runs of `draft` are drawn a week; a risky one goes to the curator."""
    step = "mode: collaborative, fallback: human-led, exception_cap: 0.10"
    verified = f"{step}, verify: {{automated: policy-check, sample: 3, escalate_to: U01CURATOR}}"
    with bot_harness(
        tmp_path, workspace=DESK, playbooks=[changed(REPLY, tmp_path, (step, verified))], played=InCycle()
    ) as harness:
        yield harness


def attest(harness: BotHarness) -> None:
    harness.play_until(at("2026-03-05 12:00"))
    for member, runs in ((OWNER, 5), (MEMBER, 9)):
        harness.workspace.person(member).types(f"/attest as-declared runs={runs}", channel=DESK_CHANNEL)
    harness.play_until(FRIDAY)


def audit_dm(harness: BotHarness) -> Message:
    return next(one for one in reversed(bot_dms(harness, OWNER)) if is_shown(one, SpotAuditDue))


def audited(harness: BotHarness) -> AuditedStep:
    """The only step of the newest spot audit, as the owner sees it."""
    [step] = shown(audit_dm(harness), SpotAuditDue).steps
    return step


def fields(harness: BotHarness) -> list[str]:
    [audit] = rows(harness, SpotAudit)
    return [f"grade:{audit.id}:{place}" for place in range(len(audit.drawn))]


def test_on_friday_the_owner_is_asked_to_grade_runs_that_can_be_drawn_again(desk: BotHarness) -> None:
    attest(desk)
    [audit] = rows(desk, SpotAudit)
    assert audit.population == [[MEMBER, 9]], "nobody grades their own runs"
    again = draw([(member, runs) for member, runs in audit.population], sample=audit.sample, seed=audit.seed)
    assert [list(one) for one in again] == audit.drawn
    assert len(audit.drawn) == 3
    assert_golden(audit_dm(desk).text, "notification")
    places = [place_in_week(number, 9, week_start=audit.week_start) for _, number in audit.drawn]
    assert [(run.member, run.found) for run in audited(desk).runs] == [(MEMBER, place) for place in places]
    assert_golden(audit_dm(desk), "asks-to-grade-them")
    [entry] = entries(desk, "audit-drawn")
    assert entry.after["seed"] == audit.seed


def test_one_form_grades_them_and_the_grades_are_a_rubric_result(desk: BotHarness) -> None:
    attest(desk)
    owner = desk.workspace.person(OWNER)
    owner.clicks(audit_dm(desk), "Grade them")
    asked = str(owner.form().blocks)
    assert [run.member for run in shown(owner.form(), AuditForm).runs] == [MEMBER_NAME] * 3
    assert MEMBER_NAME in asked
    assert OWNER_NAME not in asked
    assert "u01" not in asked
    first, second, third = fields(desk)
    owner.submits({first: "pass", second: "pass", third: "risky-fail"})
    desk.tick()
    [row] = rows(desk, RubricResult)
    assert (row.samples, row.passes, row.risky, row.member) == (3, 2, 1, OWNER)
    assert row.audit_id == rows(desk, SpotAudit)[0].id
    [told] = [one for one in bot_dms(desk, CURATOR) if is_shown(one, RiskyGrade)]
    grade = shown(told, RiskyGrade)
    assert (grade.step, grade.risky, grade.samples) == ("Draft the reply", 1, 3)
    assert (grade.grader, grade.audited) == (OWNER, True)
    assert_golden(told.text, "notification-of-a-risky-one")
    assert_golden(told, "one-was-risky")
    assert_golden(audit_dm(desk).text, "notification-once-graded")
    step = audited(desk)
    assert (step.passes, step.samples, step.risky, step.grader) == (2, 3, 1, OWNER)


def test_grading_again_corrects_and_keeps_both(desk: BotHarness) -> None:
    attest(desk)
    owner = desk.workspace.person(OWNER)
    owner.clicks(audit_dm(desk), "Grade them")
    owner.submits(dict.fromkeys(fields(desk), "pass"))
    desk.tick()
    desk.play_until(at("2026-03-06 11:30"))
    curator = desk.workspace.person(CURATOR)
    owner.clicks(audit_dm(desk), "Change")
    owner.submits({fields(desk)[0]: "fail"})
    desk.tick()
    old, new = rows(desk, RubricResult)
    assert (old.passes, old.replaced_at is not None) == (3, True)
    assert (new.passes, new.replaced_at) == (2, None)
    assert contexts(bot_dms(desk, CURATOR), RiskyGrade) == []
    assert (audited(desk).passes, audited(desk).samples) == (2, 3)
    said = curator.types("/cadence rubric reply draft passes=1 samples=1")
    pooled = shown(said, SampleRecorded).pooled
    assert (pooled.passes, pooled.samples) == (3, 4)


def test_a_link_to_a_run_is_kept_and_shown_later(desk: BotHarness) -> None:
    attest(desk)
    owner = desk.workspace.person(OWNER)
    owner.clicks(audit_dm(desk), "Grade them")
    first, second, third = fields(desk)
    ticket, link = "https://desk.example.com/tickets/4711", second.replace("grade", "link")
    graded = {first: "pass", second: "fail", third: "pass"}
    refused = owner.submits({**graded, link: "the blue one"})
    assert_golden(refused.errors[link], "refused-no-link")
    assert rows(desk, RubricResult) == []
    owner.submits({**graded, link: ticket})
    desk.tick()
    [row] = rows(desk, RubricResult)
    assert (row.samples, row.passes) == (3, 2)
    assert sum(ticket in line for line in audit_dm(desk).words.splitlines()) == 1
    owner.clicks(audit_dm(desk), "Change")
    assert ticket in str(owner.form().blocks)


def test_the_owner_grades_nobody_when_they_alone_ran_it(desk: BotHarness) -> None:
    desk.play_until(at("2026-03-05 12:00"))
    desk.workspace.person(OWNER).types("/attest as-declared runs=5", channel=DESK_CHANNEL)
    desk.play_until(at("2026-03-06 12:00"))
    assert rows(desk, SpotAudit) == []
    [skipped] = ledger(desk, "spot-audit")
    assert (skipped.state, skipped.reason) == ("skipped", "nobody but the owner reported runs by then")


def test_who_has_become_the_owner_since_cannot_grade_their_own_runs(desk: BotHarness) -> None:
    attest(desk)
    with desk.bot.db.write() as session:
        session.exec(select(Playbook)).one().owner = MEMBER
    [audit] = rows(desk, SpotAudit)
    meant = AuditMeant(audit_id=audit.id)
    with pytest.raises(Refusal) as refused:
        audit_form(UnitOfWork(desk.bot.db, Actor("T01SANDBOX", MEMBER, "button"), FRIDAY), meant)
    assert_golden(str(refused.value), "refused-ones-own-runs")
    assert (
        len(audit_form(UnitOfWork(desk.bot.db, Actor("T01SANDBOX", CURATOR, "button"), FRIDAY), meant).runs)
        == 3
    )


def test_a_form_sent_again_records_nothing_more(desk: BotHarness) -> None:
    attest(desk)
    owner = desk.workspace.person(OWNER)
    owner.clicks(audit_dm(desk), "Grade them")
    owner.submits(dict.fromkeys(fields(desk), "pass"))
    sent = desk.workspace.exchanges()[-1].request
    desk.workspace.deliver("interactive", sent)
    assert len(rows(desk, RubricResult)) == 1


def test_nothing_attested_by_friday_asks_for_nothing(desk: BotHarness) -> None:
    desk.play_until(at("2026-03-06 12:00"))
    assert rows(desk, SpotAudit) == []
    [skipped] = ledger(desk, "spot-audit")
    assert (skipped.state, skipped.reason) == ("skipped", "nobody but the owner reported runs by then")
