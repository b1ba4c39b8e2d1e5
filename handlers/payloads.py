"""What Slack sends, as plain values: a button's ids, a form's inputs."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, NamedTuple

from cadence.mrkdwn import code, say
from cadence.refusals import Refusal
from cadence.typed import visible

Body = Mapping[str, Any]

_ID = re.compile(r"[0-9]{1,9}")
_MEMBER = re.compile(r"[UW][A-Z0-9]{1,23}")
_CHANNEL = re.compile(r"[CGD][A-Z0-9]{1,23}")
# PostgreSQL stores no NUL, and half a surrogate pair can't be written at all.
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
_YEARS = range(2000, 2101)
_OLD_FORM = "This form is too old to be understood. Close it and open it again."


class Origin(NamedTuple):
    """Where a request acts, and who made it.

    Args:
        workspace: the workspace whose rows the request may touch; "" when Slack names none.
        member: the person's Slack ID; "" for an event that has none.
        home: the workspace or organization the person belongs to; "" when Slack doesn't say.
        organization: the Enterprise organization the request came from; "" outside of one.
    """

    workspace: str
    member: str = ""
    home: str = ""
    organization: str = ""

    @property
    def from_elsewhere(self) -> bool:
        """Whether the person belongs to another workspace, as people in a Slack Connect channel can.

        In an organization people have one home and work in several workspaces: `users.info` says which.
        """
        return bool(self.home) and self.home != self.workspace and not self.organization


def origin_of(body: Body) -> Origin:
    """Decide where a request of any kind acts. Commands, buttons, forms, shortcuts and events all go by this.

    A form or a Home acts where the app that shows it is installed (`view.app_installed_team_id`): in a Slack
    Connect channel `team` is the workspace of the person who submits it. An event belongs to the installation
    it was sent for (`authorizations`), whatever workspace it happened in. With an organization-wide
    installation `team` is null and the installation names no workspace: then the view's or the person's does.
    """
    event = _part(body, "event")
    return _origin_of_event(body, event) if event else _origin_of_request(body)


def _origin_of_request(body: Body) -> Origin:
    """A slash command, or something pressed, submitted, closed, chosen or searched for."""
    team, user, view = _part(body, "team"), _part(body, "user"), _part(body, "view")
    home = _text(user, "team_id")
    return Origin(
        workspace=_first_workspace(
            _text(view, "app_installed_team_id"),
            _text(team, "id"),
            _text(body, "team_id"),
            _text(view, "team_id"),
            home,
        ),
        member=_text(user, "id") or _text(body, "user_id"),
        home=home,
        organization=_organization(body) or _text(team, "enterprise_id"),
    )


def _origin_of_event(body: Body, event: Body) -> Origin:
    grants = body.get("authorizations")
    grant = grants[0] if isinstance(grants, list) and grants and isinstance(grants[0], Mapping) else {}
    view, user = _part(event, "view"), _part(event, "user")
    return Origin(
        workspace=_first_workspace(
            _text(grant, "team_id"),
            _text(view, "app_installed_team_id"),
            _text(body, "context_team_id"),
            _text(body, "team_id"),
            _text(view, "team_id"),
        ),
        member=_text(user, "id") or _text(event, "user"),
        home=_text(user, "team_id") or _text(event, "user_team"),
        organization=_text(grant, "enterprise_id") or _organization(body),
    )


def _part(body: Body, name: str) -> Body:
    part = body.get(name)
    return part if isinstance(part, Mapping) else {}


def _text(part: Body, name: str) -> str:
    text = part.get(name)
    return text if isinstance(text, str) else ""


def _organization(body: Body) -> str:
    return _text(_part(body, "enterprise"), "id") or _text(body, "enterprise_id")


def _first_workspace(*ids: str) -> str:
    """The first that is a workspace's: an organization's ID begins with an E."""
    return next((one for one in ids if one and not one.startswith("E")), "")


@dataclass(frozen=True, slots=True)
class Form:
    """A submitted form: its inputs by block id, and the ids it was opened with; `below` is the view under it."""

    view_id: str
    callback: str
    ids: Mapping[str, Any]
    values: Mapping[str, Mapping[str, Any]]
    below: str = ""

    @classmethod
    def of(cls, view: Mapping[str, Any]) -> "Form":
        """Read a view as Slack sends it; metadata that isn't ours counts as none."""
        try:
            ids = json.loads(view.get("private_metadata") or "{}")
        except (ValueError, RecursionError):
            ids = {}
        inputs = {
            block_id: element
            for block_id, elements in ((view.get("state") or {}).get("values") or {}).items()
            for element in elements.values()
            if isinstance(element, dict)
        }
        return cls(
            view_id=view.get("id", ""),
            callback=view.get("callback_id", ""),
            ids=ids if isinstance(ids, dict) else {},
            values=inputs,
            below=str(view.get("previous_view_id") or ""),
        )

    @property
    def slug(self) -> str | None:
        """The slug that the form was opened with, if any."""
        kept = self.ids.get("slug")
        return _UNSTORABLE.sub("", kept) or None if isinstance(kept, str) else None

    def row(self, name: str) -> int:
        """The id of a row that the form was opened with.

        Raises:
            Refusal: it carries none.
        """
        found = row_id(str(self.ids.get(name, "")))
        if found is None:
            raise Refusal(_OLD_FORM)
        return found

    def week(self, name: str) -> date | None:
        """The Monday that the form was opened with, if any.

        Raises:
            Refusal: it isn't a Monday.
        """
        kept = self.ids.get(name)
        if kept is None:
            return None
        found = _monday(kept)
        if found is None:
            raise Refusal(_OLD_FORM)
        return found

    def text(self, field: str) -> str:
        """What was typed, without white space around it or characters that don't show; "" when nothing was."""
        typed = self.values.get(field, {}).get("value")
        return visible(typed).strip() if isinstance(typed, str) else ""

    def texts(self, field: str) -> dict[str, str]:
        """What was typed in each input `{field}:{key}`, by its key."""
        inputs = [one for one in self.values if one.startswith(f"{field}:")]
        return {one.partition(":")[2]: self.text(one) for one in inputs}

    def typed(self) -> dict[str, str]:
        """What was typed or chosen in each input, by block id; "" where nothing was."""
        return {field: self._given(field) for field in self.values}

    def _given(self, field: str) -> str:
        member = self.values[field].get("selected_user")
        return (
            self.text(field)
            or self.option(field)
            or (member if isinstance(member, str) and _MEMBER.fullmatch(member) else "")
            or ",".join(self.options(field))
        )

    def whole(self, field: str) -> int | None:
        """A whole number, None when nothing was typed.

        Raises:
            Refusal: on its field, when it isn't one.
        """
        typed = self.text(field).replace(",", "").replace("\u202f", "").replace("\xa0", "")
        if not typed:
            return None
        number = _whole(typed)
        if number is None:
            raise Refusal(
                say("{typed} isn't a whole number; write one such as 14.", typed=code(typed[:40])),
                field=field,
            )
        return number

    def option(self, field: str) -> str | None:
        """The value of the option chosen."""
        return _option(self.values.get(field, {}).get("selected_option"))

    def options(self, field: str) -> tuple[str, ...]:
        """The values of the options chosen."""
        chosen = self.values.get(field, {}).get("selected_options")
        values = [_option(one) for one in chosen] if isinstance(chosen, list) else []
        return tuple(value for value in values if value is not None)

    def members(self, field: str) -> tuple[str, ...]:
        """The people chosen.

        Raises:
            Refusal: on its field, when one of them isn't a Slack member.
        """
        chosen = self.values.get(field, {}).get("selected_users") or ()
        return tuple(
            _slack_id(_MEMBER, one, field, "a person") for one in (chosen if isinstance(chosen, list) else ())
        )

    def member(self, field: str) -> str | None:
        """The person chosen.

        Raises:
            Refusal: on its field, when it isn't a Slack member.
        """
        chosen = self.values.get(field, {}).get("selected_user")
        return _slack_id(_MEMBER, chosen, field, "a person") if chosen else None

    def channel(self, field: str) -> str | None:
        """The channel chosen.

        Raises:
            Refusal: on its field, when it isn't a Slack channel.
        """
        element = self.values.get(field, {})
        chosen = element.get("selected_conversation") or element.get("selected_channel")
        return _slack_id(_CHANNEL, chosen, field, "a channel") if chosen else None

    def day(self, field: str) -> date | None:
        """The date chosen.

        Raises:
            Refusal: on its field, when it is no date of this century.
        """
        chosen = self.values.get(field, {}).get("selected_date")
        if not chosen:
            return None
        found = _day(chosen)
        if found is None:
            raise Refusal("That isn't a day the calendar here knows. Choose another one.", field=field)
        return found


