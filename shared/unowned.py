"""Files at the service that bear the mark of a run that has ended: nobody owns them any more, and they are deleted.

The end of a run deletes its files itself. One that appears after that was sent by an execution that stood still meanwhile, for
example on a machine that was paused in the middle of an upload.
"""

import logging

from shared.azure_openai import AzureOpenAI
from shared.errors import RecordUnreadable, ServiceRejected, ServiceUnavailable
from shared.ledger import Ledger
from shared.marks import file_name, run_of_file

log = logging.getLogger("tunedrop")


def delete_unowned_files(ledger: Ledger, service: AzureOpenAI) -> list[str]:
    """The ids of the files that were deleted. A file of a run that lives, or that no run of this ledger named so, is left alone; where the
    service can't be asked, the next call asks it.
    """
    deleted: list[str] = []
    try:
        for found in service.files():
            run_id = run_of_file(found.name)
            if run_id and _has_ended(ledger, run_id, found.name):
                service.delete_file(found.id)
                log.warning("file without an owner deleted", extra={"run": run_id, "file": found.id})
                deleted.append(found.id)
    except (ServiceUnavailable, ServiceRejected) as error:
        log.info("files can't be looked through", extra={"error": error.problem.message})
    return deleted


def _has_ended(ledger: Ledger, run_id: str, name: str) -> bool:
    try:
        found = ledger.read(run_id)
    except RecordUnreadable:
        return False
    record = found.record if found else None
    return bool(record and record.ended_at and any(name == file_name(record, role) for role in record.files))
