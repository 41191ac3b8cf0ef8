"""The short way for lines of the common shapes: a block of them is decoded typed, all at once.

From outside it is one call, `PlainReader(counter, longest).block(lines)`. It answers `PlainLines`,
or None: then the full check reads the block. It makes no finding, so it can hide one only where it
calls a line plain that isn't. Why each trick is sound:

- Typed decoding takes known roles, known keys and texts alone: every rule on shapes is passed.
- A key that stands twice is lost in decoding. So the keys of a block are counted as written, by the
  bytes around its colons, and compared with those that the decoded lines have.
- A line feed may stand inside an object. So each one must lie between the end of an object and the
  start of the next, and there must be as many objects as lines.
- Shapes and tool declarations are remembered, a bounded number, by what alone decides them: the
  roles of a line, the bytes of a declaration.
- A start that lines share is cut off before (`shared_starts.py` says why nothing is lost).
- Texts go through the searches for secrets and odd characters as those of any other line do.

Property tests compare it with the full check (`tests/unit/check/test_common_lines.py`).
"""

from .common_lines import PlainLines, PlainReader

__all__ = ["PlainLines", "PlainReader"]
