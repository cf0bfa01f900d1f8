"""Numbers that look like real ones: right in shape and check digit, and nobody's by intent.

None has the form of a social security number, and no tax number has a prefix that is not in use.
"""

from functools import cache
from random import Random

from stdnum import ean, luhn
from stdnum.iso7064 import mod_97_10
from stdnum.us import ein

from app.kernel.codes import container_number_problem

PREFIXES = tuple(f"{n:02}" for n in range(10, 100) if ein.is_valid(f"{n:02}-1234567"))
LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZ"


def digits(random: Random, count: int) -> str:
    """So many digits, the first of them not zero."""
    return str(random.randint(10 ** (count - 1), 10**count - 1))


def employer_number(random: Random) -> str:
    """An employer identification number."""
    return f"{random.choice(PREFIXES)}-{digits(random, 7)}"


def importer_number(random: Random) -> str:
    """An importer of record number that is made from a tax number."""
    return f"{employer_number(random)}00"


def duns(random: Random) -> str:
    """A D-U-N-S number, with the check digit that the older ones have."""
    body = digits(random, 8)
    return body + str(luhn.calc_check_digit(body))


def gln(random: Random) -> str:
    """A global location number with a prefix of the United States."""
    body = "08" + digits(random, 10)
    return body + str(ean.calc_check_digit(body))


def legal_entity(random: Random) -> str:
    """A legal entity identifier (ISO 17442)."""
    body = "549300" + "".join(random.choice(LETTERS + "23456789") for _ in range(12))
    return body + str(mod_97_10.calc_check_digits(body))


def licence(random: Random) -> str:
    """A customs broker's licence number."""
    return digits(random, 5)


def filer(random: Random) -> str:
    """An entry filer code."""
    return random.choice(LETTERS) + random.choice(LETTERS) + random.choice("23456789")


def carrier_code(name: str) -> str:
    """A standard carrier alpha code from the letters of the name."""
    letters = [one for one in name.upper() if one.isascii() and one.isalpha()]
    return "".join(letters[:4])


@cache
def manufacturer_code(country: str, name: str, address: str, town: str) -> str:
    """A manufacturer identification code, as the rule builds it (19 CFR part 102, appendix)."""
    words = [_plain(one) for one in name.split() if _plain(one)]
    number = "".join(one for one in address if one.isdigit())[:4]
    return f"{country}{words[0][:3]}{(words[1] if len(words) > 1 else '')[:3]}{number}{_plain(town)[:3]}"


def container(random: Random) -> str:
    """A container number with its check digit (ISO 6346)."""
    body = random.choice(("MSKU", "TCLU", "OOLU", "HLXU", "CMAU", "TGHU", "MEDU")) + digits(
        random, 6
    )
    return next(
        body + str(last) for last in range(10) if container_number_problem(body + str(last)) is None
    )


def telephone(random: Random) -> str:
    """A telephone number from the range that is kept for stories."""
    area = random.choice(("213", "312", "410", "503", "612", "713", "843", "919"))
    return f"+1 {area} 555 01{random.randint(0, 99):02}"


def _plain(text: str) -> str:
    return "".join(one for one in text.upper() if one.isascii() and one.isalpha())
