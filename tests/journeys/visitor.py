"""A person with a browser: they see labels, links and buttons, and never an element's id."""

import re
from pathlib import Path

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Locator, Page, expect

PASSWORD = "seven quiet harbours"
AXE = Axe()
IDS = re.compile(r"[0-9a-f-]{36}|\d{4}-\d{5}|\?.*")
EXAMINED: set[str] = set()
"""The kinds of page that were examined in this run: an address without ids, and a title."""


class Visitor:
    """Drives one page. Each step ends on a page that loaded, said nothing in the console, and
    has no accessibility violation."""

    def __init__(self, page: Page, address: str, *, javascript: bool = True) -> None:
        self.page = page
        self.address = address
        self.javascript = javascript
        self.complaints: list[str] = []
        page.set_default_timeout(15_000)
        page.on("console", self._note)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))

    def _note(self, message) -> None:
        if message.type in {"error", "warning"}:
            self.complaints.append(message.text)

    def arrive(self) -> "Visitor":
        """Check the page on which one has arrived."""
        self.page.wait_for_load_state()
        expect(self.main.locator("h1")).to_be_visible()
        assert self.complaints == [], f"{self.page.url}: {self.complaints}"
        kind = f"{IDS.sub('…', self.path)} {IDS.sub('…', self.page.title())}"
        # In a browser without scripts the examination, a promise, would never be kept.
        if self.javascript and kind not in EXAMINED:
            found = AXE.run(self.page)
            assert found.violations_count == 0, f"{self.page.url}\n{found.generate_report()}"
            EXAMINED.add(kind)
        wide = self.page.evaluate(
            "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        )
        assert wide <= 0, f"{self.page.url} is {wide} pixels too wide"
        return self

    def forgive(self, status: int) -> None:
        """Let answers of that status pass that reached a page which was already gone."""
        self.page.wait_for_load_state("networkidle")
        self.complaints[:] = [one for one in self.complaints if str(status) not in one]

    def go(self, path: str) -> "Visitor":
        self.page.goto(path if path.startswith("http") else self.address + path)
        return self.arrive()

    def follow(self, name: str, *, exact: bool = True) -> "Visitor":
        """Follow a link by its words."""
        self.main.get_by_role("link", name=name, exact=exact).first.click()
        return self.arrive()

    def navigate(self, name: str) -> "Visitor":
        """Follow a link of the page's head."""
        self.page.get_by_role("navigation").get_by_role("link", name=name, exact=True).click()
        return self.arrive()

    def press(self, name: str) -> "Visitor":
        """Press a button by its words and arrive where it leads."""
        self.main.get_by_role("button", name=name, exact=True).first.click()
        return self.arrive()

    def fill(self, **by_name: str) -> "Visitor":
        """Fill fields by their names, as a label's `for` would lead there."""
        for name, text in by_name.items():
            self.main.locator(f"[name={name}]").first.fill(text)
        return self

    def pick(self, field: str, option: str) -> "Visitor":
        """Choose from a list."""
        self.main.locator(f"select[name={field}]").select_option(label=option)
        return self

    def choose(self, question: str | re.Pattern[str], answer: str) -> "Visitor":
        """Click one answer of a group of radio buttons or boxes."""
        legend = self.page.locator("legend", has_text=question)
        group = self.main.locator("fieldset").filter(has=legend).last
        group.locator("label").filter(
            has_text=re.compile(f"^\\s*{re.escape(answer)}")
        ).first.click()
        return self

    def tick(self, label: str) -> "Visitor":
        """Click the label of a box."""
        self.main.get_by_text(label, exact=False).first.click()
        return self

    def sees(self, text: str | re.Pattern[str]) -> "Visitor":
        """The text is on the page, and visible."""
        expect(self.main.get_by_text(text).first).to_be_visible()
        return self

    def misses(self, text: str) -> "Visitor":
        expect(self.page.get_by_text(text)).to_have_count(0)
        return self

    @property
    def main(self) -> Locator:
        return self.page.locator("main")

    @property
    def path(self) -> str:
        return self.page.url.removeprefix(self.address)

    def sign_in_as(self, who: str) -> "Visitor":
        """Come in as a demo person, by their name."""
        self.go("/sign-in")
        self.page.get_by_role("button", name=who).click()
        return self.arrive()

    def attach(self, field: str, path: Path) -> "Visitor":
        self.main.locator(f"input[type=file][name={field}]").first.set_input_files(path)
        return self
