"""The demonstration: invented people, traders and records, on a loopback host only."""
