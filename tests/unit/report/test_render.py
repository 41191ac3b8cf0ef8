"""The page of a report: what it says, in which order, and what can never come alive in it."""

import base64
import hashlib
import re
from collections.abc import Callable
from html.parser import HTMLParser
from typing import Any, cast

import pytest

from shared.report import model
from shared.report.display import visible
from shared.report.render import to_html
from tests.unit.report.samples import (
    SAMPLES,
    a_data_part,
    a_duplicate,
    a_failed,
    a_finding,
    a_rejected,
    a_report,
    a_succeeded,
    a_training,
)

SECTIONS = [
    "problem",
    "duplicate",
    "money",
    "smoke-test",
    "training",
    "data",
    "settings",
    "clean-up",
    "timeline",
    "provenance",
]

HOSTILE = [
    "<script>alert(1)</script>",
    "</title><script>alert(1)</script>",
    "</style><script>alert(1)</script>",
    "</svg><script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "'><svg onload=alert(1)>",
    "<img src=//evil.example/beacon.png>",
    '<a href="javascript:alert(1)">fix</a>',
    "<iframe srcdoc='<script>alert(1)</script>'>",
    "<body onload=alert(1)>",
    '<meta http-equiv="refresh" content="0;url=//evil.example">',
    '<link rel="stylesheet" href="//evil.example/a.css">',
    "<base href=//evil.example>",
    "<form action=//evil.example><input name=a>",
    "<math><mtext></table><mglyph><style><img src=x onerror=alert(1)>",
    "<noscript><p title='</noscript><img src=x onerror=alert(1)>'>",
    "<template><script>alert(1)</script></template>",
    "<!--<img src=x onerror=alert(1)>-->",
    "--><script>alert(1)</script>",
    "]]><script>alert(1)</script>",
    "<![CDATA[<script>alert(1)</script>]]>",
    "&lt;script&gt;alert(1)&lt;/script&gt;",
    "&#60;script&#62;alert(1)&#60;/script&#62;",
    "\\u003cscript\\u003ealert(1)",
    "{{ 7 * 191 }}",
    "{{ ''.__class__.__mro__ }}",
    "{% include 'report.css' %}",
    "{# gone #}",
    "${7*191}",
    "![x](//evil.example/beacon.png)",
    "[fix](javascript:alert(1))",
    "<scr\x00ipt>alert(1)</scr\x00ipt>",
    "\u202e<script>alert(1)</script>\u2066",
    "\uff1cscript\uff1ealert(1)\uff1c/script\uff1e",
    "expression(alert(1)); } body { background: url(//evil.example/a)",
    '" style="background:url(\'//evil.example/a\')" onmouseover="alert(1)',
]


