"""Declared warnings are refused with the field that is wrong."""

import httpx
import pytest

from mumian.brain.warnings.kinds import PLACES, Message
from mumian.kernel.declarations.documents import read_text
from mumian.kernel.errors import Invalid
from mumian.kernel.platform import Platform
from tests.brain.conftest import TOWN, token

GOOD = "{label}{level}预警：{value}"


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize(
    "template",
    [
        *("{label.foo}", "{label[x]}", "{label.__class__}", "{label!r}", "{label!r:>99999999}", "{value:>99999999}"),
        *("{value:{level}}", "{value:}}", "{}", "{0}", "{ label }", "{mayor}", "{label", "label}", "{label!}", "{label!x}"),
    ],
)
async def test_a_message_with_more_than_bare_names_is_refused_with_its_field(
    town: Platform, template: str, language: str
) -> None:
    message = {"zh": "警", "en": "!"} | {language: template}
    start = TOWN.index("  message: {zh:")
    end = TOWN.index("\n", start)
    changed = f'{TOWN[:start]}  message: {{zh: "{message["zh"]}", en: "{message["en"]}"}}{TOWN[end:]}'
    with pytest.raises(Invalid) as refused:
        await town.declarations.apply(read_text(changed.encode()), "town")
    assert f"spec.message.{language}" in [fault.field for fault in refused.value.faults]


async def test_the_api_answers_a_bad_message_with_a_problem(town: Platform, client: httpx.AsyncClient) -> None:
    client.headers["Authorization"] = f"Bearer {await token(town, 'admin', 'administrator', 'town')}"
    changed = TOWN.replace(GOOD, "{label.foo}")
    answer = await client.post("/api/v1/declarations/diff", json={"documents": changed})
    assert answer.status_code == 422, answer.text
    assert "spec.message.zh" in [error["field"] for error in answer.json()["errors"]]


def test_every_known_name_and_doubled_braces_are_taken() -> None:
    template = "".join("{" + name + "}" for name in PLACES) + " {{ }}"
    assert Message(zh=template, en=template).zh == template
