"""A town whose departments share made rows: none is about anybody."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from mumian.app.platform import create_platform
from mumian.elements.catalog.api import Tables
from mumian.elements.sharing.api import Application, Decision, Draft, Grant, Item, Sharing
from mumian.foundation.identity.api import Caller, Identity
from mumian.foundation.storage.contracts import LakeTransaction
from mumian.kernel.clock import ManualClock
from mumian.kernel.declarations.documents import read_text
from mumian.kernel.platform import Platform
from mumian.kernel.settings import Settings
from mumian.kernel.unit_of_work import Actor
from tests.conftest import START
from tests.foundation.engines import ENGINES, records_url

DECLARED = """
{kind: Organisation, name: town, title: {zh: 镇, en: Town}, spec: {level: city}}
---
{kind: Organisation, name: police, title: {zh: 公安, en: Police}, spec: {level: department, parent: town}}
---
{kind: Organisation, name: clinic, title: {zh: 医院, en: Clinic}, spec: {level: department, parent: town}}
---
{kind: Organisation, name: bureau, title: {zh: 数据局, en: Bureau}, spec: {level: department, parent: town}}
---
{kind: Organisation, name: north, title: {zh: 北区, en: North}, spec: {level: district, parent: town, district: "440103"}}
---
kind: Role
name: sharer
title: {zh: 用数人员, en: Sharer}
spec: {actions: ["application:make", "objection:make", "demand:make", "grant:use", "sharing:read"]}
---
kind: Role
name: giver
title: {zh: 供数人员, en: Giver}
spec: {actions: ["application:decide", "objection:decide", "demand:answer", "sharing:read"]}
---
kind: Role
name: keeper
title: {zh: 数据局人员, en: Keeper}
spec: {actions: ["application:settle", "demand:match", "sharing:*"], reach: city}
---
kind: Dataset
name: people
title: {zh: 人口, en: People}
spec:
  owner: police
  share: conditional
  fields:
    - {name: code, personal: personal, element: id-number}
    - {name: phone, personal: personal}
    - {name: illness, personal: sensitive}
    - {name: district}
    - {name: height, type: number}
    - {name: site, grade: core}
  key: [code]
---
kind: Dataset
name: shops
title: {zh: 商铺, en: Shops}
spec:
  owner: clinic
  share: unconditional
  fields: [{name: id, type: integer}, {name: district}, {name: since, type: date}]
  key: [id]
---
{kind: Dataset, name: wanted, title: {zh: 在逃, en: Wanted}, spec: {owner: police, share: none, fields: [{name: a}]}}
---
kind: Dataset
name: north.people
title: {zh: 北区人口, en: People of the North}
spec:
  owner: north
  share: none
  fields: [{name: code, personal: personal}, {name: district}, {name: height, type: number}]
  key: [code]
---
{kind: DataElement, name: id-number, title: {zh: 身份证号, en: ID number}, spec: {definition: {zh: 号码, en: Number}}}
---
kind: DutyItem
name: household
title: {zh: 户籍管理, en: Households}
spec:
  organisation: police
  duty: {zh: 办理户口登记, en: Keep the register of households}
  basis: 户口登记条例
  data: [{name: register, title: {zh: 户籍登记信息, en: Household register}, elements: [id-number]}]
