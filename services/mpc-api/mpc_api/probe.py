"""The container's health check: `python -I -S probe.py /health` exits 0 on a 200 and 1 on anything else.

It imports nothing but a socket and, with -S, no site directories: it is run again and again.
"""

import os
import socket
import sys


def main(path: str, port: int) -> int:
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
            connection.sendall(f"GET {path} HTTP/1.0\r\nHost: localhost\r\n\r\n".encode())
            answer = connection.makefile("rb").readline()
    except OSError:
        return 1
    return 0 if b" 200 " in answer else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], int(os.environ.get("PORT", "3000"))))
