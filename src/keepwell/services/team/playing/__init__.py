"""Playbooks at work: what starts and moves runs, and what pages show of them."""
