"""A bad file is uploaded, corrected in the page, and its score moves: with scripts and without, wide and narrow."""

import csv
import io
import re
import secrets
import time
from pathlib import Path

import pytest

from tests.advance_data.sample_rows import csv_bytes, good_row
from tests.journeys.visitor import Visitor

WRONG_DIGIT = "CSQU3054384"
RIGHT_DIGIT = "CSQU3054383"
WITHIN = 120


@pytest.fixture(params=[(True, 1280), (False, 390)], ids=["wide, scripts", "narrow, none"])
def preparer(request, visitor) -> Visitor:
    javascript, width = request.param
    return visitor(javascript=javascript, width=width)


def test_a_bad_file_is_corrected_in_the_page_and_its_score_moves(preparer, tmp_path: Path):
    run = secrets.token_hex(3).upper()
    home = sign_in(preparer)
    file = tmp_path / f"isf-{run}.csv"
    file.write_bytes(bad_file(run, importer_number(preparer, home)))
    preparer.attach("file", file).press("Upload and check")
    batch = preparer.path.partition("?")[0]
    sent = score(preparer, batch)
    preparer.sees("Some rows are not filed").sees("What to put right first: the largest gain")

    preparer.follow("Correct the rows here").sees("2 rows are not filed")
    preparer.sees(re.compile("1 row: This is not a quantity."))
    preparer.follow("Correct row 4").sees("does not fit the rest of it")
    # A new mistake is told, and nothing that was typed is lost.
    preparer.fill(container_number=RIGHT_DIGIT, mf_city="Da Nang", quantity="many")
    preparer.main.get_by_role("button", name="Check and file this row").click()
    preparer.forgive(422)
    preparer.arrive().sees("This is not a quantity.")
    assert preparer.main.locator("[name=mf_city]").input_value() == "Da Nang"
    assert preparer.main.locator("[name=quantity]").input_value() == "many"
    preparer.fill(quantity="70").press("Only check").sees("It is not filed yet.")
    preparer.press("Check and file this row").sees("Correct row 5")
    between = score(preparer, batch, until=lambda one: one > sent)
    preparer.sees("1 row is still to be corrected.").follow("Correct the rows here")
    preparer.follow("Correct row 5").fill(quantity="12").press("Check and file this row")
    preparer.sees("Every row is filed")
    mended = score(preparer, batch, until=lambda one: one > between)
    assert sent < between < mended
    preparer.sees(f"As it was sent, its score was {sent}")

    # The receipt of the corrected row names the correction; the file's own page names the file.
    preparer.go(f"{home}/advance-data/filings?q=QJ-{run}-4").follow(f"QJ-{run}-4")
    preparer.sees("In time?").follow("Receipt to print or keep")
    preparer.go(f"{home}/advance-data/quality").sees("What the score is made of")
    preparer.sees(file.name)
    preparer.go(f"{home}/advance-data/owed").sees("Still owed")


def sign_in(person: Visitor) -> str:
    """As the preparer of the demonstration's importer; gives the trader's path."""
    person.sign_in_as("Tom Okafor")
    return person.path.split("/overview")[0]


def importer_number(person: Visitor, home: str) -> str:
    """One that the company may file for, as the page of the upload says."""
    person.go(f"{home}/advance-data/upload").sees("You can file for")
    return person.main.locator("aside li").first.inner_text().strip()


def bad_file(run: str, number: str) -> bytes:
    """Three good rows and two bad ones, the fourth with two mistakes."""
    rows = [
        good_row(
            filing_ref=f"QJ-{run}-{at}",
            importer_number=number,
            bill_number=f"MAEU{run}{at}",
            etd="2030-06-20",
        )
        for at in range(1, 6)
    ]
    rows[3] |= {"container_number": WRONG_DIGIT, "mf_city": ""}
    rows[4] |= {"quantity": "0"}
    content = csv_bytes(rows)
    assert len(list(csv.reader(io.StringIO(content.decode())))) == 6
    return content


def score(person: Visitor, batch: str, until=lambda _: True) -> float:
    """The lower end of the file's score, once the worker has counted it anew."""
    deadline = time.monotonic() + WITHIN
    while True:
        person.go(batch)
        shown = person.main.locator("#score ~ .stats .stats__value").first
        found = re.match(r"\s*([0-9.]+)", shown.inner_text()) if shown.count() else None
        if found and until(float(found[1])):
            return float(found[1])
        assert time.monotonic() < deadline
        time.sleep(0.5)
