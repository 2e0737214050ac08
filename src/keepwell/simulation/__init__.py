"""A seeded world of customers whose hidden truth is written down."""
