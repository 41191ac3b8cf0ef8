"""The scan of one span: takes its blocks in order, checks every line, and counts the texts of many
lines in one go.
"""

import hashlib
from collections import Counter
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from ..contents import compared_texts
from ..contents.content_findings import ContentObserver
from ..counting import counters, tokens, upper_bound
from ..counting.small_texts import small_counter
from ..fast_path import PlainLines, PlainReader
from ..formats import graders, messages, recognition
from ..formats.format import Format
from ..reading import file_spans, lines
from ..reading.json_types import JsonObject
from ..rules import format_rules
from ..rules.findings import Finding, finding
from . import common_faults
from .span_result import ScanOptions, SpanScan

_NULL_BESIDE_CALLS = {(format_rules.CALL_CONTENT.code, "/messages/content")}
_SMALL_BLOCK = 2**14
_LAST_BLANK = 0x20  # no byte above it is white space
# A window's lines are checked no further after so many errors for each line with errors that it may
# have.
ERRORS_A_LINE = 50
KEPT_SYSTEMS = 1024
# How many system messages are remembered at least, and how many characters the lines that are
# counted in one go may add.
KEPT_CHARACTERS = 2**23
# Plain blocks of so many bytes are counted in one go: between other work a counter finds its tables
# out of the processor's cache.
WAITING_BYTES = 2**24


