"""The catalogue of rules: every code that a finding can carry, with what it means and how to fix
it.

Codes are stable: a rule that goes leaves its number unused. 0xx speak of the file, 1xx of a line,
2xx of an example's messages, 3xx of tools, 4xx of images, 5xx of preferences, 6xx of reinforcement
and its grader; 7xx and 8xx are in content_rules.py. Sources of the rules: Azure OpenAI's guides on
fine-tuning (supervised, preference, reinforcement), tools and vision (docs/data-formats.md).
"""

from . import content_rules
from .rule import Rule, Severity

# Every rule by its code, those of content_rules.py among them.
RULES: dict[str, Rule] = {}


def _rule(
    number: str, severity: Severity, title: str, explanation: str, fix: str, gathered: bool = False
) -> Rule:
    rule = Rule(f"TD-DATA-{number}", severity, title, explanation, fix, gathered)
    RULES[rule.code] = rule
    return rule


FILE_EMPTY = _rule(
    "001",
    "error",
    "Empty file",
    "The file has no line with content.",
    "Write one JSON object per line.",
)
TOO_FEW_EXAMPLES = _rule(
    "002",
    "error",
    "Too few examples",
    "Training needs at least 10 examples.",
    "Add examples; a few hundred are recommended.",
)
FILE_TOO_LARGE = _rule(
    "003",
    "error",
    "File too large",
    "Files of 512 MB and more are refused.",
    "Split the file or shorten its examples.",
)
NOT_TEXT = _rule(
    "004",
    "error",
    "Not a UTF-8 text file",
    "The first bytes belong to another kind of file.",
    "Export plain JSON Lines in UTF-8.",
)
FORMAT_UNSUPPORTED = _rule(
    "005",
    "error",
    "Format not supported",
    "No training method here supports the format of the lines.",
    'Write chat examples: {"messages": [...]} that end with the answer to learn.',
)
FORMATS_MIXED = _rule(
    "006",
    "error",
    "Mixed formats",
    "One file has lines for several training methods.",
    "Keep one format per file and per run.",
)
TOO_MANY_IMAGE_EXAMPLES = _rule(
    "007",
    "error",
    "Too many examples with images",
    "A file may have at most 50,000 examples with images.",
    "Remove some of these examples.",
)
METHOD_NOT_OFFERED = _rule(
    "008",
    "error",
    "Method not offered by the model",
    "The chosen base model can't be trained with lines of this format.",
    "Choose a base model that offers this method.",
)
SYSTEM_MISSING = _rule(
    "009",
    "warning",
    "System message missing",
    "A model behaves best with the system message it was trained with.",
    "Begin each example with the system message that you will use later.",
)
SYSTEM_VARIES = _rule(
    "010",
    "warning",
    "System message varies",
    "The system message of this example differs from that of the first one.",
    "Use the same text in each example, unless the model should learn the difference.",
)
METHOD_MISMATCH = _rule(
    "011",
    "error",
    "Lines for another method",
    "The lines are written for another training method than the run's.",
    "Choose the method of the lines, or write the lines for the chosen method.",
)
JSON_ARRAY = _rule(
    "012",
    "error",
    "A JSON array, not JSON Lines",
    "The file is one array of examples; training needs one example on each line.",
    "Write each example on its own line, without commas between them; check --fix does this.",
)

ARCHIVE_DAMAGED = _rule(
    "051",
    "error",
    "Damaged archive",
    "The gzip archive can't be unpacked to its end.",
    "Pack the file again, or use it unpacked.",
)
FOLDER_INCOMPLETE = _rule(
    "052",
    "error",
    "Incomplete folder",
    "Part files that the folder's commits name are missing, or a commit can't be read.",
    "Copy the whole folder, or write it again.",
)
FOLDER_UNFINISHED = _rule(
    "053",
    "warning",
    "Unfinished folder",
    (
        "The folder has part files, but neither _SUCCESS nor a commit: its writer may not have "
        "finished."
    ),
    "Wait for the job that writes it, or add _SUCCESS if all parts are there.",
)

