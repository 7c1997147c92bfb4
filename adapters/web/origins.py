"""Who may call: the exact origins of the settings, our own pages, and programs, which send no Origin."""

from urllib.parse import urlsplit

LOOPBACK = frozenset({"localhost", "127.0.0.1", "[::1]"})


def host_name(host: str) -> str:
    """The name in a Host header, lower case and without its port."""
    host = host.lower()
    name, _, port = host.rpartition(":")
    return name if name and port.isdigit() and not name.endswith(":") else host


def is_loopback(host: str) -> bool:
    """Whether a server bound to `host` is reached only from this machine."""
    return host in {"localhost", "::1"} or host.startswith("127.")


def is_own(origin: str, *, scheme: str, host: str, fetch_site: str | None) -> bool:
    """Whether `origin` is the page's own server.

    Behind a proxy that ends TLS the schemes differ; then the browser's own word (`Sec-Fetch-Site`) counts.
    """
    if origin == f"{scheme}://{host}":
        return True
    return fetch_site == "same-origin" and urlsplit(origin).netloc == host
