"""Whether a file is what its name says: extension, first bytes and structure must agree.

This is the cheap check before a file is kept. It opens just enough to refuse bombs, macros,
active content and files that are two kinds at once; the virus scan comes after it. The limits are
those of the threat table that `docs/assurance.md` carries.
"""

import codecs
import re
import stat
import zipfile
import zlib
from collections.abc import Iterator
from typing import BinaryIO, Final

import filetype

from app.documents.rules import FileKind, kind_of, refused
from app.kernel.errors import Problem

CHUNK: Final = 64 * 1024
HEAD: Final = 8192
MAX_ENTRIES: Final = 1000
MAX_UNPACKED: Final = 100 * 1024 * 1024
MAX_RATIO: Final = 100
# Below this a high ratio is harmless, and small office files often have one.
RATIO_FLOOR: Final = 10 * 1024 * 1024
MAX_STREAM: Final = 16 * 1024 * 1024

WRONG_KIND: Final = refused(
    "This kind of file is not accepted. Send PDF, PNG, JPEG, XLSX, DOCX, CSV or TXT.", "kind"
)
MISMATCH: Final = refused(
    "What is in this file is not what its name says. Save it again from the program that made"
    " it, in one of the accepted kinds.",
    "mismatch",
)
TWO_KINDS: Final = refused(
    "This file holds another file inside or after it. Send each file by itself.", "two-kinds"
)
DAMAGED: Final = refused("This file is damaged or incomplete. Save it again and retry.", "damaged")
PROTECTED: Final = refused(
    "This file is protected by a password. Send a copy without one.", "protected"
)
MACROS: Final = refused(
    "This file holds macros or active content. Save it without them and retry.", "macros"
)
ACTIVE_PDF: Final = refused(
    "This PDF holds scripts, attachments or commands. Print it to a new PDF and send that.",
    "active",
)
TOO_MUCH_INSIDE: Final = refused(
    "This file unpacks to more than is accepted. Send it in smaller parts.", "bomb"
)
NOT_TEXT: Final = refused(
    "This is not a plain text file in UTF-8. Save it again as “CSV UTF-8” or as UTF-8 text.",
    "encoding",
)

_OLE: Final = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_MARKUP: Final = re.compile(rb"(?i)<(!doctype|html|script|svg|\?xml|iframe|body|head)")
_PDF_ACTIVE: Final = re.compile(rb"/(JavaScript|Launch|EmbeddedFile|RichMedia)")
_PDF_HEX: Final = re.compile(rb"#([0-9A-Fa-f]{2})")
_MAIN_PART: Final = {
    "xlsx": b"spreadsheetml.sheet.main+xml",
    "docx": b"wordprocessingml.document.main+xml",
}
_TEXT_CONTROLS: Final = re.compile(r"[\x00-\x08\x0b\x0e-\x1f\x7f]")


class _RefusedError(Exception):
    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.message)
        self.problem = problem


def inspect(file: BinaryIO, filename: str) -> FileKind | Problem:
    """The kind of a seekable file under a clean name, or why it is refused."""
    kind = kind_of(filename)
    if kind is None:
        return WRONG_KIND
    file.seek(0)
    head = file.read(HEAD)
    try:
        if kind.magic is not None:
            _check_magic(file, head, kind)
        if kind.extension == "pdf":
            _check_pdf(file, head)
        elif kind.extension in _MAIN_PART:
            _check_office(file, head, _MAIN_PART[kind.extension])
        elif kind.extension == "png":
            _check_png(file, head)
        elif kind.magic is None:
            _check_text(file, head)
    except _RefusedError as refusal:
        return refusal.problem
    return kind


def _check_magic(file: BinaryIO, head: bytes, kind: FileKind) -> None:
    found = filetype.guess_extension(head)
    if found != kind.magic:
        raise _RefusedError(MISMATCH)
    # A picture or PDF with a zip archive behind it is two files to two programs.
    file.seek(0)
    if zipfile.is_zipfile(file):
        raise _RefusedError(TWO_KINDS)


def _check_png(file: BinaryIO, head: bytes) -> None:
    file.seek(-min(HEAD, len(head)), 2)
    if head[12:16] != b"IHDR" or b"IEND\xaeB`\x82" not in file.read():
        raise _RefusedError(DAMAGED)


def _check_pdf(file: BinaryIO, head: bytes) -> None:
    if not head.startswith(b"%PDF-") or _MARKUP.search(head[:1024]):
        raise _RefusedError(MISMATCH)
    file.seek(0)
    data = file.read()
    tail = data[-2048:]
    if b"%%EOF" not in tail or b"startxref" not in tail:
        raise _RefusedError(DAMAGED)
    for part in (data, *_object_streams(data)):
        # A name may be written with hexadecimal escapes: /J#61vaScript.
        plain = _PDF_HEX.sub(lambda found: bytes([int(found[1], 16)]), part)
        if b"/Encrypt" in plain:
            raise _RefusedError(PROTECTED)
        if _PDF_ACTIVE.search(plain):
            raise _RefusedError(ACTIVE_PDF)