LINE_TOO_LONG = _rule(
    "101",
    "error",
    "Line too long",
    "A line may have at most 16 MiB; the rest of this line was not read.",
    "Shorten or split the example.",
)
NOT_UTF8 = _rule(
    "102",
    "error",
    "Not UTF-8",
    "The line has bytes that aren't UTF-8.",
    "Save the file as UTF-8.",
)
NOT_JSON = _rule(
    "103",
    "error",
    "Not JSON",
    "The line is not one complete JSON value.",
    "Write each example as one line of strict JSON, without comments.",
)
NOT_OBJECT = _rule(
    "104",
    "error",
    "Not an object",
    "The line is JSON, but not an object.",
    "Wrap the example in { and }.",
)
DUPLICATE_KEY = _rule(
    "105",
    "error",
    "Key given twice",
    "An object has the same key twice; programs differ in which one they use.",
    "Keep one of the two.",
)
TOO_DEEP = _rule(
    "106",
    "error",
    "Nested too deeply",
    "Values may be nested at most 64 levels deep.",
    "Flatten the value.",
)
NUMBER_OUT_OF_RANGE = _rule(
    "107",
    "error",
    "Number that JSON doesn't allow",
    "NaN, Infinity and numbers that are too large are not JSON numbers.",
    "Write an ordinary number, or a string.",
)
BLANK_LINE = _rule(
    "108", "warning", "Blank line", "There is a blank line between examples.", "Remove it."
)
CR_LINE_ENDS = _rule(
    "109",
    "error",
    "Lines end with CR alone",
    "Lines end with CR alone, so programs read the file as one line.",
    "Save with LF or CRLF line ends.",
)
LONE_SURROGATE = _rule(
    "110",
    "warning",
    "Half of a character",
    "An escape such as \\ud800 is half of a pair; it is counted as U+FFFD.",
    "Write the whole character.",
)
TOO_MANY_VALUES = _rule(
    "111",
    "error",
    "Too many values in a line",
    "A line may have at most 1,048,576 separators.",
    "Split the example into several lines.",
)
BOM_INSIDE = _rule(
    "112",
    "error",
    "Byte-order mark inside the file",
    (
        "A byte-order mark is allowed only at the start of the file; probably files were joined "
        "unchanged."
    ),
    "Remove the mark at the start of this line.",
)
# Of a line that breaks one of these nothing more is known; it breaks no other of them.
UNREAD = (
    LINE_TOO_LONG,
    NOT_UTF8,
    NOT_JSON,
    NOT_OBJECT,
    TOO_DEEP,
    NUMBER_OUT_OF_RANGE,
    CR_LINE_ENDS,
    TOO_MANY_VALUES,
    BOM_INSIDE,
)
NOT_CHECKED = _rule(
    "113",
    "error",
    "Checking stopped",
    (
        "A piece of 8 MiB has 1,000 lines with errors, or 50,000 errors: the rest of this "
        "piece is counted, but not checked."
    ),
    "Correct the listed errors, which often have one cause, and check again.",
)