def _option(chosen: object) -> str | None:
    value = chosen.get("value") if isinstance(chosen, dict) else None
    return _UNSTORABLE.sub("", value) if isinstance(value, str) else None


def _slack_id(shape: re.Pattern[str], chosen: object, field: str, what: str) -> str:
    if isinstance(chosen, str) and shape.fullmatch(chosen):
        return chosen
    raise Refusal(f"That isn't {what} Slack knows. Choose again.", field=field)


def _whole(typed: str) -> int | None:
    try:
        number = float(typed)
    except ValueError:
        return None
    return int(number) if number.is_integer() and abs(number) < 1e9 else None


def _day(text: object) -> date | None:
    try:
        found = date.fromisoformat(str(text))
    except ValueError:
        return None
    return found if found.year in _YEARS else None


def _monday(text: object) -> date | None:
    """The day a week is kept by; weeks counted from other days would be told apart from it."""
    found = _day(text)
    return found if found is not None and found.weekday() == 0 else None


def row_id(text: str) -> int | None:
    """The id of a row as buttons and forms carry it; None for anything else."""
    return int(text) if _ID.fullmatch(text) else None


def channel_id(text: str) -> str | None:
    """A channel's Slack ID as a button carries it; None for anything else."""
    return text if _CHANNEL.fullmatch(text) else None


