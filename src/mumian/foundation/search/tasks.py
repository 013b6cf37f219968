"""Offers search to the platform."""

from mumian.foundation.search.api import Search
from mumian.kernel.platform import Platform


def register(platform: Platform) -> None:
    """Offer `Search`, on the engine that keeps the records."""
    search = Search(platform)
    platform.records.write_now(lambda tx: search.prepare(tx.session))
    platform.provide(Search, search)
