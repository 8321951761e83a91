"""Under which addresses others reach this machine, so that no link for a class names ``localhost``."""

import socket
from ipaddress import IPv4Address, IPv6Address, ip_address
from urllib.parse import urlsplit

JOIN_PAGE = "join"  # of the app
_ANY_OTHER = ("192.0.2.1", 9)  # of a block for documentation (RFC 5737): nothing is sent, the system only picks a route


def network_address() -> str:
    """Return this machine's address in its network; empty if it is in none."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(_ANY_OTHER)
        except OSError:
            return ""
        address: str = probe.getsockname()[0]
    return "" if is_loopback(address) else address


def is_loopback(host: str) -> bool:
    """Whether only this machine itself reaches a host of that name or address."""
    address = _parse(host)
    return host.lower() == "localhost" if address is None else address.is_loopback or address.is_unspecified


def reachable_origin(url: str) -> str:
    """Return the scheme, host and port of an address of this server as others can use it; empty without a host."""
    parts = urlsplit(url)
    if not parts.hostname:
        return ""
    if not is_loopback(parts.hostname):
        return f"{parts.scheme}://{parts.netloc}"
    return class_origin(network_address() or parts.hostname, parts.port, parts.scheme)


def class_origin(host: str, port: int | None, scheme: str = "http") -> str:
    """Return the beginning of this server's links for a host and a port."""
    name = f"[{host}]" if ":" in host else host
    return f"{scheme}://{name}" + (f":{port}" if port else "")


def join_link(origin: str, code: str) -> str:
    """Return the link that admits to a class."""
    return f"{origin}/{JOIN_PAGE}?code={code}"


def is_known_host(header: str, names: frozenset[str]) -> bool:
    """Whether the host in a request is this server: one of its names, or any address in numbers.

    A page elsewhere whose name is made to lead here (DNS rebinding) sends its own name.
    """
    try:
        host = (urlsplit(f"//{header}").hostname or "").rstrip(".")
    except ValueError:
        return False
    return host in names or _parse(host) is not None


def own_names(link: str = "") -> frozenset[str]:
    """Return the names of this machine, and the one in the link that its class has."""
    name = socket.gethostname().lower()
    names = {"localhost", name, name.partition(".")[0], f"{name.partition('.')[0]}.local"}
    return frozenset(names | {(urlsplit(link).hostname or "localhost").lower()})


def _parse(host: str) -> IPv4Address | IPv6Address | None:
    try:
        return ip_address(host)
    except ValueError:
        return None
