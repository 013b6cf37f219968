"""Objects in an S3 bucket, or in anything that speaks S3."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from hashlib import sha256
from typing import Any

from mumian.foundation.storage.contracts import ObjectInfo
from mumian.foundation.storage.objects.rules import check_key, check_prefix
from mumian.kernel.errors import NotFound, Unavailable

_ETAG = "mumian-sha256"


class S3Objects:
    """The Objects port on one bucket, below a prefix; `options` are obstore's (endpoint, access_key_id, region, …)."""

    engine = "s3"

    def __init__(self, bucket: str, prefix: str = "", **options: Any) -> None:
        from obstore.store import S3Store

        self._store: Any = S3Store(bucket, prefix=prefix or None, **options)

    def put(self, key: str, content: bytes) -> ObjectInfo:
        """Store `content`; S3 itself makes the change in one step."""
        import obstore

        digest = sha256(content).hexdigest()
        with _translated(check_key(key)):
            obstore.put(self._store, key, content, attributes={_ETAG: digest}, use_multipart=False)
        return self.stat(key)

    def get(self, key: str) -> bytes:
        """The content; raises NotFound."""
        import obstore

        with _translated(check_key(key)):
            return bytes(obstore.get(self._store, key).bytes())

    def stat(self, key: str) -> ObjectInfo:
        """What is known of the object; an object that another programme put has its content read for the digest."""
        import obstore

        with _translated(check_key(key)):
            found = obstore.get(self._store, key, options={"head": True})
            digest = found.attributes.get(_ETAG)
            modified: datetime = found.meta["last_modified"]
            size = int(found.meta["size"])
        return ObjectInfo(key, size, digest or sha256(self.get(key)).hexdigest(), modified)

    def exists(self, key: str) -> bool:
        """Whether there is an object of that key."""
        import obstore

        try:
            with _translated(check_key(key)):
                obstore.head(self._store, key)
        except NotFound:
            return False
        return True

    def list(self, prefix: str = "") -> Sequence[str]:
        """The keys that begin with `prefix`, in order."""
        import obstore

        folder = check_prefix(prefix).rpartition("/")[0]
        with _translated(prefix):
            pages = obstore.list(self._store, prefix=folder or None)
            return sorted(entry["path"] for page in pages for entry in page if entry["path"].startswith(prefix))

    def delete(self, key: str) -> None:
        """Remove the object."""
        import obstore

        try:
            with _translated(check_key(key)):
                obstore.delete(self._store, key)
        except NotFound:
            return


@contextmanager
def _translated(key: str) -> Iterator[None]:
    from obstore.exceptions import BaseError, NotFoundError

    try:
        yield
    except (NotFoundError, FileNotFoundError):
        raise NotFound(kind="object", name=key) from None
    except BaseError as error:
        raise Unavailable(reason="the object store does not answer") from error
