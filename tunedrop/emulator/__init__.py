"""The stand-in: Azure OpenAI fine-tuning and its management plane, on loopback.

Strict by default, and honest about what it does not know: behaviour that no source settles hangs on
a named switch (`switches.py`). What it imitates is told in docs/emulator.md.
"""
