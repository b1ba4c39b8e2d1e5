"""The compiled statements of a database."""

from typing import Any

from sqlalchemy.util import LRUCache


class CompiledStatements(LRUCache[Any, Any]):
    """SQLAlchemy's cache of compiled statements, which finds those that the program built once by identity.

    A key is a tuple whose second part describes the statement, part by part. Hashing it takes about a tenth as long
    as executing the statement, but a statement that was built once always has the same object there.
    """

    __slots__ = ("_near",)

    def __init__(self, capacity: int) -> None:
        super().__init__(capacity)
        self._near: dict[int, list[tuple[Any, Any]]] = {}

    def get(self, key: Any, default: Any = None) -> Any:
        """The compiled statement, or the default."""
        near = self._near.get(id(key[1]))
        for known, compiled in near or ():
            if known == key:  # which compares identities first
                return compiled
        compiled = super().get(key, default)
        if compiled is not default:
            if len(self._near) >= self.capacity:
                self._near.clear()  # most of them are of statements that were built for one use
            self._near.setdefault(id(key[1]), []).append(
                (key, compiled)
            )  # it keeps the object, and so its identity
        return compiled
