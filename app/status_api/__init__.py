"""The internal API: what release systems ask, and what they get; it cannot reach a case file."""
