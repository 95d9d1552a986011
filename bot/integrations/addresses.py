"""Where a connector may reach: public addresses only, looked up once and connected to as they were looked up.

A name that leads into a private network is refused (server-side request forgery, privacy.md T26), and because the connection goes to
the very address that was judged, a name that changes its mind between look-up and connection (DNS rebinding) gains nothing.
"""

import asyncio
import ipaddress
import socket
from dataclasses import dataclass

from yarl import URL

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

_NAT64 = ipaddress.ip_network("64:ff9b::/96")
"""IPv6 addresses that a gateway turns into the IPv4 address in their last 32 bits (RFC 6052)."""

_SITE_LOCAL = ipaddress.ip_network("fec0::/10")


@dataclass(frozen=True, slots=True)
class Pinned:
    """An address to ask: `url` holds the judged IP, `host` and `name` what the other side is called."""

    url: URL
    host: str
    name: str


def is_public(address: Address) -> bool:
    """Whether an address lies in the public internet, also by way of the IPv4 address inside an IPv6 one."""
    if isinstance(address, ipaddress.IPv6Address):
        inner = address.ipv4_mapped or address.sixtofour or (address.teredo[1] if address.teredo else None)
        if inner is None and address in _NAT64:
            inner = ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
        if inner is not None:
            return is_public(inner)
        if address in _SITE_LOCAL or int(address) >> 32 == 0:  # the old "IPv4-compatible" form as well
            return False
    refused = address.is_multicast or address.is_reserved or address.is_unspecified or address.is_loopback
    return address.is_global and not refused


async def pinned(address: str) -> Pinned | None:
    """The address with its name looked up, or None where any of the places it leads to is not public.

    Bounded by the caller's time. Never raises for what is written in business.yaml or said by a name server.
    """
    try:
        url = URL(address)
        host, port = url.host, url.port
    except ValueError:
        return None
    if not host or url.user is not None or url.password is not None or url.scheme not in ("http", "https"):
        return None
    try:
        rows = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
        found = [ipaddress.ip_address(str(row[4][0]).partition("%")[0]) for row in rows]
    except (OSError, ValueError, UnicodeError):
        return None
    if not found or not all(is_public(one) for one in found):
        return None
    return Pinned(url.with_host(str(found[0])), url.raw_authority, host)


async def reached(address: str, *, local: bool) -> Pinned | None:
    """Where to connect to: the address as it is where business.yaml says that it is `local`, else only a public one, pinned."""
    if not local:
        return await pinned(address)
    url = URL(address)
    return Pinned(url, url.raw_authority, url.host or "")
