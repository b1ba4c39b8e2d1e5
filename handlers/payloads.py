"""What Slack sends, as plain values: a button's ids, a form's inputs."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from cadence.mrkdwn import code, say
from cadence.refusals import Refusal

Body = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Form:
    """A submitted form: its inputs by block id, and the ids it was opened with."""

    view_id: str
    callback: str
    ids: Mapping[str, Any]
    values: Mapping[str, Mapping[str, Any]]

    @classmethod
    def of(cls, view: Mapping[str, Any]) -> "Form":
        """Read a view as Slack sends it; metadata that isn't ours counts as none."""
        try:
            ids = json.loads(view.get("private_metadata") or "{}")
        except ValueError:
            ids = {}
        inputs = {}
        for block_id, elements in (view.get("state", {}).get("values") or {}).items():
            for element in elements.values():
                inputs[block_id] = element
        return cls(
            view_id=view.get("id", ""),
            callback=view.get("callback_id", ""),
            ids=ids if isinstance(ids, dict) else {},
            values=inputs,
        )

    def text(self, field: str) -> str:
        """What was typed, without white space around it; "" when nothing was."""
        return str(self.values.get(field, {}).get("value") or "").strip()

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
        chosen = self.values.get(field, {}).get("selected_option")
        return str(chosen["value"]) if chosen else None

    def options(self, field: str) -> tuple[str, ...]:
        """The values of the options chosen."""
        return tuple(str(one["value"]) for one in self.values.get(field, {}).get("selected_options") or ())

    def members(self, field: str) -> tuple[str, ...]:
        """The people chosen."""
        return tuple(self.values.get(field, {}).get("selected_users") or ())

    def member(self, field: str) -> str | None:
        """The person chosen."""
        return self.values.get(field, {}).get("selected_user")

    def channel(self, field: str) -> str | None:
        """The channel chosen."""
        element = self.values.get(field, {})
        return element.get("selected_conversation") or element.get("selected_channel")

    def day(self, field: str) -> date | None:
        """The date chosen."""
        chosen = self.values.get(field, {}).get("selected_date")
        return date.fromisoformat(chosen) if chosen else None


def _whole(typed: str) -> int | None:
    try:
        number = float(typed)
    except ValueError:
        return None
    return int(number) if number.is_integer() and abs(number) < 1e9 else None


def metadata(**ids: object) -> str:
    """A form's ids, for `private_metadata`; those that are None are left out."""
    return json.dumps({name: one for name, one in ids.items() if one is not None})


def split_ref(value: str) -> tuple[int, str]:
    """`{adoption_id}:{rest}` as a button carries it.

    Raises:
        Refusal: it is something else, such as a button of a version long gone.
    """
    first, _, rest = value.partition(":")
    if not first.isdigit() or not rest:
        raise Refusal("This button is too old to be understood. `/cadence status` shows what stands.")
    return int(first), rest


def split_week(value: str) -> tuple[int, date]:
    """`{adoption_id}:{week_start}` as a check-in's buttons carry it.

    Raises:
        Refusal: it is something else.
    """
    adoption_id, week = split_ref(value)
    try:
        return adoption_id, date.fromisoformat(week)
    except ValueError:
        raise Refusal("This button is too old to be understood. `/attest` answers this week.") from None


def button_value(body: Body) -> str:
    """What the pressed button, or the chosen option of a menu, carries."""
    action = (body.get("actions") or [{}])[0]
    chosen = action.get("selected_option")
    return str(chosen["value"] if chosen else action.get("value") or "")
