"""The outbox: what leaves the house, in the words in which it leaves, once."""
