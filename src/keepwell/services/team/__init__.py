"""The verbs of a team at work: people, tasks, outcomes, jobs, audit. Here the application database is used."""
