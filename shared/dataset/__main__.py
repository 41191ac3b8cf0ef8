"""`python -m tunedrop_check`: the console script where it isn't on the path."""

import sys

from .checker.command import main

sys.exit(main())
