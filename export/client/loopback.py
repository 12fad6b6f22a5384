"""Which addresses are those of this computer."""

import ipaddress


def is_loopback(host: str) -> bool:
    """Returns whether a host is this computer, which no proxy of the environment can reach."""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
