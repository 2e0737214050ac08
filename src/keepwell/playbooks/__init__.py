"""Playbooks at work: a pure state machine, business calendars, caps and re-entry; no clock, no storage, no network."""
