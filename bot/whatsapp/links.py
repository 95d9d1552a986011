"""Which web addresses may go into a message. Pure; asks no name server.

Meta fetches what a media link names and shows what a button opens: neither may lead into the business's own network, and a media
link with credentials in it would hand them on.
"""

import ipaddress
from urllib.parse import urlsplit

LONGEST = 2000
_INSIDE = ("localhost", ".localhost", ".local", ".internal", ".lan", ".home.arpa", ".intranet", ".corp")


def trouble(address: str, schemes: tuple[str, ...]) -> str:
    """Why this address cannot be used, in words without the address; empty when it can."""
    if not 1 <= len(address) <= LONGEST:
        return f"has {len(address)} characters; 1 to {LONGEST} are possible"
    if any(one.isspace() or not one.isprintable() for one in address) or "\\" in address:
        return "holds a space or a character that cannot be shown"
    try:
        parts = urlsplit(address)
        host, _ = (parts.hostname or "").rstrip("."), parts.port
    except ValueError:
        return "is no web address"
    if parts.scheme.lower() not in schemes:
        return f"must begin with {' or '.join(one + '://' for one in schemes)}"
    if not host:
        return "names no host"
    return "holds a user name or password" if parts.username is not None else ""


def private(address: str) -> bool:
    """Whether the host lies in a private network, as far as its name or number says. The address must be without `trouble`."""
    host = (urlsplit(address).hostname or "").rstrip(".").lower()
    if host == "localhost" or host.endswith(_INSIDE):
        return True
    try:
        return not ipaddress.ip_address(host).is_global
    except ValueError:
        # A name without a point is one of the own network; so is a number written in another way (0x7f000001, 127.1).
        last = host.rpartition(".")[2]
        return "." not in host or last.isdigit() or last.startswith("0x")
