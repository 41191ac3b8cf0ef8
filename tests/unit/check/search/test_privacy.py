"""Personal data: what passes its check sum is found, decoys are not."""

import random
from pathlib import Path

import pytest

from tests.unit.check.search.builders import a_line, codes_in, kinds_in
from tunedrop_check.contents.search import blocks, privacy

FOUND = {
    "e-mail address": [
        "ann.lee@corp.com",
        "Ann+x@mail.corp.co.uk",
        "\nann@corp.de.",
        "<a_b@x-y.io>",
        "mailto:ann@corp.com?x",
    ],
    "telephone number": [
        "+49 151 23456789",
        "+44 (0)20 7946 0958",
        "+33612345678",
        "(415) 867-5309",
        "415-867-5309",
        "1-800-356-9377",
        "+1.415.867.5309",
    ],
    "card number": [
        "4111111111111111",
        "4111 1111 1111 1111",
        "5500-0000-0000-0004",
        "378282246310005",
        "3782 822463 10005",
        "\n6011000990139424",
    ],
    "bank account number": [
        "DE89 3704 0044 0532 0130 00",
        "GB29NWBK60161331926819",
        "FR1420041010050500013M02606 and",
        "NO93 8601 1117 947",
    ],
}

NOT_FOUND = {
    "e-mail address": [
        "ann@example.com",
        "pkg@1.2.3",
        "icon@2x.png",
        "git@github.com:a/b",
        "\n@app.route('/')",
        "a@b",
        "@corp.com",
        "ann@localhost",
    ],
    "telephone number": [
        "(415) 555-0123",
        "+1 415 555 0123",
        "+44 20 7946 0117",
        "+44 7700 900 123",
        "+44 161 496 0999",
        "256 512 1024",
        "2024-10-2024",
        "+100000000",
        "1+23456789012",
        "555-555-5555",
        "123-456-7890",
        "12-415-867-5309",
        "+999 12345678",
        "+35236450.6",
        "+4294967296",
    ],
    "card number": [
        "4111111111111112",
        "4111 1111 1111 1112",
        "1234567812345670",
        "0.4111111111111111",
        "41111111111111111111",
        "4111-1111 1111 1111",
    ],
    "bank account number": [
        "DE89 3704 0044 0532 0130 01",
        "XX89370400440532013000",
        "DE8937040044053201300",
        "GB29NWBK601613319268191",
        "ABCD 1234 EFGH",
    ],
}


def each(cases: dict[str, list[str]]) -> list[object]:
    """A row for each text."""
    return [
        pytest.param(kind, text, id=f"{kind}: {text!r}")
        for kind, texts in cases.items()
        for text in texts
    ]


@pytest.mark.parametrize(("kind", "text"), each(FOUND))
def test_personal_data_is_found(kind: str, text: str) -> None:
    """Valid data is found in running text, and shown to nobody."""
    hits = [
        hit for hit in blocks.search(a_line(f"Please note: {text}, thanks.")) if hit.kind == kind
    ]
    assert [hit.start for hit in hits] == [""]


@pytest.mark.parametrize(("kind", "text"), each(NOT_FOUND))
def test_decoy_is_not_found(kind: str, text: str) -> None:
    """A wrong check sum, a documentation address, a fictional number and a mere lookalike
    are none.
    """
    assert kind not in kinds_in(f"Please note: {text}, thanks.")


def test_each_kind_has_valid_data_and_decoys() -> None:
    """No kind of personal data is without its cases."""
    assert {kind.name for kind in privacy.KINDS} == FOUND.keys() == NOT_FOUND.keys()


@pytest.mark.parametrize("number", ["4111111111111111", "378282246310005", "79927398713"])
def test_check_digit_is_luhns(number: str) -> None:
    """Of the ten numbers that differ in the last digit, one passes."""
    assert [digit for digit in range(10) if privacy.has_check_digit(number[:-1] + str(digit))] == [
        int(number[-1])
    ]


def test_check_digits_are_those_of_iso_13616() -> None:
    """Of the hundred numbers that differ in their check digits, those of the known account pass."""
    passing = [
        digits
        for digits in range(2, 99)
        if privacy.has_check_digits(f"DE{digits:02}370400440532013000")
    ]
    assert passing == [89]


def a_clean_line(chance: random.Random) -> str:
    """A text as people write it, with figures, dates, versions, code and identifiers, but nothing
    personal.
    """
    number = chance.randrange
    small, millions = number(1000), number(10**6)
    facts = [
        (
            f"In {number(1900, 2030)} there were {millions:,} of them, up "
            f"{number(100)}.{number(10)} %."
        ),
        (
            f"Version {number(20)}.{number(40)}.{number(90)} came out on "
            f"20{number(10, 30)}-{number(1, 13):02}-{number(1, 29):02}."
        ),
        (
            f"Order {number(10**9)} weighs {small} kg; see chapter {number(40)}.{number(9)}, page "
            f"{number(800)}."
        ),
        (
            f"The request took {millions} ms (id {number(16**32):032x}, time "
            f"{number(1_600_000_000_000, 1_900_000_000_000)})."
        ),
        (
            f"ISBN 978-{number(10)}-{number(10000):04}-{number(10000):04}-{number(10)}, built at "
            f"{number(24):02}:{number(60):02}."
        ),
        (
            f"Use `x[{number(9)}] + {number(10**5)} - y` or @app.route('/v{number(9)}') and pip "
            f"install a=={number(9)}.{number(9)}"
        ),
        (
            f"Boxes of {small} x {number(1000)} x {number(10000)} mm, at "
            f"{number(90)}.{millions:06}, -{number(180)}.{millions:06}"
        ),
        (
            f"See https://example.com:8{number(1000):03}/a/{number(10**12)}?q={number(10**8)} or "
            f"10.{number(256)}.{number(256)}.0."
        ),
        (
            "UUID "
            f"{number(16**8):08x}-{number(16**4):04x}-4{number(16**3):03x}-a{number(16**3):03x}-{number(16**12):012x}"
        ),
        f"SHA {number(16**40):040X}, SKU {small}-{number(10000)}-{number(1000)}",
    ]
    return " ".join(chance.sample(facts, 4))


def test_clean_lines_raise_no_alarm() -> None:
    """Of 1,000 clean lines, at most 10 are taken for anything."""
    chance = random.Random(11)  # noqa: S311
    lines = [a_clean_line(chance) for _ in range(1000)]
    assert sum(bool(codes_in(line)) for line in lines) <= 10


def test_page_names_each_form_of_a_telephone_number_that_is_found() -> None:
    """With brackets, with hyphens and with points, as docs/data-formats.md lists them."""
    page = (Path(__file__).parents[4] / "docs" / "data-formats.md").read_text(encoding="utf-8")
    forms = ("(415) 867-5309", "415-867-5309", "415.867.5309")
    assert [(form in page, "812" in codes_in(f"Call {form} now.")) for form in forms] == [
        (True, True)
    ] * len(forms)
