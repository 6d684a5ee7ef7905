"""Names that everything agrees on; a module without imports worth the time of a quick command."""

import re

FILE_NAME = "aiinfra.yaml"
DEFAULT_STACK = "ai-infra"

# Compose's own rule for project names (compose-go, loader.NormalizeProjectName), and short enough for DNS labels.
STACK_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,40}")

# Where the edge's certificate lies in the folder of a stack that has `tls`.
CERTIFICATE = "edge/tls.pem"

LABEL = "org.aiinfra."
CONTENT_LABEL = LABEL + "content-hash"
STACK_LABEL = LABEL + "stack"
DIRECTORY_LABEL = LABEL + "directory"
# On a container that a command starts beside the stack, for what it is: an interrupted command leaves it behind.
SCRATCH_LABEL = LABEL + "scratch"
