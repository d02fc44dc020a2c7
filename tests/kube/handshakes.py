"""A server that says in the TLS handshake why it ends it, as API servers do."""

import os
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress


@contextmanager
def handshaking(tls: ssl.SSLContext) -> Iterator[str]:
    """The URL of a server that shakes hands, or sends its alert, and then waits to be left.

    It has a thread, because asyncio's TLS closes the connection without the alert.
    """
    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=_accept, args=(listening, tls))
        thread.start()
        try:
            yield f"https://127.0.0.1:{listening.getsockname()[1]}"
        finally:
            with suppress(OSError):
                listening.shutdown(socket.SHUT_RDWR)
            thread.join()


def _accept(listening: socket.socket, tls: ssl.SSLContext) -> None:
    while True:
        try:
            raw, _ = listening.accept()
        except OSError:
            return
        raw.settimeout(5)
        with (
            suppress(OSError),
            tls.wrap_socket(raw, server_side=True, do_handshake_on_connect=False) as connection,
        ):
            with suppress(ssl.SSLError):
                connection.do_handshake()
            while os.read(connection.fileno(), 4_096):
                pass
