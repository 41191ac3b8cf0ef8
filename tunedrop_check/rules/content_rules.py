"""The catalogue of rules on what the texts hold: 7xx their quality, 80x secrets, 81x personal data,
82x characters.

None of them is a rule of the service; all but the secrets are warnings.
"""

from .rule import Rule, Severity

RULES: dict[str, Rule] = {}
"""Every rule of this catalogue by its code."""


def _rule(number: str, severity: Severity, title: str, explanation: str, fix: str) -> Rule:
    rule = Rule(f"TD-DATA-{number}", severity, title, explanation, fix)
    RULES[rule.code] = rule
    return rule


DUPLICATE = _rule(
    "701",
    "warning",
    "Duplicate example",
    "The example equals an earlier one; it weighs double.",
    "Keep one of each.",
)
NEAR_DUPLICATE = _rule(
    "702",
    "warning",
    "Nearly the same example",
    "The example differs from an earlier one only in case, white space and punctuation.",
    "Keep one of each.",
)
CONFLICT = _rule(
    "703",
    "warning",
    "Different answers to one prompt",
    "Examples share a prompt, but not the answer: the model learns to give either.",
    "Keep one answer, unless the variety is meant to be learnt.",
)
BLANK_ANSWER = _rule(
    "704",
    "warning",
    "Blank answer",
    "The answer to learn is nothing but white space.",
    "Write the answer or leave the example out.",
)
ANSWER_CUT = _rule(
    "705",
    "warning",
    "Answer cut short",
    "The answer seems to stop before its end: inside code, JSON, a bracket or a sentence.",
    "Complete the answer or leave the example out.",
)
LONG_TAIL = _rule(
    "706",
    "warning",
    "Long tail",
    "A few very long examples hold much of the tokens, and of the price.",
    "Look at the longest examples; shorten or split them.",
)
CONTAMINATION = _rule(
    "707",
    "warning",
    "Example in both files",
    "The validation file repeats examples of the training file: its figures will flatter.",
    "Take the example out of one of the two.",
)
SHARED_PROMPT = _rule(
    "708",
    "warning",
    "Prompt in both files",
    "The validation file asks what the training file asks, and expects another answer.",
    "Validate with prompts that are not trained.",
)
ONE_LENGTH = _rule(
    "709",
    "warning",
    "Answers of one length",
    "Many answers have exactly the same, longest length: a limit seems to have cut them.",
    "Produce the answers again with a higher limit.",
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
    "A text holds what looks like a key or token; a trained model can repeat it to anyone.",
    "Revoke it and replace it by a made-up one that can't be taken for real.",
)
PRIVATE_KEY = _rule(
    "802",
    "error",
    "Probable private key",
    "A text holds a private key; a trained model can repeat it to anyone.",
    "Replace the key pair, and remove the key from the data.",
)
PASSWORD = _rule(
    "803",
    "error",
    "Password in an address",
    (
        "A text holds an address with user name and password; a trained model can repeat them to "
        "anyone."
    ),
    "Change the password, and write a placeholder such as <password>.",
)

EMAIL = _rule(
    "811",
    "warning",
    "E-mail addresses",
    "Texts hold e-mail addresses: personal data that the model can repeat.",
    "Replace them by addresses at example.com.",
)
PHONE = _rule(
    "812",
    "warning",
    "Telephone numbers",
    "Texts hold telephone numbers: personal data that the model can repeat.",
    "Replace them by numbers set aside for fiction, such as 555-0100.",
)
CARD = _rule(
    "813",
    "warning",
    "Card numbers",
    "Texts hold valid numbers of payment cards, which the model can repeat.",
    "Replace them by numbers whose check digit is wrong.",
)
IBAN = _rule(
    "814",
    "warning",
    "Bank account numbers",
    "Texts hold valid account numbers (IBAN): personal data that the model can repeat.",
    "Replace them by numbers whose check digits are wrong.",
)

REPLACEMENT = _rule(
    "821",
    "warning",
    "Replacement characters",
    "Texts hold U+FFFD, which stands where a character was lost in a conversion.",
    "Export the texts again in UTF-8.",
)
INVISIBLE = _rule(
    "822",
    "warning",
    "Invisible characters",
    (
        "Texts hold characters that nobody sees and the model learns: zero-width, soft hyphen, "
        "byte-order mark, tags."
    ),
    "Remove them.",
)
BIDI = _rule(
    "823",
    "warning",
    "Bidirectional controls",
    "Texts hold controls that make text read in another order than it is written.",
    "Remove them, unless the text mixes scripts of both directions.",
)
