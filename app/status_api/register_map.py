"""The map of the register that all workers of a host read, and the one process that writes it.

It is an LMDB file under `FAIRWAY_HOME`: readers share its pages and never wait, a writer replaces
what changed in one transaction. Each value carries a checksum over its key and itself, so that a
damaged page is a doubt and not another partner's answer. The keys of identifiers of
social-security form are the keyed hashes that the database has as well, and stand in a room of
their own: nothing that a program can write in an address reaches it.

A rebuild makes a new generation in a folder of its own, and the file `current` names the one that
holds; whoever reads an older one finds its heartbeat stopped.
"""

import contextlib
import shutil
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final
from weakref import WeakValueDictionary
from zlib import crc32

import lmdb

from app.kernel.ids import new_id
from app.status_api.map_values import (
    FORMAT,
    META,
    SUM_SIZE,
    TEMPLATE,
    WHOLE,
    DamagedMapError,
    Meta,
    meta_of,
    opened,
    packed,
    sealed,
)
from app.status_api.rendering import Template

# Readers and writer must agree on it, or a reader is thrown out when the file grows. It is address
# space, not memory and not disk.
MAP_SIZE: Final = 16 * 1024**3
MOST_READERS: Final = 1024
FRESH_SECONDS: Final = 5.0
FRESH_NS: Final = int(FRESH_SECONDS * 1e9)
FOLDER: Final = "register-map"
CURRENT: Final = "current"
# Of what the codes of templates are made: no letter that JSON or a mark has a use for.
_DIGITS: Final = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz-_"


class StaleMapError(Exception):
    """Nobody has confirmed for five seconds that the map is what the database says."""


_opened: "WeakValueDictionary[str, Any]" = WeakValueDictionary()


def _environment(folder: Path, *, readonly: bool) -> Any:  # noqa: ANN401 - it ships no types.
    """The file of a generation. A process opens each once: locks are the process's, not the opener's.

    So a reader in the process of the writer, as benchmarks and tests have it, shares what is open.
    """
    shared = _opened.get(str(folder))
    if readonly and shared is not None:
        return shared
    found = lmdb.open(
        str(folder),
        map_size=MAP_SIZE,
        readonly=readonly,
        create=not readonly,
        mode=0o600,
        max_readers=MOST_READERS,
        # What a crash of the machine loses is built anew: the map is valid for one boot only.
        sync=False,
        metasync=False,
        readahead=False,
    )
    _opened[str(folder)] = found
    return found


def _close(folder: Path, env: Any) -> None:  # noqa: ANN401
    _opened.pop(str(folder), None)
    env.close()


