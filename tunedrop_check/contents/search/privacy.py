"""Personal data that has a shape: e-mail addresses, telephone numbers, payment cards, bank
accounts.

Heuristics with few false alarms: what carries a check sum must pass it, and what is set aside for
documentation doesn't count.
"""

import re

from ...rules import content_rules as rules
from .kinds import ALPHANUMERIC, CAPITALS, DIGITS, Kind, Lead, begins_word, ends_word

_LOCAL_CHARACTERS = ALPHANUMERIC.encode() + b"._%+-"
# re and not re2: these patterns read a few dozen bytes each and no part of them can match in two
# ways. For them the standard library's engine is linear too, and four times as quick to ask.
_DOMAIN = re.compile(rb"@((?:[A-Za-z0-9-]{1,63}\.){1,8}([A-Za-z]{2,24}))(?![A-Za-z0-9_@-])")
_NO_TOP_DOMAINS = frozenset(
    b"example gif ico invalid jpeg jpg js local localhost png py svg test webp".split()
)
_DOCUMENTED = (b".example.com", b".example.net", b".example.org", b".example.edu")
_NO_PERSONS = frozenset({b"git"})


def _email(text: bytes, start: int) -> int | None:
    found = _DOMAIN.match(text, start + 1, start + 260)
    if (
        found is None
        or found[2].lower() in _NO_TOP_DOMAINS
        or (b"." + found[1].lower()).endswith(_DOCUMENTED)
    ):
        return None
    first = max(start - 63, 0)
    before = text[first : start + 1]
    kept = before.rstrip(_LOCAL_CHARACTERS)
    local = before[len(kept) :]
    if kept.endswith(b"\\"):
        # The first letter belongs to an escape: in "\n@app.route" it is all that stands before.
        local = local[5:] if local.startswith(b"u") else local[1:]
    return start if local and local not in _NO_PERSONS else None


_COUNTRY_CODE = (
    "(?:1|7|2[07]|3[0-469]|4[013-9]|5[1-8]|6[0-6]|8[1246]|9[0-58]|21[12368]|2[2346][0-9]|25[0-8]|29[01789]|35[0-9]|37[0-8]|38[0-35-79]"
    "|42[013]|5[09][0-9]|67[02-9]|68[0-35-9]|69[0-2]|80[08]|85[02356]|87[08]|88[0-368]|96[0-8]|97[0-79]|99[2-68])"
)
# The last group has two digits or more, and no fraction follows: +35236450.6 is a sum.
_INTERNATIONAL = re.compile(
    rf"\+{_COUNTRY_CODE}(?:[-. ()/]{{0,3}}[0-9]){{4,12}}[0-9](?![.]?[0-9])".encode()
)
_NORTH_AMERICAN = re.compile(
    rb"([2-9][0-9]{2})(?:\) ?|[-.])([2-9][0-9]{2})[-.]([0-9]{4})(?![0-9-])"
)
# A telephone number has at most 15 digits (ITU-T E.164).
_MIN_DIGITS, _MAX_DIGITS, _MIN_DISTINCT = 8, 15, 3
_BRITISH_CITIES = ("113", "114", "115", "116", "117", "118", "121", "131", "141", "151", "161")
# With which numbers begin that Ofcom has set aside for drama.
_BRITISH_FICTION = (
    *(f"44{city}4960" for city in _BRITISH_CITIES),
    *(
        "442079460",
        "441914980",
        "442896496",
        "442920180",
        "441632960",
        "447700900",
        "448081570",
        "443069990",
    ),
)


def _international(text: bytes, start: int) -> int | None:
    found = _INTERNATIONAL.match(text, start, start + 60)
    if found is None or not begins_word(text, start):
        return None
    digits = _digits(found[0])
    if not _MIN_DIGITS <= len(digits) <= _MAX_DIGITS or len(set(digits[1:])) < _MIN_DISTINCT:
        return None
    is_fiction = digits.startswith(_BRITISH_FICTION) or (
        digits.startswith("1") and not _is_north_american(digits[1:])
    )
    return None if is_fiction else start


def _north_american(text: bytes, start: int) -> int | None:
    found = _NORTH_AMERICAN.match(text, start, start + 20)
    first = start - 2 if text[max(start - 2, 0) : start] in (b"1-", b"1.") else start
    if found is None or not begins_word(text, first) or (first and text[first - 1] in b"-./+"):
        return None
    return start if _is_north_american(_digits(found[0])) else None


def _is_north_american(digits: str) -> bool:
    """Ten digits, area and exchange beginning with 2 to 9."""
    is_number = (
        len(digits) == 10
        and digits[0] > "1"
        and digits[3] > "1"
        and len(set(digits)) >= _MIN_DISTINCT
    )
    # 555-0100 to 555-0199 are set aside for fiction.
    return is_number and not digits.startswith("55501", 3)


def _digits(value: bytes) -> str:
    return value.translate(None, b"+-. ()/").decode()


