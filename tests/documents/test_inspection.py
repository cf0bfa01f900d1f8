"""What is accepted, and every trick that is not."""

import io
import struct
import zipfile
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.documents import inspection
from app.documents.inspection import inspect
from app.documents.rules import NAME_LENGTH, FileKind, clean_filename, kind_of
from app.kernel.errors import Problem
from tests.factories.documents import JPEG, PNG, TYPES, office, pdf

# How files of Office before 2007 begin, and newer ones that need a password.
OLE = bytes.fromhex("d0cf11e0a1b11ae1")


def look(content: bytes, filename: str) -> FileKind | Problem:
    return inspect(io.BytesIO(content), filename)


@pytest.mark.parametrize(
    ("filename", "content"),
    [
        ("procedure.pdf", pdf()),
        ("packed.pdf", pdf(packed=b"1 0 << /Type /Font >>")),
        ("gate.PNG", PNG),
        ("yard.jpg", JPEG),
        ("yard.jpeg", JPEG),
        ("phone.jpg", JPEG + b"trailer of a telephone"),
        ("seals.xlsx", office("xlsx")),
        ("manual.docx", office("docx")),
        ("log.csv", b"seal,date\nA1,2026-01-02\n"),
        ("log.csv", b"\xef\xbb\xbf" + "säl,datum\n".encode()),
        ("note.txt", b"Gate closed.\r\n\tBy night.\x0c"),
        ("empty-lines.txt", b"\n\n"),
    ],
)
def test_files_that_are_what_they_say_are_accepted(filename, content):
    assert look(content, filename) == kind_of(filename)


def bomb(size: int) -> bytes:
    return office("xlsx", extra={"xl/worksheets/sheet1.xml": b"0" * size})


def many_entries() -> bytes:
    return office("xlsx", extra={f"xl/part{n}.xml": b"" for n in range(1001)})


def with_entry(name: str, *, mode: int = 0, encrypted: bool = False) -> bytes:
    out = io.BytesIO(office("xlsx"))
    with zipfile.ZipFile(out, "a") as archive:
        entry = zipfile.ZipInfo(name)
        entry.external_attr = mode << 16
        archive.writestr(entry, b"content")
    raw = bytearray(out.getvalue())
    if encrypted:
        place = raw.rfind(b"PK\x01\x02")
        raw[place + 8] |= 0x1
    return bytes(raw)


def lying_header() -> bytes:
    """The directory says one byte where twenty million unpack."""
    raw = bytearray(bomb(20_000_000))
    place = raw.rfind(b"PK\x01\x02")
    raw[place + 24 : place + 28] = struct.pack("<L", 1)
    return bytes(raw)


def plain_zip() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("anything.txt", b"text")
    return out.getvalue()


HEX_ESCAPED = b"<< /S /J#61vaScript /JS (app.alert\\(1\\)) >>"


