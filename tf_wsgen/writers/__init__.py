"""Writers of results in formats that other programs read."""
