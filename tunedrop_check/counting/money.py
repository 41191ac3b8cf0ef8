"""US dollars as people read them: reckoned in decimal, a half cent rounded up, and told alike on
every page, in every message and terminal.
"""

from decimal import ROUND_HALF_UP, Decimal

_CENT, _DOLLAR = Decimal("0.01"), Decimal(1)
_WHOLE_FROM = 1_000


def exact(value: float) -> Decimal:
    """The decimal that is meant by a number: 0.435 and not 0.434999…"""
    # A binary fraction can't hold most prices: 0.435 lies a little below itself, so that `.2f`
    # tells 0.43. A float stands for the shortest decimal that names it, which is the price that was
    # meant.
    return Decimal(repr(value))


def price(tokens: int, usd_per_million: float) -> float:
    """What so many tokens cost, without the dust of binary fractions."""
    return float(exact(usd_per_million) * tokens / 1_000_000)


def total(*dollars: float) -> float:
    """The sum of dollars, likewise."""
    return float(sum(map(exact, dollars)))


def amount(value: float) -> str:
    """Dollars without their sign: cents below a thousand, whole dollars from there on."""
    dollars = exact(value)
    if dollars == 0:
        return "0"
    # Never a rounded zero for something that costs.
    if 0 < dollars < _CENT / 2:
        return "under 0.01"
    cents = dollars.quantize(_CENT, ROUND_HALF_UP)
    return (
        f"{cents:,}"
        if abs(cents) < _WHOLE_FROM
        else f"{dollars.quantize(_DOLLAR, ROUND_HALF_UP):,}"
    )


def usd(value: float) -> str:
    """The same with its sign: $0.44, under $0.01, $1,224."""
    words, _, figure = amount(value).rpartition(" ")
    sign = "-$" if figure.startswith("-") else "$"
    return f"{words} {sign}{figure.lstrip('-')}".strip()
