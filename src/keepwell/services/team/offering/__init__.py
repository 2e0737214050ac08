"""Offers to customers: who may make which, who approves them, how they are answered and carried out."""
