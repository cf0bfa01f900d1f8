"""Facilitation: what a transaction gets, decided by a written policy, with its reasons."""
