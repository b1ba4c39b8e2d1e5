"""The lock files name every extra that a package asks for: without it, pip refuses to install the day a newer
version is out."""

from importlib.metadata import PackageNotFoundError, requires
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]


def locked(name: str) -> dict[str, Requirement]:
    """The pinned packages of a lock file, by name."""
    lines = (ROOT / name).read_text(encoding="utf-8").splitlines()
    pins = [Requirement(line.rstrip("\\ ")) for line in lines if line[:1].isalnum()]
    return {canonicalize_name(pin.name): pin for pin in pins}


def asked(pin: Requirement) -> list[Requirement]:
    """What an installed package needs here, with the extras it is locked with."""
    try:
        needs = [Requirement(one) for one in requires(pin.name) or ()]
    except PackageNotFoundError:  # of another system
        return []
    environments = [{"extra": extra} for extra in (pin.extras or {""})]
    return [
        one
        for one in needs
        if one.marker is None or any(one.marker.evaluate(environment) for environment in environments)
    ]


@pytest.mark.parametrize("name", ["requirements.txt", "requirements-dev.txt"])
def test_extras_are_pinned_too(name: str) -> None:
    pins = locked(name)
    needs = {
        canonicalize_name(need.name): need.extras | pins[canonicalize_name(need.name)].extras
        for pin in pins.values()
        for need in asked(pin)
        if need.extras
    }
    assert needs
    assert {one: pins[one].extras for one in needs} == needs