MESSAGES_MISSING = _rule(
    "201",
    "error",
    "No messages",
    "`messages` must be an array with at least one message.",
    "Write the conversation as an array.",
)
MESSAGE_NOT_OBJECT = _rule(
    "202",
    "error",
    "Message is not an object",
    "A message must be an object with role and content.",
    "Write it as an object.",
)
ROLE_UNKNOWN = _rule(
    "203",
    "error",
    "Unknown role",
    "A message's role must be system, developer, user, assistant, tool or function.",
    "Use one of these roles.",
)
ROLE_DEVELOPER = _rule(
    "204",
    "warning",
    "Role developer",
    "The developer role is meant for reasoning models.",
    "Use the role system for this model.",
)
NO_USER = _rule(
    "205",
    "error",
    "No user message",
    "An example needs at least one user message.",
    "Add the question.",
)
NO_ASSISTANT = _rule(
    "206",
    "error",
    "No assistant message",
    "An example needs at least one assistant message.",
    "Add the answer.",
)
LAST_NOT_ASSISTANT = _rule(
    "207",
    "error",
    "Last message is not the assistant's",
    "The model learns the answer that ends the example.",
    "End with the answer.",
)
CONTENT_MISSING = _rule(
    "208",
    "error",
    "Content missing",
    "Content may be absent or null only in an assistant message with tool_calls or function_call.",
    "Add the content.",
)
CONTENT_TYPE = _rule(
    "209",
    "error",
    "Content of the wrong type",
    "Content is a string or an array of parts.",
    "Write it as a string.",
)
CONTENT_EMPTY = _rule(
    "210",
    "warning",
    "Empty content",
    "The content is an empty text.",
    "Write the content, or remove the message.",
)
WEIGHT_VALUE = _rule(
    "211",
    "error",
    "Weight other than 0 or 1",
    "A weight must be the number 0 or 1.",
    "Write 0 or 1.",
)
WEIGHT_PLACE = _rule(
    "212",
    "error",
    "Weight outside an assistant message",
    "Only answers have a weight.",
    "Remove the weight.",
)
NOTHING_TO_LEARN = _rule(
    "213",
    "error",
    "Nothing to learn",
    "All assistant messages have weight 0.",
    "Give at least one answer the weight 1, or remove the line.",
)
NAME_TYPE = _rule(
    "214",
    "error",
    "Name is not a text",
    "A message's name must be a string.",
    "Write the name as a string.",
)
NAME_CHARACTERS = _rule(
    "215",
    "warning",
    "Unusual name",
    (
        "Names with characters other than letters, digits, _ and -, or with more than 64, may be "
        "refused."
    ),
    "Use letters, digits, _ and - only.",
)
UNKNOWN_KEY = _rule(
    "216",
    "warning",
    "Unknown keys",
    (
        "Keys that the format doesn't know are uploaded and may be billed, but the model learns "
        "nothing from them. According to a report, OpenAI's service failed a job because of them; "
        "Azure's documentation doesn't say."
    ),
    "Remove them, or correct their spelling.",
    gathered=True,
)
OTHER_FORMAT_KEY = _rule(
    "217",
    "warning",
    "Key of another format",
    "The line has keys of preference training beside `messages`.",
    "Keep one format per line.",
)
TOKEN_LIMIT = _rule(
    "218",
    "error",
    "Example too long",
    "The example has more tokens than the model accepts.",
    "Shorten or split the example.",
)
UNCOUNTABLE = _rule(
    "219",
    "error",
    "Text that can't be counted",
    "A text has more than 1 MiB, or more than 500,000 blanks in a row.",
    "Shorten the text.",
)
SYSTEM_ROW = _rule(
    "220",
    "warning",
    "System messages in a row",
    "Two system messages follow each other; according to a report, a service refused this.",
    "Join them into one.",
)
CALL_CONTENT = _rule(
    "221",
    "warning",
    "Empty content beside calls",
    (
        'A message with tool_calls has as content null, an empty text or the text "null"; '
        "according to a report, Azure refused such lines when it prepared the training."
    ),
    "Remove content from messages with calls, unless there is a text.",
    gathered=True,
)
NULL_KEY = _rule(
    "222",
    "error",
    "Null where a key should be left out",
    (
        "Keys such as name, tool_calls, weight or tools are null; the schema allows them only "
        "with a value."
    ),
    "Remove these keys; check --fix does this.",
    gathered=True,
)
KEY_CAPITALS = _rule(
    "223",
    "warning",
    "Key with capital letters",
    "Keys are written in small letters: a key such as `Messages` is another key, and is not read.",
    "Write the key in small letters.",
    gathered=True,
)

