"""Pure Python at the bottom: no Flask, no SQL."""
