"""`/cadence trace` shows the trail to those who can read it, a page at a time (SPEC §8, §9)."""

from collections.abc import Iterator

import pytest

from bot.rehearsal.harness import BotHarness
from bot.sandbox.answers import Answer
from cadence.mrkdwn import escape
from templates.contexts.history import Trace
from templates.ids import Action
from tests.contexts import actions, assert_golden, shown
from tests.harnesses import EXAMPLES, bot_harness
from tests.scenarios.plays import DESK, DESK_CHANNEL, at, changed, start_cycle

OWNER, MEMBER, OUTSIDER, CURATOR = "U01LEAD", "U01AGENT1", "U01AGENT2", "U01CURATOR"
DRAFT, SEND = "Draft three replies", "Send the edited reply"
REASONS = ("tone was <off>", "tone was off", "empty")


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[BotHarness]:
    """A week in which the owner answered, a member logged exceptions, and the owner declared a mode."""
    folder = tmp_path_factory.mktemp("trace")
    playbook = changed(EXAMPLES / "support-reply.yaml", folder, ("pilot: support-emea", "pilot: desk"))
    with bot_harness(folder, workspace=DESK, playbooks=[playbook]) as harness:
        start_cycle(harness, "support-reply")
        harness.play_until(at("2026-03-05 12:00"))
        for member, words in (
            (OWNER, "/attest as-declared runs=20"),
            (MEMBER, f"/exception send {REASONS[0]}"),
            (MEMBER, f"/exception send {REASONS[1]}"),
            (MEMBER, f"/exception draft {REASONS[2]}"),
            (OWNER, "/cadence mode support-reply draft human-led nobody trusts it"),
            (OWNER, "/attest as-declared runs=21"),
        ):
            harness.workspace.person(member).types(words, channel=DESK_CHANNEL)
        harness.tick()
        yield harness


def trace(harness: BotHarness, member: str, words: str = "") -> Answer:
    return harness.workspace.person(member).types(f"/cadence trace {words}".strip(), channel=DESK_CHANNEL)


def test_the_owner_reads_who_did_what_when_from_where_before_and_after(desk: BotHarness) -> None:
    told = trace(desk, OWNER, "support-reply")
    assert shown(told, Trace).playbook == "Support reply"
    assert_golden(told, "trace-for-the-owner")


def test_a_page_leads_to_the_older_one_and_the_last_one_ends(desk: BotHarness) -> None:
    owner = desk.workspace.person(OWNER)
    answer = trace(desk, OWNER)
    seen = []
    for _ in range(10):
        assert answer.message
        seen.append(shown(answer, Trace))
        if Action.OLDER_TRACE not in actions(answer):
            break
        answer = owner.clicks(answer.message, "Older")
    assert 1 < len(seen) < 10
    assert [page.older is None for page in seen] == [False] * (len(seen) - 1) + [True]
    assert_golden(answer, "last-page")
    logged = [row.became for page in seen for row in page.rows if row.member == MEMBER]
    assert len(set(logged)) == len(logged) == 3, "of the three exceptions"
    assert all(any(escape(reason) in became for became in logged) for reason in REASONS)


def test_it_is_narrowed_to_a_step_and_a_day(desk: BotHarness) -> None:
    told = trace(desk, OWNER, "support-reply draft")
    found = shown(told, Trace)
    assert (found.playbook, found.step) == ("Support reply", "draft")
    assert found.rows
    assert all(DRAFT in row.about for row in found.rows)
    assert SEND not in told.words
    assert_golden(told, "trace-of-a-step")
    assert_golden(trace(desk, OWNER, "suport-reply"), "did-you-mean")


def test_members_see_their_teams_steps_but_not_who_answered(desk: BotHarness) -> None:
    told = trace(desk, MEMBER, "support-reply")
    hidden = set(shown(trace(desk, OWNER, "support-reply"), Trace).rows) - set(shown(told, Trace).rows)
    assert [row.member for row in hidden] == [OWNER] * 2, "the check-in and its correction"
    assert_golden(told, "trace-for-a-member")
    outside = desk.workspace.person(OUTSIDER).types("/cadence trace")
    assert shown(outside, Trace).rows == ()
    assert_golden(outside, "trace-for-an-outsider")


def test_curators_read_everything(desk: BotHarness) -> None:
    told = trace(desk, CURATOR)
    assert set(shown(trace(desk, OWNER), Trace).rows) == set(shown(told, Trace).rows)
    assert_golden(told, "trace-for-a-curator")
