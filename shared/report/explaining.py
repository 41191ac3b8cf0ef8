"""How the figures of a report come about, in sentences: why they differ, and which is paid for.
Pure.
"""

from shared.report.display import number
from shared.report.model import DataPart, Report
from tunedrop_check.counting import pricing
from tunedrop_check.counting.money import usd
from tunedrop_check.rules.wording import counted


# Sources: the cost management page for what is billed (tokens of the training file times the
# epochs, rounded up to a thousand); one real job for the service's own count, `trained_tokens`,
# which told 6,720 where 5,000 were billed.
def billing(report: Report) -> str:
    """From the tokens of the file to the price of the training, and what second jobs cost."""
    money = report.money
    # Nothing of the run's own job is billed then.
    if money.billed_tokens is None:
        return _second_jobs(report)
    told = [_tokens(report, money.billed_tokens)]
    if money.usd_per_million_tokens is not None and money.training_usd is not None:
        told.append(
            f"At {usd(money.usd_per_million_tokens)} per million tokens this is "
            f"{usd(money.training_usd)}."
        )
    if not money.billed_by_service:
        told.append("The service has told no bill: this holds for a job that ran to its end.")
    if second := _second_jobs(report):
        told.append(second)
    return " ".join(told)


def _second_jobs(report: Report) -> str:
    """What the second jobs of the run cost; it stands beside the run's own."""
    money = report.money
    if not money.second_jobs:
        return ""
    # At most: nobody is told how far each came before its cancel.
    cost = (
        ""
        if money.second_jobs_usd_at_most is None
        else f" They cost at most {usd(money.second_jobs_usd_at_most)} more."
    )
    return (
        f"{counted(money.second_jobs, 'second job')} had started and "
        f"{'was' if money.second_jobs == 1 else 'were'} cancelled.{cost}"
    )


def _tokens(report: Report, billed: int) -> str:
    tokens, epochs = _of_training(report), report.money.epochs
    if tokens is None or not epochs:
        return f"{counted(billed, 'token')} are billed."
    product, reckoned = tokens * epochs, pricing.billed_tokens(tokens, epochs)
    makes = "makes" if epochs == 1 else "make"
    way = (
        f"The training file has {counted(tokens, 'token')}; {counted(epochs, 'epoch')} {makes} "
        f"{number(product)}"
    )
    if billed != reckoned:
        return f"{way}. The service says that it billed {number(billed)}."
    return (
        f"{way}, billed as {number(billed)}: the service rounds up to a thousand."
        if billed != product
        else f"{way}, which are billed."
    )


def _of_training(report: Report) -> int | None:
    """The tokens of the training file, as they are billed for each epoch."""
    part: DataPart | None = next((part for part in report.data if part.role == "training"), None)
    return int(part.total.sum) if part and part.total else None


def worst_case(report: Report) -> str:
    """What the worst case is made of, and what it is for; empty where there is none."""
    money = report.money
    if money.worst_case_usd is None:
        return ""
    parts = [_training_at_most(report)] if money.training_usd_at_most else []
    if money.hosting_usd_at_most:
        parts.append(
            f"{usd(money.hosting_usd_at_most)} for the hours of the deployment until the "
            "run has ended"
        )
    if not parts:
        return "This figure must stay within the budgets."
    return (
        f"At most: {' and '.join(parts)}. This figure, not the estimate, must stay within the "
        "budgets."
    )


def _training_at_most(report: Report) -> str:
    money = report.money
    told = usd(money.training_usd_at_most or 0)
    if not money.tokens_at_most:
        return f"{told} for the training"
    over = f" over {counted(money.epochs_at_most, 'epoch')}" if money.epochs_at_most else ""
    what = "texts, declarations of tools, other fields and images, all counted in full"
    return (
        f"{told} for the training of at most {counted(money.tokens_at_most, 'token')} "
        f"({what}){over}"
    )


def prices(report: Report) -> str:
    """Of which day the prices are, and where one of them is not from the table."""
    money = report.money
    told = [f"Price table of {money.price_table_date}."]
    if money.training_price_date:
        told.append(f"The training price is older, from {money.training_price_date}.")
    if money.training_price_is_assumed:
        told.append(
            "The table has no training price for this model: the highest price that the owner "
            "of this app has set is used instead."
        )
    return " ".join(told)


def question(report: Report) -> str:
    """Where the smoke test's question comes from, and how near the answer is to the known one."""
    smoke = report.smoke_test
    # A question of job.json needs no explaining.
    if smoke is None or smoke.row_of is None:
        return ""
    told = [
        f"The question is line {smoke.row_line:,} of the {smoke.row_of} data."
        if smoke.row_line
        else f"The question comes from the {smoke.row_of} data."
    ]
    if smoke.words_in_common is not None and smoke.answer:
        told.append(
            f"The answer contains {number(100 * smoke.words_in_common)} % of the words of the "
            "answer in the data; this share decides nothing."
        )
    return " ".join(told)


def trained(report: Report) -> str:
    """What the service's own count of trained tokens is; empty where it adds nothing."""
    told = report.training.trained_tokens if report.training else None
    if told is None or told == report.money.billed_tokens:
        return ""
    return (
        "the service's own count over all epochs, including the marks around each message; the "
        "section Money shows the billed tokens"
    )
