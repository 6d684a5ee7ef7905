"""What --verbose shows of the commands that this tool runs."""

import subprocess
import sys

CODE = """
import subprocess
from aiinfra.engine import tell_commands
tell_commands(print)
for command in (["docker", "build", "--build-arg", "X=https://user:secret@host/path with space"], ["true", "docker"]):
    try:
        subprocess.run(command, capture_output=True, check=False, env={"PATH": "/nowhere"})
    except OSError:
        pass
"""


def test_docker_commands_are_shown_quoted_for_a_shell_without_passwords_and_others_are_not() -> None:
    done = subprocess.run([sys.executable, "-c", CODE], capture_output=True, text=True, check=True)
    assert done.stdout == "docker build --build-arg 'X=https://****@host/path with space'\n"
