"""Queue many nudges at once: one statement with one parameter, whatever their number.

Inserting one message is cheap; for a hundred thousand it would be most of the time that planning takes.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any, Final, NamedTuple, cast

from sqlalchemy import JSON, String, Table, bindparam, case, func, literal, select, true
from sqlalchemy import cast as as_type
from sqlalchemy.dialects import postgresql, sqlite
from structlog.contextvars import get_contextvars

from storage.engine import connection_of
from storage.tables import MessageState, OutboxMessage
from storage.work import UnitOfWork

_LEDGER: Final = cast(Table, OutboxMessage.__table__)  # type: ignore[attr-defined]
_MOMENT: Final = _LEDGER.c.due_at.type
_ROWS: Final = bindparam("rows", type_=String())


class Nudged(NamedTuple):
    """A nudge to queue; with a reason it is stored as skipped."""

    key: str
    kind: str
    recipient: str
    subject: Mapping[str, Any]
    due_at: datetime
    useful_until: datetime
    reason: str = ""


def queue(uow: UnitOfWork, *, nudges: Sequence[Nudged]) -> int:
    """Queue nudges; existing keys are left alone. Returns how many are new."""
    connection = connection_of(uow.session)
    write, statement = _WAYS[connection.dialect.name]
    rows = json.dumps(nudges, default=lru_cache(maxsize=1024)(write), check_circular=False)
    correlation = str(get_contextvars().get("correlation_id", ""))
    shared = {"workspace": uow.workspace_id, "correlation": correlation, "now": uow.now}
    return int(connection.execute(statement, {"rows": rows, **shared}).rowcount)


def known_keys(uow: UnitOfWork, *, keys: Sequence[str]) -> set[str]:
    """Those of these keys that are already in the ledger."""
    connection = connection_of(uow.session)
    asked = {"workspace": uow.workspace_id, "rows": json.dumps(keys)}
    return set(connection.execute(_KNOWN[connection.dialect.name], asked).scalars())


def _inserting(insert: Any, rows: Any, fields: dict[str, Any]) -> Any:
    """The dialect's insert of rows from a JSON list; existing keys are left alone."""
    values = {
        **fields,
        "not_before": fields["due_at"],
        "state": case((fields["reason"] == "", MessageState.DUE.value), else_=MessageState.SKIPPED.value),
        "workspace_id": bindparam("workspace", type_=String()),
        "correlation_id": bindparam("correlation", type_=String()),
        "created_at": bindparam("now", type_=_MOMENT),
        "attempts": literal(0),
        "text": literal(""),
    }
    chosen = (
        select(*values.values()).select_from(rows).where(true())
    )  # without WHERE SQLite would parse ON as part of a join
    row = insert(_LEDGER).from_select(list(values), chosen, include_defaults=False)
    return row.on_conflict_do_nothing(index_elements=["key"]).execution_options(preserve_rowcount=True)


def _known(keys: Any) -> Any:
    """The keys of the ledger that are in a JSON list."""
    return select(_LEDGER.c.key).where(
        _LEDGER.c.workspace_id == bindparam("workspace"), _LEDGER.c.key.in_(select(keys.c.value))
    )


def _on_sqlite() -> tuple[Callable[[datetime], str], Any]:
    rows = func.json_each(_ROWS).table_valued("value")
    fields = {
        name: func.json_extract(rows.c.value, f"$[{place}]") for place, name in enumerate(Nudged._fields)
    }
    dialect = sqlite.dialect()
    write = cast(Callable[[datetime], str], _MOMENT.dialect_impl(dialect).bind_processor(dialect))
    return write, _inserting(sqlite.insert, rows, fields)


def _on_postgres() -> tuple[Callable[[datetime], str], Any]:
    rows = func.jsonb_array_elements(as_type(_ROWS, postgresql.JSONB)).table_valued("value")
    element = as_type(rows.c.value, postgresql.JSONB)
    fields = {name: element[place].astext for place, name in enumerate(Nudged._fields)}
    fields["subject"] = as_type(element[Nudged._fields.index("subject")], JSON)
    for name in ("due_at", "useful_until"):
        fields[name] = as_type(fields[name], _MOMENT)
    return datetime.isoformat, _inserting(postgresql.insert, rows, fields)


_WAYS: Final = {"sqlite": _on_sqlite(), "postgresql": _on_postgres()}
"""Each dialect's format of an instant inside JSON, and its statement."""
_KNOWN: Final = {
    "sqlite": _known(func.json_each(_ROWS).table_valued("value")),
    "postgresql": _known(
        func.jsonb_array_elements_text(as_type(_ROWS, postgresql.JSONB)).table_valued("value")
    ),
}
