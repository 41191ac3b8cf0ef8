"""Delete the service's copy of one file; the drop itself stays."""

import azure.durable_functions as df

from shared.models.effect_kinds import FILE
from shared.models.messages import Answer, FileStep, done
from shared.runs import clients
from shared.runs.activity import activity
from shared.runs.answering import needed
from shared.runs.effects import Removing
from shared.runs.ledger import open_ledger
from shared.runs.marks import file_name

bp = df.Blueprint()


@activity(bp, FileStep)
def delete_file(wanted: FileStep) -> Answer:
    """Deletes the uploaded file.

    Second run: a file that isn't there is deleted.
    """
    ledger = open_ledger()
    record = ledger.get(wanted.run_id).record
    # A run uploads after its scan only.
    if wanted.role not in record.files:
        return done()
    service, name = (
        clients.for_training(needed(record.plan, "plan")),
        file_name(record, wanted.role),
    )

    # By its name, so also one whose upload nobody confirmed.
    def look() -> list[str]:
        # Also what a broken or a second upload left under this name.
        return [f.id for f in service.files_named(name)]

    effect = FILE.named(wanted.role)
    return Removing(ledger, wanted, effect, look, service.delete_file, wanted.pace.upload_s).once()
