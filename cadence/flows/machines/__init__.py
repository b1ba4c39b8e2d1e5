"""Evidence that tools report: runs, numbers, exceptions, grades, results of automated checks; and reading it."""
