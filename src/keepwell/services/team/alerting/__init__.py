"""Alerts at work: what events and days set off, the clocks that run, and what people say about it."""
