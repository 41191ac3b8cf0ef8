"""The app itself, with an observer at its checkpoints that strikes where a test has armed it."""

import importlib.util
import os
import sys
from pathlib import Path

ROOT = Path(__file__).parents[3]
sys.path.insert(0, str(ROOT))

from tests.faults.strikes import Striker  # noqa: E402 the root must be on the path first

found = importlib.util.spec_from_file_location("the_app", ROOT / "function_app.py")
assert found is not None
assert found.loader is not None
the_app = importlib.util.module_from_spec(found)
found.loader.exec_module(the_app)
app = the_app.app
Striker(Path(os.environ["TUNEDROP_TEST_STRIKES"])).watch(app)
