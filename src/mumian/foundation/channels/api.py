"""Channels for other components: `platform.get(Channels).send(tx, message, recipients)`, in the commit of what it tells of."""

from mumian.foundation.channels.contracts import Message, Recipient, Urgency
from mumian.foundation.channels.service.queueing import Channels

__all__ = ["Channels", "Message", "Recipient", "Urgency"]
