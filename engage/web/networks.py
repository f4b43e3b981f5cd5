"""The network of a request, for counting attempts; never stored."""

import ipaddress

PREFIX = 64  # bits: the prefix assigned to a home, a phone or a machine in IPv6 (RFC 6177)


def network_of(address: str) -> str:
    """The IPv4 address, the /64 network of an IPv6 address, or the text itself if it is not an address."""
    try:
        address_value = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if isinstance(address_value, ipaddress.IPv4Address):
        return str(address_value)
    if address_value.ipv4_mapped is not None:
        return str(address_value.ipv4_mapped)
    return str(ipaddress.ip_network((address_value, PREFIX), strict=False))
