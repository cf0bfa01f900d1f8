"""What a comment needs: pure decisions."""

from typing import Final

from app.kernel.errors import Problem

LONGEST: Final = 4000


def body_problems(body: str) -> list[Problem]:
    """What is wrong with the words of a comment."""
    if not body.strip():
        return [Problem("Write something first.", "body", "body")]
    if len(body.strip()) > LONGEST:
        return [Problem("At most 4,000 characters fit.", "body", "body")]
    return []