def _object_streams(data: bytes) -> Iterator[bytes]:
    """Unpack the compressed streams in which a PDF may keep whole objects."""
    at = data.find(b"/ObjStm")
    total = 0
    while at != -1:
        start = data.find(b"stream", at)
        if start == -1:
            return
        start += len(b"stream")
        start += 2 if data[start : start + 2] == b"\r\n" else 1
        content, whole = _inflate(data, start)
        total += len(content)
        if not whole or total > MAX_UNPACKED:
            raise _RefusedError(TOO_MUCH_INSIDE)
        yield content
        at = data.find(b"/ObjStm", start)


def _inflate(data: bytes, start: int) -> tuple[bytes, bool]:
    """What unpacks from `start` on, and whether that was all of it within the limit.

    Fed in pieces, because the unpacker keeps a copy of all that it was given too much.
    """
    unpacker = zlib.decompressobj()
    content = b""
    while not unpacker.eof and start < len(data):
        try:
            content += unpacker.decompress(data[start : start + CHUNK], MAX_STREAM - len(content))
        except zlib.error:
            break  # Not packed this way, or not to its end; the raw bytes were searched already.
        if unpacker.unconsumed_tail or len(content) >= MAX_STREAM:
            return content, False
        start += CHUNK
    return content, True


def _check_office(file: BinaryIO, head: bytes, main_part: bytes) -> None:
    if head.startswith(_OLE):
        raise _RefusedError(PROTECTED)
    if not head.startswith(b"PK\x03\x04"):
        raise _RefusedError(MISMATCH)
    file.seek(0, 2)
    packed = file.tell()
    file.seek(0)
    try:
        with zipfile.ZipFile(file) as archive:
            _check_entries(archive.infolist(), packed)
            types = _unpack(archive)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, ValueError) as error:
        raise _RefusedError(DAMAGED) from error
    if main_part not in types:
        raise _RefusedError(MACROS if b"macroEnabled" in types else MISMATCH)
    if b"vbaProject" in types:
        raise _RefusedError(MACROS)


def _check_entries(entries: list[zipfile.ZipInfo], packed: int) -> None:
    unpacked = sum(entry.file_size for entry in entries)
    if len(entries) > MAX_ENTRIES or unpacked > MAX_UNPACKED:
        raise _RefusedError(TOO_MUCH_INSIDE)
    if unpacked > RATIO_FLOOR and unpacked > packed * MAX_RATIO:
        raise _RefusedError(TOO_MUCH_INSIDE)
    seen = set()
    for entry in entries:
        name = entry.filename
        parts = name.split("/")
        link = stat.S_ISLNK(entry.external_attr >> 16)
        if name.startswith("/") or "\\" in name or ".." in parts or link or name in seen:
            raise _RefusedError(DAMAGED)
        seen.add(name)
        if entry.flag_bits & 0x1:
            raise _RefusedError(PROTECTED)
        lowered = name.lower()
        if lowered.endswith("vbaproject.bin") or "/activex/" in lowered:
            raise _RefusedError(MACROS)
        if "/embeddings/" in lowered or lowered.endswith((".zip", ".jar", ".exe", ".7z", ".rar")):
            raise _RefusedError(TWO_KINDS)


def _unpack(archive: zipfile.ZipFile) -> bytes:
    """Unpack every entry once, counting, because a header can lie; return the content types.

    `zipfile` stops at the size that the header names and then compares checksums.
    """
    types = b""
    for entry in archive.infolist():
        with archive.open(entry) as content:
            if entry.filename == "[Content_Types].xml":
                types = content.read(MAX_STREAM)
            while content.read(CHUNK):
                pass
    return types


def _check_text(file: BinaryIO, head: bytes) -> None:
    if filetype.guess(head) is not None or head.startswith(_OLE):
        raise _RefusedError(MISMATCH)
    if _MARKUP.match(head.removeprefix(codecs.BOM_UTF8).lstrip()):
        raise _RefusedError(MISMATCH)
    decoder = codecs.getincrementaldecoder("utf-8-sig")()
    file.seek(0)
    while True:
        chunk = file.read(CHUNK)
        try:
            text = decoder.decode(chunk, final=not chunk)
        except UnicodeDecodeError as error:
            raise _RefusedError(NOT_TEXT) from error
        if _TEXT_CONTROLS.search(text):
            raise _RefusedError(NOT_TEXT)
        if not chunk:
            return
