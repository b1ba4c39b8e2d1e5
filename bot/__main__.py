"""`python -m bot` is the `cadence` command."""

from bot.cli import main

main()
