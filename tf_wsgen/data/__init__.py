"""Readers, synthetic people, preprocessing and the input pipeline."""
