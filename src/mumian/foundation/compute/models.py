"""Models of what may be declared about compute: pools, and the types of job that may run."""

from itertools import pairwise
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from mumian.kernel.declarations.kinds import Spec

Title = dict[Literal["zh", "en"], Annotated[str, Field(min_length=1, max_length=200)]]
Key = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_-]{0,59}$")]
Grade = Literal["general", "important", "core"]


class TariffSpec(Spec):
    """Hours of the day in which energy, and so the pool, costs another price 分时电价."""

    from_hour: float = Field(ge=0, lt=24, description="From this hour of the city's day.")
    to_hour: float = Field(gt=0, le=24, description="Until this hour.")
    factor: float = Field(ge=0, le=100, description="The price is multiplied by this.")

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.to_hour <= self.from_hour:
            raise ValueError("to_hour must be later than from_hour; split what goes over midnight")
        return self


class PoolSpec(Spec):
    """A compute pool 算力池: what it has, what it costs, what data it may hold, and who runs jobs there."""

    owner: str = Field(max_length=80, description="The organisation that runs it.")
    place: str = Field("", max_length=200, description="Where it stands.")
    cores: float = Field(gt=0, le=1e7, description="Processor cores.")
    memory: float = Field(gt=0, le=1e8, description="Memory, in GB.")
    gpus: dict[Annotated[str, Field(max_length=60)], Annotated[int, Field(ge=0, le=1_000_000)]] = Field(
        default_factory=dict, max_length=50, description="GPUs by model."
    )
    core_hour: float = Field(0, ge=0, description="What a core costs an hour, in the city's currency.")
    gpu_hour: float = Field(0, ge=0, description="What a GPU costs an hour.")
    tariff: list[TariffSpec] = Field(default_factory=list, max_length=24, description="Hours with another price, such as nights.")
    renewable: float = Field(0, ge=0, le=1, description="The share of its energy from renewable sources.")
    grades: list[Grade] = Field(default=["general"], min_length=1, description="The grades of data that it may hold.")
    personal: bool = Field(False, description="Whether it may hold personal data.")
    datasets: list[Annotated[str, Field(max_length=200)]] = Field(
        default_factory=list, max_length=10_000, description="Datasets that lie near it."
    )
    runner: Literal["local", "agent"] = Field(
        "agent", description="`local`: this machine runs its jobs; else its own agent does."
    )

    @model_validator(mode="after")
    def _apart(self) -> Self:
        hours = sorted((each.from_hour, each.to_hour) for each in self.tariff)
        if any(one[1] > other[0] for one, other in pairwise(hours)):
            raise ValueError("hours of the tariff overlap; part them")
        return self


class ParameterSpec(Spec):
    """A parameter of a job."""

    type: Literal["number", "integer", "boolean", "text", "choice"] = Field(description="What values it takes.")
    title: Title | None = Field(None, description="What people call it, {zh, en}.")
    minimum: float | None = Field(None, description="The least value of a number.")
    maximum: float | None = Field(None, description="The greatest value of a number.")
    choices: list[Annotated[str, Field(min_length=1, max_length=100)]] = Field(
        default_factory=list, max_length=200, description="The values of a choice."
    )
    length: int = Field(200, ge=1, le=100_000, description="The most characters of a text.")
    required: bool = Field(False, description="Whether it must be given.")

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if (self.type == "choice") != bool(self.choices):
            raise ValueError("a choice needs choices, and nothing else has them; add or remove them")
        return self


class JobTypeSpec(Spec):
    """A type of job 作业类型: the only programmes that may run, what they are told, and how much they may take."""

    script: str | None = Field(
        None, max_length=200, description="A file beside the declaration: `.py` runs in Python, else by its first line."
    )
    sha256: str | None = Field(None, pattern="^[0-9a-f]{64}$", description="The script's SHA-256; change it with the script.")
    entry: str | None = Field(
        None,
        max_length=300,
        pattern=r"^[A-Za-z_][A-Za-z0-9_.]*:[A-Za-z_][A-Za-z0-9_]*$",
        description="An installed function, `package.module:name`.",
    )
    parameters: dict[Key, ParameterSpec] = Field(default_factory=dict, max_length=50, description="What it is told.")
    most_cores: float = Field(4, gt=0, description="The most cores that a job may ask for.")
    most_memory: float = Field(8, gt=0, description="The most memory, in GB.")
    most_gpus: int = Field(0, ge=0, description="The most GPUs.")
    most_hours: float = Field(24, gt=0, le=24 * 366, description="The most hours.")
    grade: Grade = Field("general", description="The least grade of the data that it reads.")
    personal: bool = Field(False, description="Whether the data that it reads are personal.")
    attempts: int = Field(1, ge=1, le=20, description="How often it is started when it is found dead; 1: it fails then.")

    @model_validator(mode="after")
    def _either(self) -> Self:
        if (self.script is None) == (self.entry is None):
            raise ValueError("give either script or entry")
        return self
