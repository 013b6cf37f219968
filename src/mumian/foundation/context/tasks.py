"""Offers context to the platform, folds the history of entities and sends notifications in the background."""

from mumian.foundation.context.api import Context
from mumian.kernel.platform import Platform


def register(platform: Platform) -> None:
    """Offer `Context`."""
    context = Context(platform)
    platform.provide(Context, context)
    platform.background(context)
