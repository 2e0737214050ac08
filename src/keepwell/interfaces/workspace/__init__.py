"""The workspace's pages, templates and static files."""
