"""Words that several messages share."""


def counted(number: int, what: str) -> str:
    """A number with its noun: 1 example, 2 examples, 1,000 examples."""
    return f"{number:,} {what}{'s' * (number != 1)}"
