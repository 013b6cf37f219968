"""Offers sensing to the platform, folds observations in the background, and holds the lake against the ledger."""

from mumian.foundation.ledger.api import EvidenceChecks
from mumian.foundation.sensing.api import Sensing
from mumian.foundation.sensing.mqtt.endpoint import Mqtt
from mumian.foundation.sensing.quality.judging import Judging
from mumian.foundation.sensing.retention.aggregates import Aggregates
from mumian.foundation.sensing.retention.retaining import Retaining
from mumian.foundation.sensing.service.evidence import faults
from mumian.foundation.sensing.sta.conformance import MqttAddress
from mumian.foundation.storage.contracts import Lake
from mumian.kernel.platform import Platform


def register(platform: Platform) -> None:
    """Offer `Sensing`, and speak MQTT."""
    sensing = Sensing(platform)
    platform.provide(Sensing, sensing)
    platform.background(sensing.folding)
    platform.background(Judging(sensing))
    kept = Aggregates(lambda: platform.get(Lake))  # type: ignore[type-abstract]
    platform.provide(Aggregates, kept)
    platform.background(Retaining(platform, sensing, kept))
    mqtt = Mqtt(platform, sensing)
    platform.provide(Mqtt, mqtt)
    platform.provide(MqttAddress, MqttAddress(lambda: mqtt.address))
    platform.background(mqtt)
    platform.get(EvidenceChecks).add("foundation.sensing", lambda session: faults(session, platform, sensing.finder))
