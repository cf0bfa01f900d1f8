"""Asks every address with every method as one principal of every object, and judges the answers."""

import os
from dataclasses import dataclass, field
from typing import Any

from werkzeug.test import TestResponse

from app.authz.actor import TraderRole
from app.kernel.ids import new_id
from tests.guards.addresses import Cell, cells
from tests.guards.matrix import bodies
from tests.guards.matrix.cast import Caller
from tests.guards.matrix.journal import KEEPING, RECORDS, Journal, Written
from tests.guards.matrix.objects import OBJECTS, Side
from tests.guards.matrix.oracles import astray, bare, readable, tells
from tests.guards.scene import CANARY, Ids

AREAS = ("open", "trader", "console", "api")
SAFE = {"GET", "HEAD", "OPTIONS"}


@dataclass
class Run:
    """One scene with its callers, and every fault that was found; `commands` is their engine."""

    app: Any
    journal: Journal
    sides: dict[str, Side]
    callers: dict[str, Caller]
    commands: Any
    faults: list[str] = field(default_factory=list)
    letters: int = 0
    forms: dict[tuple[str, str], dict[str, Any]] = field(default_factory=dict)
    succeeded: dict[tuple[str, str], set[int]] = field(default_factory=dict)

    def routes(self) -> list[Cell]:
        """All of them; while one works on one, MATRIX_ROUTES may hold a part of its address."""
        part = os.environ.get("MATRIX_ROUTES", "")
        found = [one for one in cells(self.app, *AREAS, ids_only=False) if part in one.rule.rule]
        return sorted(found, key=lambda one: (one.rule.rule, one.method))

    def verdict(self, cell: Cell, caller: Caller) -> str:
        """One letter for each kind of object, as the table of verdicts explains them."""
        own = self.sides[caller.side]
        foreign = next(one for one in self.sides.values() if one is not own)
        letters = ""
        answers: dict[str, str] = {}
        for kind in OBJECTS:
            ids = own.of(cell, kind, foreign)
            if ids is None:
                letters += "-"
                continue
            side = foreign if kind == "foreign" else own
            address = cell.address(ids)
            body = self.body(cell, side, ids)
            answer = caller.send(cell.method, address, body)
            written = self.journal.since()
            letter = letter_of(cell, answer, written)
            self.judge(cell, caller, kind, letter, answer, written)
            if letter == ".":
                answers[kind] = bare(answer, ids)
            answer.close()
            if written.rows:
                self.journal.rewind()
            letters += letter
        for kind in ("foreign", "mixed"):
            if kind in answers and "absent" in answers and answers[kind] != answers["absent"]:
                self.faults.append(f"{cell} {caller.name}: {kind} differs from absent")
        return letters

    def judge(
        self,
        cell: Cell,
        caller: Caller,
        kind: str,
        letter: str,
        answer: TestResponse,
        written: Written,
    ) -> None:
        """What must hold whatever the table says."""
        where = f"{cell} {caller.name} {kind} ({answer.status_code})"
        if answer.status_code >= 500 and cell.rule.endpoint != "probes.ready":
            self.faults.append(f"{where}: an error")
        allowed = RECORDS if cell.method in SAFE else KEEPING
        if cell.method in SAFE:
            allowed = allowed | {"web_session", "rate_count"}
        if (letter != "A" or cell.method in SAFE) and (outside := written.outside(allowed)):
            self.faults.append(f"{where}: wrote {outside}")
        asked = "" if kind == "own" else answer.request.path
        secret = [one for one in tells(readable(answer), caller.kept_from) if one not in asked]
        holder = cell.area == "open"
        if secret and not holder and not cell.rule.endpoint.startswith("demo."):
            self.faults.append(f"{where}: tells {secret}")
        letters = written.added("message")
        self.letters += len(letters)
        if strays := astray(letters, self.sides, caller.kept_from):
            self.faults.append(f"{where}: writes {strays} to others")
        if letter == "A" and cell.method not in SAFE:
            count = len(written.added("audit_event"))
            self.succeeded.setdefault((cell.method, cell.rule.endpoint), set()).add(count)

    def body(self, cell: Cell, side: Side, ids: Ids) -> dict[str, Any] | None:
        """The body that this route takes for these ids, else for the side's own."""
        if cell.method in SAFE:
            return None
        if cell.area == "api" or cell.rule.rule.startswith("/oauth/"):
            return bodies.api_body(cell.rule.endpoint, side.own, new_id())
        for given in (ids, side.own):
            found = self.form(cell, side, given)
            if found is not None:
                return found
        return None

    def form(self, cell: Cell, side: Side, ids: Ids) -> dict[str, Any] | None:
        """Read the form off its page, once for each address."""
        address = cell.address(ids)
        key = (cell.method, address)
        if key not in self.forms:
            page = self.page_of(cell, ids, address)
            facts = {**ids, "officer.name": f"{side.word} {TraderRole.OFFICER}"}
            for author in self.authors(side):
                answer = author.client.get(page, headers=author.headers)
                html = answer.get_data(as_text=True) if answer.mimetype == "text/html" else ""
                found = bodies.own_body(cell, facts, bodies.forms_of(html, page), address)
                if found is not None:
                    self.forms[key] = found
                    break
            else:
                self.forms[key] = {}
            self.journal.rewind()
        return self.forms[key] or None

    def authors(self, side: Side) -> list[Caller]:
        officer = "officer" if side.word == CANARY else "rival"
        return [
            self.callers[name] for name in (officer, "reviewer", "supervisor", "manager", "nobody")
        ]

    def page_of(self, cell: Cell, ids: Ids, address: str) -> str:
        name = bodies.PAGES.get(cell.rule.endpoint)
        if name is None:
            return address
        found = next(one for one in self.routes() if one.rule.endpoint == name)
        facts = dict(ids)
        for argument in cell.rule.arguments:
            own = f"{cell.rule.endpoint}.{argument}"
            if own in ids:
                facts[f"{name}.{argument}"] = ids[own]
        return found.address(facts)


def letter_of(cell: Cell, answer: TestResponse, written: Written) -> str:
    """`A` done or shown, `.` not found, `F` forbidden, `R` refused by a rule.

    `S` sign in first, `C` confirm anew who you are.
    """
    place = answer.headers.get("Location", "")
    status = answer.status_code
    asks = cell.permission not in {"public", "demo:use"}
    to_sign_in = place.startswith("/sign-in?next=") or "HX-Redirect" in answer.headers
    to_confirm = place.startswith("/confirm?next=")
    if status == 401 or (asks and to_sign_in) or to_confirm:
        return "C" if to_confirm else "S"
    if status in {403, 404}:
        return "F" if status == 403 else "."
    if status >= 400:
        return "R"
    if cell.method not in SAFE and status == 200 and answer.mimetype == "text/html":
        return "A" if written.outside(KEEPING) else "R"
    return "A"
