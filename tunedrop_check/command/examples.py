"""For `--explain`: what each rule looks like where it is broken and where it is kept, and who says
so. All made up here.
"""

_CHAT = '{"messages": [{"role": "user", "content": "…"}, {"role": "assistant", "content": "…"}]}'
_CALL = '{"id": "a", "type": "function", "function": {"name": "f", "arguments": "{}"}}'

# By the number of a rule: broken, and kept.
EXAMPLES: dict[str, tuple[str, str]] = {
    "001": ("a file of no bytes, or of blank lines", _CHAT),
    "002": ("9 lines", "10 lines, better some hundred"),
    "003": ("a file of 536,870,912 bytes", "two files, each a run of its own"),
    "004": (
        "an .xlsx, .zip or .parquet file called .jsonl, or one in UTF-16",
        "plain text in UTF-8",
    ),
    "005": ('{"prompt": "…", "completion": "…"}', _CHAT),
    "006": ("chat examples and preferences in one file", "a file, and a run, for each of the two"),
    "007": ("50,001 examples with images", "50,000 of them"),
    "008": ("preferences for gpt-4o-mini", "preferences for gpt-4o or gpt-4.1"),
    "009": (
        _CHAT,
        (
            '{"messages": [{"role": "system", "content": "You are …"}, {"role": "user", …}, '
            '{"role": "assistant", …}]}'
        ),
    ),
    "010": (
        '"You are a guide." in one line and "You are a guide" in another',
        "the same text, character by character",
    ),
    "011": (
        '"method": {"type": "dpo"} in job.json, and chat examples',
        "preferences, or no method in job.json",
    ),
    "012": (
        '[{"messages": […]}, {"messages": […]}]',
        '{"messages": […]}, then a line feed, then {"messages": […]}',
    ),
    "051": ("a .gz file that was copied half", "the same file, copied again"),
    "052": ("_committed_17 names part-3.json, which isn't there", "the whole folder"),
    "053": ("part-0.json alone", "part-0.json and _SUCCESS"),
    "101": ("a line of 20,000,000 bytes", "images at an address instead of in the line"),
    "102": (
        "an é saved as the one byte E9 (Windows, Latin-1)",
        "an é saved as the two bytes C3 A9 (UTF-8)",
    ),
    "103": ("{'messages': […], } or {\"messages\": […]} // a comment", '{"messages": […]}'),
    "104": ('["a", "b"] or "text"', '{"messages": […]}'),
    "105": (
        '{"role": "user", "role": "system", "content": "…"}',
        '{"role": "user", "content": "…"}',
    ),
    "106": ("65 brackets open at once", "64 of them"),
    "107": ('{"score": NaN}', '{"score": "not a number"}'),
    "108": ("an empty line between two examples", "the two examples, one after the other"),
    "109": (
        "lines that end with the one byte 0D, as on old Macs",
        "lines that end with 0A, or with 0D 0A",
    ),
    "110": (r'"\ud83d"', r'"\ud83d\ude00" or the character itself'),
    "111": ("an array of 1,100,000 numbers", "a tenth of it in each of ten lines"),
    "112": (
        "the bytes EF BB BF before a later line, as `cat a.jsonl b.jsonl` leaves them",
        "these bytes at the start of the file, or nowhere",
    ),
    "113": ("100,000 lines of another format", "the cause fixed, then the file checked again"),
    "201": ('{"text": "…"} or {"messages": []}', _CHAT),
    "202": ('"messages": ["Hello."]', '"messages": [{"role": "user", "content": "Hello."}]'),
    "203": ('"role": "human"', '"role": "user"'),
    "204": ('"role": "developer" for gpt-4.1', '"role": "system"'),
    "205": (
        '"messages": [{"role": "assistant", …}]',
        '"messages": [{"role": "user", …}, {"role": "assistant", …}]',
    ),
    "206": (
        '"messages": [{"role": "user", …}]',
        '"messages": [{"role": "user", …}, {"role": "assistant", …}]',
    ),
    "207": ("user, assistant, user", "user, assistant"),
    "208": ('{"role": "user"}', '{"role": "user", "content": "…"}'),
    "209": (
        '"content": 5 or "content": {"text": "…"}',
        '"content": "5" or "content": [{"type": "text", "text": "…"}]',
    ),
    "210": ('{"role": "user", "content": ""}', "no such message"),
    "211": ('"weight": 0.8 or "weight": true', '"weight": 1'),
    "212": ('{"role": "user", "content": "…", "weight": 1}', '{"role": "user", "content": "…"}'),
    "213": ("every assistant message with weight 0", "at least one without a weight, or with 1"),
    "214": ('"name": 7', '"name": "seven"'),
    "215": ('"name": "Ann Smith"', '"name": "Ann_Smith"'),
    "216": ('{"messages": […], "metadata": {…}}', '{"messages": […]}'),
    "217": (
        '{"messages": […], "preferred_output": […]}',
        '{"input": {"messages": […]}, "preferred_output": […], …}',
    ),
    "218": (
        "70,000 tokens in one line, tools and images counted in",
        "the same in several shorter examples",
    ),
    "219": ("a text of 2,000,000 characters, or a million blanks", "what of it is to be learnt"),
    "220": ("system, system, user, assistant", "system, user, assistant"),
    "221": (
        '{"role": "assistant", "content": null, "tool_calls": […]}',
        '{"role": "assistant", "tool_calls": […]}',
    ),
    "222": ('{"role": "user", "content": "…", "name": null}', '{"role": "user", "content": "…"}'),
    "223": ('{"Messages": […]}', '{"messages": […]}'),
    "301": (
        '"tools": [{"name": "f"}]',
        '"tools": [{"type": "function", "function": {"name": "f"}}]',
    ),
    "302": ('"parallel_tool_calls": "true"', '"parallel_tool_calls": true'),
    "303": (
        '"tool_calls": [{"function": {"name": "f", "arguments": "{}"}}]',
        f'"tool_calls": [{_CALL}]',
    ),
    "304": ('"arguments": {"pier": 2}', r'"arguments": "{\"pier\": 2}"'),
    "305": (
        '{"role": "tool", "tool_call_id": "b", …} after a call of the id a',
        '{"role": "tool", "tool_call_id": "a", …}',
    ),
    "306": ("assistant with tool_calls, assistant", "assistant with tool_calls, tool, assistant"),
    "307": (
        "a call of find_sailing, and no such tool in the line",
        "the declaration of find_sailing in `tools`",
    ),
    "308": ('"functions": […] and "function_call": {…}', '"tools": […] and "tool_calls": […]'),
    "309": ('{"messages": […], "tools": […], "functions": […]}', '{"messages": […], "tools": […]}'),
    "310": (
        '{"role": "function", "content": "…"}',
        '{"role": "function", "name": "f", "content": "…"}',
    ),
    "311": ('{"role": "user", "tool_calls": […]}', '{"role": "assistant", "tool_calls": […]}'),
    "312": (r'"arguments": "\"{\\\"pier\\\": 2}\""', r'"arguments": "{\"pier\": 2}"'),
    "401": ('"content": ["Hello."]', '"content": [{"type": "text", "text": "Hello."}]'),
    "402": ("images for gpt-4.1-mini", "images for gpt-4.1"),
    "403": ("an image_url part in an answer", "the image in the question, the answer as text"),
    "404": (
        '"url": "file:///home/a.png" or "http://10.0.0.1/a.png"',
        '"url": "https://example.com/a.png"',
    ),
    "405": ('"detail": "medium"', '"detail": "low"'),
    "406": ("a GIF, or a PNG with a palette", "a PNG in RGB"),
    "407": ("an image of 12,000,000 bytes", "the same image, smaller or as JPEG"),
    "408": ("65 images in one example", "two examples"),
    "501": (
        '{"prompt": "…", "preferred_output": […], …}',
        '{"input": {"messages": […]}, "preferred_output": […], …}',
    ),
    "502": (
        '"preferred_output": "Yes."',
        '"preferred_output": [{"role": "assistant", "content": "Yes."}]',
    ),
    "503": (
        '"preferred_output": [{"role": "user", …}]',
        '"preferred_output": [{"role": "assistant", …}]',
    ),
    "504": (
        '"preferred_output": [{"role": "tool", …}]',
        '"preferred_output": [{"role": "tool", …}, {"role": "assistant", …}]',
    ),
    "505": ("both outputs say the same", "an output that is better, and one that is worse"),
    "506": (
        '"input": {"messages": [{"role": "system", …}]}',
        '"input": {"messages": [{"role": "system", …}, {"role": "user", …}]}',
    ),
    "601": ('{"messages": [user, assistant], …}', '{"messages": [user], "answer": "4"}'),
    "602": (
        '{"type": "exact_match"}',
        '{"type": "string_check", "input": "…", "reference": "…", "operation": "eq"}',
    ),
    "603": ('"operation": "equals"', '"operation": "eq"'),
    "604": ('"model": "gpt-4"', '"model": "gpt-4o-2024-08-06"'),
    "605": ("def score(a, b): …", "def grade(sample, item): …"),
    "606": ('"calculate_output": "a and b"', '"calculate_output": "0.5 * a + 0.5 * b"'),
    "607": ('"{{answer}}"', '"{{item.answer}}"'),
    "608": ('"{{sample.text}}"', '"{{sample.output_text}}"'),
    "609": ('"{{item.answer}}", and a line without `answer`', '{"messages": […], "answer": "4"}'),
    "610": ('"model": "o3-mini"', '"model": "o3-mini-2025-01-31"'),
    "701": ("one line twice", "one line once"),
    "702": ('"What is it?" and "what is it"', "one of the two"),
    "703": ("the same question with two answers", "one question, one answer"),
    "704": ('"content": "  "', '"content": "The Pacific."'),
    "705": ('"The list is: [1, 2,"', '"The list is: [1, 2, 3]."'),
    "706": ("a thousand lines of 100 tokens and one of 50,000", "lines of about the same length"),
    "707": ("a line that stands in both files", "a line in one of the two"),
    "708": (
        "a question of the training file, with another answer",
        "questions that the training file doesn't ask",
    ),
    "709": ("50 answers of exactly 256 tokens", "answers that end where they are complete"),
    "710": ("a file of 1,200,000 examples", "a file of 1,000,000"),
    "801": ("a key that works, such as ghp_…", "a made-up one such as <token>"),
    "802": ("-----BEGIN PRIVATE KEY----- with a body", "-----BEGIN PRIVATE KEY----- …"),
    "803": ("https://ann:Geheim1@host/", "https://ann:<password>@host/"),
    "811": ("a real person's address", "ann@example.com"),
    "812": ("(415) 867-5309 or 415-867-5309", "415-555-0100"),
    "813": ("a number of a card that could be real", "4000 0000 0000 0000"),
    "814": ("an IBAN with right check digits", "GB00 …"),
    "821": ("caf� for café", "café"),
    "822": ("a zero-width space inside a word", "the word"),
    "823": ("U+202E before a text", "the text"),
}

_SOURCES = {
    "0": "Azure OpenAI's guide on fine-tuning, and its limits",
    "1": (
        "the guide's demand of JSON Lines in UTF-8; how deep and how long a line may be is a limit "
        "of ours"
    ),
    "2": "Azure OpenAI's guide on fine-tuning, and OpenAI's schema of messages",
    "3": "Azure OpenAI's guide on function calling in fine-tuning, and OpenAI's schema of tools",
    "4": "Azure OpenAI's guide on fine-tuning with images",
    "5": "Azure OpenAI's guide on preference training",
    "6": "Azure OpenAI's guide on reinforcement fine-tuning",
    "7": "a finding of TuneDrop's own: no service refuses it",
    "8": "a finding of TuneDrop's own: no service refuses it",
}
_REPORTED = frozenset({"216", "220", "221", "610"})


def source_of(number: str) -> str:
    """Who says that this is a fault."""
    return (
        "reports of people who were refused; the documentation says nothing of it"
        if number in _REPORTED
        else _SOURCES[number[0]]
    )
