"""A group of keys as a pydantic model, and its errors as problems of a document."""

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any, ClassVar, Final, NamedTuple

from pydantic import BaseModel, ConfigDict, ValidationError, ValidationInfo, model_validator
from pydantic.fields import FieldInfo

from cadence.documents.problems import Problem
from cadence.documents.values import NO_VALUE, Kind, WrongValueError, found, quoted, refuse_known
from cadence.nearest import nearest

Loc = tuple[int | str, ...]
"""The location of a value, as keys and indexes from 0, in pydantic's form."""
_MOST_UNKNOWN: Final = 50  # past this it is something else altogether, and a thousand hints help nobody


class Line(NamedTuple):
    """The lines of a value and of its key, counted from 1."""

    key: int
    value: int


class Missing(NamedTuple):
    """Metadata of a required field: the problem when it is missing, and a correct example."""

    reason: str = "is missing"
    right: str = ""


class Group(BaseModel):
    """A group of keys. Parsed with a context, it reports every unknown and every missing key.

    `EXAMPLE` is one as written in a file. `REFUSED` are unknown keys that have their own message. `INHERITED`
    are keys that are filled in if they are missing.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", validate_by_name=True, validate_by_alias=True)
    EXAMPLE: ClassVar[str] = ""
    REFUSED: ClassVar[Mapping[str, WrongValueError]] = {}
    INHERITED: ClassVar[frozenset[str]] = frozenset()

    @model_validator(mode="before")
    @classmethod
    def _of_known_keys(cls, data: Any, info: ValidationInfo) -> Any:
        if info.context is None or isinstance(data, cls):
            return data  # created by code, not parsed
        refuse_known(NO_VALUE if data is None else data, cls.EXAMPLE)
        if not isinstance(data, dict):
            raise WrongValueError(f"{found(data)} was found", f"write a group such as `{cls.EXAMPLE}`")
        fields = _fields(cls)
        unknown = [key for key in data if key not in fields]
        missing = cls.missing_from(data)
        return _with_problems(cls, data, unknown, missing) if unknown or missing else data

    @classmethod
    def missing_from(cls, data: dict[str, Any]) -> dict[str, WrongValueError]:
        """The missing required keys, with their problems."""
        return {
            key: _missing(key, field)
            for key, field in _fields(cls).items()
            if key not in data and field.is_required()
        }


@cache
def _fields(model: type[Group]) -> dict[str, FieldInfo]:
    """The fields by the keys of a file."""
    return {field.alias or name: field for name, field in model.model_fields.items()}


def _with_problems(
    model: type[Group], data: dict[str, Any], unknown: list[str], missing: dict[str, WrongValueError]
) -> dict[str, Any]:
    """The data with problems as values. A misspelled key is reported once, and not also as missing."""
    fields = _fields(model)
    marked: dict[str, Any] = {key: value for key, value in data.items() if key not in unknown}
    for key in unknown[:_MOST_UNKNOWN]:
        meant = nearest(key, [name for name in fields if name not in data or name in model.INHERITED])
        missing.pop(meant or "", None)
        right = f"did you mean `{meant}`?" if meant else f"known here: {', '.join(fields)}"
        wrong = WrongValueError(f"there's no key {quoted(key)} here", right, at_key=True)
        marked[key] = model.REFUSED.get(key, wrong)
    return marked | missing


def _missing(key: str, field: FieldInfo) -> WrongValueError:
    words = next((one for one in field.metadata if isinstance(one, Missing)), Missing())
    example = next((one.example for one in field.metadata if isinstance(one, Kind)), "")
    if isinstance(field.annotation, type) and issubclass(field.annotation, Group):
        example = field.annotation.EXAMPLE
    return WrongValueError(words.reason, words.right or f"write `{key}: {example}`")


def path_of(loc: Loc) -> str:
    """`steps[1].exception_cap`."""
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in loc).removeprefix(".")


def problems_in(refused: ValidationError, lines: Mapping[Loc, Line]) -> Iterator[Problem]:
    """Every problem that pydantic found, with its line if the document has lines."""
    for error in refused.errors(include_url=False):
        if error["type"] in ("missing", "default_factory_not_called"):
            continue  # reported as a misspelled key, or where the default comes from
        known = error["input"] if isinstance(error["input"], WrongValueError) else NO_VALUE
        wrong: WrongValueError = error.get("ctx", {}).get("error", known)
        loc = error["loc"]
        line = lines.get(loc) or lines.get(loc[:-1]) or Line(0, 0)
        number = line.key if wrong.at_key and loc in lines else line.value
        for one in (wrong, *wrong.more):
            yield Problem(number, path_of(loc), one.reason, one.right or "write a value, or delete the line")
