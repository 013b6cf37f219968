"""Forms: what is known is filled in, one source is respected, what is wrong is named, and versions follow each other."""

import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import numpy as np
import pytest
import pytest_asyncio
from hypothesis import given, settings
from hypothesis import strategies as st

from mumian.app.web import create_asgi
from mumian.elements.catalog.api import Tables
from mumian.elements.collection.forms import rules
from mumian.foundation.identity.api import Identity, PersonDraft
from mumian.foundation.ledger.api import Ledger
from mumian.foundation.storage.contracts import LakeTransaction
from mumian.kernel.errors import Invalid
from mumian.kernel.platform import Platform
from tests.elements.collection.conftest import BASE, both, declare, held

CODE = "91440101MA59ABCD0"
CODE += next(c for c in rules._CREDIT if rules.credit_code(CODE + c))
DECLARED = """
kind: CodeList
name: trades
title: {zh: 行业, en: Trades}
spec:
  codes:
    - {code: F, title: {zh: 零售, en: Retail}}
    - {code: H, title: {zh: 餐饮, en: Food}}
    - {code: X, title: {zh: 旧, en: Old}, until: 2013-01-01}
---
kind: DataElement
name: credit-code
title: {zh: 信用代码, en: Credit code}
spec: {definition: {zh: 码, en: code}, format: credit-code}
---
kind: DataElement
name: firm-name
title: {zh: 名称, en: Name}
spec: {definition: {zh: 名, en: name}, source: {dataset: licences, field: 名称}}
---
{kind: DataElement, name: trade, title: {zh: 行业, en: Trade}, spec: {definition: {zh: 业, en: trade}, code_list: trades}}
---
{kind: DataElement, name: phone, title: {zh: 电话, en: Phone}, spec: {definition: {zh: 话, en: phone}, pattern: "[0-9-]{7,20}"}}
---
kind: Dataset
name: licences
title: {zh: 执照, en: Licences}
spec:
  owner: town
  fields:
    - {name: 代码, element: credit-code}
    - {name: 名称, element: firm-name}
    - {name: 行业, element: trade}
    - {name: 电话, element: phone, personal: personal}
---
kind: Dataset
name: firms
title: {zh: 企业, en: Firms}
spec:
  owner: town
  fields:
    - {name: code, element: credit-code, required: true}
    - {name: name, element: firm-name, required: true}
    - {name: trade, element: trade}
    - {name: phone, element: phone}
    - {name: staff, type: integer, required: true}
    - {name: mail}
    - {name: opened, type: date}
    - {name: remark}
  key: [code]
---
kind: Form
name: firm-report
title: {zh: 企业年报, en: Report}
spec:
  dataset: firms
  subject: code
  fields: [{field: name}, {field: trade}, {field: phone}, {field: staff}, {field: mail, check: email}, {field: opened}]
  prefill: {datasets: [licences], purpose: yearly report, basis: 企业信息公示暂行条例}
"""
LICENCE = (CODE, "甲公司", "F", "020-81000000")


def fill(work: LakeTransaction) -> str:
    work.offer("given", {f"c{i}": np.array([value], dtype=object) for i, value in enumerate(LICENCE)})
    return 'SELECT c0 AS "代码", c1 AS "名称", c2 AS "行业", c3 AS "电话" FROM given'


@pytest_asyncio.fixture
async def firms(town: Platform) -> AsyncIterator[Platform]:
    """A town with one licence and a form for firms."""
    await declare(town, DECLARED)
    await town.get(Tables).load("licences", fill, "append", "made")
    await town.settle()
    yield town


def by_field(draft: dict[str, Any]) -> dict[str, tuple[Any, Any, bool]]:
    return {each["field"]: (each["value"], each["origin"], each["read_only"]) for each in draft["fields"]}


async def test_only_what_is_not_known_is_asked_and_every_look_is_in_the_ledger(firms: Platform, admin: httpx.AsyncClient) -> None:
    draft = (await admin.get(f"{BASE}/forms/firm-report/draft", params={"subject": CODE})).json()
    assert by_field(draft) == {
        "name": ("甲公司", "licences", True),
        "trade": ("F", "licences", False),
        "phone": ("020-81000000", "licences", False),
        "staff": (None, None, False),
        "mail": (None, None, False),
        "opened": (None, None, False),
    }
    assert draft["asked"] == ["staff", "mail", "opened"]
    assert [choice["code"] for choice in draft["fields"][1]["choices"]] == ["F", "H", "X"]
    reads = await firms.records.read(
        lambda s: s.rows("SELECT payload FROM kernel_outbox WHERE type = 'elements.protection.read'")
    )
    told = json.loads(reads[-1]["payload"])
    assert (told["grant"], told["purpose"], told["rows"]) == ("form:firm-report", "yearly report", 1)
    body = {"subject": CODE, "version": 0, "values": {"trade": "H", "phone": "020-82222222", "staff": 12, "opened": "2013-05-06"}}
    answer = await admin.post(f"{BASE}/forms/firm-report/submissions", json=body)
    assert answer.status_code == 201, answer.text
    await firms.settle()
    assert await held(firms, "code, name, trade, phone, staff, mail, CAST(opened AS VARCHAR)", "firms") == [
        (CODE, "甲公司", "H", "020-82222222", 12, None, "2013-05-06")
    ]
    whole = (await admin.get(f"{BASE}/forms/firm-report/submissions/{answer.json()['id']}")).json()
    assert whole["origins"] == {"name": "licences", "trade": "filled", "phone": "filled", "staff": "filled", "opened": "filled"}
    assert whole["load"] is not None
    assert (await firms.get(Ledger).verify()).sound


