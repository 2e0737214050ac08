"""Independent readings of the source documents: plain Python, exact fractions, nothing of the product."""
