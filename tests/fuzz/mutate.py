"""Payloads gone wrong: keys lost, types changed, things nested, huge or foreign, and text cut in the middle."""

import copy
from collections.abc import Callable
from random import Random
from typing import Any

from tests.fuzz.arena import OTHER_TEAM, PEOPLE, Json
from tests.fuzz.nasty import DAYS, IDS, MARKUP, NUMBERS

Spot = tuple[Any, str | int]
"""A place in a payload: the dict or list, and the key in it."""

OTHERS: tuple[Any, ...] = (
    [],
    {},
    [[]],
    [{}],
    [None],
    7,
    -1,
    0,
    1.5,
    True,
    False,
    None,
    "",
    "x",
    ["x"],
    {"id": 7},
    {"id": []},
)
RANGES: tuple[Any, ...] = (
    10**30,
    -(10**30),
    2**31,
    2**63,
    2**64,
    -1,
    1e308,
    float("inf"),
    float("nan"),
    1e-320,
    "9" * 400,
)
UNICODE = (
    "\ud800",
    "\udfff end",
    "\ud83d and more",
    "\x00",
    "\x7f\x9b\x1b[31m",
    "\u202e\u2066abc\u2069",
    "\u200b\u200d\ufeff",
    "\U000e0041\U000e007f",
    "\u2028\u2029",
    "a\u0300" * 500,
    "👩‍👩‍👧‍👦" * 100,
    "ﷺ" * 300,
)
FOREIGN = (
    OTHER_TEAM,
    "T0NOWHERE",
    *PEOPLE,
    "C0NOWHERE",
    "D0NOBODY",
    "4",
    "4:draft",
    "4:2026-03-09",
    "99:send",
    "999999999",
)
"""Ids of the neighboring workspace, of nobody, and of rows that aren't this workspace's."""
IDS_IN = ("value", "user", "team", "channel", "private_metadata")
NAMES = (
    "command",
    "event",
    "type",
    "view",
    "actions",
    "team",
    "team_id",
    "user",
    "callback_id",
    "authorizations",
    "enterprise",
)
"""Keys by which Bolt tells payloads apart."""


def mutated(random: Random, body: Json) -> Json:
    """A copy of a payload with one to four things wrong."""
    changed = copy.deepcopy(body)
    for _ in range(random.choices((1, 2, 3, 4), (6, 3, 2, 1))[0]):
        if not changed:
            break
        random.choice(WAYS)(random, changed, _spot(random, changed))
    return changed


def cut(random: Random, text: str) -> str:
    """The text of a request with its bytes gone wrong."""
    at = random.randrange(len(text) + 1)
    return random.choice(
        (
            text[:at],
            text[:at]
            + random.choice(("%", "%zz", "%ff%fe", "\x00", "&payload=", "payload=7&", "{", "]", "\ufeff"))
            + text[at:],
            text + text,
            text.replace("%22", "%27"),
            text[at:] + text[:at],
            "payload=" + text,
            text.replace("payload", "Payload"),
        )
    )


def _spot(random: Random, body: Json) -> Spot:
    """A place in a payload, by going down into it: Slack's own fields are near the top."""
    part: Any = body
    while True:
        key = random.choice(list(part) if isinstance(part, dict) else range(len(part)))
        inner = part[key]
        if not (isinstance(inner, dict | list) and inner) or random.random() < 0.25:
            return part, key
        part = inner


def _drop(_random: Random, _body: Json, spot: Spot) -> None:
    part, key = spot
    del part[key]


def _retype(random: Random, _body: Json, spot: Spot) -> None:
    part, key = spot
    part[key] = copy.deepcopy(random.choice(OTHERS))


def _nest(random: Random, _body: Json, spot: Spot) -> None:
    part, key = spot
    for _ in range(random.choice((1, 1, 2, 5, 90))):
        part[key] = [part[key]] if random.random() < 0.5 else {"id": part[key]}


def _swell(random: Random, _body: Json, spot: Spot) -> None:
    part, key = spot
    part[key] = random.choice(
        (
            "x" * 5_000,
            "é" * 100_001,
            [part[key]] * 50,
            {f"k{n}": n for n in range(500)},
            f"{part[key]}"[:5_000] * 20,
        )
    )


def _say(random: Random, _body: Json, spot: Spot) -> None:
    part, key = spot
    said = random.choice((*UNICODE, *MARKUP))
    part[key] = random.choice((said, f"{part[key]}{said}", f"{said}{part[key]}"))


def _count(random: Random, _body: Json, spot: Spot) -> None:
    part, key = spot
    part[key] = random.choice((*RANGES, *NUMBERS, *IDS, *DAYS))


def _swap(random: Random, body: Json, spot: Spot) -> None:
    """Swap in another workspace's or person's id where there is one; and sometimes anywhere."""
    tries = (_spot(random, body) for _ in range(20))
    part, key = next((place for place in tries if _holds_id(*place)), spot)
    foreign = random.choice(FOREIGN)
    part[key] = (
        foreign if random.random() < 0.8 else f'{{"a": {random.choice((1, 4, 99))}, "slug": "support-reply"}}'
    )


def _holds_id(part: Any, key: str | int) -> bool:
    return isinstance(part[key], str) and (str(key).endswith("id") or key in IDS_IN)


def _rename(random: Random, body: Json, spot: Spot) -> None:
    """A part under a name that Bolt takes for something else."""
    part, key = spot
    where = body if random.random() < 0.5 or not isinstance(part, dict) else part
    where[random.choice(NAMES)] = copy.deepcopy(part[key])


WAYS: tuple[Callable[[Random, Json, Spot], None], ...] = (
    *(_drop, _retype, _retype, _nest, _swell, _say, _say, _count, _swap, _swap, _rename),
)
