"""Code lists and fault texts of the ISF chapter; the numbers are those of its appendix S."""

from typing import Final

from app.advance_data.abi.model import IMPORTER_QUALIFIER
from app.kernel.codes import CodeProblem

# Which party may be named by which kind of identifier.
_PERSONS: Final = frozenset({"EI", "ANI", "CIN", "34"})
_BUSINESSES: Final = frozenset({"DUN", "DNS"})
ALLOWED_IDS: Final = {
    "IM": _PERSONS | {"AEF"},
    "CN": _PERSONS | {"AEF"},
    "SE": _PERSONS | _BUSINESSES,
    "BY": _PERSONS | _BUSINESSES,
    "ST": _BUSINESSES | {"FR"},
    "LG": _BUSINESSES,
    "CS": _BUSINESSES,
    "MF": _BUSINESSES,
    "BKP": _BUSINESSES,
}
# By whether it is a filing of five elements.
REQUIRED_PARTIES: Final = {
    False: ("IM", "CN", "SE", "BY", "ST", "LG", "CS", "MF"),
    True: ("BKP", "ST"),
}
# What a filing need not say yet, by its reason. The chapter's stated rule wants all eight parties;
# 19 CFR 149.2(b) lets the last two wait. Which of the two the message checks is not known.
FLEXIBLE: Final = {"FT": frozenset({"LG", "CS"}), "FX": frozenset({"LG", "CS"})}
REASONS: Final = frozenset({"CT", "FR", "FT", "FX"})
BONDED: Final = frozenset({"01", "02", "07", "08", "10"})
BOND_ACTIVITIES: Final = frozenset({"01", "02", "03", "04", "16"})
BOND_TYPES: Final = frozenset({"8", "9"})

# Header fields that hold one of a few codes.
CODES: Final = {
    "submission_type": (
        frozenset("1234"),
        CodeProblem(
            "105",
            "This is not a type of filing.",
            "Give 1 for ISF-10, 2 for ISF-5, 3 for an ISF-5 that becomes an ISF-10 or 4 for the "
            "reverse.",
        ),
    ),
    "shipment_type": (
        frozenset(f"{number:02d}" for number in range(1, 12)),
        CodeProblem(
            "120",
            "This is not a type of shipment.",
            "Give 01 to 11, 01 for a standard shipment.",
        ),
    ),
    "action": (
        frozenset("ARD"),
        CodeProblem(
            "106",
            "This is not an action.",
            "Give A to add a filing, R to replace one or D to delete one.",
        ),
    ),
    "action_reason": (
        REASONS,
        CodeProblem(
            "ACTION_REASON",
            "This is not a reason of an action.",
            "Give CT for a complete filing, FR when some values are ranges, FT when consolidator "
            "or stuffing location are still to come, FX for both.",
        ),
    ),
    "importer_qualifier": (frozenset({"EI", "ANI", "34", "2"}), IMPORTER_QUALIFIER),
    "transport_mode": (
        frozenset({"10", "11"}),
        CodeProblem(
            "107",
            "This is not a mode of transport.",
            "Give 11 for containers or 10 for break bulk, or leave it blank.",
        ),
    ),
}
PLAIN_SHIPMENT: Final = CodeProblem(
    "120", "An ISF-5 has no other type of shipment than 01.", "Give 01."
)
NO_NUMBER: Final = CodeProblem(
    "110",
    "A new filing cannot bring a number.",
    "Leave positions 39 to 53 blank: the answer brings the number. To change an earlier filing, "
    "give action R.",
)
UNDER_NUMBER: Final = CodeProblem(
    "108",
    "The number of the filing to replace or delete is missing.",
    "Give the number from the answer to the filing.",
)
ON_FILE: Final = CodeProblem(
    "REF",
    "There is already a filing for this bill of lading.",
    "Replace that one with action R and its number, or delete it first.",
)
ONLY_HEADER: Final = CodeProblem(
    "X35",
    "This record has no place in such a filing.",
    "Remove it: a deletion is its SF10 alone, and an ISF-5 has no SF13.",
)
MISSING_RECORD: Final = CodeProblem(
    "X37",
    "A record that such a filing needs is missing.",
    "Add it with this value.",
)
BOND: Final = {
    "bond_holder": CodeProblem(
        "121", "The holder of the bond is missing.", "Give the number under which the bond runs."
    ),
    "bond_activity": CodeProblem(
        "122",
        "This is not an activity code of a bond that covers the filing.",
        "Give 01, 02, 03, 04 or 16.",
    ),
    "bond_type": CodeProblem(
        "123",
        "This is not a type of bond.",
        "Give 8 for a continuous bond or 9 for one of a single transaction.",
    ),
}
ONE_BOND: Final = CodeProblem(
    "123",
    "A bond of a single transaction lacks what belongs to it.",
    "Give activity 16 and two records SF20, V1 with the surety and SBN with the bond's number.",
)
ENTITY: Final = CodeProblem(
    "ENTITY",
    "This is not a kind of party.",
    "Give IM, CN, SE, BY, ST, LG, CS, MF or, in an ISF-5, BKP.",
)
IM_TWICE: Final = CodeProblem(
    "X36", "The importer of record is named more than once.", "Keep one of the records."
)
PARTY_ID: Final = CodeProblem(
    "ID_QUALIFIER",
    "This party cannot be named by such an identifier.",
    "Give tax numbers for importer, consignee, seller and buyer, a D-U-N-S number for all but "
    "importer and consignee, a FIRMS code for the ship-to party.",
)
IDENTIFIED: Final = CodeProblem(
    "ID_QUALIFIER",
    "An identifier and its qualifier belong together, and one of them is missing.",
    "Fill in both, or leave both blank.",
)
EITHER: Final = CodeProblem(
    "IDENTIFIER_OR_ADDRESS",
    "The party is named twice: by an identifier and by name or address.",
    "Keep one of the two.",
)
INCOMPLETE: Final = CodeProblem(
    "X37",
    "The party has neither an identifier nor a full address.",
    "Add SF35 and SF36 after it, or give its identifier.",
)
NO_CHECK_DIGIT: Final = CodeProblem(
    "CNTR_CHECK",
    "The container number has no check digit.",
    "Give it in position 26.",
)
FIRMS_UNKNOWN: Final = CodeProblem(
    "FIRMS_UNKNOWN",
    "This FIRMS code is not in the list that we hold.",
    "Check the code. If it is right, leave it: our list may be out of date.",
)
IM_MISMATCH: Final = CodeProblem(
    "IM_MISMATCH",
    "The importer of record is not the importer who files.",
    "Check both numbers. If both are right, leave them.",
)
