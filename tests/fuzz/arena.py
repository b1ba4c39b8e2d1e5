"""A prepared bot that can be asked thousands of things a minute: no HTTP, the database put back each time."""

import json
import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from slack_sdk import WebClient
from slack_sdk.webhook import WebhookClient, WebhookResponse
from sqlalchemy import event

from bot import app as bot_app
from bot.ops.commands import BUILT_IN_TEAM, import_into
from bot.rehearsal.harness import BotHarness
from bot.sandbox.answers import SubmitResult
from bot.sandbox.delivery import encode, signed_headers
from bot.sandbox.limits import problems_of_message, problems_of_view
from bot.sandbox.messages import Message
from bot.sandbox.payloads import event_body
from bot.sandbox.views import View
from bot.web import dispatch
from cadence.actor import Actor
from cadence.flows.cycles.starting import CycleGiven, start_cycle
from cadence.flows.people.profiles import ensure_workspace
from cadence.rules.drift import DriftEvent
from cadence.rules.modes import LADDER, Mode, rank
from storage.queries import adoptions, people, playbooks
from storage.tables import (
    AdoptionRequest,
    ApiToken,
    Assessment,
    Cycle,
    CycleState,
    PlaybookVersion,
    Promotion,
    PromotionState,
    Setup,
    SpotAudit,
    StepDrift,
    TrainingSample,
    Wave,
    WavePhase,
    WaveTeam,
)
from storage.work import UnitOfWork
from templates.ids import Action
from tests.databases import kept
from tests.harnesses import EXAMPLES, bot_harness
from tests.scenarios.plays import says

Json = dict[str, Any]
OTHER_TEAM = "T02OTHER"
THURSDAY = datetime(2026, 3, 12, 10, 30, tzinfo=UTC)
"""In week 2 of the cycles: the check-ins of Europe are out, and last week's can still be corrected."""
DRIFTED: Json = {
    "attested": 2,
    "drifted": 1,
    "awaited": 0,
    "weeks": [1],
    "share": 0.5,
    "limit_share": 0.2,
    "limit_weeks": 2,
}
PEOPLE = ("U01LEAD", "U01AGENT1", "U02AGENT1", "U07ANALYST", "U01CURATOR", "U0STRANGER")
"""An owner, a member, a member of another team, one of two teams, a curator, and somebody nobody knows."""
CHANNELS = ("C01SUPEMEA", "C02SUPAPAC", "C01CURATORS", "D01AGENT1", "C0NOWHERE")
SILENT = frozenset({Action.TICK_ITEM, Action.HOME_ON, Action.HOME_BACK})
"""Buttons whose message, or whose Home, is written again instead of an answer."""
PINGS = ("@here", "@channel", "@everyone")
DATE = re.compile(r"<!date\^\d+\^[^<>|]*\|[^<>]*>")


@dataclass(slots=True)
class Reply:
    """The result of one request: the message, the opened views, the errors on a form."""

    message: Json = field(default_factory=dict)
    views: list[Json] = field(default_factory=list)
    errors: dict[str, str] = field(default_factory=dict)
    closed: bool = False

    def seen(self) -> SubmitResult:
        """What the person sees of it, for `tests.contexts`."""
        said = [self.message] if self.message else []
        return SubmitResult(
            errors=self.errors,
            closed=self.closed,
            view=View("V1", "U1", self.views[-1], "1", "V1") if self.views else None,
            messages=tuple(
                Message("C1", "1.0", "B1", text=one["text"], blocks=one["blocks"]) for one in said
            ),
        )


class Broken(AssertionError):
    """The bot had no sentence for something."""


