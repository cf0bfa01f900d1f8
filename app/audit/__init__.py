"""Append-only events in the business transaction; security and access records in their own."""
