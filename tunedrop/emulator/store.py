"""All state of the stand-in, in one SQLite database: the one place, and the one reset."""

import json
import sqlite3
import threading
from collections.abc import Generator, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tunedrop.emulator import clock

type Doc = dict[str, Any]

_SCHEMA = """
CREATE TABLE IF NOT EXISTS thing (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, kind TEXT, id TEXT, live INTEGER, doc TEXT,
    UNIQUE (kind, id)
);
CREATE INDEX IF NOT EXISTS thing_live ON thing (kind, live);
CREATE TABLE IF NOT EXISTS event (seq INTEGER PRIMARY KEY AUTOINCREMENT, job TEXT, doc TEXT);
CREATE INDEX IF NOT EXISTS event_job ON event (job);
CREATE TABLE IF NOT EXISTS content (
    owner TEXT, part INTEGER, bytes BLOB, PRIMARY KEY (owner, part)
);
CREATE TABLE IF NOT EXISTS ledger (seq INTEGER PRIMARY KEY AUTOINCREMENT, doc TEXT);
CREATE TABLE IF NOT EXISTS setting (name TEXT PRIMARY KEY, doc TEXT);
"""


# Things are JSON documents by kind and id in the order of their creation; `live` marks those that
# still progress. Without a path the database is a temporary file that goes with the process.
class Store:
    """The database of one stand-in; a lock makes requests take turns."""

    def __init__(self, path: Path | None = None) -> None:
        self._lock = threading.RLock()
        self._db = sqlite3.connect(
            str(path) if path else "", timeout=1, check_same_thread=False, isolation_level=None
        )
        # A second process on one state would give the same ids twice: it is refused, and SQLite
        # lets go when the first dies.
        self._db.execute("PRAGMA locking_mode=EXCLUSIVE")
        self._db.execute("PRAGMA journal_mode=WAL")
        self._db.execute("PRAGMA synchronous=NORMAL")
        self._db.executescript(_SCHEMA)

    @contextmanager
    def transaction(self) -> Generator[None]:
        """One request's work: all of it is kept, or none when it raises."""
        with self._lock:
            self._db.execute("BEGIN")
            try:
                yield
            # What is cancelled or interrupted leaves nothing behind, too.
            except BaseException:
                self._db.execute("ROLLBACK")
                raise
            self._db.execute("COMMIT")

    def close(self) -> None:
        """Give the database back; the store can't be used afterwards."""
        with self._lock:
            self._db.close()

    def reset(self) -> None:
        """Forget files, jobs, deployments, models and the ledger; keep the settings."""
        for table in ("thing", "event", "content", "ledger"):
            self._db.execute(f"DELETE FROM {table}")  # noqa: S608 the names are the four above

    def get(self, kind: str, id_: str) -> Doc | None:
        """One document, or None."""
        row = self._db.execute(
            "SELECT doc FROM thing WHERE kind = ? AND id = ?", (kind, id_)
        ).fetchone()
        return json.loads(row[0]) if row else None

    def put(self, kind: str, id_: str, doc: Doc, *, live: bool = False) -> None:
        """Make or replace a document."""
        # An update and no REPLACE: the place in the order is that of the first writing.
        self._db.execute(
            "INSERT INTO thing (kind, id, live, doc) VALUES (?, ?, ?, ?) "
            "ON CONFLICT (kind, id) DO UPDATE SET live = excluded.live, doc = excluded.doc",
            (kind, id_, int(live), json.dumps(doc)),
        )

    def delete(self, kind: str, id_: str) -> None:
        """Remove a document; no error where there is none."""
        self._db.execute("DELETE FROM thing WHERE kind = ? AND id = ?", (kind, id_))

    def all(self, kind: str, *, live: bool = False) -> list[Doc]:
        """The documents of a kind, oldest first; only those that still progress when `live`."""
        rows = self._db.execute(
            "SELECT doc FROM thing WHERE kind = ? AND live >= ? ORDER BY seq", (kind, int(live))
        )
        return [json.loads(row[0]) for row in rows]

    def add_event(self, job: str, doc: Doc) -> None:
        """Add to a job's events."""
        self._db.execute("INSERT INTO event (job, doc) VALUES (?, ?)", (job, json.dumps(doc)))

    def events(self, job: str) -> list[Doc]:
        """A job's events, newest first."""
        return [
            json.loads(row[0])
            for row in self._db.execute(
                "SELECT doc FROM event WHERE job = ? ORDER BY seq DESC", (job,)
            )
        ]

    def write_content(self, owner: str, chunks: Iterable[bytes]) -> None:
        """Keep bytes under a name, in the chunks that they come in."""
        for part, chunk in enumerate(chunks):
            self._db.execute(
                "INSERT INTO content (owner, part, bytes) VALUES (?, ?, ?)", (owner, part, chunk)
            )

    def content(self, owner: str) -> Iterator[bytes]:
        """The chunks kept under a name."""
        # Each is fetched when it is asked for: a file may have 512 MB.
        part = 0
        while row := self._db.execute(
            "SELECT bytes FROM content WHERE owner = ? AND part = ?", (owner, part)
        ).fetchone():
            yield row[0]
            part += 1

    def delete_content(self, owner: str) -> None:
        """Remove what is kept under a name."""
        self._db.execute("DELETE FROM content WHERE owner = ?", (owner,))

    def append_entry(self, doc: Doc) -> None:
        """Add to the ledger."""
        self._db.execute("INSERT INTO ledger (doc) VALUES (?)", (json.dumps(doc),))

    def entries(self) -> list[Doc]:
        """The ledger, oldest first."""
        return [
            json.loads(row[0]) for row in self._db.execute("SELECT doc FROM ledger ORDER BY seq")
        ]

    def setting(self, name: str, default: Any = None) -> Any:
        """A stored setting, or the default."""
        row = self._db.execute("SELECT doc FROM setting WHERE name = ?", (name,)).fetchone()
        return json.loads(row[0]) if row else default

    def set_setting(self, name: str, value: Any) -> None:
        """Store a setting."""
        replacing = (
            "INSERT INTO setting (name, doc) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET doc = "
            "excluded.doc"
        )
        self._db.execute(replacing, (name, json.dumps(value)))

    def next_hex(self) -> str:
        """The next 32 hexadecimal digits of this state's seed."""
        # Kept with the state: never the same twice, across restarts too.
        counter = int(self.setting("counter", 0)) + 1
        self.set_setting("counter", counter)
        return clock.hexadecimal(str(self.setting("seed", "0")), counter)
