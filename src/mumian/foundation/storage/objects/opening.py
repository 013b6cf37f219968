"""Opening the objects: the engine that the settings name."""

import os
from pathlib import Path
from urllib.parse import urlsplit

from mumian.foundation.storage.contracts import Objects
from mumian.kernel.errors import Fault, Invalid


def open_objects(url: str, home: Path) -> Objects:
    """Objects below `home` (`local`) or in a bucket (`s3://bucket/prefix`); raises Invalid for anything else."""
    if url == "local":
        from mumian.foundation.storage.objects.folder import FolderObjects

        return FolderObjects(home / "objects")
    parts = urlsplit(url)
    if parts.scheme == "s3" and parts.netloc:
        from mumian.foundation.storage.objects.s3 import S3Objects

        plain = os.environ.get("AWS_ENDPOINT_URL", "").startswith("http://")
        options = {"client_options": {"allow_http": True}} if plain else {}
        return S3Objects(parts.netloc, parts.path.strip("/"), **options)
    raise Invalid(Fault("MUMIAN_OBJECTS", "field.choice", {"expected": "local, s3://bucket/prefix"}))
