"""Small but real files of each accepted kind, and documents made from them."""

import io
import zipfile
import zlib
from itertools import count
from uuid import UUID

from app.documents import service
from app.documents.models import DocumentRevision
from app.work import Work

_numbers = count(1)

PNG = (
    b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00\x00\x01\x00\x00\x00\x01\x08\x06\x00\x00\x00"
    b"\x1f\x15\xc4\x89\x00\x00\x00\rIDATx\x9cc\x00\x01\x00\x00\x05\x00\x01\r\n-\xb4"
    b"\x00\x00\x00\x00IEND\xaeB`\x82"
)
JPEG = (
    b"\xff\xd8\xff\xe0\x00\x10JFIF\x00\x01\x01\x00\x00\x01\x00\x01\x00\x00"
    b"\xff\xdb\x00C\x00" + b"\x10" * 64 + b"\xff\xd9"
)
EICAR = b"X5O!P%@AP[4\\PZX54(P^)7CC)7}$" + b"EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"


def pdf(text: str = "Seal procedure", *, extra: bytes = b"", packed: bytes | None = None) -> bytes:
    """A one-page PDF; `extra` goes in as an object, `packed` as a compressed object stream."""
    page = f"BT /F1 12 Tf 72 720 Td ({text}) Tj ET".encode()
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents 4 0 R >>",
        b"<< /Length %d >>\nstream\n%s\nendstream" % (len(page), page),
    ]
    if extra:
        objects.append(extra)
    if packed is not None:
        body = zlib.compress(packed)
        objects.append(
            b"<< /Type /ObjStm /N 1 /First 4 /Filter /FlateDecode /Length %d >>\n"
            b"stream\r\n%s\r\nendstream" % (len(body), body)
        )
    out = io.BytesIO()
    out.write(b"%PDF-1.7\n")
    places = []
    for number, content in enumerate(objects, 1):
        places.append(out.tell())
        out.write(b"%d 0 obj\n%s\nendobj\n" % (number, content))
    start = out.tell()
    out.write(b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1))
    for place in places:
        out.write(b"%010d 00000 n \n" % place)
    out.write(
        b"trailer << /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (len(objects) + 1, start)
    )
    return out.getvalue()


TYPES = {
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml",
    "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml",
}


def office(kind: str = "xlsx", *, extra: dict[str, bytes] | None = None, types: str = "") -> bytes:
    """An office file with the parts that make it one, and whatever `extra` adds."""
    main = {"xlsx": "xl/workbook.xml", "docx": "word/document.xml"}[kind]
    content_types = (
        '<?xml version="1.0" encoding="UTF-8"?>'
        '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
        f'<Override PartName="/{main}" ContentType="{types or TYPES[kind]}"/></Types>'
    )
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("[Content_Types].xml", content_types)
        archive.writestr("_rels/.rels", "<Relationships/>")
        archive.writestr(main, "<root/>")
        for name, content in (extra or {}).items():
            archive.writestr(name, content)
    return out.getvalue()


def make_document(
    work: Work,
    trader_id: UUID,
    *,
    filename: str | None = None,
    content: bytes | None = None,
    owner_kind: str = "trader",
    owner_id: UUID | None = None,
) -> DocumentRevision:
    """A document of the trader with one revision, still to be scanned."""
    number = next(_numbers)
    return service.store(
        work,
        trader_id,
        owner_kind=owner_kind,
        owner_id=owner_id or trader_id,
        filename=filename or f"seal-log-{number}.pdf",
        stream=io.BytesIO(pdf(f"Seal log {number}") if content is None else content),
    )
