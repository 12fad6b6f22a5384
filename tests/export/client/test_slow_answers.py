"""A server that answers in small parts does not hold a call beyond its timeout."""

import socket
import threading
import time
from collections.abc import Iterator

import numpy as np
import pytest

from export.client import RestClient, ServingError

BODY = b'{"outputs": 1}'
PAUSE_S = 1.0


@pytest.fixture(params=["200 OK", "400 Bad Request"])
def slow_server(request) -> Iterator[str]:
    """Answers every request with this status and one byte of the body a second; gives the address."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            while True:
                try:
                    connection, _ = server.accept()
                except OSError:
                    return
                threading.Thread(target=answer, args=(connection,), daemon=True).start()

        def answer(connection: socket.socket) -> None:
            with connection:
                connection.recv(2**16)
                connection.sendall(f"HTTP/1.1 {request.param}\r\nContent-Length: {len(BODY)}\r\n\r\n".encode())
                for byte in BODY:
                    time.sleep(PAUSE_S)
                    try:
                        connection.sendall(bytes([byte]))
                    except OSError:
                        return

        threading.Thread(target=serve, daemon=True).start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}"
        server.shutdown(socket.SHUT_RDWR)


def test_a_call_ends_before_a_slow_answer_does(slow_server):
    client = RestClient(slow_server, "tiny", timeout_s=1.5 * PAUSE_S, retries=0)
    with pytest.raises(ServingError, match="no answer for tiny within 1.5 s .*timed out"):
        client.predict("encode", image=np.zeros((1, 4, 4, 1), np.uint8))
