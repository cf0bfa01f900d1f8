"""`python -m app.cli` is `fairway`."""

from app.cli import main

main()
