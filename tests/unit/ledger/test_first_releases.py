"""What the first releases wrote is still read: a fix was called `mend` then."""

from shared.errors import PlanRejected
from shared.models.record import Ending, Outcome, RunRecord
from tests.builders import a_record
from tests.unit.check.builders import MemorySource
from tunedrop_check.models.base_models import base_model
from tunedrop_check.scan import file_result, scanning

ADVICE = 'Write "fix":, and not ,"mend":.'


def as_it_was(content: bytes) -> bytes:
    """The same JSON with the old name of the field."""
    return content.replace(b'"fix":', b'"mend":')


def test_record_of_the_first_releases_is_read_and_written_in_the_words_of_today() -> None:
    """The problem that ended a run keeps its advice."""
    problem = PlanRejected("TD-PLAN-001", "It is wrong.", ADVICE).problem
    record = a_record(outcome=Outcome.REJECTED).model_copy(
        update={"ending": Ending(outcome=Outcome.REJECTED, problem=problem)}
    )
    read = RunRecord.model_validate_json(as_it_was(record.model_dump_json().encode()))
    assert read == record
    assert '"mend":' not in read.model_dump_json().replace('\\"mend\\":', "")


def test_scan_of_the_first_releases_is_read() -> None:
    """Its findings keep their advice, and a text that looks like the old name stays as it is."""
    scan = scanning.scan_source(
        MemorySource(b'{"messages": []}\n'),
        scanning.ScanOptions(base_model("gpt-4.1-mini")),
        threads=1,
    )
    assert scan.findings
    content = file_result.to_json(scan)
    assert as_it_was(content) != content
    assert file_result.to_json(file_result.file_scan_from_json(as_it_was(content))) == content
