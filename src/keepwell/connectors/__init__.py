"""Services outside: one complete folder or module each. They speak the protocol and know nothing of the database."""
