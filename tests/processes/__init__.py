"""The program from outside: as processes, with a Slack workspace served in the test's own process."""
