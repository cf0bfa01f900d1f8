"""What may be proposed, and what a host's own files may say: pure decisions."""

from collections.abc import Iterable
from dataclasses import dataclass

from app.catalogues.loader import Catalogues
from app.catalogues.model import UnknownIdError


@dataclass(frozen=True, slots=True)
class Signed:
    """The identity of a version that two people have published."""

    catalogue_id: str
    version: str
    sha256: str

    @property
    def key(self) -> tuple[str, str]:
        """Under what an assessment finds it."""
        return self.catalogue_id, self.version


def altered(signed: Iterable[Signed], shipped: Catalogues) -> list[Signed]:
    """The published versions of which this installation has other bytes under the same name.

    A version that is not among the files is no fault: its words are kept in the database.
    """
    return [one for one in signed if _other(one, shipped)]


def _other(one: Signed, shipped: Catalogues) -> bool:
    try:
        return shipped.get(*one.key).sha256 != one.sha256
    except UnknownIdError:
        return False
