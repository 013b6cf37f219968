"""Opening for other components: `platform.get(Opening)` hands out open data, hears the public, and counts what is used."""

from mumian.elements.opening.rules.asking import Question
from mumian.elements.opening.service.asking import PURPOSE, Asker, Asking, Rows
from mumian.elements.opening.service.counting import Counting
from mumian.elements.opening.service.examining import Examining
from mumian.elements.opening.service.limiting import Buckets
from mumian.elements.opening.service.making import Files
from mumian.elements.opening.service.opened import Opened
from mumian.elements.opening.service.voices import Voices
from mumian.elements.opening.settings import OpeningSettings
from mumian.foundation.identity.api import Caller
from mumian.kernel.platform import Platform

__all__ = ["PURPOSE", "Asker", "Opening", "Question", "Rows"]


class Opening:
    """`platform.get(Opening)`: `opened` finds and makes files, `asking` answers questions for rows, `voices` hears the public,
    `examining` checks what is opened, `counting` counts uses.
    """

    def __init__(self, platform: Platform, settings: OpeningSettings | None = None) -> None:
        self.settings = settings or OpeningSettings()
        self.asking = Asking(platform, self.settings)
        self.files = Files(platform, self.settings)
        self.opened = Opened(platform, self.asking, self.files)
        self.voices = Voices(platform, self.settings)
        self.examining = Examining(platform)
        self.counting = Counting(platform)
        self._anonymous = Buckets(self.settings.anonymous_per_minute, 60)
        self._keys = Buckets(self.settings.key_per_minute, 60)
        self._posts = Buckets(self.settings.posts_per_hour, 3600)

    def admit(self, caller: Caller, address: str) -> None:
        """Count a request for rows or files; raises TooMany. Who shows no key is counted by address."""
        if caller.anonymous:
            self._anonymous.take(address)
        else:
            self._keys.take(caller.actor.id)

    def admit_post(self, person: str) -> None:
        """Count something that the public writes; raises TooMany."""
        self._posts.take(person)
