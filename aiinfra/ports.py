"""Host ports: free or taken, and by whom."""

import errno
import socket

from aiinfra.errors import AiinfraError, Code


def is_free(address: str, port: int) -> bool:
    """Say whether a listener could bind to this address and port now.

    Raises AiinfraError (SETTINGS_INVALID) where none ever could.
    """
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        # As Docker's proxy does it: a port in TIME_WAIT is free.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((address, port))
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                return False
            raise AiinfraError(
                Code.SETTINGS_INVALID,
                f"aiinfra.yaml: ports: nothing can listen on {address}, port {port}: {error.strerror}",
                hint="use an address of this machine, and a port of 1024 or more; nothing was started",
            ) from error
    return True


def owner(port: int) -> str:
    """Return "NAME (pid N)" of the process that listens on a port; "" where the system does not tell."""
    import psutil  # noqa: PLC0415 - only ever needed for an error

    try:
        for connection in psutil.net_connections("tcp"):
            listens = connection.status == psutil.CONN_LISTEN
            if listens and connection.laddr and connection.laddr.port == port and connection.pid:
                return f"{psutil.Process(connection.pid).name()} (pid {connection.pid})"
    except psutil.Error:
        return ""
    return ""