class Arena:
    """The bot in a harness that only records its calls to Slack."""

    def __init__(self, harness: BotHarness, errors: list[BaseException], outcomes: list[str]) -> None:
        self.harness = harness
        self.asked = 0
        self.offered: list[Json] = []
        self.errors, self.outcomes = errors, outcomes
        self._trigger = 0
        self.last: tuple[Any, Json] = ("slash_commands", {})
        self._kept = kept(harness.bot.db)

    def close(self) -> None:
        """Forget what the database held."""
        self._kept.close()

    def reset(self) -> None:
        """Put the database back, so that every input meets the same rows and a failure can be repeated."""
        self._kept.put_back()

    def forget(self) -> None:
        """Clear the recorded calls and errors before the next request."""
        for one in (self.errors, self.outcomes, self.offered):
            one.clear()

    def wrote(self) -> bool:
        """Whether anything was written since this was asked last, or since the database was put back."""
        return self._kept.written()

    # --- asking ---------------------------------------------------------------------------------------------

    def types(self, member: str, command: str, text: str, channel: str) -> Reply:
        """A slash command."""
        body = {
            "team_id": BUILT_IN_TEAM,
            "channel_id": channel,
            "user_id": member,
            "command": command,
            "text": text,
            "response_url": "https://hooks.example.com/1",
            "trigger_id": self._next_trigger(),
        }
        return self._ask("slash_commands", body)

    def presses(
        self, member: str, action: str, value: str, *, in_view: bool = False, on_home: bool = False
    ) -> Reply:
        """A button, under a message, in a form or on the Home."""
        kind = "home" if on_home else "modal"
        place: Json = {"view": {"id": "V1", "type": kind, "hash": "1", "blocks": []}}
        if not (in_view or on_home):
            place = {
                "response_url": "https://hooks.example.com/1",
                "channel": {"id": "C01SUPEMEA"},
                "message": {"ts": "1.0"},
            }
        pressed = {"type": "button", "action_id": action, "block_id": "b", "value": value}
        return self._ask(
            "interactive", self._interaction(member, "block_actions") | place | {"actions": [pressed]}
        )

    def shortcut(self, member: str, callback: str, message: Json | None = None) -> Reply:
        """A shortcut: a global one, or one on a message in #support-emea."""
        place: Json = {"callback_id": callback, "action_ts": "1.0"}
        if message is not None:
            place |= {"channel": {"id": "C01SUPEMEA", "name": "support-emea"}, "message": message}
        kind = "shortcut" if message is None else "message_action"
        return self._ask("interactive", self._interaction(member, kind) | place)

    def submits(self, member: str, view: Json, *, reopened: bool = True) -> Reply:
        """A form, newly opened or the last one submitted."""
        if reopened:
            view = view | {"hash": f"{view.get('hash', '')}.{self._trigger}"}
        if isinstance(view.get("blocks"), list):  # Slack names each block that the app left unnamed
            view = view | {"blocks": [_named(block, place) for place, block in enumerate(view["blocks"])]}
        return self._ask("interactive", self._interaction(member, "view_submission") | {"view": view})

    def runs_step(self, member: str, callback: str, **inputs: object) -> Reply:
        """A step of a workflow."""
        self._trigger += 1
        event = {
            "type": "function_executed",
            "function": {"callback_id": callback},
            "inputs": {"person": member, **inputs},
            "function_execution_id": f"Fx{self._trigger}",
        }
        return self._ask("events_api", event_body(self.harness.workspace, event))

    def _interaction(self, member: str, kind: str) -> Json:
        return {
            "type": kind,
            "team": {"id": BUILT_IN_TEAM},
            "user": {"id": member, "team_id": BUILT_IN_TEAM},
            "trigger_id": self._next_trigger(),
        }

    def _next_trigger(self) -> str:
        self._trigger += 1
        return f"{self._trigger}.1"

    def again(self, retry: int | None = None, *, of: tuple[Any, Json] | None = None) -> Reply:
        """The last request (or an earlier one, as `last` had it) once more: a retry, a second click."""
        return self._ask(*(of or self.last), retry, again=True)

    def _ask(self, kind: Any, body: Json, retry: int | None = None, *, again: bool = False) -> Reply:
        self.asked += 1
        self.last = kind, body
        self.forget()
        text = encode(kind, body)
        headers = signed_headers(kind, text, self.harness.workspace.app.signing_secret, retry)
        with self.recording():
            status, answer, _ = dispatch(self.harness.bot.app, text, headers)
        if self.errors:
            raise Broken(f"no sentence for {type(self.errors[0]).__name__}") from self.errors[0]
        assert status == 200, (status, answer)
        silent = (
            again or "event" in body or any(one.get("action_id") in SILENT for one in body.get("actions", ()))
        )
        view = body.get("view") if "actions" not in body else None
        return judged(self.offered, answer, submitted=view, silent=silent)

    @contextmanager
    def recording(self) -> Iterator[None]:
        """Nothing goes out over HTTP: only while the bot is asked, since other tests share the process."""
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(
                WebClient, "api_call", lambda _client, method, **rest: self.api_call(method, **rest)
            )
            patch.setattr(WebhookClient, "send_dict", lambda _client, body, **_rest: self.send_dict(body))
            yield

    # --- Slack's side ---------------------------------------------------------------------------------------

    def api_call(self, api_method: str, **arguments: Any) -> Json:
        """Stands for `WebClient.api_call`: keeps the views, and knows nobody."""
        given = arguments.get("json") or arguments.get("params") or {}
        if api_method.startswith("views."):
            view = given["view"]
            self.offered.append({"view": json.loads(view) if isinstance(view, str) else view})
        shown = {"id": given.get("view_id") or "V1"}
        return {"ok": True, "user": {"id": given.get("user", "U0"), "name": "somebody"}, "view": shown}

    def send_dict(self, body: Json) -> WebhookResponse:
        """Stands for a POST to a response URL."""
        self.offered.append({"message": body})
        return WebhookResponse(url="https://hooks.example.com/1", status_code=200, body="ok", headers={})


