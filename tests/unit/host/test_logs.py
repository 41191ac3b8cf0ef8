"""The log's format."""

import logging

from tunedrop.host.logs import OneLine


def test_record_is_one_line_when_its_message_and_fields_are_hostile() -> None:
    """Line breaks and escapes in message, fields and exception can't forge a second line."""
    record = logging.makeLogRecord(
        {
            "msg": "a\nb",
            "name": "x",
            "levelname": "INFO",
            "run": "c\r\nd\x1b",
            "exc_info": (ValueError, ValueError("e\nf"), None),
        }
    )
    line = OneLine().format(record)
    assert line.isprintable()
    assert '"run": "c\\r\\nd\\u001b"' in line
    assert '"error": "ValueError: e f"' in line
