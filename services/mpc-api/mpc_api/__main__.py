"""`python -m mpc_api`: makes the process stoppable, then loads and runs it."""

import signal
import sys

# The first process of a container ignores a signal that it has no handler for: a stop during the imports
# would wait for the whole grace period. The server puts its own in place.
signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))

from mpc_api.process import main  # noqa: E402

main()
