"""Opens the ports beside the records and provides them to the platform."""

from mumian.foundation.storage.contracts import Lake, Objects
from mumian.foundation.storage.lake.opening import open_lake
from mumian.foundation.storage.messages.opening import provide_messages
from mumian.foundation.storage.objects.opening import open_objects
from mumian.kernel.platform import Platform


def open_ports(platform: Platform) -> None:
    """Open lake, objects and messages as the settings say; they are closed with the platform."""
    settings = platform.settings
    lake = open_lake(settings.lake, settings.home)
    platform.closers.append(lake.close)
    platform.provide(Lake, lake)  # type: ignore[type-abstract]
    platform.provide(Objects, open_objects(settings.objects, settings.home))  # type: ignore[type-abstract]
    provide_messages(platform)