def metadata(**ids: object) -> str:
    """A form's ids, for `private_metadata`; those that are None are left out."""
    return json.dumps({name: one for name, one in ids.items() if one is not None})


def split_ref(value: str) -> tuple[int, str]:
    """`{adoption_id}:{rest}` as a button carries it.

    Raises:
        Refusal: it is something else, such as a button of a version long gone.
    """
    first, _, rest = value.partition(":")
    adoption_id = row_id(first)
    if adoption_id is None or not rest:
        raise Refusal("This button is too old to be understood. `/cadence status` shows what stands.")
    return adoption_id, rest


def split_rows(value: str) -> tuple[int, int]:
    """`{adoption_id}:{row_id}` as a button carries it.

    Raises:
        Refusal: it is something else.
    """
    adoption_id, rest = split_ref(value)
    row = row_id(rest)
    if row is None:
        raise Refusal("This button is too old to be understood. `/cadence status` shows what stands.")
    return adoption_id, row


def split_week(value: str) -> tuple[int, date]:
    """`{adoption_id}:{week_start}` as a check-in's buttons carry it.

    Raises:
        Refusal: it is something else.
    """
    adoption_id, week = split_ref(value)
    return adoption_id, read_week(week)


def read_week(value: str) -> date:
    """`{week_start}`, a Monday, as a button carries it.

    Raises:
        Refusal: it is something else.
    """
    found = _monday(value)
    if found is None:
        raise Refusal("This button is too old to be understood. `/attest` answers this week.")
    return found


def button_value(body: Body) -> str:
    """What the pressed button, or the chosen option of a menu, carries."""
    action = (body.get("actions") or [{}])[0]
    chosen = _option(action.get("selected_option"))
    return _UNSTORABLE.sub("", chosen or str(action.get("value") or ""))
