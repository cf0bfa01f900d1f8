"""Applying for a tier: eligibility, the task list, the agreement, and what was submitted, frozen."""
