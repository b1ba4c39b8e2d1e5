"""One function determines where a request acts and who made it, for every payload Slack documents."""

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from handlers.payloads import Origin, origin_of

HERE, THERE, ORG = "T0HERE", "T0THERE", "E0ORG"
ANN, BEN = {"id": "U0ANN", "team_id": HERE}, {"id": "U0BEN", "team_id": THERE}
ENTERPRISE = {"id": ORG, "name": "Org"}


def view(**given: object) -> dict[str, Any]:
    return {"id": "V1", "type": "modal", "callback_id": "form", "state": {"values": {}}} | given


def grant(**given: object) -> list[dict[str, object]]:
    known = {"enterprise_id": None, "team_id": HERE, "user_id": "U0BOT", "is_bot": True}
    return [known | {"is_enterprise_install": False} | given]


def event(of: dict[str, object], **given: object) -> dict[str, object]:
    envelope = {"type": "event_callback", "team_id": HERE, "api_app_id": "A1", "authorizations": grant()}
    return envelope | {"event": of} | given


SHAPES: dict[str, tuple[dict[str, Any], Origin]] = {
    "slash command": (
        {"command": "/kpi", "team_id": HERE, "user_id": "U0ANN", "is_enterprise_install": "false"},
        Origin(HERE, "U0ANN"),
    ),
    "slash command in an organization": (
        {
            "command": "/kpi",
            "team_id": HERE,
            "enterprise_id": ORG,
            "user_id": "U0ANN",
            "is_enterprise_install": "true",
        },
        Origin(HERE, "U0ANN", organization=ORG),
    ),
    "button in a message": (
        {"type": "block_actions", "team": {"id": HERE}, "user": ANN, "message": {"ts": "1.0"}},
        Origin(HERE, "U0ANN", HERE),
    ),
    "button in a shared channel, pressed by somebody of another workspace": (
        {"type": "block_actions", "team": {"id": HERE}, "user": BEN, "message": {"ts": "1.0"}},
        Origin(HERE, "U0BEN", THERE),
    ),
    "button in a message, app installed in the organization": (
        {
            "type": "block_actions",
            "team": None,
            "enterprise": ENTERPRISE,
            "is_enterprise_install": True,
            "user": ANN,
        },
        Origin(HERE, "U0ANN", HERE, ORG),
    ),
    "button in a form opened from a shared channel": (
        {
            "type": "block_actions",
            "team": {"id": THERE},
            "user": BEN,
            "view": view(team_id=THERE, app_installed_team_id=HERE),
        },
        Origin(HERE, "U0BEN", THERE),
    ),
    "button on the Home": (
        {
            "type": "block_actions",
            "team": {"id": HERE},
            "user": ANN,
            "view": view(type="home", team_id=HERE, app_installed_team_id=HERE),
        },
        Origin(HERE, "U0ANN", HERE),
    ),
    "form": (
        {
            "type": "view_submission",
            "team": {"id": HERE},
            "user": ANN,
            "view": view(team_id=HERE, app_installed_team_id=HERE),
        },
        Origin(HERE, "U0ANN", HERE),
    ),
    "form submitted from another workspace": (
        {
            "type": "view_submission",
            "team": {"id": THERE, "domain": "there"},
            "user": BEN,
            "view": view(team_id=THERE, app_installed_team_id=HERE),
        },
        Origin(HERE, "U0BEN", THERE),
    ),
    "form of a server that doesn't say where the app is installed": (
        {"type": "view_submission", "team": {"id": HERE}, "user": {"id": "U0ANN"}, "view": view()},
        Origin(HERE, "U0ANN"),
    ),
    "form, app installed in the organization": (
        {
            "type": "view_submission",
            "team": None,
            "enterprise": ENTERPRISE,
            "is_enterprise_install": True,
            "user": {"id": "U0ANN", "team_id": THERE},
            "view": view(team_id=HERE, app_installed_team_id=ORG),
        },
        Origin(HERE, "U0ANN", THERE, ORG),
    ),
    "form that was closed": (
        {
            "type": "view_closed",
            "team": {"id": THERE},
            "user": BEN,
            "view": view(team_id=THERE, app_installed_team_id=HERE),
            "is_cleared": False,
        },
        Origin(HERE, "U0BEN", THERE),
    ),
    "global shortcut": (
        {"type": "shortcut", "callback_id": "check_in", "team": {"id": HERE}, "user": ANN},
        Origin(HERE, "U0ANN", HERE),
    ),
    "message shortcut on somebody else's message": (
        {
            "type": "message_action",
            "callback_id": "log",
            "team": {"id": HERE},
            "user": ANN,
            "message": {"ts": "1.0", "user": "U0BEN", "team": THERE},
        },
        Origin(HERE, "U0ANN", HERE),
    ),
    "shortcut, app installed in the organization": (
        {
            "type": "shortcut",
            "callback_id": "check_in",
            "team": None,
            "enterprise": ENTERPRISE,
            "is_enterprise_install": True,
            "user": ANN,
        },
        Origin(HERE, "U0ANN", HERE, ORG),
    ),
    "menu that asks for options": (
        {
            "type": "block_suggestion",
            "team": {"id": THERE},
            "user": BEN,
            "view": view(team_id=THERE, app_installed_team_id=HERE),
            "value": "sup",
        },
        Origin(HERE, "U0BEN", THERE),
    ),
    "Home opened": (
        event(
            {
                "type": "app_home_opened",
                "user": "U0ANN",
                "tab": "home",
                "view": view(type="home", team_id=HERE, app_installed_team_id=HERE),
            }
        ),
        Origin(HERE, "U0ANN"),
    ),
    "event of a channel that another workspace shares": (
        event(
            {"type": "member_joined_channel", "user": "U0BEN", "channel": "C1", "team": THERE},
            team_id=THERE,
            context_team_id=HERE,
            is_ext_shared_channel=True,
        ),
        Origin(HERE, "U0BEN"),
    ),
    "message of somebody of another workspace": (
        event(
            {"type": "message", "user": "U0BEN", "user_team": THERE, "source_team": THERE},
            team_id=THERE,
            is_ext_shared_channel=True,
        ),
        Origin(HERE, "U0BEN", THERE),
    ),
    "event, app installed in the organization": (
        event(
            {"type": "app_home_opened", "user": "U0ANN", "tab": "home"},
            enterprise_id=ORG,
            authorizations=grant(team_id=None, enterprise_id=ORG, is_enterprise_install=True),
        ),
        Origin(HERE, "U0ANN", organization=ORG),
    ),
    "event without authorizations": (
        {"type": "event_callback", "team_id": HERE, "event": {"type": "app_home_opened", "user": "U0ANN"}},
        Origin(HERE, "U0ANN"),
    ),
    "a person changed": (
        event({"type": "user_change", "user": {"id": "U0BEN", "team_id": THERE, "is_stranger": True}}),
        Origin(HERE, "U0BEN", THERE),
    ),
    "step of a workflow": (
        event({"type": "function_executed", "function": {}, "inputs": {}, "bot_access_token": "xwfp-1"}),
        Origin(HERE),
    ),
    "button of a workflow's message": (
        {
            "type": "block_actions",
            "team": {"id": HERE},
            "user": ANN,
            "function_data": {"execution_id": "Fx1"},
            "interactor": {"id": "U0ANN", "secret": "x"},
        },
        Origin(HERE, "U0ANN", HERE),
    ),
}


@pytest.mark.parametrize(("body", "expected"), SHAPES.values(), ids=SHAPES)
def test_where_each_kind_of_request_acts(body: dict[str, Any], expected: Origin) -> None:
    assert origin_of(body) == expected


@pytest.mark.parametrize("name", [name for name in SHAPES if "another workspace" in name])
def test_somebody_of_another_workspace_is_known_as_such(name: str) -> None:
    body, origin = SHAPES[name]
    assert origin_of(body).from_elsewhere == bool(origin.home)


def test_in_an_organization_only_slack_can_say_who_works_where() -> None:
    body, _ = SHAPES["form, app installed in the organization"]
    assert not origin_of(body).from_elsewhere


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["id", "team_id", "app_installed_team_id", "user_team", "enterprise_id"]),
            inner,
            max_size=4,
        )
    ),
    max_leaves=4,
)


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(
    st.dictionaries(
        st.sampled_from(
            ["team", "user", "view", "event", "authorizations", "enterprise", "team_id", "enterprise_id"]
        ),
        _JSON,
    )
)
def test_no_payload_breaks_it(body: dict[str, Any]) -> None:
    origin = origin_of(body)
    assert all(isinstance(part, str) for part in origin)
    assert not origin.workspace.startswith("E")
