"""Advance data: what a trader tells before the goods arrive, checked row by row."""
