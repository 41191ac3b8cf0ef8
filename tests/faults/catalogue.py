"""The catalogue of faults: what may befall a run, what is right then, and the tests that show it.

A test is named as pytest names it, from `tests/` on; a case of a table stands in brackets.
"""

from dataclasses import dataclass

MATRIX = "faults/test_kill_matrix.py::test_run_ends_right_when_struck_anywhere"
CREATING = "faults/test_creating.py::test_creation_ends_in_one_thing_or_in_a_clear_no"
WATCHING = "faults/test_watching.py::test_watched_thing_ends_as_it_should"
DEPLOYING = "faults/test_deploying.py::test_deployed_model_ends_as_it_should"
STORAGE = "faults/test_storage.py"


@dataclass(frozen=True)
class Row:
    """One fault."""

    fault: str
    right: str
    tests: tuple[str, ...] = ()
    not_built: str = ""
    """Why nothing can be tested yet: the part of TuneDrop that this would befall isn't there."""


def _cases(table: str, *names: str) -> tuple[str, ...]:
    return tuple(f"{table}[{name}]" for name in names)


EVALUATION = "there is no evaluation of a model against another yet"
PROMOTION = "there is no promotion over a live deployment yet"

ROWS: dict[str, Row] = {
    "B1": Row(
        "two claim a run at once",
        "one wins",
        (
            "unit/ledger/test_ledger.py::test_claim_is_won_once_when_twenty_claim_at_the_same_moment",
        ),
    ),
    "B2": Row(
        "the starter dies between claim and start",
        "the sweep starts the run",
        (f"{MATRIX}[start_once: after the claim]",),
    ),
    "B3": Row(
        "a write meets its own retry: 409, 412",
        "who holds it is read back",
        (
            f"{STORAGE}::test_claim_whose_write_met_trouble_is_won_all_the_same[drop_after]",
            f"{STORAGE}::test_change_whose_write_met_its_own_retry_is_made_once",
        ),
    ),
    "B4": Row(
        "503",
        "backoff within bounds",
        (f"{STORAGE}::test_storage_that_stays_busy_is_asked_four_times_and_no_more",),
    ),
    "B5": Row(
        "403: a role has not arrived",
        "a bounded wait, then a clear error",
        (
            f"{STORAGE}::test_role_that_has_not_arrived_yet_is_waited_for",
            f"{STORAGE}::test_role_that_never_arrives_ends_the_run_with_what_storage_said",
        ),
    ),
    "B6": Row(
        "storage is away for long",
        "runs go on when it is back",
        (f"{STORAGE}::test_run_goes_on_after_an_outage_that_outlasts_every_retry",),
    ),
    "B7": Row(
        "a record of the ledger is damaged, or of a later release",
        "it is kept apart; listing, sweep and the other runs go on",
        (
            f"{STORAGE}::test_damaged_record_hides_no_other_run_and_is_not_started_anew",
            f"{STORAGE}::test_row_without_its_summary_is_read_from_the_record",
            f"{STORAGE}::test_damaged_record_ends_its_orchestration_and_makes_no_loop",
            f"{STORAGE}::test_damaged_record_is_a_503_with_its_fix_over_http",
        ),
    ),
    "B8": Row(
        "clocks differ by ten minutes",
        "ages are told by the storage's clock",
        (
            f"{STORAGE}::test_intent_is_as_old_as_the_storage_says_whatever_the_clock_of_the_machine",
        ),
    ),
    "B9": Row(
        "a listing lags",
        "claims are looked up by key",
        (f"{STORAGE}::test_run_that_no_listing_shows_is_not_started_a_second_time",),
    ),
    "B10": Row(
        "the disk is full",
        "the run waits and goes on",
        (f"{STORAGE}::test_full_disk_is_waited_for",),
    ),
    "C1": Row(
        "a file larger than memory",
        "it is streamed",
        ("unit/check/test_scan.py::test_memory_stays_bounded_when_a_line_is_100_mb",),
    ),
    "C2": Row(
        "the worker is killed while it scans",
        "the same result",
        (f"{MATRIX}[scan_range: after the span]",),
    ),
    "C3": Row(
        "no network for the tokenizer",
        "vocabularies come with the app",
        ("unit/check/test_vocabulary.py::test_definition_is_that_of_the_installed_tiktoken",),
    ),
    "C4": Row(
        "a line that never ends",
        "it is cut off",
        ("unit/check/test_reading.py::test_line_over_the_limit_is_not_read_to_its_end",),
    ),
    "C5": Row(
        "the order of work differs",
        "the same report to the byte",
        (f"{STORAGE}::test_report_is_the_same_to_the_byte_when_it_is_written_again",),
    ),
    "C6": Row(
        "a file is replaced between scan and upload",
        "superseded",
        (f"{STORAGE}::test_file_that_is_replaced_between_scan_and_upload_ends_superseded",),
    ),
    "D1": Row(
        "an upload is taken and its answer lost",
        "found by name, adopted",
        _cases(CREATING, "file-reset-after", "file-500-after", "file-body-truncated"),
    ),
    "D2": Row(
        "a file is pending for ever",
        "deadline; the file is deleted",
        _cases(WATCHING, "file-pending-for-ever"),
    ),
    "D3": Row(
        "a file ends in error", "the report has the reason", _cases(WATCHING, "file-in-error")
    ),
    "D4": Row(
        "a file vanishes before its job",
        "the run fails with the reason, and nothing was bought",
        _cases(WATCHING, "file-vanished"),
    ),
    "D5": Row(
        "a file is too large for the service",
        "refused with its answer",
        _cases(CREATING, "file-too-large"),
    ),
    "D6": Row(
        "an upload breaks off",
        "no second file",
        _cases(CREATING, "file-reset-before", "file-500-before"),
    ),
    "D7": Row(
        "two runs upload the same content",
        "each deletes its own",
        (f"{STORAGE}::test_same_bytes_of_two_runs_are_two_files_and_each_run_deletes_its_own",),
    ),
    "D8": Row(
        "a token runs out during an upload",
        "a new token, one more try",
        (
            "unit/adapters/test_azure_openai_creating.py::test_upload_is_sent_again_when_its_token_ran_out_on_the_way",
        ),
    ),
    "E1": Row(
        "create: no answer in time",
        "looked up, never repeated",
        _cases(CREATING, "job-timeout-and-made-later", "job-timeout-after"),
    ),
    "E2": Row(
        "create: the connection breaks",
        "the same",
        _cases(CREATING, "job-reset-before", "job-reset-after"),
    ),
    "E3": Row(
        "create: 500, 502, 503, 504, 408, 409",
        "the same",
        _cases(CREATING, *(f"job-{s}-{w}" for s in (500, 408, 409) for w in ("before", "after"))),
    ),
    "E4": Row(
        "create: 429",
        "the run waits as asked, to its deadline",
        (
            *_cases(
                CREATING,
                "job-429-retry-after-1",
                "job-429-without-retry-after",
                "job-429-garbage",
                "job-busy-beyond-the-deadline",
            ),
            "unit/adapters/test_azure_openai_creating.py::test_retry_after_is_seconds_between_nothing_and_an_hour",
            "unit/ledger/test_effects.py::test_busy_service_is_asked_again_after_the_time_it_names",
        ),
    ),
    "E5": Row(
        "create: 2xx with a broken body",
        "looked up",
        _cases(CREATING, "job-body-truncated", "job-body-empty", "job-body-page", "job-no-id"),
    ),
    "E6": Row(
        "create: an unknown status", "the job is followed", _cases(CREATING, "job-unknown-status")
    ),
    "E7": Row(
        "create: refused for good",
        "the run fails in the service's words",
        _cases(CREATING, "job-not-trainable", "job-content", "job-forbidden"),
    ),
    "E8": Row(
        "the list lags",
        "no second create before it can lag no more",
        ("faults/test_watching.py::test_job_that_no_list_shows_yet_is_waited_for",),
    ),
    "E9": Row(
        "two jobs of one run",
        "the oldest stays, the other is cancelled",
        (
            "faults/test_watching.py::test_job_that_a_repeated_call_made_twice_is_cancelled_and_the_oldest_stays",
        ),
    ),
    "E10": Row(
        "the client repeats a create",
        "refused by the stand-in",
        (
            "contract/test_faults.py::test_creating_call_that_a_client_repeats_is_refused_when_the_switch_says_so",
        ),
    ),
    "F1": Row("a status nobody knows", "followed", _cases(WATCHING, "job-status-unknown")),
    "F2": Row(
        "succeeded without a model",
        "asked again, then failed",
        _cases(WATCHING, "job-nameless-for-a-while", "job-nameless-for-ever"),
    ),
    "F3": Row("the job was deleted", "failed with the reason", _cases(WATCHING, "job-deleted")),
    "F4": Row(
        "the job runs for ever", "cancelled at the deadline", _cases(WATCHING, "job-runs-for-ever")
    ),
    "F5": Row(
        "a cancel races the end",
        "the end stands, the run is cancelled",
        ("faults/test_watching.py::test_cancel_that_races_the_end_of_the_job_is_a_cancel",),
    ),
    "F6": Row(
        "a storm of 429 or 5xx",
        "bounded by time",
        _cases(
            WATCHING,
            "job-storm-429",
            "job-storm-503",
            "job-storm-beyond-the-deadline",
            "file-storm",
        ),
    ),
    "F7": Row(
        "the events can't be read",
        "nothing else is lost",
        (
            *_cases(WATCHING, "events-fail", "events-forbidden"),
            "faults/test_watching.py::test_events_that_fail_keep_no_result_from_the_report",
        ),
    ),
    "F8": Row(
        "the job is paused",
        "shown, and waited for",
        (
            "faults/test_watching.py::test_paused_job_is_shown_as_paused",
            *_cases(WATCHING, "job-paused"),
        ),
    ),
    "G1": Row(
        "PUT without an answer",
        "looked up by name",
        _cases(
            DEPLOYING, "put-timeout-after", "put-reset-after", "put-500-after", "put-body-truncated"
        ),
    ),
    "G2": Row(
        "409: another write is under way",
        "waited for, to the deadline",
        _cases(DEPLOYING, "put-conflict", "put-conflict-beyond-the-deadline"),
    ),
    "G3": Row("no quota", "failed in Azure's words", _cases(DEPLOYING, "quota")),
    "G4": Row(
        "Failed, Canceled",
        "failed, and deleted",
        _cases(DEPLOYING, "state-failed", "state-canceled"),
    ),
    "G5": Row(
        "Creating for ever",
        "deleted at the deadline, until it is gone",
        (
            "faults/test_deploying.py::test_deployment_that_is_created_for_ever_is_deleted_at_the_deadline",
            "faults/test_deploying.py::test_deletion_that_was_taken_and_not_done_is_repeated_until_the_deployment_is_gone",
        ),
    ),
    "G6": Row(
        "404 after Succeeded", "asked again", _cases(DEPLOYING, "not-ready-at-first", "never-ready")
    ),
    "G7": Row(
        "somebody has the name",
        "never touched",
        (
            "faults/test_deploying.py::test_name_that_somebody_took_while_the_model_was_trained_is_not_touched",
        ),
    ),
    "G8": Row("killed right after PUT", "adopted", (f"{MATRIX}[make deployment: after the call]",)),
    "H1": Row(
        "the content filter answers", "a verdict, no crash", _cases(DEPLOYING, "chat-filtered")
    ),
    "H2": Row(
        "429 from the deployment",
        "waited for, to the deadline",
        _cases(DEPLOYING, "chat-429", "chat-429-for-ever"),
    ),
    "H3": Row("some of the evaluation fails", "inconclusive, not better", not_built=EVALUATION),
    "H4": Row(
        "the judge answers no JSON", "one repair, then left out and counted", not_built=EVALUATION
    ),
    "H5": Row("the data talks to the judge", "a canary trips", not_built=EVALUATION),
    "H6": Row("another promotion was first", "evaluated again", not_built=PROMOTION),
    "H7": Row("killed while promoting", "old or new, never neither", not_built=PROMOTION),
    "H8": Row(
        "the former model is gone", "checked before a way back is promised", not_built=PROMOTION
    ),
    "I1": Row(
        "the report can't be written",
        "the run ends; a sweep writes it",
        (f"{STORAGE}::test_report_that_could_not_be_written_is_written_by_the_next_sweep",),
    ),
    "I2": Row(
        "delete: 404, 409, 403",
        "fine; repeated; told in the report",
        (
            *_cases(DEPLOYING, "file-delete-404", "file-delete-conflict"),
            "faults/test_deploying.py::test_what_could_not_be_deleted_stands_in_the_report",
        ),
    ),
    "I3": Row(
        "killed while cleaning up",
        "it goes on",
        (f"{MATRIX}[remove deployment: after the call]", f"{MATRIX}[remove job: before the call]"),
    ),
    "I4": Row(
        "a deployment outlives its time",
        "a sweep deletes it",
        not_built="a time to live is refused by the plan",
    ),
    "I5": Row(
        "two sweeps at once",
        "nothing is started twice",
        (f"{STORAGE}::test_two_sweeps_at_once_start_a_drop_once",),
    ),
    "I6": Row(
        "a sweep meets another environment's things",
        "it touches none",
        (f"{STORAGE}::test_sweep_deletes_nothing_of_anybody",),
    ),
}
