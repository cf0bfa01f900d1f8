"""A gap report and its assessment as files that other programs read."""
