"""Messages inside the product: what its pages ask for, and the script that shows them."""
