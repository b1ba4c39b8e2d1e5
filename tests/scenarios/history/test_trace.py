"""`/cadence trace` shows the trail to those who can read it, a page at a time (SPEC §8, §9)."""

from collections.abc import Iterator

import pytest

from bot.rehearsal.harness import BotHarness
from bot.sandbox.answers import Answer
from tests.harnesses import EXAMPLES, bot_harness
from tests.scenarios.plays import DESK, DESK_CHANNEL, at, changed, start_cycle

OWNER, MEMBER, OUTSIDER, CURATOR = "U01LEAD", "U01AGENT1", "U01AGENT2", "U01CURATOR"


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
            (MEMBER, "/exception send tone was <off>"),
            (MEMBER, "/exception send tone was off"),
            (MEMBER, "/exception draft empty"),
            (OWNER, "/cadence mode support-reply draft human-led nobody trusts it"),
            (OWNER, "/attest as-declared runs=21"),
        ):
            harness.workspace.person(member).types(words, channel=DESK_CHANNEL)
        harness.tick()
        yield harness


def trace(harness: BotHarness, member: str, words: str = "") -> Answer:
    return harness.workspace.person(member).types(f"/cadence trace {words}".strip(), channel=DESK_CHANNEL)


def test_the_owner_reads_who_did_what_when_from_where_before_and_after(desk: BotHarness) -> None:
    told = trace(desk, OWNER, "support-reply").words
    assert "Trail of Support reply" in told
    assert (
        f"_Thu 5 Mar 12:00_ <@{OWNER}> corrected a check-in: week of Mon 2 Mar, Support reply (Desk) "
        "_(command)_\nas planned, 20 runs → as planned, 21 runs" in told
    )
    assert f"<@{OWNER}> changed who leads the step: “Draft three replies”, Support reply (Desk)" in told
    assert "collaborative → human-led: “nobody trusts it”" in told
    assert "“tone was &lt;off&gt;”" in told
    assert (
        "Rollout Cadence checked the step: “Send the edited reply”, Support reply (Desk) _(by rule)_\nwithin the cap"
        in told
    )


def test_a_page_leads_to_the_older_one_and_the_last_one_ends(desk: BotHarness) -> None:
    owner = desk.workspace.person(OWNER)
    answer = trace(desk, OWNER)
    seen = []
    for _ in range(10):
        assert answer.message
        seen.append(answer.words)
        if "Older" not in answer.words:
            break
        answer = owner.clicks(answer.message, "Older")
    assert 1 < len(seen) < 10
    assert "started a cycle: " in seen[-1]
    assert len({line for page in seen for line in page.splitlines() if "logged an exception" in line}) >= 2


def test_it_is_narrowed_to_a_step_and_a_day(desk: BotHarness) -> None:
    told = trace(desk, OWNER, "support-reply draft").words
    assert "“Draft three replies”, Support reply (Desk)" in told
    assert "Send the edited reply" not in told
    assert "a check-in" not in told
    assert "Did you mean" in trace(desk, OWNER, "suport-reply").words


def test_members_see_their_teams_steps_but_not_who_answered(desk: BotHarness) -> None:
    told = trace(desk, MEMBER, "support-reply").words
    assert "logged an exception" in told
    assert "changed who leads the step" in told
    assert "a check-in" not in told
    assert "the check-in" not in told
    outside = desk.workspace.person(OUTSIDER).types("/cadence trace").words
    assert "Nothing here yet, or nothing you can see" in outside
    assert "Support reply" not in outside


def test_curators_read_everything(desk: BotHarness) -> None:
    told = trace(desk, CURATOR).words
    assert "corrected a check-in" in told