---
kind: SharingRule
name: city
title: {zh: 全市, en: City}
spec: {bureau: bureau, review: labelled, answer_days: 10, bureau_days: 3, longest_days: 200}
---
kind: SharingRule
name: secret
title: {zh: 不予共享, en: Not shared}
spec: {datasets: [wanted], refusal_basis: 保密法}
---
kind: WorkCalendar
name: days
title: {zh: 工作日, en: Working days}
spec: {holidays: [2014-01-01], workdays: [2014-01-04]}
"""


def fill_people(work: LakeTransaction) -> str:
    return (
        "SELECT printf('%018d', range) AS code, printf('138%08d', range) AS phone, 'none' AS illness, "
        "CASE WHEN range % 2 = 0 THEN '440103' ELSE '440104' END AS district, 150.0 + range % 50 AS height, 'x' AS site "
        "FROM range(100)"
    )


def fill_shops(work: LakeTransaction) -> str:
    return "SELECT range AS id, '440103' AS district, DATE '2014-01-01' + CAST(range AS INTEGER) AS since FROM range(30)"


@pytest.fixture(params=ENGINES)
def engine(request: pytest.FixtureRequest, settings: Settings) -> Settings:
    """Settings of a city on each engine of the records."""
    return settings.model_copy(update={"records": records_url(request.param, "sharing_test")})


async def made(settings: Settings, clock: ManualClock) -> Platform:
    """The town, declared and filled, with its background work stepped by hand."""
    platform = create_platform(settings, clock)
    await platform.start()
    await platform.declarations.apply(read_text(DECLARED.encode()), "town")
    await platform.get(Tables).load("people", fill_people, "append", "made")
    await platform.get(Tables).load("shops", fill_shops, "append", "made")
    await platform.settle()
    return platform


@pytest_asyncio.fixture
async def town(settings: Settings, clock: ManualClock) -> AsyncIterator[Platform]:
    """The town on the embedded engine."""
    platform = await made(settings, clock)
    yield platform
    await platform.stop()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shared(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Platform]:
    """A town that the tests of a module share, each with applications of its own; its clock stands still."""
    home = tmp_path_factory.mktemp("town") / "home"
    kept = Settings(home=home, records="sqlite", lake="local", objects="local", messages="outbox", synchronous="normal")
    platform = await made(kept, ManualClock(START))
    yield platform
    await platform.stop()


def caller(platform: Platform, organisation: str | None, *roles: str, name: str = "") -> Caller:
    """Somebody of an organisation with these roles."""
    decide = platform.get(Identity).decisions.allowed
    person = name or f"p-{organisation}"
    return Caller(Actor(person, "person", roles, organisation), person=person, login=person, decide=decide)


def asking(platform: Platform) -> Caller:
    """Somebody of the clinic who needs data."""
    return caller(platform, "clinic", "sharer")


def giving(platform: Platform) -> Caller:
    """Who decides for the police."""
    return caller(platform, "police", "giver")


def settling(platform: Platform) -> Caller:
    """Who decides for the bureau."""
    return caller(platform, "bureau", "keeper")


REASONS = {"code": "to find the patient", "phone": "to call the patient"}


def people(**more: Any) -> Item:
    """The usual wish for people."""
    return Item(**{"dataset": "people", "fields": ("code", "phone", "height"), "reasons": REASONS, "lookup": ("code",), **more})


def draft(*items: Item, **more: Any) -> Draft:
    """An application for care."""
    given: dict[str, Any] = {"purpose": "care", "use": "calling patients", "basis": "医师法", "days": 30, **more}
    return Draft(items=items or (people(),), **given)


async def apply(platform: Platform, given: Draft, by: Caller | None = None) -> list[Application]:
    """Send an application off."""
    who = by or asking(platform)
    return await platform.records.write(lambda tx: platform.get(Sharing).apply(tx, who, given), who.actor)


async def decide(platform: Platform, by: Caller, application: Application, action: str, **more: Any) -> Application:
    """Take a step with an application as it was seen."""
    decision = Decision(action, more.pop("seen", application.version), **more)
    sharing = platform.get(Sharing)
    return await platform.records.write(lambda tx: sharing.decide(tx, by, application.number, decision), by.actor)


async def granted(platform: Platform, given: Draft | None = None, **terms: Any) -> Grant:
    """A grant for people, approved and confirmed."""
    application = (await apply(platform, given or draft()))[0]
    approved = await decide(platform, giving(platform), application, "approve", **terms)
    if approved.state == "approved":
        approved = await decide(platform, settling(platform), approved, "confirm")
    sharing = platform.get(Sharing)
    return await platform.records.read(lambda session: sharing.grant_of(session, approved.grants[0]))
