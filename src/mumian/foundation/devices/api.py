"""The device ledger for other components: `platform.get(Devices)` registers, changes, watches, commands and analyses devices."""

from mumian.foundation.devices.contracts import AreaCoverage, Cluster, Command, Device, Product, Seen
from mumian.foundation.devices.rules.coverage import Target
from mumian.foundation.devices.service.analysis import Analysis, Search
from mumian.foundation.devices.service.capabilities import Capabilities
from mumian.foundation.devices.service.commands import Commands
from mumian.foundation.devices.service.credentials import Credentials
from mumian.foundation.devices.service.delivery import Delivery
from mumian.foundation.devices.service.guard import Guard
from mumian.foundation.devices.service.importing import Importing, Report, Source
from mumian.foundation.devices.service.life import Lives
from mumian.foundation.devices.service.onboarding import stream_name
from mumian.foundation.devices.service.presence import Presence
from mumian.foundation.devices.service.products import Products
from mumian.foundation.devices.service.reporting import Reporting
from mumian.foundation.devices.service.roster import Roster
from mumian.foundation.devices.service.streams import Streams
from mumian.foundation.devices.service.tasking import Tasking
from mumian.foundation.devices.settings import DeviceSettings
from mumian.kernel.platform import Platform
from mumian.kernel.unit_of_work import Session

__all__ = [
    "AreaCoverage",
    "Cluster",
    "Command",
    "Device",
    "Devices",
    "Product",
    "Report",
    "Search",
    "Seen",
    "Source",
    "Target",
]


class Devices:
    """The device ledger.

    `lives` registers and changes devices inside a transaction of the caller's, `importing` brings files in, `credentials` lets
    devices enrol, `commands` sends and tracks what they shall do (over MQTT by `delivery`, over SensorThings by `tasking`),
    `reporting` takes what they tell, `presence` knows who is online, `analysis` finds duplicates and gaps, `products` lists what
    is offered; the last two work in memory and off the event loop (`asyncio.to_thread`).
    """

    def __init__(self, platform: Platform, settings: DeviceSettings | None = None) -> None:
        self.settings = settings or DeviceSettings()
        self.platform = platform
        self.lives = Lives(platform)
        self.roster = Roster(platform.records)
        self.streams = Streams(platform)
        self.presence = Presence(platform, self.lives, self.roster, self.streams, self.settings)
        self.credentials = Credentials(platform, self.lives, self.settings)
        self.commands = Commands(platform, self.lives, self.settings)
        self.importing = Importing(platform, self.lives, self.settings)
        self.analysis = Analysis(platform, self.lives, self.roster, self.settings)
        self.products = Products(platform, self.lives, self.roster, self.streams, self.presence)
        self.capabilities = Capabilities(platform)
        self.guard = Guard(platform, self.roster, self.streams)
        self.reporting = Reporting(platform, self.lives, self.commands, self.presence)
        self.tasking = Tasking(self.lives, self.commands, self.credentials)
        self.delivery = Delivery(platform, self.commands, self.reporting, self.credentials, self.guard)
        self.lives.leaving = self.credentials.withdraw

    def find(self, session: Session, code: str) -> Device:
        """The device of that code; raises NotFound."""
        return self.lives.find(session, code)

    def settle_streams(self, device: Device) -> None:
        """Let sensing and the guard know the device's streams as they are after a commit; not on the event loop."""
        self.lives.onboarding.announce(name for key, name in device.streams.items() if name == stream_name(device.code, key))
        self.guard.refresh()
        if device.state == "retired":
            self.credentials.forget()

    def seen(self, code: str) -> Seen:
        """Whether a device is online, since when, and when it was last heard."""
        return self.presence.seen(code)