TOOLS_SHAPE = _rule(
    "301",
    "error",
    "Malformed tool declaration",
    (
        "tools is an array of {type: function, function: {name, description?, parameters?}}; "
        "functions is an array of these inner objects."
    ),
    "Declare each tool in this shape.",
)
PARALLEL_TYPE = _rule(
    "302",
    "error",
    "parallel_tool_calls is not a boolean",
    "parallel_tool_calls must be true or false.",
    "Write true or false.",
)
CALL_SHAPE = _rule(
    "303",
    "error",
    "Malformed tool call",
    (
        "A call has an id, the type function, and a function with a name and arguments as a JSON "
        "string."
    ),
    "Write the call in this shape.",
)
ARGUMENTS_NOT_JSON = _rule(
    "304",
    "error",
    "Arguments are not JSON",
    "The arguments of a call must be the text of a JSON object.",
    "Write them as JSON in a string.",
)
ANSWER_UNMATCHED = _rule(
    "305",
    "error",
    "Tool answer without its call",
    "A tool message needs the tool_call_id of an earlier call.",
    "Set tool_call_id to the id of the call that it answers.",
)
CALL_UNANSWERED = _rule(
    "306",
    "error",
    "Tool call without answer",
    (
        "A message with calls must be followed by the tools' answers to all calls, unless that "
        "message ends the example."
    ),
    "Add the tool's answer right after the calls.",
)
TOOL_UNDECLARED = _rule(
    "307",
    "warning",
    "Undeclared tool",
    "A called tool isn't declared in tools or functions.",
    "Declare the tool in this line.",
)
LEGACY_FUNCTIONS = _rule(
    "308",
    "warning",
    "Deprecated function calling",
    "functions and function_call are deprecated.",
    "Write tools and tool_calls.",
)
TOOLS_AND_FUNCTIONS = _rule(
    "309",
    "error",
    "tools together with functions",
    "A line has either tools or the older functions.",
    "Write tools only.",
)
FUNCTION_NAME = _rule(
    "310",
    "error",
    "Function message without name",
    "A function message needs the name of its function.",
    "Add the name.",
)
CALL_PLACE = _rule(
    "311",
    "error",
    "Call outside an assistant message",
    "Only the assistant calls tools.",
    "Move the call to an assistant message.",
)
ARGUMENTS_TWICE = _rule(
    "312",
    "warning",
    "Arguments encoded twice",
    (
        "The arguments of a call were encoded as JSON twice: the model would learn to write "
        "them in this way."
    ),
    "Encode the object only once.",
)

PART_SHAPE = _rule(
    "401",
    "error",
    "Malformed content part",
    (
        "A part is {type: text, text}; in a question also {type: image_url, image_url: {url, "
        "detail?}}, in an answer also {type: refusal, refusal}."
    ),
    "Write the part in one of these shapes.",
)
IMAGES_UNSUPPORTED = _rule(
    "402",
    "error",
    "Images with a text model",
    "The chosen base model learns from text only.",
    "Choose gpt-4o or gpt-4.1, or remove the images.",
)
IMAGE_ROLE = _rule(
    "403",
    "error",
    "Image outside a user message",
    "Images belong in user messages.",
    "Move the image to a user message.",
)
IMAGE_URL = _rule(
    "404",
    "error",
    "Image address that can't be read",
    "An image is a public http(s) address or a base64 data URI.",
    "Use a public address or embed the image.",
)
IMAGE_DETAIL = _rule(
    "405",
    "error",
    "Unknown image detail",
    "detail is low, high or auto.",
    "Use one of these values, or remove detail.",
)
IMAGE_FORMAT = _rule(
    "406",
    "error",
    "Unsupported image format",
    "Images are JPEG, PNG or WEBP, in RGB or RGBA.",
    "Convert the image.",
)
IMAGE_TOO_LARGE = _rule(
    "407", "error", "Image too large", "An image may have at most 10 MB.", "Make the image smaller."
)
TOO_MANY_IMAGES = _rule(
    "408",
    "error",
    "Too many images",
    ("An example may have at most 64 images."),
    "Split the example.",
)

