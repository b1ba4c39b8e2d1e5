"""Rewrites owed for messages that were sent, in one statement: they needn't be looked at first."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, cast

from sqlalchemy import (
    JSON,
    ColumnElement,
    FromClause,
    Insert,
    Select,
    String,
    Table,
    bindparam,
    func,
    insert,
    literal_column,
    or_,
    select,
    union_all,
)
from sqlalchemy import cast as as_type
from sqlalchemy.dialects.postgresql import JSONB

from storage.outbox.ledger import FOREVER
from storage.tables import MessageState, OwedMessage

_LEDGER = cast(Table, OwedMessage.__table__)  # type: ignore[attr-defined]


def asked(prefixes: Sequence[str], *, slot: str, now: datetime) -> dict[str, Any]:
    """What `statement` is given beside `workspace`, `moment` and `request`: which messages, and until when.

    Args:
        prefixes: what their keys begin with, up to a colon; `slot` stands in them after it.
    """
    keys = {"slot": f"%{slot}%", "useful": now + FOREVER}
    for place, prefix in enumerate(prefixes):
        keys |= {f"exact{place}": prefix, f"first{place}": f"{prefix}:", f"after{place}": f"{prefix};"}
    return keys


def statement(
    dialect: str, *, mark: ColumnElement[str], prefixes: int, given: FromClause | None = None
) -> Insert:
    """Owes a rewrite of each message sent under such keys, once for a mark.

    Args:
        mark: tells one occasion from the next.
        prefixes: how many prefixes it is given; each is looked up in the index by itself.
        given: rows that must be there, else nothing is owed.
    """
    each = [_rows(dialect, mark, place, given) for place in range(prefixes)]
    names = list(each[0].selected_columns.keys())
    return insert(_LEDGER).from_select(names, union_all(*each), include_defaults=False)


def _rows(dialect: str, mark: ColumnElement[str], place: int, given: FromClause | None) -> Select[Any]:
    sent = _LEDGER.alias(f"sent{place}")
    moment, text = bindparam("moment", type_=sent.c.due_at.type), String()
    values: dict[str, ColumnElement[Any]] = {
        "workspace_id": sent.c.workspace_id,
        "key": _said("rewrite:") + as_type(sent.c.id, text) + _said(":reading:") + mark,
        "kind": _said("rewrite"),
        "recipient": sent.c.recipient,
        "subject": _with_kind(dialect, sent.c.subject, sent.c.kind),
        "replaces_id": sent.c.id,
        "due_at": moment,
        "useful_until": bindparam("useful", type_=moment.type),
        "state": _said(MessageState.DUE),
        "reason": _said(""),
        "attempts": literal_column("0"),
        "not_before": moment,
        "text": _said(""),
        "correlation_id": bindparam("request", type_=text),
        "created_at": moment,
    }
    first, exact = bindparam(f"first{place}", type_=text), bindparam(f"exact{place}", type_=text)
    rows = select(*(value.label(name) for name, value in values.items())).where(
        sent.c.workspace_id == bindparam("workspace"),
        sent.c.key >= exact,  # these two are a range of the index on keys: a semicolon follows the colon
        sent.c.key < bindparam(f"after{place}", type_=text),
        or_(sent.c.key == exact, sent.c.key >= first),
        sent.c.key.like(bindparam("slot", type_=text)),
        func.coalesce(sent.c.state, _said(""))
        == _said(MessageState.SENT),  # of the two indexes it needs the other one
        sent.c.replaces_id.is_(None),
    )
    if given is not None:
        rows = rows.where(select(literal_column("1")).select_from(given).exists())
    return rows


def _said(text: str) -> ColumnElement[str]:
    """A word of ours in a statement's text: the shorter the list of what it is given, the sooner it is sent."""
    return literal_column(f"'{text}'", String())


def _with_kind(dialect: str, subject: ColumnElement[Any], kind: ColumnElement[str]) -> ColumnElement[Any]:
    """A message's subject, and which kind of message it is the subject of."""
    if dialect == "sqlite":
        return func.json_patch(subject, func.json_object(_said("kind"), kind))
    both = as_type(subject, JSONB).op("||")(func.jsonb_build_object(_said("kind"), kind))
    return as_type(both, JSON)
