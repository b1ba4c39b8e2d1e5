"""Runtime: the processes of the bot."""