class MapReader:
    """What a worker reads. It finds the generation that holds by itself, and again after a rebuild."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._env: Any = None
        self._name = ""
        self._templates: dict[bytes, Template] = {}
        # The head of one state of one file, which is read and checked once.
        self._head: tuple[Any, int, Meta] = (None, 0, Meta(0, b"", 0))
        self._lock = threading.Lock()

    @property
    def generation(self) -> str:
        """The name of the generation that is read; it changes with every rebuild."""
        return self._name

    def look(self, key: bytes) -> tuple[Meta, bytes | None, int]:
        """The head, what stands under `key` with its checksum, and the age of it all.

        In nanoseconds. `StaleMapError` when nobody confirmed for five seconds that this is what the
        database says, or when there is no map, or a damaged one.
        """
        try:
            return self._look(key)
        except (lmdb.Error, DamagedMapError, StaleMapError, OSError) as error:
            # The writer may have begun a new generation meanwhile.
            self._look_again(broken=isinstance(error, lmdb.Error))
        try:
            return self._look(key)
        except (lmdb.Error, DamagedMapError, OSError) as error:
            raise StaleMapError from error

    def look_all(self, keys: Sequence[bytes]) -> tuple[Meta, list[bytes | None], int]:
        """The same for many keys, all of one state."""
        try:
            return self._look_all(keys)
        except (lmdb.Error, DamagedMapError, StaleMapError, OSError) as error:
            self._look_again(broken=isinstance(error, lmdb.Error))
        try:
            return self._look_all(keys)
        except (lmdb.Error, DamagedMapError, OSError) as error:
            raise StaleMapError from error

    def read(self, *keys: bytes) -> tuple[Meta, list[bytes | None]]:
        """The head and the bodies under `keys`, without their checksums; refuses as `look`."""
        meta, values, _age = self.look_all(keys)
        return meta, [None if one is None else one[:-SUM_SIZE] for one in values]

    def meta(self) -> Meta | None:
        """The head however old it is; `None` without a map that can be read."""
        for _ in range(2):
            try:
                return self._unconfirmed()
            except (lmdb.Error, DamagedMapError, StaleMapError, OSError) as error:
                self._look_again(broken=isinstance(error, lmdb.Error))
        return None

    def template(self, code: bytes) -> Template:
        """A part that many answers share."""
        found = self._templates.get(code)
        if found is None:
            key = TEMPLATE + code
            with self._env.begin() as txn:
                value = txn.get(key)
            if value is None:
                msg = "A part of the map is missing."
                raise DamagedMapError(msg)
            found = self._templates[code] = Template.of(opened(key, value))
        return found

    def wait_for(self, seq: int, *, seconds: float) -> bool:
        """Wait until change `seq` stands in the map; whether it does."""
        ends = time.monotonic() + seconds
        while True:
            found = self.meta()
            if found is not None and found.seq >= seq:
                return True
            if time.monotonic() >= ends:
                return False
            time.sleep(0.002)

    def _look(self, key: bytes) -> tuple[Meta, bytes | None, int]:
        env = self._env
        if env is None:
            raise StaleMapError
        with env.begin() as txn:
            seen, number, meta = self._head
            if txn.id() != number or seen is not env:
                meta = self._first_seen(env, txn)
            value = txn.get(key)
        age = time.monotonic_ns() - meta.beat
        if age > FRESH_NS:
            raise StaleMapError
        if value is not None and crc32(value, crc32(key)) != WHOLE:
            msg = "A value of the map is damaged."
            raise DamagedMapError(msg)
        return meta, value, age

    def _look_all(self, keys: Sequence[bytes]) -> tuple[Meta, list[bytes | None], int]:
        env = self._env
        if env is None:
            raise StaleMapError
        with env.begin() as txn:
            meta = self._first_seen(env, txn)
            values = [*map(txn.get, keys)]
        age = time.monotonic_ns() - meta.beat
        if age > FRESH_NS:
            raise StaleMapError
        if None in values:
            held = [pair for pair in zip(keys, values, strict=True) if pair[1] is not None]
            named, found = [key for key, _ in held], [value for _, value in held]
        else:
            named, found = [*keys], values
        if not set(map(crc32, found, map(crc32, named))) <= {WHOLE}:
            msg = "A value of the map is damaged."
            raise DamagedMapError(msg)
        return meta, values, age

    def _first_seen(self, env: Any, txn: Any) -> Meta:  # noqa: ANN401
        """The head of this state, kept for the look-ups to come."""
        meta = meta_of(txn.get(META))
        self._head = (env, txn.id(), meta)
        return meta

    def _unconfirmed(self) -> Meta:
        env = self._env
        if env is None:
            raise StaleMapError
        with env.begin() as txn:
            return self._first_seen(env, txn)

    def _look_again(self, *, broken: bool) -> None:
        """Open the generation that `current` names, if it is another."""
        with self._lock, contextlib.suppress(OSError, ValueError, lmdb.Error):
            name = (self._folder / CURRENT).read_text("ascii")
            if name != self._name or broken:
                env = _environment(self._folder / name, readonly=True)
                # Whoever still reads the old one holds it open until they are done.
                self._templates, self._env, self._name = {}, env, name


class MapWriter:
    """The one writer of a folder, which a lock on a file beside the map makes sure of."""

    def __init__(self, folder: Path, name: str, env: Any) -> None:  # noqa: ANN401
        self._folder = folder
        self._name = name
        self._env = env
        self._codes: dict[Template, bytes] = {}
        # The greatest key of a map that began empty: what comes after it fills pages to the brim.
        self._greatest: bytes | None = None
        with env.begin() as txn:
            value = txn.get(META)
            self.meta = Meta(0, b"", 0) if value is None else meta_of(value)
            for key, one in _with_prefix(txn, TEMPLATE):
                self._codes[Template.of(opened(key, one))] = key[len(TEMPLATE) :]

    @classmethod
    def resume(cls, folder: Path, wanted: str) -> "MapWriter":
        """Go on with the generation that holds.

        `DamagedMapError` when there is none, when it is of another format or boot than `wanted`,
        or shorter than it says.
        """
        try:
            name = (folder / CURRENT).read_text("ascii")
            env = _environment(folder / name, readonly=False)
        except (OSError, ValueError, lmdb.Error) as error:
            raise DamagedMapError(str(error)) from error
        try:
            _check(env, folder / name / "data.mdb", wanted)
            return cls(folder, name, env)
        except (OSError, lmdb.Error, DamagedMapError) as error:
            _close(folder / name, env)
            raise DamagedMapError(str(error)) from error

    @classmethod
    def anew(cls, folder: Path, wanted: str) -> "MapWriter":
        """Begin an empty generation that nobody reads before `publish`."""
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        name = f"generation-{new_id().hex}"
        (folder / name).mkdir(mode=0o700)
        env = _environment(folder / name, readonly=False)
        with env.begin(write=True) as txn:
            txn.put(FORMAT, sealed(FORMAT, wanted.encode()))
            txn.put(META, sealed(META, packed(Meta(0, b"", 0))))
        made = cls(folder, name, env)
        made._greatest = META
        return made

    def refuse(self) -> None:
        """Make every reader refuse, at once: what stands here is known to be wrong."""
        self.write(Meta(self.meta.seq, self.meta.known, 0, self.meta.clients), {})

    def write(self, meta: Meta, changes: Mapping[bytes, bytes | None]) -> None:
        """Put the head and all changes in place in one step; a body of `None` removes its key."""
        with self._env.begin(write=True) as txn:
            for key, body in sorted(changes.items()):
                if body is None:
                    txn.delete(key)
                    continue
                follows = self._greatest is not None and key > self._greatest
                txn.put(key, sealed(key, body), append=follows)
                if follows:
                    self._greatest = key
            txn.put(META, sealed(META, packed(meta)))
        self.meta = meta

    def code_of(self, template: Template) -> tuple[bytes, dict[bytes, bytes | None]]:
        """The code of a shared part, and what must be written for it to be known."""
        found = self._codes.get(template)
        if found is not None:
            return found, {}
        number, base = len(self._codes), len(_DIGITS)
        places = (number // base**2, number // base % base, number % base)
        code = self._codes[template] = bytes(_DIGITS[one] for one in places)
        return code, {TEMPLATE + code: template.packed()}

    def known(self, prefix: bytes) -> dict[bytes, bytes]:
        """Every key with this prefix and its body."""
        with self._env.begin() as txn:
            return {key: opened(key, value) for key, value in _with_prefix(txn, prefix)}

    def publish(self) -> None:
        """Let readers find this generation, and take the older ones away."""
        beside = self._folder / f"{CURRENT}.new"
        beside.write_text(self._name, "ascii")
        beside.replace(self._folder / CURRENT)
        for one in self._folder.glob("generation-*"):
            if one.name != self._name:
                shutil.rmtree(one, ignore_errors=True)

    def sweep(self) -> None:
        """Free the places of readers that were killed, which would hold old pages for ever."""
        self._env.reader_check()

    def close(self) -> None:
        _close(self._folder / self._name, self._env)

    def figures(self) -> dict[str, int]:
        """Bytes in use and entries, for the benchmark and the metrics."""
        stat, info = self._env.stat(), self._env.info()
        return {"bytes": (info["last_pgno"] + 1) * stat["psize"], "entries": stat["entries"]}


def _check(env: Any, file: Path, wanted: str) -> None:  # noqa: ANN401
    """`DamagedMapError` for a file that is cut short, which must be found before it is read."""
    if file.stat().st_size < (env.info()["last_pgno"] + 1) * env.stat()["psize"]:
        msg = "The map is shorter than it says."
        raise DamagedMapError(msg)
    with env.begin() as txn:
        kept = txn.get(FORMAT)
    if kept is None or opened(FORMAT, kept) != wanted.encode():
        msg = "The map is of another layout, boot, key or programme."
        raise DamagedMapError(msg)


def _with_prefix(txn: Any, prefix: bytes) -> Iterator[tuple[bytes, bytes]]:  # noqa: ANN401
    cursor = txn.cursor()
    if cursor.set_range(prefix):
        for key, value in cursor:
            if not key.startswith(prefix):
                return
            yield key, value
