"""People: teams, and their own absences and reminders."""
