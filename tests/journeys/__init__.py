"""What people do in the workspace, in a real browser against a real server."""
