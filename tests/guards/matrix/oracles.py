"""What must hold of every answer, whatever the table of verdicts says."""

import io
import re
import zipfile
from collections.abc import Iterable, Mapping
from typing import Any

import pypdf
from werkzeug.test import TestResponse

from tests.guards.addresses import NEVER
from tests.guards.scene import Ids

REQUEST_ID = re.compile(r"(<code>|urn:request:)[0-9a-f]{32}")
FORM_TOKEN = re.compile(r'(name="csrf_token"[^>]*value="|"X-CSRFToken": ")[^"]+')
UUID = re.compile(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}")


def readable(answer: TestResponse) -> str:
    """Everything in an answer that somebody could read: headers, and the text of PDF and XLSX."""
    head = f"{answer.status}\n{answer.headers}"
    kind = answer.mimetype or ""
    data = answer.get_data()
    if kind == "application/pdf":
        pages = pypdf.PdfReader(io.BytesIO(data)).pages
        return head + "\n".join(page.extract_text() for page in pages) + str(data)
    if data[:2] == b"PK":
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            return head + "\n".join(
                archive.read(name).decode("utf-8", "replace") for name in archive.namelist()
            )
    return head + data.decode("utf-8", "replace")


def astray(
    letters: Iterable[Mapping[str, Any]], words: Iterable[str], kept_from: Iterable[str]
) -> list[str]:
    """Words that went to an address that has no business with them.

    A letter to somebody at one importer holds no word of the other, whoever caused it; one to
    anybody else holds no word that the caller may not read.
    """
    found = []
    for one in letters:
        text = f"{one['subject']}\n{one['body']}"
        at = [word for word in words if one["recipient"].endswith(f"@{word.lower()}.example")]
        forbidden = [word for word in words if word not in at] if at else kept_from
        found += tells(text, forbidden)
    return found


def bare(answer: TestResponse, ids: Ids) -> str:
    """An answer without what differs by right: the ids that were asked for and the request's."""
    headers = "".join(
        f"{name}: {value}\n" for name, value in answer.headers if name != "Set-Cookie"
    )
    found = f"{answer.status}\n{headers}\n{answer.get_data(as_text=True)}"
    for name, value in sorted(ids.items(), key=lambda one: -len(one[1])):
        if (name.endswith("_id") and len(value) == len(str(NEVER))) or name.endswith("token"):
            found = found.replace(value, "<id>")
    found = REQUEST_ID.sub(r"\1<request>", found)
    return FORM_TOKEN.sub(r"\1<csrf>", found)


def tells(text: str, secrets: Iterable[str]) -> list[str]:
    """Which of the words stand in the text."""
    low = text.lower()
    return [word for word in secrets if word.lower() in low]
