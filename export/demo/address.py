"""Checks that the page can listen on its address, for precise error messages."""

import errno
import socket

from export import ExportError


def check_address(host: str, port: int) -> None:
    """Raises ExportError if no server can listen on host and port now; names the option to change.

    Gradio reports each of these errors as a port in use.
    """
    name = host.removeprefix("[").removesuffix("]")
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(name, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind, protocol) as listener:
            # As servers do: a port that a server left a moment ago is free.
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(address)
            listener.listen()
    except (socket.gaierror, UnicodeError) as error:
        raise ExportError(f"--host={host} is not a known host name or address ({error}).") from error
    except OSError as error:
        raise ExportError(_reason(host, port, error)) from error


def _reason(host: str, port: int, error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"--port={port} is in use on {host}; give another port."
    if error.errno in (errno.EACCES, errno.EPERM):
        return f"--port={port} needs root privileges; give a port of at least 1024."
    if error.errno in (errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT):
        return f"--host={host} is not an address of this computer; give one, such as 127.0.0.1 or 0.0.0.0."
    return f"--host={host} --port={port}: the page cannot listen there ({error.strerror})."