# Findings stay in the order of lines, whatever the blocks are; so the result doesn't depend on
# where a file is cut.
class SpanScanner:
    """Takes the blocks of one span, in order, and adds up what they hold."""

    def __init__(self, result: SpanScan, options: ScanOptions) -> None:
        self._result = result
        self._options = options
        self._small = small_counter(options.model.encoding, result.stop - result.start)
        self._counter = self._small or counters.counter(options.model.encoding)
        self._reader = PlainReader(self._counter, options.max_line_bytes)
        self._systems: dict[str | None, int] = {None: 0}
        self._observer = ContentObserver() if options.watched else None
        self._waiting: list[tuple[int, PlainLines]] = []
        self._waiting_bytes = 0
        self._window = self._stopped_in = -1
        self._errors = self._error_lines = 0
        self._gathered: set[tuple[str, str]] = set()

    def enter(self, window: int) -> None:
        """What is taken from now on begins in this window of the file."""
        if window != self._window:
            self._window, self._errors, self._error_lines = window, 0, 0

    @property
    def _has_stopped(self) -> bool:
        most = self._options.max_error_lines
        return self._error_lines >= most or self._errors >= most * ERRORS_A_LINE

    def take(self, block: bytes | None) -> None:
        """Take the next block of reading.blocks_of."""
        if block is not None and self._small is not None:
            self._small.expect(block)
        self._take(block)

    def _take(self, block: bytes | None) -> None:
        if self._has_stopped:
            self._search(block or b"")
            self._pass_over(_number_of_lines(block) if block else 1)
            return
        if block and block[0] <= _LAST_BLANK and lines.is_blank(block):
            self._blank(_number_of_lines(block))
            return
        plain = self._reader.block(block) if block else None
        if plain is not None and block is not None:
            self._search(plain.block)
            self._plain(plain, len(plain.block))
            return
        middle = (
            block.find(b"\n", len(block) // 2) + 1 if block and len(block) > _SMALL_BLOCK else 0
        )
        # What isn't plain mustn't slow down the rest of its block.
        if block is not None and 0 < middle < len(block):
            self._take(block[:middle])
            self._take(block[middle:])
            return
        found = file_spans.lines_of(block, self._options.max_line_bytes)
        self._search(
            b"\n".join(line or b"" for line in found) if block is None or None in found else block
        )
        for index, line in enumerate(found):
            if self._has_stopped:
                self._pass_over(len(found) - index)
                break
            self._line(line)

    def _pass_over(self, lines: int) -> None:
        """Count the next lines, whatever they are."""
        unchecked = self._result.unchecked
        if self._stopped_in != self._window:
            self._stopped_in = self._window
            unchecked.windows += 1
            unchecked.after = unchecked.after or self._result.lines
        self._begin()
        self._result.lines += lines - 1
        unchecked.lines += lines

    def finish(self) -> None:
        """Take over what waits, and what the observer found."""
        self._count_waiting()
        if self._observer:
            self._result.contents = self._observer.result()

    def _search(self, block: bytes) -> None:
        if self._observer:
            self._observer.block(block, self._result.lines + 1)

    def _line(self, line: bytes | None) -> None:
        if line is not None and lines.is_blank(line):
            self._blank(1)
        elif line is not None and (plain := self._reader.line(line)):
            self._plain(plain, len(line))
        else:
            self._count_waiting()
            if (
                line is not None
                and self._result.lines == self._result.open_blanks
                and lines.is_array(line)
            ):
                self._result.whole_array = self._result.lines + 1
            self._full(
                lines.decode(line)
                if line is not None
                else lines.Line(None, [finding(format_rules.LINE_TOO_LONG)]),
                len(line or b""),
            )

    def _blank(self, lines: int) -> None:
        self._result.lines += lines
        self._result.open_blanks += lines

    def _plain(self, found: PlainLines, size: int) -> None:
        """Add lines that have nothing but their tokens to look at."""
        result = self._begin()
        result.see_format(recognition.SUPERVISED, len(found))
        result.examples += len(found)
        self._systems_of(found.systems, result.lines)
        for index in found.with_null:
            result.gathered.add(result.lines + index, _NULL_BESIDE_CALLS)
        for shape, times in Counter(found.shapes).items():
            for role in shape.roles:
                result.messages_by_role[role] = result.messages_by_role.get(role, 0) + times
        if self._observer:
            self._observe_plain(self._observer, found, result.lines, size)
            found.closely.clear()
            found.block = b""
        # The tokens wait for those of more lines: between other work a counter is slower.
        self._waiting.append((result.lines, found))
        self._waiting_bytes += size
        result.lines += len(found) - 1
        if self._waiting_bytes >= WAITING_BYTES:
            self._count_waiting()

    def _systems_of(self, systems: list[str | None], first: int) -> None:
        """Add the system messages of lines from the first on."""
        seen = self._result.system
        for text, times in Counter(systems).items():
            digest = _digest(text) if text is not None else ""
            is_news = not seen.digest or (digest != seen.digest and not seen.varies)
            seen.add(digest, first + systems.index(text) if digest and is_news else first, times)
            if text is None:
                seen.see_without(
                    first + index for index, system in enumerate(systems) if system is None
                )

    def _count_waiting(self) -> None:
        """Count the texts of the lines that wait."""
        waiting, self._waiting, self._waiting_bytes = self._waiting, [], 0
        over: list[tuple[int, int, int]] = []
        for ordinary in {found.ordinary for _, found in waiting}:
            over += self._add_tokens(
                [one for one in waiting if one[1].ordinary is ordinary], ordinary
            )
        for line, total, at_most in sorted(over):
            self._tell_over_limit(total, at_most, line)

    def _add_tokens(
        self, waiting: list[tuple[int, PlainLines]], ordinary: bool
    ) -> Iterator[tuple[int, int, int]]:
        """Add the tokens of plain lines; says which may have more than the model takes, and how
        many.
        """
        result, found = self._result, [found for _, found in waiting]
        counts = np.array(
            self._counter.count([text for block in found for text in block.texts], ordinary),
            np.int64,
        )
        shapes = [shape for block in found for shape in block.shapes]
        systems = [system for block in found for system in block.systems]
        tokens_of = self._know({text for text in systems if text is not None})
        begins = np.cumsum([0, *[shape.size for shape in shapes[:-1]]])
        beside = [
            shape.frame + tokens_of[system] for shape, system in zip(shapes, systems, strict=True)
        ]
        answers = counts * np.frombuffer(b"".join([shape.answers for shape in shapes]), np.uint8)
        trained = counts * np.frombuffer(b"".join([shape.trained for shape in shapes]), np.uint8)
        totals = np.add.reduceat(counts, begins) + beside
        result.total.add_all(totals.tolist())
        result.assistant.add_all(np.add.reduceat(answers, begins).tolist())
        result.trained.add_all(np.add.reduceat(trained, begins).tolist())
        at_most = totals + self._declared(found, len(totals))
        result.longest_at_most = max(result.longest_at_most, int(at_most.max()))
        numbers = np.concatenate([np.arange(first, first + len(block)) for first, block in waiting])
        over = at_most > self._options.model.max_example_tokens
        return zip(
            numbers[over].tolist(), totals[over].tolist(), at_most[over].tolist(), strict=True
        )

    def _declared(self, found: list[PlainLines], lines: int) -> NDArray[np.int64] | int:
        """Add the tokens of plain lines' declarations; those of each line, or 0 for none."""
        if not any(block.declared for block in found):
            return 0
        declared, first = np.zeros(lines, np.int64), 0
        for block in found:
            if block.declared:
                declared[np.array(list(block.declared)) + first] = list(block.declared.values())
            first += len(block)
        self._result.declared_tokens += int(declared.sum())
        return declared

    def _observe_plain(
        self, observer: ContentObserver, found: PlainLines, first: int, size: int
    ) -> None:
        texts, closely, begin = found.texts, found.parts(), 0
        prompts, answers, learnt = list[str](), list[str](), list[str]()
        marked, mark = "", ""
        for shape, system in zip(found.shapes, found.systems, strict=True):
            last = begin + shape.size - 1
            if shape.prompt is None:
                prompt, answer, prose = next(closely)
            else:
                own = texts[begin:last]
                if system is None:
                    prompt = shape.prompt % tuple(own)
                else:
                    if system is not marked:
                        marked, mark = system, compared_texts.mark(system)
                    prompt = shape.prompt % (mark, *own)
                answer = prose = texts[last]
            prompts.append(prompt)
            answers.append(answer)
            learnt.append(prose)
            begin = last + 1
        observer.examples(first, prompts, answers, learnt, size)

    def _begin(self) -> SpanScan:
        """Go on to the next line with content."""
        if self._result.open_blanks:
            self._result.close_blanks()
        self._result.lines += 1
        return self._result

    def _know(self, systems: set[str]) -> dict[str | None, int]:
        """The tokens of system messages, each counted once as long as it is kept."""
        new = [text for text in systems if text not in self._systems]
        if len(self._systems) > KEPT_SYSTEMS or sum(map(len, new)) > KEPT_CHARACTERS:
            self._systems.clear()
            self._systems[None], new = 0, list(systems)
        self._systems.update(zip(new, self._counter.count(new) if new else [], strict=True))
        return self._systems

    def _full(self, line: lines.Line, size: int) -> None:
        """Check and count a line of so many bytes."""
        result, before = self._begin(), self._errors
        for found in line.findings:
            self._tell(found)
        if line.value is None:
            result.uncounted_bytes += size
        else:
            self._example(line.value, size)
        self._error_lines += self._errors > before
        if self._gathered:
            result.gathered.add(result.lines, self._gathered)
            self._gathered.clear()

    def _tell(self, found: Finding) -> None:
        if format_rules.RULES[found.code].gathered:
            self._gathered.add((found.code, common_faults.pattern_of(found.field)))
            return
        self._errors += found.severity == "error"
        self._result.tally.add(found, self._result.lines)

    def _example(self, example: JsonObject, size: int) -> None:
        result = self._result
        name = recognition.recognise(example, self._options.model)
        result.see_format(name)
        result.examples += 1
        known = recognition.FORMATS.get(name)
        if known is None:  # one error, which the whole file has
            result.uncounted_bytes += size
            self._errors += 1
            return
        for found in known.check(example, self._options.model):
            self._tell(found)
        if known.graded:
            for found in graders.check_fields(example, self._options.grader_fields):
                self._tell(found)
        given = [message for message, _ in known.conversation(example)]
        self._count(example, known, size, has_messages=bool(given))
        self._conversation(given)
        if self._observer:
            self._observer.example(result.lines, *known.answer(example))

    def _count(self, example: JsonObject, known: Format, size: int, *, has_messages: bool) -> None:
        """Add the tokens of an example."""
        result, counted = self._result, tokens.count_all([example], self._counter, known)[0]
        beyond = upper_bound.beyond(example, self._counter, known)
        result.images.merge(beyond.images)
        result.image_examples += beyond.images.images > 0
        if counted is None:
            self._tell(finding(format_rules.UNCOUNTABLE))
        if counted is None or not has_messages:
            result.uncounted_bytes += size
            return
        result.total.add(counted.total)
        result.assistant.add(counted.assistant)
        result.trained.add(counted.trained)
        result.declared_tokens += beyond.declared
        result.other_tokens += beyond.other
        # What a grader reads beside its messages counts to the file, not to what the model takes.
        other = 0 if known.graded else beyond.other
        at_most = counted.total + beyond.declared + beyond.images.tokens + other
        result.longest_at_most = max(result.longest_at_most, at_most)
        if at_most > self._options.model.max_example_tokens:
            self._tell_over_limit(counted.total, at_most, result.lines)

    def _tell_over_limit(self, total: int, at_most: int, line: int) -> None:
        limit = self._options.model.max_example_tokens
        self._result.over_limit += 1
        message = f"The example has {total} tokens; the model accepts at most {limit}."
        if total <= limit:
            self._result.over_by_estimate += 1
            message = (
                f"The example has {total} tokens, and about {at_most - total} more "
                "for declarations, other fields and images, "
                f"which are estimates; the model accepts at most {limit}."
            )
        self._result.tally.add(finding(format_rules.TOKEN_LIMIT, message=message), line)

    def _conversation(self, given: list[JsonObject]) -> None:
        result = self._result
        for role in filter(None, map(messages.role_of, given)):
            result.messages_by_role[role] = result.messages_by_role.get(role, 0) + 1
        if given:
            prompts = (
                message.get("content")
                for message in given
                if messages.role_of(message) in messages.PROMPTS
            )
            system = messages.text_of(next(prompts, None))
            result.system.add(_digest(system) if system is not None else "", result.lines)
            if system is None:
                result.system.see_without([result.lines])


def _number_of_lines(block: bytes) -> int:
    return block.count(b"\n") + (not block.endswith(b"\n"))


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