def judged(offered: list[Json], answer: str, *, submitted: Json | None, silent: bool = False) -> Reply:
    """The reply, after checking that Slack would accept it, that it isn't empty and pings nobody."""
    reply = Reply()
    ack = json.loads(answer) if answer.strip() else {}
    for one in [*offered, *([{"message": ack}] if "text" in ack else [])]:
        if "view" in one:
            _take_view(reply, one["view"])
        else:
            _take_message(reply, one["message"])
    if ack.get("response_action") == "errors":
        reply.errors = ack["errors"]
        assert reply.errors, "errors without a word"
        assert all(said.strip() and len(said) <= 2_000 for said in reply.errors.values())
    elif ack.get("response_action") == "update":
        _take_view(reply, ack["view"])
    elif submitted is not None and not ack:
        reply.closed = True
    assert silent or reply.message or reply.views or reply.errors or reply.closed, "no answer"
    return reply


def _take_view(reply: Reply, view: Json) -> None:
    assert problems_of_view(view) == []
    _calm(view["blocks"])
    reply.views.append(view)


def _take_message(reply: Reply, message: Json) -> None:
    sent = {key: value for key, value in message.items() if key in ("text", "blocks")}
    assert sent["text"].strip()
    assert problems_of_message(sent) == []
    assert message.get("response_type") == "ephemeral"
    assert "<!" not in sent["text"]
    _calm(sent["blocks"])
    reply.message = message


def _calm(node: object) -> None:
    """Nobody is pinged: no active broadcast anywhere, and a bare `@here` only where Slack ignores it."""
    if isinstance(node, list):
        for part in node:
            _calm(part)
    elif isinstance(node, dict):
        if node.get("type") == "mrkdwn":
            assert "<!" not in DATE.sub("", node["text"])
            assert node.get("verbatim") is True or not any(ping in node["text"] for ping in PINGS)
        for part in node.values():
            _calm(part)


@contextmanager
def opened(folder: Path) -> Iterator[Arena]:
    """Two workspaces in one database, three running cycles, reports, a watch and a demotion."""
    errors: list[BaseException] = []
    outcomes: list[str] = []
    files = [EXAMPLES / "support-reply.yaml", EXAMPLES / "variance-review.yaml"]
    with ExitStack() as stack:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(bot_app, "code_for", _spy(errors))
            patch.setattr(bot_app, "_observe", lambda _kind, outcome, _seconds: outcomes.append(outcome))
            harness = stack.enter_context(bot_harness(folder, playbooks=files))
        _prepare(harness)
        if harness.bot.db.is_sqlite:
            event.listen(harness.bot.db.engine, "connect", _careless)
            harness.bot.db.close()
        arena = Arena(harness, errors, outcomes)
        yield arena
        arena.close()


def _spy(errors: list[BaseException]) -> Callable[[BaseException], str]:
    def code_for(error: BaseException) -> str:
        errors.append(error)
        return "E-SPY"

    return code_for


def _careless(connection: Any, _record: object) -> None:
    connection.execute("PRAGMA synchronous=OFF").close()


def _prepare(harness: BotHarness) -> None:
    for playbook, team in (
        ("support-reply", "support-emea"),
        ("support-reply", "support-apac"),
        ("variance-review", "finance-uk"),
    ):
        _start(harness, BUILT_IN_TEAM, playbook, team, date(2026, 3, 2))
    harness.play_until(THURSDAY)
    agent, lead = harness.workspace.person("U01AGENT1"), harness.workspace.person("U02LEAD")
    for _ in range(6):
        says(agent, "/exception draft tone was off", channel="C01SUPEMEA")
    says(agent, "/exception send critical promised a refund", channel="C01SUPEMEA")
    lead.types("/kpi support-reply 22m", channel="C02SUPAPAC")
    agent.types("/cadence handoff support-reply send billing refund for case 4711", channel="C01SUPEMEA")
    harness.tick()
    _plant_standards(harness)
    _plant_draft(harness)
    _plant_setup(harness)
    _plant_samples(harness)
    _plant_wave(harness)
    _plant_pilot(harness)
    _plant_tokens(harness)
    _neighbour(harness)


