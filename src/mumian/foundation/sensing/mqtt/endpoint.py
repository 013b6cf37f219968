"""The endpoint: the background job that speaks MQTT as the settings say, as a broker or through another one."""

from urllib.parse import urlsplit

from mumian.foundation.sensing.api import Sensing
from mumian.foundation.sensing.mqtt.bridge import Bridge
from mumian.foundation.sensing.mqtt.broker import Broker
from mumian.foundation.sensing.mqtt.intake import Intake
from mumian.foundation.sensing.mqtt.publishing import Publishing
from mumian.foundation.sensing.mqtt.refusals import Refusals
from mumian.foundation.sensing.mqtt.server import Server
from mumian.foundation.sensing.settings import MqttSettings
from mumian.kernel.errors import Invalid
from mumian.kernel.platform import Platform

_PORT = 1883


class Mqtt:
    """`platform.get(Mqtt).address` is where clients connect (`mqtt://host:port`), None while nobody can."""

    name = "mqtt"

    def __init__(self, platform: Platform, sensing: Sensing, settings: MqttSettings | None = None) -> None:
        self.address: str | None = None
        self._platform = platform
        self._sensing = sensing
        self._settings = settings or MqttSettings()
        self._intake: Intake | None = None
        self._server: Server | None = None
        self.bridge: Bridge | None = None

    async def start(self) -> None:
        """Listen, or connect to the other broker; on a clock that is stepped by hand only where an address is given."""
        wanted = self._settings.mqtt
        if wanted == "off" or (wanted == "auto" and self._platform.clock.stepped):
            return
        own = self._platform.settings
        broker = Broker(self._sensing, self._settings, f"http://{own.host}:{own.port}/sta/v1.1")
        self._intake = Intake(self._sensing, Refusals(self._platform, self._settings.mqtt_refusals))
        if wanted.startswith(("mqtt://", "mqtts://")):
            publishing = Publishing(self._sensing, broker, self._intake, {})
            self.bridge = Bridge(broker, self._intake, publishing, self._settings, str(self._platform.home.resolve()))
            await self.bridge.start()
            self.address = _without_password(wanted)
            return
        host, port = _split("127.0.0.1" if wanted == "auto" else wanted)
        self._server = Server(self._platform, self._sensing, self._settings, broker, self._intake)
        found, number = await self._server.start(host, port, fallback=wanted == "auto")
        self._sensing.post = self._server
        scheme = "mqtts" if self._settings.mqtt_certificate is not None else "mqtt"
        self.address = f"{scheme}://{f'[{found}]' if ':' in found else found}:{number}"

    async def stop(self) -> None:
        """Acknowledge what is under way, and end."""
        self._sensing.post = None
        if self._server is not None:
            await self._server.stop()
            self._server = None
        if self.bridge is not None:
            await self.bridge.stop()
            self.bridge = None
        self.address = None

    async def settle(self) -> bool:
        """Nothing is due by the city's clock."""
        return False


def _without_password(address: str) -> str:
    parts = urlsplit(address)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"


def _split(address: str) -> tuple[str, int]:
    """Host and port of `host`, `host:port` or `[host]:port`; raises Invalid."""
    try:
        parts = urlsplit(f"//{address}")
        port = parts.port
    except ValueError:
        raise Invalid.field("MUMIAN_MQTT", "sensing.mqtt.address", given=address[:100]) from None
    if not parts.hostname or parts.path:
        raise Invalid.field("MUMIAN_MQTT", "sensing.mqtt.address", given=address[:100])
    return parts.hostname, _PORT if port is None else port
