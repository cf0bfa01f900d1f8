"""People, sign-in and sessions; API clients and their tokens."""