@both
async def test_a_later_submission_follows_the_last_and_keeps_what_the_form_does_not_have(
    firms: Platform, admin: httpx.AsyncClient
) -> None:
    def remark(work: LakeTransaction) -> str:
        return f"SELECT '{CODE}' AS code, 'old' AS name, 1 AS staff, 'kept' AS remark, 'a@b.example' AS mail"

    await firms.get(Tables).load("firms", remark, "append", "made")
    post = f"{BASE}/forms/firm-report/submissions"
    assert (await admin.post(post, json={"subject": CODE, "version": 0, "values": {"staff": 3}})).status_code == 201
    stale = await admin.post(post, json={"subject": CODE, "version": 0, "values": {"staff": 4}})
    assert (stale.status_code, stale.json()["key"]) == (412, "error.stale")
    draft = (await admin.get(f"{BASE}/forms/firm-report/draft", params={"subject": CODE})).json()
    assert (draft["version"], by_field(draft)["staff"]) == (1, (3, "submission", False))
    assert (await admin.post(post, json={"subject": CODE, "version": 1, "values": {"staff": 5}})).status_code == 201
    await firms.settle()
    assert await held(firms, "code, name, staff, remark, mail", "firms") == [(CODE, "甲公司", 5, "kept", None)]
    listed = (await admin.get(post, params={"limit": 1})).json()
    assert (listed["items"][0]["version"], listed["next"] is not None) == (2, True)


async def test_every_fault_of_a_submission_is_named_with_its_field(firms: Platform, admin: httpx.AsyncClient) -> None:
    values = {"name": "别名", "trade": "Z", "phone": "abc", "staff": "many", "mail": "nobody", "opened": "2013-13-01", "more": 1}
    body = {"subject": CODE, "version": 0, "values": values}
    answer = await admin.post(f"{BASE}/forms/firm-report/submissions", json=body)
    assert answer.status_code == 422
    assert {error["field"]: error["key"] for error in answer.json()["errors"]} == {
        "values.more": "field.unknown",
        "values.name": "collection.form.elsewhere",
        "values.trade": "field.choice",
        "values.phone": "field.pattern",
        "values.staff": "field.type",
        "values.mail": "collection.form.check",
        "values.opened": "field.type",
    }
    body = {"subject": CODE, "version": 0, "values": {"trade": "X"}}
    answer = await admin.post(f"{BASE}/forms/firm-report/submissions", json=body)
    assert {e["field"]: e["key"] for e in answer.json()["errors"]} == {
        "values.trade": "collection.form.code",
        "values.staff": "field.missing",
    }
    answer = await admin.get(f"{BASE}/forms/firm-report/draft", params={"subject": CODE[:-1] + "0"})
    assert (answer.status_code, answer.json()["errors"][0]["key"]) == (422, "collection.form.check")
    for broken in ("subject: staff", "subject: nothing"):
        with pytest.raises(Invalid):
            await declare(firms, DECLARED.replace("subject: code", broken))


async def test_who_may_not_see_others_is_shown_only_what_they_handed_in_themselves(
    firms: Platform, admin: httpx.AsyncClient
) -> None:
    await declare(firms, '{kind: Role, name: filler, title: {zh: 填, en: F}, spec: {actions: ["form:fill"]}}')
    accounts = firms.get(Identity).accounts
    person, _ = await accounts.create_person(PersonDraft("clerk", {"zh": "员", "en": "Clerk"}, "town", ("filler",)))
    token = (await accounts.create_token(person.id, "test", ["*"]))[1]
    transport = httpx.ASGITransport(create_asgi(firms))
    async with httpx.AsyncClient(transport=transport, base_url="http://t", headers={"Authorization": f"Bearer {token}"}) as clerk:
        draft = (await clerk.get(f"{BASE}/forms/firm-report/draft", params={"subject": CODE})).json()
        assert set(draft["asked"]) == {"name", "trade", "phone", "staff", "mail", "opened"}
        body = {"subject": CODE, "version": 0, "values": {"staff": 3}}
        id_ = (await admin.post(f"{BASE}/forms/firm-report/submissions", json=body)).json()["id"]
        for path in (f"forms/firm-report/draft?subject={CODE}", f"forms/firm-report/submissions/{id_}"):
            assert (await clerk.get(f"{BASE}/{path}")).status_code == 404
        body = {"subject": CODE, "version": 1, "values": {"name": "x", "staff": 3}}
        assert (await clerk.post(f"{BASE}/forms/firm-report/submissions", json=body)).status_code == 404
        assert (await clerk.get(f"{BASE}/forms/firm-report/submissions")).status_code == 403


@settings(max_examples=40)
@given(st.integers(0, 16), st.sampled_from("0123456789ABCDEFGHJKLMNPQRTUWXY"))
def test_one_wrong_character_is_always_noticed(place: int, other: str) -> None:
    # The code's alphabet and its modulus have 31 characters; the citizen's number is checked after ISO 7064 MOD 11-2.
    changed = CODE[:place] + other + CODE[place + 1 :]
    assert rules.credit_code(CODE)
    assert rules.credit_code(changed) == (changed == CODE)
    number = "11010519491231002X"
    assert rules.id_card(number)
    digit = str(ord(other) % 10)
    altered = number[:place] + digit + number[place + 1 :]
    assert rules.id_card(altered) == (altered == number)
