"""The stand-in: Azure OpenAI fine-tuning and its management plane, on loopback. What it imitates is
told in docs/emulator.md; what no source settles hangs on a named switch (`switches.py`).
"""
