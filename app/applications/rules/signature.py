"""What counts as a signature typed on a page."""

from app.kernel.errors import Problem


def name_problem(typed: str, name: str) -> list[Problem]:
    """What is wrong with a typed signature: it is the signer's own name, case and blanks aside."""
    if not typed.strip():
        return [Problem("Type your name to sign.", "name", "NAME_MISSING")]
    if " ".join(typed.split()).casefold() != " ".join(name.split()).casefold():
        return [
            Problem(
                "Type your own name, as Fairway has it: %(name)s.",
                "name",
                "NAME_OTHER",
                {"name": name},
            )
        ]
    return []