class Skeleton(HTMLParser):
    """Every tag with its attributes, and the text between them, as a browser's tokenizer finds
    them.
    """

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, tuple[tuple[str, str | None], ...]]] = []
        self.text = ""
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, tuple(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data


def everywhere(payload: str) -> model.Report:
    """A full report in which every text that is not an instant or one of a fixed set of words is
    the payload.
    """
    problem = model.Problem(code="c", message="m", fix="m", anchor="a", request_id="r")
    findings = [
        a_finding(3, "/messages", "TD-DATA-017"),
        a_finding(4, "/messages", "TD-DATA-041", "warning"),
    ]
    data = [a_data_part(errors=1, warnings=1, findings=findings)]
    full = a_succeeded().model_copy(update={"problem": problem, "data": data, "duplicate_of": "d"})
    return model.Report.model_validate(_poisoned(full.model_dump(mode="json"), payload))


FIXED = {
    "outcome",
    "severity",
    "verdict",
    "row_of",
    "created_at",
    "ended_at",
    "at",
    "started_at",
    "finished_at",
}


def _poisoned(value: Any, payload: str, key: str = "") -> Any:
    if key == "hyperparameters":
        return {payload: payload}
    if isinstance(value, dict):
        return {
            name: _poisoned(part, payload, name)
            for name, part in cast(dict[str, Any], value).items()
        }
    if isinstance(value, list):
        return [_poisoned(item, payload, key) for item in cast(list[Any], value)]
    is_text = (
        isinstance(value, str)
        and key not in FIXED
        and not (key == "role" and value in {"training", "validation", "job"})
    )
    return payload if is_text else value


@pytest.mark.parametrize("payload", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_text_adds_no_tag_and_no_attribute_wherever_it_stands(payload: str) -> None:
    """The page has exactly the tags and attributes that it has for harmless text, and shows the
    payload as text.
    """
    page, harmless = (
        Skeleton(to_html(everywhere(payload))),
        Skeleton(to_html(everywhere("harmless"))),
    )
    assert page.tags == harmless.tags
    assert page.text.count(visible(payload)) == harmless.text.count("harmless")


def test_the_hostile_report_reaches_every_part_of_the_page() -> None:
    """The payload stands in each section and in the title, so that the test above leaves
    none out.
    """
    page = to_html(everywhere("harmless"))
    assert "harmless · TuneDrop</title>" in page
    parts = re.split(r"<section[^>]* id=\"", page)[1:]
    assert [part.split('"')[0] for part in parts] == SECTIONS
    assert all("harmless" in part for part in parts)


@pytest.mark.parametrize("build", SAMPLES.values(), ids=SAMPLES)
def test_a_page_asks_for_nothing_from_anywhere(build: Callable[[], model.Report]) -> None:
    """No script, no link, no image, no foreign style: the page stands alone."""
    page = to_html(build())
    tags = Skeleton(page).tags
    assert not {tag for tag, _ in tags} & {
        "script",
        "a",
        "img",
        "link",
        "iframe",
        "object",
        "embed",
        "form",
        "base",
        "use",
        "image",
    }
    assert not {
        name
        for _, attrs in tags
        for name, _ in attrs
        if name in {"src", "href", "style", "srcset"} or name.startswith("on")
    }
    assert not re.search(r"url\(|@import|https?:", page)


def test_the_content_security_policy_allows_the_pages_own_style_and_nothing_else() -> None:
    """The policy names the hash of exactly the style that stands in the page."""
    page = to_html(a_succeeded())
    metas = [dict(attrs) for tag, attrs in Skeleton(page).tags if tag == "meta"]
    policy = next(
        meta["content"] for meta in metas if meta.get("http-equiv") == "Content-Security-Policy"
    )
    style = page.split("<style>")[1].split("</style>")[0]
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    assert (
        policy
        == f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    )


@pytest.mark.parametrize("build", SAMPLES.values(), ids=SAMPLES)
def test_sections_stand_in_the_same_order_with_the_verdict_first(
    build: Callable[[], model.Report],
) -> None:
    """Whatever a run has to tell, it is told in one order, after the headline."""
    page = to_html(build())
    found = re.findall(r"<section[^>]* id=\"([a-z-]+)\"", page)
    assert found == [section for section in SECTIONS if section in found]
    assert page.index("<h1") < page.index("<section")
    assert build().headline in Skeleton(page).text


def test_outcomes_differ_in_word_and_icon() -> None:
    """No two outcomes share a label or an icon, so that none depends on colour."""
    verdicts = [
        to_html(build()).split('<p class="outcome">')[1].split("</p>")[0]
        for build in SAMPLES.values()
    ]
    icons = [verdict.split("</svg>")[0] for verdict in verdicts]
    labels = [verdict.split("</svg>")[1].strip() for verdict in verdicts]
    assert len(set(icons)) == len(set(labels)) == len(SAMPLES)


def test_a_rejected_page_tells_how_many_errors_it_lists_and_where_they_are() -> None:
    """The table names file, line, field, code, message and fix, under a count of all errors."""
    problem = to_html(a_rejected()).split('id="problem"')[1].split("</section>")[0]
    text = Skeleton(problem).text
    assert "first 5 of 1,234 errors" in text
    for shown in (
        "training_set.jsonl",
        "line 1,204",
        "/messages/0/role",
        "error TD-DATA-014",
        "The line is not JSON.",
        "Use system, user",
    ):
        assert shown in text
    assert "TD-DATA-041" not in text


def test_warnings_stand_with_the_data_and_not_with_the_problem() -> None:
    """A warning does not make a good run look bad."""
    page = to_html(a_succeeded())
    assert 'id="problem"' not in page
    assert "warning TD-DATA-041" in page.split('id="data"')[1].split("</section>")[0]


def data_of(report: model.Report) -> str:
    """The text of the page's section on data."""
    section = to_html(report).split('id="data"')[1].split("</section>")[0]
    return " ".join(Skeleton(section).text.split())


def test_warning_of_many_lines_is_one_row_with_their_numbers() -> None:
    """The first ones, and how many more there are."""
    text = data_of(a_rejected())
    assert "lines 31, 32, 1040, " in text
    assert "1057 and 3 more" in text
    assert text.count("warning TD-DATA-811") == 1


def test_data_tells_trained_tokens_limit_and_images() -> None:
    """What is learnt beside what is billed, examples over the limit, and what images are estimated
    to count.
    """
    text = data_of(a_rejected())
    assert "of these, learnt14,112" in text
    assert "1 example over the limit of 65,536 tokens." in text
    assert "40 images, 12 of unknown size: about 21,990 tokens more, an estimate." in text
    assert "images" not in data_of(a_succeeded())


def money_of(report: model.Report) -> str:
    """The text of the page's section on money."""
    section = to_html(report).split('id="money"')[1].split("</section>")[0]
    return " ".join(Skeleton(section).text.split())


def test_money_tells_what_stands_what_it_costs_and_how_to_end_it() -> None:
    """Training, the hourly and the monthly price and the command that ends them stand in
    the page.
    """
    text = money_of(a_succeeded())
    for shown in (
        "Training, estimate $0.66",
        "$1.70/h",
        "$1,224/month",
        "132,000",
        "2026-11-24",
        "deployment delete",
    ):
        assert shown in text


def test_money_says_so_when_no_price_is_known() -> None:
    """An unknown price is called unknown, never zero."""
    report = a_report(
        money=model.MoneyPart(
            price_table_date="2026-11-24",
            deployment_usd_per_hour=None,
            deployment_usd_per_month=None,
        )
    )
    text = money_of(report)
    assert text.count("no price known") == 2
    assert "$0" not in text


@pytest.mark.parametrize("build", [a_rejected, a_failed, a_duplicate])
def test_money_is_one_sentence_when_nothing_was_spent(build: Callable[[], model.Report]) -> None:
    """Who has spent nothing reads just that."""
    assert "Nothing was spent, and there are no further costs." in money_of(build())


def test_money_never_says_nothing_while_a_deployment_stands() -> None:
    """A developer deployment is free by the hour, but its tokens are not."""
    stands = model.DeploymentPart(
        name="d", model="m", sku="DeveloperTier", capacity=1, state="Succeeded", stands=True
    )
    text = money_of(a_report(deployment=stands))
    assert "Nothing was spent" not in text
    assert "only the tokens that it serves are charged" in text


@pytest.mark.parametrize(
    ("sku", "capacity", "told"),
    [
        ("GlobalStandard", 50, "GlobalStandard, capacity 50 thousand tokens a minute"),
        (
            "ProvisionedManaged",
            200,
            "ProvisionedManaged, capacity 200 provisioned throughput units",
        ),
    ],
)
def test_capacity_is_told_in_units_of_the_sku(sku: str, capacity: int, told: str) -> None:
    """The service counts tokens and provisioned units in the same field."""
    deployment = model.DeploymentPart(
        name="d", model="m", sku=sku, capacity=capacity, state="Succeeded", stands=True
    )
    assert told in Skeleton(to_html(a_report(deployment=deployment))).text


@pytest.mark.parametrize(("outcome", "told"), [("failed", True), ("succeeded", False)])
def test_trained_model_of_a_run_that_failed_has_a_way_back(outcome: str, *, told: bool) -> None:
    """It was paid for: the page says how to deploy it without paying again."""
    text = Skeleton(to_html(a_report(outcome=outcome, training=a_training()))).text
    assert ("tunedrop deploy travel-desk-5b1f09c2" in text) is told


def test_model_of_another_run_is_told_with_that_run() -> None:
    """Whoever wonders where the model comes from finds the run that trained it."""
    deployment = model.DeploymentPart(
        name="d", model="m", sku="Standard", capacity=1, state="Succeeded", stands=True
    )
    text = Skeleton(
        to_html(
            a_report(outcome="succeeded", deployment=deployment, reuse_of="travel-desk-0c41aa97")
        )
    ).text
    assert "Trained byrun travel-desk-0c41aa97" in text


def test_a_duplicate_names_the_run_that_holds_the_content() -> None:
    """The other run's id and the way to train again stand at the top."""
    text = Skeleton(to_html(a_duplicate())).text
    assert "travel-desk-0c41aa97" in text
    assert "retrain" in text


def test_the_smallest_report_is_a_page() -> None:
    """A run that knew nothing but its name still tells its verdict, its cost and where it came
    from.
    """
    found = re.findall(r"<section[^>]* id=\"([a-z-]+)\"", to_html(a_report()))
    assert found == ["money", "provenance"]


def _luminance(colour: str) -> float:
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def _palettes() -> list[dict[str, str]]:
    style = to_html(a_report()).split("<style>")[1].split("</style>")[0]
    return [
        dict(re.findall(r"--(\w+): (#[0-9a-f]{6})", block))
        for block in re.findall(r":root \{(.*?)\}", style, re.DOTALL)[:2]
    ]


@pytest.mark.parametrize("palette", _palettes(), ids=["light", "dark"])
@pytest.mark.parametrize("ink", ["ink", "muted", "good", "bad", "warn", "calm"])
@pytest.mark.parametrize("ground", ["paper", "soft"])
def test_text_can_be_read_on_its_ground(palette: dict[str, str], ink: str, ground: str) -> None:
    """Every text colour has at least the contrast that WCAG AA asks for, 4.5 to 1, by day and by
    night.
    """
    light, dark = sorted((_luminance(palette[ink]), _luminance(palette[ground])), reverse=True)
    assert (light + 0.05) / (dark + 0.05) >= 4.5
