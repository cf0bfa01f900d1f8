"""Improvement plans: what a company promises to do about its gaps, by whom and by when."""
