"""Traders: the registered companies, what names them, where they work, and who acts for them."""
