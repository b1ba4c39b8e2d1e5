"""Slack's payloads as plain values: a button's ids, a form's inputs."""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, ClassVar, NamedTuple, TypeVar

from cadence.mrkdwn import code, say
from cadence.refusals import Refusal
from cadence.rules.amounts import whole_number
from cadence.typed import visible
from templates.contexts.ask import Input, Kind, PlainForm

Body = Mapping[str, Any]
F = TypeVar("F", bound=PlainForm)

_ID = re.compile(r"[0-9]{1,9}")
_MEMBER = re.compile(r"[UW][A-Z0-9]{1,23}")
_CHANNEL = re.compile(r"[CGD][A-Z0-9]{1,23}")
_LARGEST = 999_999_999
# PostgreSQL can't store NUL, and half a surrogate pair can't be encoded.
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
_YEARS = range(2000, 2101)
OLD_BUTTON = "This button has expired. See where things are with `/cadence status`."
_OLD_FORM = "This form has expired. Close it and open it again."


class Origin(NamedTuple):
    """Where a request acts, and who made it.

    Args:
        workspace: the workspace whose rows the request may use; "" if Slack names none.
        member: the person's Slack ID; "" for an event without a person.
        home: the workspace or organization the person belongs to; "" if Slack doesn't say.
        organization: the Enterprise organization the request came from; "" if none.
    """

    workspace: str
    member: str = ""
    home: str = ""
    organization: str = ""

    @property
    def from_elsewhere(self) -> bool:
        """Whether the person belongs to another workspace, as people in a Slack Connect channel can.

        In an organization people have one home and work in several workspaces: `users.info` lists them.
        """
        return bool(self.home) and self.home != self.workspace and not self.organization


def member_of(given: object) -> str:
    """The Slack ID of a person, as a workflow names one; "" if it isn't one."""
    named = visible(str(given or "")).strip()
    return named if _MEMBER.fullmatch(named) else ""


def origin_of(body: Body) -> Origin:
    """The origin of a request of any kind: commands, buttons, forms, shortcuts and events all use this.

    A form or a Home acts where the app that shows it is installed (`view.app_installed_team_id`): in a Slack
    Connect channel `team` is the submitter's workspace. An event belongs to the installation it was sent for
    (`authorizations`), whatever workspace it happened in. With an organization-wide installation `team` is
    null and the installation names no workspace: then the view's or the person's is used.
    """
    event = _part(body, "event")
    return _origin_of_event(body, event) if event else _origin_of_request(body)


def _origin_of_request(body: Body) -> Origin:
    """A slash command, or an interaction (a button, form, menu or shortcut)."""
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
    """The first ID of a workspace: an organization's ID begins with an E."""
    return next((one for one in ids if one and not one.startswith("E")), "")


@dataclass(frozen=True, slots=True)
class Form:
    """A submitted form: its inputs by block id, and the ids it was opened with; `below` is the view under
    it."""

    view_id: str
    callback: str
    ids: Mapping[str, Any]
    values: Mapping[str, Mapping[str, Any]]
    below: str = ""

    @classmethod
    def of(cls, view: Mapping[str, Any]) -> "Form":
        """Parse a view from Slack; unknown metadata is ignored."""
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

    def read(self, declared: type[F]) -> F:
        """Parse a submitted plain form by its declaration: only its inputs are set.

        Raises:
            Refusal: on its field, if a value is invalid, or required and missing.
        """
        return declared.of(self._read)

    def _read(self, field: str, declared: Input) -> object:
        value = self._READERS[declared.kind](self, field)
        if not value and declared.needed:
            raise Refusal(declared.needed, field=field)
        return value

    def row(self, name: str) -> int:
        """The id of a row in the form's metadata.

        Raises:
            Refusal: the form carries no such row.
        """
        return known_row(str(self.ids.get(name, "")), _OLD_FORM)

    def week(self, name: str) -> date | None:
        """The Monday in the form's metadata, if any.

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
        """The text, without surrounding white space or invisible characters, or ""."""
        typed = self.values.get(field, {}).get("value")
        return visible(typed).strip() if isinstance(typed, str) else ""

    def texts(self, field: str) -> dict[str, str]:
        """The text of each input `{field}:{key}`, by its key."""
        inputs = [one for one in self.values if one.startswith(f"{field}:")]
        return {one.partition(":")[2]: self.text(one) for one in inputs}

    def typed(self) -> dict[str, str]:
        """The value of each input, by block id; "" for an empty one."""
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
        """A whole number, None if the input is empty.

        Raises:
            Refusal: on its field, if it isn't one.
        """
        typed = self.text(field)
        if not typed:
            return None
        number = whole_number(typed)
        if number is None or abs(number) > _LARGEST:
            raise Refusal(
                say("{typed} isn't a whole number. Try 14.", typed=code(typed[:40])),
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
            Refusal: on its field, if one of them isn't a Slack member.
        """
        chosen = self.values.get(field, {}).get("selected_users") or ()
        return tuple(
            _slack_id(_MEMBER, one, field, "a person") for one in (chosen if isinstance(chosen, list) else ())
        )

    def member(self, field: str) -> str | None:
        """The person chosen.

        Raises:
            Refusal: on its field, if it isn't a Slack member.
        """
        chosen = self.values.get(field, {}).get("selected_user")
        return _slack_id(_MEMBER, chosen, field, "a person") if chosen else None

    def channel(self, field: str) -> str | None:
        """The channel chosen.

        Raises:
            Refusal: on its field, if it isn't a Slack channel.
        """
        element = self.values.get(field, {})
        chosen = element.get("selected_conversation") or element.get("selected_channel")
        return _slack_id(_CHANNEL, chosen, field, "a channel") if chosen else None

    def ticked(self, field: str) -> bool:
        """Whether a checkbox is ticked."""
        return bool(self.options(field))

    def day(self, field: str) -> date | None:
        """The date chosen.

        Raises:
            Refusal: on its field, if it isn't a date of this century.
        """
        chosen = self.values.get(field, {}).get("selected_date")
        if not chosen:
            return None
        found = _day(chosen)
        if found is None:
            raise Refusal("That isn't a valid date. Choose another one.", field=field)
        return found

    _READERS: ClassVar[Mapping[Kind, Callable[["Form", str], object]]] = {
        Kind.TEXT: text,
        Kind.WHOLE: whole,
        Kind.CHOICE: option,
        Kind.RADIO: option,
        Kind.SEVERAL: options,
        Kind.CHECK: ticked,
        Kind.CHECKS: options,
        Kind.DAY: day,
        Kind.MEMBER: member,
        Kind.MEMBERS: members,
        Kind.CHANNEL: channel,
    }


