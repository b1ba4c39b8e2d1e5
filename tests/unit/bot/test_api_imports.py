"""The API's packages are loaded only by a process that serves it, and only once it does."""

import subprocess
import sys

PROGRAM = """
import sys
import bot.cli, bot.runtime.built_in, bot.runtime.processes
print([name for name in ("fastapi", "starlette", "limits", "anyio") if name in sys.modules])
"""


def test_commands_start_without_the_packages_of_the_api() -> None:
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
