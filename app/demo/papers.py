"""Evidence as files: the written documents, dated for whoever hands them in, as small PDFs."""

import io
import re
import textwrap
from dataclasses import dataclass
from datetime import date
from functools import cache, lru_cache

from app.demo.texts import read

WIDTH = 92
LINES = 56
YEAR = re.compile(r"\b20[2-3][0-9]\b")


@dataclass(frozen=True, slots=True)
class Paper:
    """One document; `owner` is a company's key, or `any` when it names none."""

    title: str
    filename: str
    criteria: tuple[str, ...]
    dated: date
    owner: str
    body: str

    def on(self, day: date) -> "Paper":
        """The newest edition that existed on `day`: all its years moved together."""
        years = day.year - self.dated.year
        if (self.dated.month, self.dated.day) > (day.month, day.day):
            years -= 1

        def moved(text: str) -> str:
            return YEAR.sub(lambda found: str(int(found[0]) + years), text)

        return Paper(
            moved(self.title),
            moved(self.filename),
            self.criteria,
            self.dated.replace(year=self.dated.year + years),
            self.owner,
            moved(self.body),
        )

    def content(self) -> bytes:
        """The bytes of the file that its name promises."""
        if self.filename.endswith(".pdf"):
            return pdf(self.title, self.body)
        return self.body.encode()


@cache
def papers() -> tuple[Paper, ...]:
    """All written documents."""
    return tuple(
        Paper(
            one["title"],
            one["filename"],
            tuple(one["criteria"]),
            one["dated"],
            {"harbour-vale": "harbour"}.get(one["company"], one["company"]),
            one["body"],
        )
        for one in read("evidence")["documents"]
    )


@lru_cache(maxsize=256)
def pdf(title: str, body: str) -> bytes:
    """A PDF with the text in a typewriter face, a page for each 56 lines."""
    lines = [title, "=" * min(len(title), WIDTH), ""]
    for line in body.splitlines():
        indent = line[: len(line) - len(line.lstrip())]
        lines += textwrap.wrap(line, WIDTH, subsequent_indent=indent + "  ") or [""]
    pages = [lines[at : at + LINES] for at in range(0, len(lines), LINES)]
    first = 4
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [%s] /Count %d >>"
        % (b" ".join(b"%d 0 R" % (first + 2 * n) for n in range(len(pages))), len(pages)),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Courier /Encoding /WinAnsiEncoding >>",
    ]
    for number, page in enumerate(pages):
        stream = (
            b"BT /F1 10 Tf 13 TL 54 740 Td " + b" ".join(_shown(line) for line in page) + b" ET"
        )
        objects += [
            b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents %d 0 R"
            b" /Resources << /Font << /F1 3 0 R >> >> >>" % (first + 2 * number + 1),
            b"<< /Length %d >>\nstream\n%s\nendstream" % (len(stream), stream),
        ]
    return _file(objects)


def _shown(line: str) -> bytes:
    text = line.encode("cp1252", "replace")
    for mark in (b"\\", b"(", b")"):
        text = text.replace(mark, b"\\" + mark)
    return b"(" + text + b") Tj T*"


def _file(objects: list[bytes]) -> bytes:
    out = io.BytesIO()
    out.write(b"%PDF-1.4\n")
    places = []
    for number, content in enumerate(objects, 1):
        places.append(out.tell())
        out.write(b"%d 0 obj\n%s\nendobj\n" % (number, content))
    start = out.tell()
    out.write(b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1))
    out.write(b"".join(b"%010d 00000 n \n" % place for place in places))
    out.write(
        b"trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (len(objects) + 1, start)
    )
    return out.getvalue()
