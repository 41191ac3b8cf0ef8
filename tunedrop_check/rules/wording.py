"""Words that several messages share."""


def counted(number: int, what: str) -> str:
    """A number with its noun: 1 example, 2 examples, 1,000 examples."""
    return f"{number:,} {what}{'s' * (number != 1)}"


def lasting(seconds: float) -> str:
    """The two largest units of a length of time: 3 min 20 s, 2 d 3 h."""
    left = max(0, round(seconds))
    parts: list[str] = []
    for length, unit in ((86_400, "d"), (3_600, "h"), (60, "min"), (1, "s")):
        amount, left = divmod(left, length)
        if amount or parts:
            parts.append(f"{amount} {unit}" if amount else "")
    return " ".join(part for part in parts[:2] if part) or "under 1 s"
