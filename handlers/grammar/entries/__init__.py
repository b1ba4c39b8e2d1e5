"""The commands of `/cadence` and the three short ones, by room."""
