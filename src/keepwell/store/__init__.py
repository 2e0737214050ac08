"""The application database: people, work, jobs, saved things and the audit log. The one Django app with tables."""
