"""Pure decisions about cases: the clock, verdicts, what can be asked, what can be recommended."""