_CARD = re.compile(
    b"(?:[3-6][0-9]{13,18}|2[0-9]{15}|[2-6][0-9]{3}(?: [0-9]{4}){3}|[2-6][0-9]{3}(?:-[0-9]{4}){3}"
    b"|3[0-9]{3} [0-9]{6} [0-9]{4,5}|3[0-9]{3}-[0-9]{6}-[0-9]{4,5})(?![0-9])"
)
# First and last prefix of an issuer, and its lengths: Visa, Mastercard, American Express, Discover,
# JCB, Diners, UnionPay.
_ISSUERS = (
    ("4", "4", (16,)),
    ("51", "55", (16,)),
    ("2221", "2720", (16,)),
    ("34", "34", (15,)),
    ("37", "37", (15,)),
    ("6011", "6011", (16,)),
    ("644", "659", (16,)),
    ("3528", "3589", (16,)),
    ("300", "305", (14,)),
    ("36", "36", (14,)),
    ("38", "39", (14,)),
    ("62", "62", (16, 17, 18, 19)),
)


def _card(text: bytes, start: int) -> int | None:
    found = _CARD.match(text, start, start + 24)
    if found is None or not begins_word(text, start) or (start and text[start - 1] in b".-+"):
        return None
    digits = _digits(found[0])
    issued = any(
        first <= digits[: len(first)] <= last and len(digits) in lengths
        for first, last, lengths in _ISSUERS
    )
    return start if issued and has_check_digit(digits) else None


def has_check_digit(digits: str) -> bool:
    """Whether the last digit is right by Luhn's formula (ISO/IEC 7812)."""
    doubled = (sum(divmod(2 * int(digit), 10)) for digit in digits[-2::-2])
    return (sum(map(int, digits[-1::-2])) + sum(doubled)) % 10 == 0


# The length of an IBAN in each country that has them: SWIFT's registry of 2025.
_IBAN_LENGTHS = {
    name: int(length)
    for length, names in {
        "15": "NO",
        "16": "BE",
        "18": "DK FI FK FO GL NL SD",
        "19": "MK SI",
        "20": "AT BA EE KZ LT LU MN XK",
        "21": "CH CR HR LI LV",
        "22": "BG BH DE GB GE IE ME RS VA",
        "23": "AE GI IL IQ OM SO TL",
        "24": "AD CZ ES MD PK RO SA SE SK TN VG",
        "25": "LY PT ST",
        "26": "IS TR",
        "27": "BI DJ FR GR IT MC MR SM",
        "28": "AL AZ BY CY DO GT HU LB NI PL SV",
        "29": "BR EG PS QA UA",
        "30": "JO KW MU YE",
        "31": "MT SC",
        "32": "LC",
        "33": "RU",
    }.items()
    for name in names.split()
}
_IBAN = re.compile(b"[A-Z]{2}[0-9]{2}(?: ?[A-Z0-9]){11,29}")


def _iban(text: bytes, start: int) -> int | None:
    found = _IBAN.match(text, start, start + 44)
    if found is None or not begins_word(text, start):
        return None
    length = _IBAN_LENGTHS.get(found[0][:2].decode(), 0)
    written = found[0]
    # What follows after a blank may be the next word: only the country's length counts.
    stop = length
    while stop - written.count(b" ", 0, stop) < length and stop < len(written):
        stop += 1
    number = written[:stop].replace(b" ", b"").decode()
    return (
        start
        if length
        and len(number) == length
        and ends_word(text, start + stop)
        and has_check_digits(number)
        else None
    )


def has_check_digits(iban: str) -> bool:
    """Whether an IBAN without blanks has the right check digits (ISO 13616)."""
    return int("".join(str(int(character, 36)) for character in iban[4:] + iban[:4])) % 97 == 1


# Every kind of personal data that is known here.
KINDS = (
    Kind(
        "e-mail address",
        rules.EMAIL,
        (Lead(ALPHANUMERIC, "@", "[A-Za-z0-9][A-Za-z0-9.@_+-]*"),),
        _email,
    ),
    Kind(
        "telephone number", rules.PHONE, (Lead("+", DIGITS[1:], "[0-9 ().-]{6}"),), _international
    ),
    Kind(
        "telephone number",
        rules.PHONE,
        (Lead(DIGITS[2:], DIGITS, r"[0-9](?:\) ?|[-.])[2-9][0-9]{2}[-.][0-9]{4}"),),
        _north_american,
    ),
    Kind(
        "card number",
        rules.CARD,
        (
            Lead("23456", DIGITS, "[0-9]{12,}"),
            Lead("23456", DIGITS, "[0-9]{2}[ -][0-9]{4}[ -][0-9]{4}[ -][0-9]{4}"),
            Lead("3", DIGITS, "[0-9]{2}[ -][0-9]{6}[ -][0-9]{4}"),
        ),
        _card,
    ),
    Kind(
        "bank account number",
        rules.IBAN,
        (Lead(CAPITALS, CAPITALS, "[0-9]{2} ?[A-Z0-9]{4} ?[A-Z0-9]{4} ?[A-Z0-9]{3}"),),
        _iban,
    ),
)
