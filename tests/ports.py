"""Free ports that stay a test's own, also while the server that uses one is down."""

import socket
import weakref


class Port:
    """A port of 127.0.0.1 that nobody else is given as long as this object lives.

    A server that asks for it by its number can listen on it, as servers do with SO_REUSEADDR.
    """

    def __init__(self) -> None:
        holder = socket.socket()
        weakref.finalize(self, holder.close)
        holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        holder.bind(("127.0.0.1", 0))
        self.number: int = holder.getsockname()[1]