INPUT_MISSING = _rule(
    "501",
    "error",
    "No input",
    "A preference needs `input`: an object with messages, and tools if there are any.",
    'Write "input": {"messages": [...]}.',
)
OUTPUT_MISSING = _rule(
    "502",
    "error",
    "Output missing",
    "preferred_output and non_preferred_output are arrays with at least one message each.",
    "Write both outputs.",
)
OUTPUT_ROLE = _rule(
    "503",
    "error",
    "Wrong role in an output",
    "An output may contain only messages of the assistant and of tools.",
    "Move the message into the input.",
)
OUTPUT_WITHOUT_ASSISTANT = _rule(
    "504",
    "error",
    "Output without an answer",
    "Each output needs at least one assistant message.",
    "Add the assistant's answer.",
)
OUTPUTS_IDENTICAL = _rule(
    "505",
    "warning",
    "Identical outputs",
    "Both outputs are the same, so there is no preference to learn.",
    "Remove the line.",
)
INPUT_WITHOUT_USER = _rule(
    "506",
    "warning",
    "No user message in the input",
    "The input has no question that the outputs could answer.",
    "Add the question.",
)

LAST_NOT_USER = _rule(
    "601",
    "error",
    "Last message is not the user's",
    "In reinforcement the model writes its own answer, so the last message must be the user's.",
    "Move the reference answer into its own field, for the grader.",
)
GRADER_SHAPE = _rule(
    "602",
    "error",
    "Malformed grader",
    (
        "A grader is an object of the type string_check, text_similarity, score_model, python or "
        "multi, with the fields of its type."
    ),
    (
        "Write the grader in the shape of its type; a multigrader contains other graders by "
        "name, but no multigrader."
    ),
)
GRADER_OPERATION = _rule(
    "603",
    "error",
    "Unknown operation of a grader",
    "The operation of a string check or the metric of a text similarity is unknown.",
    "Use one of the operations that the message names.",
)
GRADER_MODEL = _rule(
    "604",
    "error",
    "Model that can't grade",
    "Only gpt-4o-2024-08-06 and o3-mini-2025-01-31 can score answers.",
    "Name one of these models; it needs no deployment.",
)
GRADER_SOURCE = _rule(
    "605",
    "error",
    "Python grader that can't run",
    "The source defines no function `grade`, or has more than 256 KB.",
    "Define `def grade(sample, item):` at the top level, and put no data into the source.",
)
GRADER_FORMULA = _rule(
    "606",
    "error",
    "Formula that can't be read",
    (
        "calculate_output combines the names of the graders with + - * / ^ and min, max, abs, "
        "floor, ceil, exp, sqrt, log."
    ),
    "Write a formula with the names of its graders.",
)
GRADER_REFERENCE = _rule(
    "607",
    "error",
    "Template that can't be filled",
    (
        "A template between {{ and }} names a field of the line, such as item.answer, or a "
        "part of the sample, such as sample.output_text."
    ),
    "Start the reference with item. or sample., and close its braces.",
)
SAMPLE_REFERENCE = _rule(
    "608",
    "warning",
    "Unknown part of the sample",
    "Only output_text and output_json of the model's answer are documented.",
    "Use sample.output_text, or sample.output_json if the response format is JSON.",
)
GRADER_FIELD_MISSING = _rule(
    "609",
    "error",
    "Field that the grader reads is missing",
    "The grader reads a field that the line doesn't have.",
    "Add the field to the line, or correct the grader's reference.",
)
GRADER_UNDATED = _rule(
    "610",
    "warning",
    "Grader's model without a date",
    (
        "In the documentation the names of grading models have a date; according to a report, "
        "a name without a date is accepted, too."
    ),
    "Name the dated version: gpt-4o-2024-08-06 or o3-mini-2025-01-31.",
)

RULES.update(content_rules.RULES)
