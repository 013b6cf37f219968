"""The settings choose the engine of each port; what they do not know they refuse with the names that they do."""

from pathlib import Path

import pytest

from mumian.app.platform import create_platform
from mumian.foundation.storage.messages.outbox import OutboxMessages
from mumian.foundation.storage.messages.port import Messages
from mumian.foundation.storage.messages.relay import Relay
from mumian.kernel.errors import Invalid
from mumian.kernel.i18n import describe
from mumian.kernel.platform import Platform
from mumian.kernel.settings import Settings


def offline(home: Path, **chosen: str) -> Platform:
    """A platform that is not started, with some engines chosen."""
    given = {"records": "sqlite", "lake": "local", "objects": "local", "messages": "outbox", **chosen}
    return create_platform(Settings(home=home, **given), serving=False)  # type: ignore[arg-type]


def close(platform: Platform) -> None:
    """Let go of its stores."""
    for closer in reversed(platform.closers):
        closer()
    platform.records.close()


@pytest.mark.parametrize("port", ["records", "messages", "objects"])
def test_an_unknown_engine_is_refused_with_the_names_of_the_known_ones(port: str, tmp_path: Path) -> None:
    with pytest.raises(Invalid) as refused:
        offline(tmp_path, **{port: "mystery"})
    assert f"MUMIAN_{port.upper()}" in describe(refused.value, "en")
    assert "应为以下之一" in describe(refused.value, "zh")


def test_events_stay_in_the_outbox_unless_a_server_is_named(tmp_path: Path) -> None:
    platform = offline(tmp_path)
    assert isinstance(platform.get(Messages), OutboxMessages)  # type: ignore[type-abstract]
    assert not any(isinstance(job, Relay) for job in platform.jobs)
    close(platform)


def test_a_message_server_gets_a_relay(tmp_path: Path) -> None:
    platform = offline(tmp_path, messages="nats://127.0.0.1:1")
    assert [job.name for job in platform.jobs if isinstance(job, Relay)] == ["messages.relay"]
    close(platform)