def _option(chosen: object) -> str | None:
    value = chosen.get("value") if isinstance(chosen, dict) else None
    return _UNSTORABLE.sub("", value) if isinstance(value, str) else None


def _slack_id(shape: re.Pattern[str], chosen: object, field: str, what: str) -> str:
    if isinstance(chosen, str) and shape.fullmatch(chosen):
        return chosen
    raise Refusal(f"That isn't {what} in this Slack. Choose again.", field=field)


def _day(text: object) -> date | None:
    try:
        found = date.fromisoformat(str(text))
    except ValueError:
        return None
    return found if found.year in _YEARS else None


def _monday(text: object) -> date | None:
    """The Monday that identifies a week; any other day would be a different key."""
    found = _day(text)
    return found if found is not None and found.weekday() == 0 else None


def row_id(text: str) -> int | None:
    """Parse the id of a row from a button or form; None for anything else."""
    return int(text) if _ID.fullmatch(text) else None


def known_row(text: str, otherwise: str) -> int:
    """Parse the id of a row from a button.

    Raises:
        Refusal: `otherwise`, for anything else.
    """
    found = row_id(text)
    if found is None:
        raise Refusal(otherwise)
    return found


def channel_id(text: str) -> str | None:
    """Parse a channel's Slack ID from a button; None for anything else."""
    return text if _CHANNEL.fullmatch(text) else None


def metadata(**ids: object) -> str:
    """A form's ids, for `private_metadata`; None values are left out."""
    return json.dumps({name: one for name, one in ids.items() if one is not None})


def split_ref(value: str) -> tuple[int, str]:
    """Parse a button's `{adoption_id}:{rest}`.

    Raises:
        Refusal: it is something else, such as a button of an old version.
    """
    first, _, rest = value.partition(":")
    adoption_id = row_id(first)
    if adoption_id is None or not rest:
        raise Refusal(OLD_BUTTON)
    return adoption_id, rest


def split_rows(value: str) -> tuple[int, int]:
    """Parse a button's `{adoption_id}:{row_id}`.

    Raises:
        Refusal: it is something else.
    """
    adoption_id, rest = split_ref(value)
    return adoption_id, known_row(rest, OLD_BUTTON)


def split_week(value: str) -> tuple[int, date]:
    """Parse a check-in button's `{adoption_id}:{week_start}`.

    Raises:
        Refusal: it is something else.
    """
    adoption_id, week = split_ref(value)
    return adoption_id, read_week(week)


def read_week(value: str) -> date:
    """Parse a button's `{week_start}`, a Monday.

    Raises:
        Refusal: it is something else.
    """
    found = _monday(value)
    if found is None:
        raise Refusal("This button has expired. Check in with `/attest`.")
    return found


def button_value(body: Body) -> str:
    """The value of the pressed button, or of the chosen option of a menu."""
    action = (body.get("actions") or [{}])[0]
    chosen = _option(action.get("selected_option"))
    return _UNSTORABLE.sub("", chosen or str(action.get("value") or ""))
