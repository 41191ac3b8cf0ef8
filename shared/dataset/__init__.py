"""The dataset engine: reads, checks and measures fine-tuning files, in pieces or whole.

Stands alone: relative imports only, msgspec, numpy and tiktoken, Python 3.11 or newer. It reads bytes and gives values back; it
opens no socket, writes no file and logs nothing, and no text of a file under test leaves it.
"""
