"""`python -m tunedrop_check`: the console script where it isn't on the path."""

import sys

from .command.entry import main

sys.exit(main())
