"""`python -m mpc_api`: makes the process stoppable, then loads and runs it."""

import gc
import os
import signal
import sys

# The first process of a container ignores a signal that it has no handler for: a stop during the imports
# would wait for the whole grace period. The server puts its own in place.
signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))

# A sixth of the start: looking for garbage among what stays for good, and pydantic for plugins in every package.
gc.disable()
os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")

from mpc_api.process import main  # noqa: E402

gc.freeze()
gc.enable()

main()
