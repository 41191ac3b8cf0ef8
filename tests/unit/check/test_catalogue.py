"""The catalogue of rules, and the page that tells of it."""

import re
from pathlib import Path

import pytest

from tunedrop_check.models import base_models
from tunedrop_check.rules import format_rules

PAGE = (Path(__file__).parents[3] / "docs" / "data-formats.md").read_text(encoding="utf-8")


def test_page_has_the_row_of_each_rule() -> None:
    """The page's table is the catalogue: same codes, severities, titles and fixes, in order."""
    rows = re.findall(r"^\| (TD-DATA-\d{3}) \| (\w+) \| (.+?) \| (.+?) \|$", PAGE, re.MULTILINE)
    assert rows == [
        (rule.code, rule.severity, rule.title, rule.fix)
        for rule in sorted(format_rules.RULES.values(), key=lambda rule: rule.code)
    ]


def test_page_lists_each_model_with_its_limit() -> None:
    """The page's table of models is the code's."""
    rows = re.findall(
        r"^\| (\S+) \| (\w+_base) \| ([\d,]+) \| (yes|no) \| ([\w, ]+) \|$", PAGE, re.MULTILINE
    )
    assert rows == [
        (
            model.name,
            model.encoding,
            f"{model.max_example_tokens:,}",
            "yes" if model.images else "no",
            ", ".join(sorted(model.methods)),
        )
        for model in base_models.KNOWN.values()
    ]


@pytest.mark.parametrize("rule", format_rules.RULES.values(), ids=format_rules.RULES)
def test_rule_is_complete(rule: format_rules.Rule) -> None:
    """Each rule has a title without a full stop, and sentences that end."""
    assert re.fullmatch(r"TD-DATA-\d{3}", rule.code)
    assert not rule.title.endswith(".")
    assert rule.explanation.endswith(".")
    assert rule.fix.endswith(".")
