"""Protocols over a whole test set, tables and figures."""
