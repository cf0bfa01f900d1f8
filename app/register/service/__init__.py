"""The verbs of the register: propose, sign, refuse, suspend urgently, take on.

Two people stand behind every entry (design, section 4). The rule is checked here for the sake of
a clear message; a CHECK and a constraint trigger hold it whatever happens here.
"""

from app.register.service.identifiers import note_identifier_change
from app.register.service.proposals import approve, decline, propose, withdraw_proposal
from app.register.service.take_on import TakeOn, import_entry
from app.register.service.urgency import countersign, suspend_urgently

__all__ = [
    "TakeOn",
    "approve",
    "countersign",
    "decline",
    "import_entry",
    "note_identifier_change",
    "propose",
    "suspend_urgently",
    "withdraw_proposal",
]