def _plant_draft(harness: BotHarness) -> None:
    """A second draft of variance-review, which the team that runs it can be moved to."""
    with harness.bot.db.write() as session:
        playbook = playbooks.by_slug(
            UnitOfWork.around(session, Actor.system(BUILT_IN_TEAM)), slug="variance-review"
        )
        assert playbook is not None
        first = playbooks.newest_version(
            UnitOfWork.around(session, Actor.system(BUILT_IN_TEAM)), playbook_id=playbook.id or 0
        )
        assert first is not None
        values = first.model_dump(exclude={"id"}) | {
            "revision": 2,
            "spec": first.spec | {"setup_minutes": 50},
        }
        session.add(PlaybookVersion(**values))


def _plant_setup(harness: BotHarness) -> None:
    """Of adoption 2: a setup under way, with every item of its checklist open."""
    with harness.bot.db.write() as session:
        unit = UnitOfWork.around(session, Actor.system(BUILT_IN_TEAM))
        adoption = adoptions.lock_adoption(unit, adoption_id=2)
        session.add(
            Setup(
                workspace_id=BUILT_IN_TEAM,
                adoption_id=2,
                version_id=adoption.version_id,
                started_by="U02LEAD",
                started_at=harness.clock.now(),
            )
        )


def _plant_tokens(harness: BotHarness) -> None:
    """Two tokens: of a tool for support-reply, and of a member's assistant."""
    with harness.bot.db.write() as session:
        for key, member, made_by in (("k1", None, "U01LEAD"), ("k2", "U01AGENT1", "U01AGENT1")):
            session.add(
                ApiToken(
                    workspace_id=BUILT_IN_TEAM,
                    key=key,
                    secret_hash="0" * 64,
                    name=f"Planted {key}",
                    playbook_id=None if member else 1,
                    member=member,
                    may_write=True,
                    may_read=True,
                    made_by=made_by,
                    made_at=harness.clock.now(),
                )
            )
            session.flush()


def _plant_wave(harness: BotHarness) -> None:
    """A planned wave of support-reply: billing, with its champion, and payments-uk; and a request of billing."""
    now = harness.clock.now()
    here: Json = {"workspace_id": BUILT_IN_TEAM}
    with harness.bot.db.write() as session:
        unit = UnitOfWork.around(session, Actor.system(BUILT_IN_TEAM))
        teams = [people.team_by_slug(unit, slug=slug) for slug in ("billing", "payments-uk")]
        wave = Wave(
            **here,
            playbook_id=1,
            number=1,
            phase=WavePhase.CONTROLLED,
            reason="the same customers",
            planned_by="U01LEAD",
            planned_at=now,
        )
        session.add(wave)
        session.flush()
        for team in teams:
            assert team is not None
            first = people.memberships(unit, team_ids=[team.id or 0])[0].member
            champion = first if team.slug == "billing" else None
            row: Json = {"team_id": team.id or 0, "added_by": "U01LEAD", "added_at": now}
            session.add(WaveTeam(**here, **row, wave_id=wave.id or 0, champion=champion, has_capacity=True))
            session.flush()
        billing = teams[0]
        assert billing is not None
        session.add(
            AdoptionRequest(
                **here,
                playbook_id=1,
                team_id=billing.id or 0,
                member="U07ANALYST",
                reason="refunds take long",
                surface="command",
                asked_at=now,
            )
        )


def _plant_samples(harness: BotHarness) -> None:
    """Two training samples of support-reply; the champion of adoption 2 added one, and has the other to grade."""
    with harness.bot.db.write() as session:
        unit = UnitOfWork.around(session, Actor.system(BUILT_IN_TEAM))
        adoptions.lock_adoption(unit, adoption_id=2).champion = "U02LEAD"
        for text, added_by in (("Dear customer", "U01LEAD"), ("Your refund is on its way", "U02LEAD")):
            session.add(
                TrainingSample(
                    workspace_id=BUILT_IN_TEAM,
                    playbook_id=1,
                    step="draft",
                    text=text,
                    passed=True,
                    added_by=added_by,
                    added_at=harness.clock.now(),
                )
            )