@pytest.mark.parametrize(
    ("why", "filename", "content", "code"),
    [
        ("no extension", "procedure", pdf(), "kind"),
        ("a program", "setup.exe", b"MZ" + bytes(100), "kind"),
        ("double extension", "invoice.pdf.exe", pdf(), "kind"),
        ("SVG", "drawing.svg", b"<svg xmlns='http://www.w3.org/2000/svg'/>", "kind"),
        ("HTML", "page.html", b"<html></html>", "kind"),
        ("macro workbook by name", "book.xlsm", office("xlsx"), "kind"),
        ("a program called PDF", "setup.pdf", b"MZ" + bytes(100), "mismatch"),
        ("PNG called PDF", "gate.pdf", PNG, "mismatch"),
        ("PDF called PNG", "gate.png", pdf(), "mismatch"),
        ("PNG called JPEG", "gate.jpg", PNG, "mismatch"),
        ("docx called xlsx", "book.xlsx", office("docx"), "mismatch"),
        ("plain zip called xlsx", "book.xlsx", plain_zip(), "mismatch"),
        ("PDF with text before it", "a.pdf", b"GIF89a" + pdf(), "mismatch"),
        ("HTML with a PDF header", "a.pdf", b"%PDF-1.4\n<html><script>1</script>", "mismatch"),
        ("PDF cut off", "a.pdf", pdf()[:-200], "damaged"),
        ("PDF and zip in one", "a.pdf", pdf() + plain_zip(), "two-kinds"),
        ("PNG and zip in one", "a.png", PNG + plain_zip(), "two-kinds"),
        ("JPEG and zip in one", "a.jpg", JPEG + plain_zip(), "two-kinds"),
        ("PNG cut off", "a.png", PNG[:-12], "damaged"),
        ("script in a PDF", "a.pdf", pdf(extra=b"<< /S /JavaScript /JS (x) >>"), "active"),
        ("script in hexadecimal", "a.pdf", pdf(extra=HEX_ESCAPED), "active"),
        ("script in a packed object", "a.pdf", pdf(packed=b"<< /S /JavaScript >>"), "active"),
        ("command in a PDF", "a.pdf", pdf(extra=b"<< /S /Launch /F (cmd.exe) >>"), "active"),
        ("attachment in a PDF", "a.pdf", pdf(extra=b"<< /Type /EmbeddedFile >>"), "active"),
        ("PDF under a password", "a.pdf", pdf(extra=b"<< /Encrypt 9 0 R >>"), "protected"),
        ("packed bomb in a PDF", "a.pdf", pdf(packed=bytes(20_000_000)), "bomb"),
        ("old Office, or a password", "a.xlsx", OLE + bytes(600), "protected"),
        ("encrypted entry", "a.xlsx", with_entry("xl/x.xml", encrypted=True), "protected"),
        ("bomb by ratio", "a.xlsx", bomb(60_000_000), "bomb"),
        ("bomb by size", "a.xlsx", bomb(110_000_000), "bomb"),
        ("bomb by entries", "a.xlsx", many_entries(), "bomb"),
        ("lying header", "a.xlsx", lying_header(), "damaged"),
        ("macros", "a.xlsx", office(extra={"xl/vbaProject.bin": b"x"}), "macros"),
        ("macros renamed", "a.docx", office("docx", extra={"Word/VBAPROJECT.BIN": b""}), "macros"),
        (
            "macro type",
            "a.xlsx",
            office(types="application/vnd.ms-excel.sheet.macroEnabled.main+xml"),
            "macros",
        ),
        (
            "macro part under another name",
            "a.xlsx",
            office(types=TYPES["xlsx"] + '"/><x y="application/vnd.ms-office.vbaProject'),
            "macros",
        ),
        (
            "embedded file",
            "a.docx",
            office("docx", extra={"word/embeddings/o.bin": b""}),
            "two-kinds",
        ),
        ("zip in a zip", "a.xlsx", office(extra={"xl/more.zip": b"PK"}), "two-kinds"),
        ("path upwards", "a.xlsx", with_entry("../../etc/passwd"), "damaged"),
        ("absolute path", "a.xlsx", with_entry("/etc/passwd"), "damaged"),
        ("symbolic link", "a.xlsx", with_entry("xl/link", mode=0o120777), "damaged"),
        ("zip cut off", "a.xlsx", office()[:-30], "damaged"),
        ("text before a zip", "a.xlsx", b"#!/bin/sh\n" + office(), "mismatch"),
        ("NUL in text", "a.csv", b"a,b\x00c\n", "encoding"),
        ("Latin-1", "a.csv", "Zürich".encode("latin-1"), "encoding"),
        ("UTF-16", "a.txt", "text".encode("utf-16"), "encoding"),
        ("escape sequences", "a.txt", b"\x1b[2Jgone", "encoding"),
        ("character cut at the end", "a.txt", "…".encode()[:-1], "encoding"),
        ("HTML called text", "a.txt", b"\n <HTML><script>alert(1)</script>", "mismatch"),
        ("SVG called CSV", "a.csv", b"\xef\xbb\xbf<svg onload=alert(1)>", "mismatch"),
        ("PDF called text", "a.txt", pdf(), "mismatch"),
    ],
)
def test_files_that_are_not_what_they_say_are_refused(why, filename, content, code):
    found = look(content, filename)
    assert isinstance(found, Problem), why
    assert (found.field, found.code) == ("file", code), why


def test_a_character_on_the_border_of_two_chunks_is_one_character():
    text = "a" * (inspection.CHUNK - 1) + "ü"
    assert look(text.encode(), "a.txt") == kind_of("a.txt")


@given(
    st.binary(max_size=600), st.sampled_from(["pdf", "png", "jpg", "xlsx", "docx", "csv", "txt"])
)
def test_no_bytes_whatever_make_the_inspection_fail(content, extension):
    assert isinstance(look(content, f"a.{extension}"), FileKind | Problem)


@given(st.integers(min_value=0, max_value=400), st.binary(min_size=1, max_size=40))
def test_a_damaged_office_file_never_makes_the_inspection_fail(place, noise):
    raw = bytearray(office())
    raw[place : place + len(noise)] = noise
    assert isinstance(look(bytes(raw), "a.xlsx"), FileKind | Problem)


def test_unpacking_in_a_pdf_is_linear():
    """Every mark of a packed stream is tried once, however many there are."""
    hostile = pdf(extra=b"/ObjStm stream\n" + zlib.compress(b"x") + b"/ObjStm " * 50_000)
    assert isinstance(look(hostile, "a.pdf"), FileKind)


@pytest.mark.parametrize(
    ("given_name", "kept"),
    [
        ("procedure.pdf", "procedure.pdf"),
        ("../../etc/passwd", "passwd"),
        ("C:\\Users\\Ada\\seal log.xlsx", "seal log.xlsx"),
        ("..\\..\\boot.ini", "boot.ini"),
        ("/etc/shadow\x00.pdf", "shadow.pdf"),
        ("invoice\u202efdp.exe", "invoicefdp.exe"),
        ('a"b\r\nSet-Cookie: x.pdf', "a_bSet-Cookie_ x.pdf"),
        ("....pdf", "file.pdf"),
        (".pdf", "file.pdf"),
        ("", "file"),
        ("   ", "file"),
        ("..", "file"),
        ("con.txt", "_con.txt"),
        ("COM1.tar.csv", "_COM1.tar.csv"),
        ("Zollerklärung 2026.pdf", "Zollerklärung 2026.pdf"),
        ("日本語.csv", "日本語.csv"),
        ("a\tb  c.txt", "ab c.txt"),
    ],
)
def test_names_are_cleaned(given_name, kept):
    assert clean_filename(given_name) == kept


@given(st.text(max_size=400))
def test_a_clean_name_is_short_plain_and_stays_as_it_is(given_name):
    name = clean_filename(given_name)
    assert 0 < len(name) <= NAME_LENGTH + 1
    assert not set(name) & set('/\\<>:"|?*\x00\r\n')
    assert not name.startswith(".")
    assert clean_filename(name) == name
