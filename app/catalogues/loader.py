"""Catalogue files into a registry of immutable catalogue versions."""

import hashlib
from collections.abc import Collection, Iterable, Iterator
from datetime import date
from functools import cache
from pathlib import Path

from app.catalogues.check import Fault, check_file, examine
from app.catalogues.model import Catalogue, UnknownIdError

SHIPPED = Path(__file__).parent / "data"


class CatalogueFaultsError(ValueError):
    """A catalogue file has faults; the message lists them, one a line."""

    def __init__(self, faults: Iterable[Fault]) -> None:
        """Keep the faults as data beside the message."""
        self.faults = tuple(faults)
        super().__init__("\n".join(str(fault) for fault in self.faults))


class Catalogues:
    """The catalogue versions that this installation knows."""

    def __init__(self, known: Iterable[Catalogue]) -> None:
        """Index them; the same id and version twice is an error, even with equal content."""
        self._by_version: dict[tuple[str, str], Catalogue] = {}
        for catalogue in known:
            key = (catalogue.id, catalogue.version)
            if key in self._by_version:
                message = f"Catalogue {catalogue.id} {catalogue.version} is there twice."
                raise ValueError(message)
            self._by_version[key] = catalogue

    def __iter__(self) -> Iterator[Catalogue]:
        """Yield all versions of all catalogues, by id, then oldest first."""
        yield from sorted(self._by_version.values(), key=lambda one: (one.id, _order(one)))

    def __len__(self) -> int:
        """Count the versions of all catalogues together."""
        return len(self._by_version)

    def get(self, catalogue_id: str, version: str) -> Catalogue:
        """Return exactly this version, as an assessment pins it, or raise ``UnknownIdError``."""
        try:
            return self._by_version[catalogue_id, version]
        except KeyError:
            raise UnknownIdError("version", f"{catalogue_id} {version}", "the registry") from None

    def current(
        self,
        programme: str,
        entity_type: str,
        on: date | None = None,
        published: Collection[tuple[str, str]] = (),
    ) -> Catalogue:
        """Return the newest catalogue of a programme for an entity type that may be used.

        A first version may be used as it is shipped; one that changes another only when two
        people have published it here, so when ``published`` holds its id and version.
        With ``on``, only versions effective by that day count; callers take it from ``work.now``.
        Raises ``UnknownIdError`` when there is none.
        """
        fitting = [
            one
            for one in self._by_version.values()
            if one.programme == programme
            and entity_type in one.entity
            and (one.previous is None or (one.id, one.version) in published)
            and (on is None or one.effective <= on)
        ]
        if not fitting:
            wanted = f"{programme} for {entity_type}" + (f" on {on.isoformat()}" if on else "")
            raise UnknownIdError("catalogue", wanted, "the registry")
        return max(fitting, key=_order)


def _order(catalogue: Catalogue) -> tuple[date, tuple[int, ...]]:
    return catalogue.effective, tuple(int(part) for part in catalogue.version.split("."))


def load_catalogue(path: Path) -> Catalogue:
    """Read one file. Its SHA-256 is over the bytes as they are, comments included.

    Raises ``CatalogueFaultsError`` with every fault and its line, ``OSError`` when unreadable.
    """
    return catalogue_of_bytes(path.read_bytes(), str(path))


def catalogue_of_bytes(raw: bytes, name: str) -> Catalogue:
    """Make a version of a file's bytes; ``name`` stands in the faults.

    Raises ``CatalogueFaultsError`` with every fault and its line.
    """
    content, faults = examine(raw, name)
    if content is None:
        raise CatalogueFaultsError(faults)
    return Catalogue(content, hashlib.sha256(raw).hexdigest())


def find_faults(path: Path, before: Path | None = None) -> list[Fault]:
    """Return all faults of a file, also in what it says about the version before it.

    That version is ``before``, or the shipped one that the file names. When neither is there,
    the changes cannot be judged, and that is a fault.
    """
    if before is not None:
        return check_file(path, load_catalogue(before).content)
    faults = check_file(path)
    if faults:
        return faults
    known = load_catalogue(path)
    if known.previous is None:
        return []
    try:
        earlier = catalogues().get(known.id, known.previous)
    except UnknownIdError:
        message = (
            f"The version before, {known.previous}, is not known here; give it with --against."
        )
        return [Fault(str(path), 0, message)]
    return check_file(path, earlier.content)


def load_folder(folder: Path) -> Catalogues:
    """Read every ``*.yaml`` file of a folder; the faults of all files are raised together."""
    loaded: list[Catalogue] = []
    faults: list[Fault] = []
    for path in sorted(folder.glob("*.yaml")):
        try:
            loaded.append(load_catalogue(path))
        except CatalogueFaultsError as error:
            faults.extend(error.faults)
    if faults:
        raise CatalogueFaultsError(faults)
    return Catalogues(loaded)


@cache
def catalogues() -> Catalogues:
    """Return the shipped catalogues, read once per process."""
    return load_folder(SHIPPED)
