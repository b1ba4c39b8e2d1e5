"""Who takes part, over every combination of what Slack may say of a person."""

from dataclasses import fields
from itertools import product

import pytest

from cadence.rules.participation import Bar, Standing, barred

FLAGS = [field.name for field in fields(Standing)]


@pytest.mark.parametrize(
    ("person", "allowed", "bar"),
    [
        (Standing(known=True), False, None),
        (Standing(known=True, guest=True), False, Bar.GUEST),
        (Standing(known=True, guest=True, in_team=True), False, Bar.GUEST),
        (Standing(known=True, guest=True), True, Bar.GUEST),
        (Standing(known=True, guest=True, in_team=True), True, None),
        (Standing(known=True, stranger=True, in_team=True), True, Bar.STRANGER),
        (Standing(known=True, from_elsewhere=True, named=True), True, Bar.STRANGER),
        (Standing(known=True, deleted=True, named=True), True, Bar.DEACTIVATED),
        (Standing(known=True, bot=True), True, Bar.BOT),
        (Standing(known=False), True, Bar.UNKNOWN),
        (Standing(known=False, named=True), False, None),
    ],
)
def test_who_takes_part(person: Standing, allowed: bool, bar: Bar | None) -> None:
    assert barred(person, guests_allowed=allowed) is bar


def test_the_setting_is_for_guests_in_teams_and_nobody_else() -> None:
    for values in product([False, True], repeat=len(FLAGS)):
        person = Standing(**dict(zip(FLAGS, values, strict=True)))
        before, after = barred(person, guests_allowed=False), barred(person, guests_allowed=True)
        if before is not after:
            assert person.guest
            assert person.in_team
            assert before is Bar.GUEST
        assert not (after is None and (person.bot or person.deleted or person.stranger))
