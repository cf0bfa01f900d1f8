"""Webhooks: programs of the agency are told that the register has changed, and then ask it."""
