"""`make chaos`: both runners in a storm, and their figures. Ends by itself, with 1 when anything went wrong."""

import sys

from tests.chaos.storm import Storm, blow
from tests.storage.postgres import NoPostgres

STORMS = (
    Storm("SQLite", messages=1_500, channels=150, workers=1, kills=20, stops=0, seconds=900),
    Storm(
        "PostgreSQL",
        messages=1_500,
        channels=150,
        workers=3,
        kills=24,
        stops=2,
        seconds=900,
        webs=2,
        web_kills=12,
        requests=200,
    ),
    Storm("Starved", messages=300, channels=100, workers=2, kills=4, stops=1, seconds=900, busy=6),
)


def main(names: list[str]) -> int:
    """Run the storms with these names, or all; returns the exit code."""
    good = True
    for storm in STORMS:
        if names and storm.name.lower() not in names:
            continue
        try:
            figures = blow(storm, say=lambda line: print(f"  … {line}", flush=True))
        except NoPostgres as reason:
            print(f"{storm.name}: not run, {reason}", flush=True)
            good = False
            continue
        print("\n".join(figures.lines()), flush=True)
        good = good and figures.good
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main([name.lower() for name in sys.argv[1:]]))
