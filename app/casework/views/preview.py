"""What the trader will read, before it is sent: the very letters, with the values as they stand."""

import re
from dataclasses import dataclass
from datetime import datetime

from flask_babel import gettext

from app.applications.models import Application
from app.casework.rules.letter import Told, reason_in_words, values
from app.notifications import letters
from app.register import rules
from app.register.programme import PROGRAMMES, Kind, Move, Programme
from app.register.rules import Standing, Wish
from app.traders.models import Trader

# A single line break, but not one before an item of a list or a line with a label.
LINE_END = re.compile(r"(?<=[a-z,])\n(?=[a-z])")


@dataclass(frozen=True, slots=True)
class Letter:
    """A letter as it will be sent to each officer."""

    subject: str
    body: str

    @property
    def paragraphs(self) -> str:
        """The body without the line breaks that a mail has inside its paragraphs."""
        return LINE_END.sub(" ", self.body)


def of_application(
    application: Application, trader: Trader, move: Move, code: str, text: str
) -> Letter:
    """The letter that ends an application."""
    programme = PROGRAMMES[application.programme]
    template = "application-granted" if move.kind is Kind.GRANTS else "application-refused"
    return Letter(
        *letters.write(
            template,
            name=_officer(),
            trader=trader.name,
            reference=application.reference,
            programme=programme.name,
            reason=reason_in_words(programme, move.id, code, text),
        )
    )


def of_standing(
    trader: Trader,
    programme: Programme,
    move: Move,
    standing: Standing | None,
    wish: Wish,
    now: datetime,
) -> Letter:
    """The letter on a changed standing. Only for a wish in which the rules found no problem."""
    outcome = rules.outcome(move, standing, programme, wish)
    told = Told(
        programme=programme,
        move=move,
        status=outcome.status,
        tier=outcome.tier,
        restrictions=outcome.restrictions,
        reason_code=wish.reason_code,
        reason_text=wish.reason_text,
        at=rules.start(move, wish.effective_from, now),
    )
    template = "casework-suspended" if move.urgent else "casework-determination"
    return Letter(*letters.write(template, name=_officer(), trader=trader.name, **values(told)))


def _officer() -> str:
    return gettext("(each officer by name)")
