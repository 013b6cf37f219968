"""Opens the ports that only a serving process needs, and provides them to the platform."""

from mumian.kernel.platform import Platform


def open_ports(platform: Platform) -> None:
    """Open lake, objects and messages as the settings say; they are closed with the platform."""
