"""The bytes of a batch: sealed while they arrive, for importer numbers may be personal ones."""

import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import BinaryIO, Final, Self, cast

from app.advance_data.models import Batch
from app.documents.files import files, sealed_key_of
from app.documents.sealed import CHUNK, Seal, unsealed
from app.traders.sealing import sealer

SPOOL: Final = 4 << 20


class Arriving:
    """A file on its way to its place; what is spooled to the disk meanwhile is sealed already.

    Write all of it, `close` it with its digest, then `opened` it or `keep` it. Left without
    `keep`, it is gone.
    """

    def __init__(self, trader_id: uuid.UUID) -> None:
        self._trader_id = trader_id
        self._sha256 = ""
        spooled = tempfile.SpooledTemporaryFile(max_size=SPOOL)  # noqa: SIM115 - `__exit__` does.
        self._spooled = cast("BinaryIO", spooled)
        self._seal = Seal(self._spooled, sealer().file_key)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._spooled.close()

    def write(self, data: bytes) -> None:
        """Take the next bytes."""
        self._seal.write(data)

    def close(self, sha256: str) -> None:
        """Nothing more comes, and all of it has this digest."""
        self._sha256 = sha256
        self._seal.close(_name(self._trader_id, sha256))

    def opened(self) -> BinaryIO:
        """The plain bytes, from the beginning."""
        self._spooled.seek(0)
        pieces = iter(lambda: self._spooled.read(CHUNK), b"")
        return unsealed(pieces, sealer().file_key, _name(self._trader_id, self._sha256))

    def keep(self) -> None:
        """Put the file into its place, and return when it is on the disk."""
        files().put_sealed(self._trader_id, self._sha256, self._spooled)


@contextmanager
def opened(batch: Batch) -> Iterator[BinaryIO]:
    """The file of a batch, at its beginning, decrypted as it is read; it cannot be sought in.

    `UnavailableError` when it is missing, and from reading when it is not what was received.
    """
    sealed = files().read_sealed(batch.trader_id, batch.sha256)
    name = _name(batch.trader_id, batch.sha256)
    with unsealed(sealed, sealer().file_key, name) as stream:
        yield stream


def _name(trader_id: uuid.UUID, sha256: str) -> bytes:
    return sealed_key_of(trader_id, sha256).encode()
