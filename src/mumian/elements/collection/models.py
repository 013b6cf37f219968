"""Models of connectors: where rows come from, which dataset they fill, and what happens when they are not as expected."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from mumian.kernel.declarations.kinds import Spec

Format = Literal["auto", "csv", "xlsx", "parquet", "json", "jsonl", "geojson"]
SECRET = r"^[A-Z][A-Z0-9_]{0,63}$"  # noqa: S105 - the pattern of names of secrets
COLUMN = Annotated[str, Field(min_length=1, max_length=200)]


class Reading(Spec):
    """How files are read; what is left empty is guessed from each file, and what was guessed is told with the run."""

    format: Format = Field("auto", description="The format; auto: told by name and first bytes.")
    encoding: str | None = Field(None, max_length=20, description="The encoding of text, such as utf-8 or gb18030.")
    delimiter: str | None = Field(None, min_length=1, max_length=1, description="What stands between cells.")
    quote: str = Field('"', max_length=1, description="What stands around cells; empty: nothing does.")
    escape: str = Field("", max_length=1, description="What stands before a quote within a cell; empty: it is doubled.")
    header: int | None = Field(None, ge=0, le=1_000_000, description="The line of the header; 0: there is none.")
    table: int | None = Field(None, ge=0, le=1000, description="Which table of the file, from 0, where it has several.")
    rows: str = Field("", max_length=400, description="Where in a JSON document the rows are, such as result.records.")


class FilesSource(Spec):
    """Files that lie in the inbox, or that people upload."""

    kind: Literal["files"]
    path: str | None = Field(
        None, max_length=400, description="Names below the inbox, such as shops/*.csv; empty: files are uploaded."
    )
    reading: Reading = Field(default_factory=Reading, description="How the files are read.")


class ObjectsSource(Spec):
    """Files in S3, or in the city's own object store."""

    kind: Literal["objects"]
    bucket: str | None = Field(None, pattern=r"^[a-z0-9][a-z0-9.-]{1,62}$", description="The S3 bucket; empty: the own store.")
    prefix: str = Field("", max_length=400, description="What the keys begin with.")
    pattern: str = Field("*", max_length=200, description="Names of keys behind the prefix, such as *.csv.")
    region: str = Field("us-east-1", max_length=60, description="The region of the bucket.")
    endpoint: str | None = Field(None, max_length=400, pattern=r"^https?://\S+$", description="The server, where it is not AWS.")
    secret: str | None = Field(None, pattern=SECRET, description="The secret with `key:secret`, by name.")
    reading: Reading = Field(default_factory=Reading, description="How the files are read.")


class SqlSource(Spec):
    """A table or query of an SQL database, read only."""

    kind: Literal["sql"]
    address: str | None = Field(
        None, max_length=400, description="The database without password, such as sqlite:///shops.db (below the inbox)."
    )
    secret: str | None = Field(None, pattern=SECRET, description="The secret that holds the whole address, by name.")
    table: str | None = Field(None, max_length=200, description="The table or view, with its schema before a dot.")
    query: str | None = Field(None, max_length=20_000, description="One SELECT in place of a table.")
    order: list[COLUMN] = Field(
        default_factory=list,
        max_length=10,
        description="Columns that tell rows apart and by which they are read page by page; default: the primary key.",
    )
    page: int = Field(10_000, ge=1, le=100_000, description="How many rows are asked for at a time.")

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if (self.address is None) == (self.secret is None):
            raise ValueError("give either address or secret")
        if (self.table is None) == (self.query is None):
            raise ValueError("give either table or query")
        return self


class Paging(Spec):
    """How an interface hands out its rows page by page."""

    by: Literal["none", "page", "offset", "cursor", "link", "next"] = Field(
        "none",
        description="page: numbered pages; offset: rows to skip; cursor: a token of the answer is sent back; link: the Link "
        "header (RFC 8288); next: an address in the answer.",
    )
    parameter: str = Field("page", max_length=80, description="The query parameter that holds page, offset or cursor.")
    first: int = Field(1, ge=0, description="The number of the first page.")
    size_parameter: str | None = Field(None, max_length=80, description="The query parameter that holds the size of a page.")
    size: int = Field(100, ge=1, le=100_000, description="How many rows a page has.")
    at: str = Field("", max_length=400, description="Where in the answer the cursor or the next address is.")
    total: str = Field("", max_length=400, description="Where in the answer the number of all rows is, if anywhere.")
    most: int = Field(100_000, ge=1, description="After so many pages something must be wrong.")


