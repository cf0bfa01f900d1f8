"""The texts of our mails, as data: one file for each template, the subject on its first line.

Values are put in with `string.Template`, which knows names and nothing else, so that nothing a
person typed can become an instruction. A line break in a subject is refused, since it would let
a name add header lines of its own.
"""

from functools import cache
from pathlib import Path
from string import Template

_site = [""]
FOLDER = Path(__file__).parent / "letters"


def equip(address: str) -> None:
    """Say under which address people reach this installation, for the links in letters."""
    _site[:] = [address]


@cache
def _source(name: str) -> tuple[Template, Template]:
    subject, _, body = (FOLDER / f"{name}.txt").read_text("utf-8").partition("\n\n")
    return Template(subject.strip()), Template(body.strip() + "\n")


def names() -> list[str]:
    """Every template that there is."""
    return sorted(path.stem for path in FOLDER.glob("*.txt"))


def write(template: str, /, **values: object) -> tuple[str, str]:
    """Subject and body of `template`; `$site` is the address of this installation.

    `KeyError` when a value is missing, `FileNotFoundError` when the template is.
    """
    texts = {"site": _site[0]} | {key: str(value) for key, value in values.items()}
    subject, body = _source(template)
    one_line = " ".join(subject.substitute(texts).split())
    return one_line, body.substitute(texts)
