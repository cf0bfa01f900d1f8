"""Pure decisions about applications: who may apply, how each task stands, what is frozen."""
