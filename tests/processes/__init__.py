"""The program from outside: as processes, with a Slack workspace that is served in the test's own process."""
