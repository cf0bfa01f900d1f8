"""One section of a self-assessment by two people: offline in a workbook, at once, to the end."""

import re
import secrets
from pathlib import Path

from playwright.sync_api import expect

from tests.factories.workbooks import rows_of, spot, typed
from tests.journeys import trader_steps as trader
from tests.journeys.visitor import Visitor

RUN = secrets.token_hex(3)
COMPANY = f"Quay Furniture {RUN} LLC"
OLIVE, PIA = f"olive@{RUN}.example", f"pia@{RUN}.example"
OFFLINE = "Written on a train, checked by the warehouse manager."


def test_a_section_with_a_workbook_and_a_conflict(visitor, tmp_path: Path):
    officer, preparer = visitor(), visitor()
    trader.sign_up(officer, "Nora Vance", OLIVE)
    home = trader.register_company(officer, COMPANY)
    trader.appoint_preparer(officer, preparer, home, company=COMPANY, email=PIA)
    application = trader.start_application(officer, home)
    preparer.go(application)
    section = preparer.main.locator("a[href*='/sections/']").first.get_attribute("href")
    assessment = section.split("/sections/")[0]

    # Offline: every text of the section, and one answer that is none.
    preparer.go(assessment).follow("Fill in offline")
    with preparer.page.expect_download() as downloading:
        preparer.main.get_by_role("link", name="Download the workbook (XLSX)").click()
    content = Path(downloading.value.path()).read_bytes()
    sheet = "Section 1"
    asked = [row[0] for row in rows_of(content)[sheet] if row and str(row[0]).startswith("q.")]
    filled = {spot(content, one, "how_met"): OFFLINE for one in asked}
    filled[spot(content, asked[0])] = "perhaps"

    # Meanwhile a colleague writes one of them in the portal, and it is saved without a button.
    officer.go(section)
    field = officer.page.locator(f"[name='{asked[0]}.how_met']")
    field.fill("Written in the portal meanwhile.")
    expect(officer.page.locator("#save_status")).to_contain_text("Saved")
    officer.arrive()

    workbook = tmp_path / "filled.xlsx"
    workbook.write_bytes(typed(content, filled))
    preparer.attach("file", workbook).press("Upload and compare")
    preparer.sees("Nothing has been changed yet").sees("Cells that could not be read")
    preparer.sees("“perhaps” is none of the answers offered: Yes; No.")
    preparer.sees("Written in the portal meanwhile.").sees("Conflict")
    preparer.press("Take the ticked answers")
    preparer.sees(f"Taken from the workbook: {len(asked) - 1} answers.")
    # What was in conflict was not ticked, so the colleague's words stand.
    preparer.go(section)
    texts = preparer.page.locator("textarea[name$=how_met]")
    found = [one.input_value() for one in texts.all()]
    assert found.count(OFFLINE) == len(asked) - 1
    assert found.count("Written in the portal meanwhile.") == 1

    settle_without_script(visitor, officer, preparer, section, asked[0])

    # To the end of the section, with its evidence.
    evidence = tmp_path / "procedure.txt"
    evidence.write_text("Statement of support for supply chain security, edition 2, June 2026.")
    preparer.go(section)
    trader.fill_in_a_section(preparer)
    trader.attach_evidence(preparer, evidence)
    preparer.choose("Have you completed this section?", "Yes, it is complete")
    trader.finish(preparer)
    preparer.go(assessment).sees("Completed")


def without_script(visitor, person: Visitor) -> Visitor:
    """The same person in a browser that runs no script."""
    plain = visitor(javascript=False)
    plain.page.context.add_cookies(person.page.context.cookies())
    return plain


def settle_without_script(visitor, officer, preparer, section: str, question: str) -> None:
    """Two people write the same answer; both texts are shown and either can be kept."""
    hers, his = without_script(visitor, officer), without_script(visitor, preparer)
    name = f"[name='{question}.how_met']"
    hers.go(f"{section}?open=1.1")
    his.go(f"{section}?open=1.1")
    hers.page.locator(name).fill("Her words.")
    hers.press("Save and continue")
    his.page.locator(name).fill("His words.")
    with his.page.expect_navigation():
        his.main.get_by_role("button", name="Save and continue").click()
    # The browser notes the status of a page that shows a conflict.
    his.forgive(409)
    his.arrive().sees("Two versions of this answer").sees("Her words.")
    expect(his.page.locator(".clash")).to_contain_text("His words.")
    expect(his.page.locator(name)).to_have_value("His words.")
    his.choose("Which version do you want to keep?", "Mine")
    his.press("Save and continue")
    hers.go(f"{section}?open=1.1")
    expect(hers.page.locator(name)).to_have_value("His words.")
    assert re.search(r"/sections/1", hers.path)
