"""Rewrites owed for messages that were sent, in one statement: they needn't be looked at first."""

from datetime import datetime
from typing import Any, cast

from sqlalchemy import (
    JSON,
    ColumnElement,
    FromClause,
    Insert,
    String,
    Table,
    bindparam,
    func,
    insert,
    literal_column,
    or_,
    select,
)
from sqlalchemy import cast as as_type
from sqlalchemy.dialects.postgresql import JSONB

from storage.ledger import FOREVER
from storage.tables import MessageState, OwedMessage

_LEDGER = cast(Table, OwedMessage.__table__)  # type: ignore[attr-defined]


def asked(prefix: str, *, slot: str, now: datetime) -> dict[str, Any]:
    """What `statement` is given beside `workspace`, `moment` and `request`: which messages, and until when.

    Args:
        prefix: what their keys begin with, up to a colon; `slot` stands in them after it.
    """
    keys = {"exact": prefix, "first": f"{prefix}:", "after": f"{prefix};", "slot": f"%{slot}%"}
    return keys | {"useful": now + FOREVER}


def statement(dialect: str, *, mark: ColumnElement[str], given: FromClause | None = None) -> Insert:
    """Owes a rewrite of each message sent under such a key, once for a mark.

    Args:
        mark: tells one occasion from the next.
        given: rows that must be there, else nothing is owed.
    """
    sent = _LEDGER.alias("sent")
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
    first, exact = bindparam("first", type_=text), bindparam("exact", type_=text)
    rows = select(*values.values()).where(
        sent.c.workspace_id == bindparam("workspace"),
        sent.c.key >= exact,  # these two are a range of the index on keys: a semicolon follows the colon
        sent.c.key < bindparam("after", type_=text),
        or_(sent.c.key == exact, sent.c.key >= first),
        sent.c.key.like(bindparam("slot", type_=text)),
        func.coalesce(sent.c.state, _said(""))
        == _said(MessageState.SENT),  # of the two indexes it needs the other one
        sent.c.replaces_id.is_(None),
    )
    if given is not None:
        rows = rows.where(select(literal_column("1")).select_from(given).exists())
    return insert(_LEDGER).from_select(list(values), rows, include_defaults=False)


def _said(text: str) -> ColumnElement[str]:
    """A word of ours in a statement's text: the shorter the list of what it is given, the sooner it is sent."""
    return literal_column(f"'{text}'", String())


def _with_kind(dialect: str, subject: ColumnElement[Any], kind: ColumnElement[str]) -> ColumnElement[Any]:
    """A message's subject, and which kind of message it is the subject of."""
    if dialect == "sqlite":
        return func.json_patch(subject, func.json_object(_said("kind"), kind))
    both = as_type(subject, JSONB).op("||")(func.jsonb_build_object(_said("kind"), kind))
    return as_type(both, JSON)
