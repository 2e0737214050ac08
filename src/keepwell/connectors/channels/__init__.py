"""Ways out: each sends one thing to one address and says what became of it."""