class Auth(Spec):
    """How an interface knows us; the secret itself is never declared."""

    by: Literal["bearer", "basic", "header", "query"] = Field(description="Where the secret goes.")
    secret: str = Field(pattern=SECRET, description="The secret, by name; for basic it holds name:password.")
    name: str = Field("X-API-Key", max_length=80, description="The name of the header or query parameter.")


class HttpSource(Spec):
    """An interface over HTTP, or a file at an address."""

    kind: Literal["http"]
    url: str = Field(max_length=2000, pattern=r"^https?://\S+$", description="The address.")
    params: dict[str, str] = Field(default_factory=dict, max_length=50, description="Query parameters.")
    headers: dict[str, str] = Field(default_factory=dict, max_length=20, description="Headers, none of them secret.")
    auth: Auth | None = Field(None, description="How we say who we are.")
    paging: Paging = Field(default_factory=lambda: Paging(by="none"), description="How pages follow each other.")
    since: str | None = Field(None, max_length=80, description="The query parameter that takes the watermark.")
    reading: Reading = Field(default_factory=lambda: Reading(format="json"), description="How the answers are read.")


class SensorThingsSource(Spec):
    """Entities of a SensorThings service (OGC 18-088), with what they expand, as rows."""

    kind: Literal["sensorthings"]
    url: str = Field(max_length=2000, pattern=r"^https?://\S+$", description="The root of the service, such as …/v1.1.")
    entities: str = Field(
        max_length=400,
        pattern=r"^[A-Z][A-Za-z]+(\([^/()]+\)/[A-Z][A-Za-z]+)*$",
        description="Such as Datastreams(1)/Observations.",
    )
    expand: str | None = Field(None, max_length=400, description="What is expanded, as $expand.")
    filter: str | None = Field(None, max_length=1000, description="What is asked for, as $filter.")
    auth: Auth | None = Field(None, description="How we say who we are.")
    page: int = Field(1000, ge=1, le=100_000, description="How many entities are asked for at a time.")


Source = Annotated[FilesSource | ObjectsSource | SqlSource | HttpSource | SensorThingsSource, Field(discriminator="kind")]


class ConnectorSpec(Spec):
    """A connector 采集任务: brings rows into one dataset."""

    dataset: str = Field(max_length=80, description="The dataset that it fills, by name.")
    source: Source = Field(description="Where the rows come from.")
    fields: dict[str, str] = Field(
        default_factory=dict,
        max_length=2000,
        description="Fields of the dataset by the source's columns; columns left out are matched by name and title.",
    )
    mode: Literal["replace", "append", "upsert"] = Field(
        "replace", description="What becomes of rows that are there: all replaced, kept, or replaced where the key is the same."
    )
    watermark: COLUMN | None = Field(
        None, description="The column that only grows: a run brings what lies beyond the last one (incremental); empty: all."
    )
    every_seconds: int | None = Field(None, ge=5, description="How often it runs; empty: when somebody asks for it.")
    drift: Literal["stop", "quarantine", "report"] = Field(
        "stop",
        description="When columns are new, lost or of another type: load nothing; keep the rows aside until somebody decides; "
        "or load what fits. It is told in each case.",
    )
    most_bad: float = Field(0.05, ge=0, le=1, description="The share of bad rows at which nothing is loaded.")
    zone: str = Field("UTC", max_length=60, description="The time zone of times that name none.")
    blanks: list[str] = Field(
        default_factory=list, max_length=50, description="Texts that stand for no value, such as N/A, beside the empty one."
    )

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.watermark is not None and self.mode == "replace":
            raise ValueError("a watermark brings only what is new, which cannot replace all; use append or upsert")
        if len(set(self.fields.values())) < len(self.fields):
            raise ValueError("two columns go to one field; map each to its own")
        return self
