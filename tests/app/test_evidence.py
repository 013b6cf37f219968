"""The evidence check of declarations: what was changed behind the platform's back is found and named."""

from mumian.foundation.ledger.api import Ledger
from mumian.kernel.declarations.documents import read_text
from mumian.kernel.platform import Platform

_ORGANISATION = b"kind: Organisation\nname: bureau\ntitle: {zh: \xe5\xb1\x80, en: Bureau}\nspec: {level: city}\n"


async def test_a_declaration_changed_in_the_records_is_found_and_named(platform: Platform) -> None:
    await platform.declarations.apply(read_text(_ORGANISATION), "test")
    assert (await platform.get(Ledger).verify()).sound
    await platform.records.write(
        lambda tx: tx.session.execute("UPDATE declaration_current SET document = REPLACE(document, 'Bureau', 'Bureav')")
    )
    faults = (await platform.get(Ledger).verify()).faults
    assert [(f.table, f.entry, f.field) for f in faults] == [("declaration_current", "Organisation bureau", "document")]


async def test_a_declaration_removed_from_the_records_is_found_and_named(platform: Platform) -> None:
    await platform.declarations.apply(read_text(_ORGANISATION), "test")
    await platform.records.write(lambda tx: tx.session.execute("DELETE FROM declaration_current"))
    faults = (await platform.get(Ledger).verify()).faults
    assert [(f.entry, f.found) for f in faults] == [("Organisation bureau", "nothing")]