def _plant_pilot(harness: BotHarness) -> None:
    """Of adoption 3: a cycle that closed long ago, and its assessment with a practice to sort."""
    now = harness.clock.now()
    with harness.bot.db.write() as session:
        unit = UnitOfWork.around(session, Actor.system(BUILT_IN_TEAM))
        adoption = adoptions.lock_adoption(unit, adoption_id=3)
        about: Json = {"workspace_id": BUILT_IN_TEAM, "adoption_id": 3}
        session.add(
            Cycle(
                **about,
                version_id=adoption.version_id,
                number=0,
                starts_on=date(2025, 11, 3),
                closes_on=date(2025, 11, 28),
                state=CycleState.CLOSED,
                closed_at=now,
                result="met",
                started_by="U07LEAD",
                started_at=now,
            )
        )
        session.add(
            Assessment(
                **about,
                playbook_id=adoption.playbook_id,
                manual_work="copying numbers",
                changed_for_ai="shorter tickets",
                local_knowledge="refund rules",
                feedback="the Friday review",
                practices=[{"text": "read it twice", "kind": None}],
                member="U07LEAD",
                surface="form",
                source="planted",
                assessed_at=now,
            )
        )


def _plant_standards(harness: BotHarness) -> None:
    """Of adoption 1: promotions that wait, of draft to AI-led and of send to collaborative, and an ungraded audit."""
    now = harness.clock.now()
    belongs: Json = {"workspace_id": BUILT_IN_TEAM, "adoption_id": 1, "cycle_id": 1, "step": "draft"}
    with harness.bot.db.write() as session:
        policy = {"accuracy": 0.9, "max_risk": 0.02, "cycles": 1, "coverage": 0.8, "confidence": 0.95}
        counts = {"number": 1, "samples": 30, "passes": 30, "risky": 0, "over_cap": 0, "kpi": "met"}
        uow = UnitOfWork.around(session, Actor.system(BUILT_IN_TEAM))
        send = adoptions.step_row(uow, adoption_id=1, step="send")
        assert send is not None
        send.mode = Mode.HUMAN_LED
        steps = adoptions.steps(uow, adoption_id=1)
        row = steps["draft"]
        for step, standing in sorted(steps.items()):
            session.add(
                Promotion(
                    **belongs | {"step": step},
                    state=PromotionState.OPEN,
                    mode=standing.mode,
                    leads_to=LADDER[rank(standing.mode) + 1],
                    samples=30,
                    passes=30,
                    risky=0,
                    bound=0.9,
                    needed=29,
                    more=0,
                    evidence={
                        "policy": policy,
                        "cycles": [{**counts, "answered": 3, "expected": 3}],
                        "drift_open": False,
                        "rubric_revision": standing.rubric,
                        "demoted_on": None,
                    },
                    judged_at=now,
                )
            )
        session.add(
            StepDrift(
                **belongs,
                event=DriftEvent.FOUND,
                declared=row.mode,
                used=Mode.HUMAN_LED,
                evidence=DRIFTED,
                at=now,
            )
        )
        session.add(
            SpotAudit(
                **belongs,
                week=2,
                week_start=date(2026, 3, 9),
                sample=2,
                seed="seed",
                population=[["U01AGENT1", 14]],
                drawn=[["U01AGENT1", 3], ["U01AGENT1", 11]],
                drawn_at=now,
            )
        )


def _start(harness: BotHarness, workspace: str, playbook: str, team: str, monday: date) -> None:
    caller = Actor(workspace, "command line", "cli", request="cli")
    given = CycleGiven(playbook=playbook, team=team, starts_on=monday)
    start_cycle(UnitOfWork(harness.bot.db, caller, harness.clock.now()), given)


def _neighbour(harness: BotHarness) -> None:
    """Another workspace with the same people, teams and playbook: its ids are the next ones."""
    db, now = harness.bot.db, harness.clock.now()
    ensure_workspace(UnitOfWork(db, Actor.system(OTHER_TEAM), now), name="Other")
    files = [EXAMPLES / "workspace.yaml", EXAMPLES / "support-reply.yaml"]
    _, refused = import_into(db, OTHER_TEAM, files, now=now)
    assert not refused
    _start(harness, OTHER_TEAM, "support-reply", "support-emea", date(2026, 3, 9))


def _named(block: Any, place: int) -> Any:
    return {"block_id": f"B{place}"} | block if isinstance(block, dict) else block
