"""The catalogue of rules on what the texts hold: 7xx their quality, 80x secrets, 81x personal data,
82x characters.

None of them is a rule of the service; all but the secrets are warnings.
"""

from .rule import Rule, Severity

# Every rule of this catalogue by its code.
RULES: dict[str, Rule] = {}


def _rule(number: str, severity: Severity, title: str, explanation: str, fix: str) -> Rule:
    rule = Rule(f"TD-DATA-{number}", severity, title, explanation, fix)
    RULES[rule.code] = rule
    return rule


DUPLICATE = _rule(
    "701",
    "warning",
    "Duplicate example",
    "The example equals an earlier one, so it counts double.",
    "Keep only one of them.",
)
NEAR_DUPLICATE = _rule(
    "702",
    "warning",
    "Nearly the same example",
    "The example differs from an earlier one only in case, white space and punctuation.",
    "Keep only one of them.",
)
CONFLICT = _rule(
    "703",
    "warning",
    "Different answers to one prompt",
    "Examples have the same prompt, but different answers: the model learns to give either.",
    "Keep one answer, unless the model should learn different answers.",
)
BLANK_ANSWER = _rule(
    "704",
    "warning",
    "Blank answer",
    "The answer to learn has only white space.",
    "Write the answer, or remove the example.",
)
ANSWER_CUT = _rule(
    "705",
    "warning",
    "Answer cut short",
    "The answer seems to stop before its end: inside code, JSON, a bracket or a sentence.",
    "Complete the answer, or remove the example.",
)
LONG_TAIL = _rule(
    "706",
    "warning",
    "Long tail",
    "A few very long examples have a large share of the tokens, and of the price.",
    "Read the longest examples; shorten or split them.",
)
CONTAMINATION = _rule(
    "707",
    "warning",
    "Example in both files",
    "The validation file repeats examples of the training file: its figures will look too good.",
    "Remove the example from one of the two files.",
)
SHARED_PROMPT = _rule(
    "708",
    "warning",
    "Prompt in both files",
    "The validation file has a prompt of the training file, but expects another answer.",
    "Use validation prompts that are not in the training file.",
)
ONE_LENGTH = _rule(
    "709",
    "warning",
    "Answers of one length",
    "Many answers have exactly the same, longest length: a limit seems to have cut them.",
    "Generate the answers again with a higher limit.",
)
NOT_COMPARED = _rule(
    "710",
    "warning",
    "Not all examples compared",
    "Examples beyond the first 1,000,000 are not searched for duplicates.",
    "Look for duplicates with a tool for larger data, or split the file.",
)

SECRET = _rule(
    "801",
    "error",
    "Probable secret",
    (
        "A text contains something that looks like a key or token; a trained model can repeat it "
        "to anyone."
    ),
    (
        "Revoke the key or token, and replace it with an invented text that doesn't look like a "
        "real one."
    ),
)
PRIVATE_KEY = _rule(
    "802",
    "error",
    "Probable private key",
    "A text contains a private key; a trained model can repeat it to anyone.",
    "Create a new key pair, and remove this key from the data.",
)
PASSWORD = _rule(
    "803",
    "error",
    "Password in an address",
    (
        "A text contains an address with user name and password; a trained model can repeat "
        "them to "
        "anyone."
    ),
    "Change the password, and write a placeholder such as <password>.",
)

EMAIL = _rule(
    "811",
    "warning",
    "E-mail addresses",
    "Texts contain e-mail addresses: personal data that the model can repeat.",
    "Replace them with addresses at example.com.",
)
PHONE = _rule(
    "812",
    "warning",
    "Telephone numbers",
    "Texts contain telephone numbers: personal data that the model can repeat.",
    "Replace them with numbers that are reserved for fiction, such as 555-0100.",
)
CARD = _rule(
    "813",
    "warning",
    "Card numbers",
    "Texts contain valid numbers of payment cards, which the model can repeat.",
    "Replace them with numbers whose check digit is wrong.",
)
IBAN = _rule(
    "814",
    "warning",
    "Bank account numbers",
    "Texts contain valid account numbers (IBAN): personal data that the model can repeat.",
    "Replace them with numbers whose check digits are wrong.",
)

REPLACEMENT = _rule(
    "821",
    "warning",
    "Replacement characters",
    "Texts contain U+FFFD: a character was lost in a conversion.",
    "Export the texts again in UTF-8.",
)
INVISIBLE = _rule(
    "822",
    "warning",
    "Invisible characters",
    (
        "Texts contain characters that nobody sees, but that the model learns: zero-width, "
        "soft hyphen, "
        "byte-order mark, tags."
    ),
    "Remove them.",
)
BIDI = _rule(
    "823",
    "warning",
    "Bidirectional controls",
    "Texts contain control characters that show text in another order than it is written.",
    "Remove them, unless the text mixes scripts that run in both directions.",
)
