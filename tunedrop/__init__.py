"""What runs on your machine: command line, local stack, embedded host and stand-in.

The app's own packages are found beside it (folders.py), before others of the same name.
"""

import sys

from tunedrop import folders

if str(folders.APP) not in sys.path:
    sys.path.insert(0, str(folders.APP))
