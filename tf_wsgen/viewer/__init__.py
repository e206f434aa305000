"""A page to look at predictions in a browser."""
