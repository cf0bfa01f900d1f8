"""Programmes, determinations and the bitemporal ledger: what a partner's status is, and was."""
