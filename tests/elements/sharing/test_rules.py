"""Rules of sharing: no application is lost, stuck or owned twice, quotas and working days add up, receipts prove themselves."""

from datetime import UTC, date, datetime, timedelta
from hashlib import sha256
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import settings as budget
from hypothesis import strategies as st

from mumian.elements.sharing.contracts import Application, Item, Quota
from mumian.elements.sharing.rules import applications, asking, matching, metering, questions, receipts, workdays
from mumian.elements.sharing.rules.metering import Use
from mumian.kernel.errors import Invalid
from tools import verify_ledger

ZONE = ZoneInfo("Asia/Shanghai")
ITEMS = (Item(dataset="people", fields=("code", "height"), lookup=("code",)),)


def fresh(*, review: bool, bureau: str | None) -> Application:
    return Application(
        number="S1-01",
        batch="S1",
        version=1,
        state="submitted",
        stage="owner",
        applicant="p1",
        organisation="clinic",
        owner="police",
        bureau=bureau,
        review=review and bureau is not None,
        channel="sharing",
        access="conditional",
        items=ITEMS,
        purpose="care",
        use="u",
        basis="b",
        days=30,
        way="query",
        frequency="",
        quota=Quota(),
        renews=None,
        applied_at="2014-01-01",
        due="2014-01-15",
        first_due="2014-01-15",
        missed=0,
    )


def step(application: Application, action: str, number: int) -> Application:
    one = applications.transition(application, action)
    assert one is not None
    time = f"2014-01-02T00:00:{number:02}"
    return applications.after(application, applications.Step(action, one.by, "p2", time, "2014-02-01", "reason", "law"))


@budget(max_examples=200)
@given(st.booleans(), st.booleans(), st.lists(st.integers(0, 20), max_size=12))
def test_every_application_is_always_with_exactly_one_side_until_it_ends_once(
    review: bool, with_bureau: bool, choices: list[int]
) -> None:
    application = fresh(review=review, bureau="bureau" if with_bureau else None)
    ends = 0
    for number, choice in enumerate(choices):
        possible = applications.allowed(application)
        if application.state in applications.OPEN:
            sides = {by for action, by in possible if action not in ("withdraw", "lapse")}
            assert sides == {application.stage}
            assert application.due is not None
        else:
            assert application.stage == ""
            assert application.due is None
        if not possible:
            break
        before = application
        application = step(application, possible[choice % len(possible)][0], number)
        ends += application.state == "granted"
        assert application.version == before.version + 1
        assert application.number == before.number
    assert ends <= 1


@pytest.mark.parametrize("review", [True, False])
@pytest.mark.parametrize("bureau", ["bureau", None])
def test_from_every_state_that_can_be_reached_every_end_can_be_reached(review: bool, bureau: str | None) -> None:
    start = fresh(review=review, bureau=bureau)
    seen, waiting = {(start.state, start.final)}, [start]
    ends: dict[str, set[str]] = {}
    edges: list[tuple[tuple[str, bool], tuple[str, bool]]] = []
    while waiting:
        application = waiting.pop()
        for action, _ in applications.allowed(application):
            reached = step(application, action, 1)
            here, there = (application.state, application.final), (reached.state, reached.final)
            edges.append((here, there))
            if there not in seen:
                seen.add(there)
                waiting.append(reached)
    for _ in range(len(seen)):
        for here, there in edges:
            reached_ends = ends.setdefault(there[0], {there[0]} & set(applications.ENDS))
            ends.setdefault(here[0], set()).update(reached_ends)
    for state in {state for state, _ in seen if state in applications.OPEN}:
        assert {"granted", "refused", "withdrawn"} <= ends[state], state
    assert {state for state, _ in seen} >= set(applications.ENDS)


@budget(max_examples=100)
@given(st.dates(date(2020, 1, 1), date(2030, 1, 1)), st.integers(0, 60), st.sets(st.dates(date(2020, 1, 1), date(2031, 1, 1))))
def test_a_deadline_is_the_end_of_a_working_day_with_as_many_before_it(day: date, days: int, holidays: set[date]) -> None:
    calendar = workdays.Calendar(holidays=holidays)
    start = datetime(day.year, day.month, day.day, 9, tzinfo=UTC)
    end = workdays.deadline(calendar, start, days, ZONE)
    last = (end.astimezone(ZONE) - timedelta(days=1)).date()
    assert workdays.between(calendar, start, datetime(last.year, last.month, last.day, 12, tzinfo=ZONE), ZONE) == days
    assert days == 0 or calendar.worked(last)


def test_a_holiday_that_is_worked_for_at_a_weekend_counts() -> None:
    calendar = workdays.Calendar(holidays={date(2026, 10, day) for day in range(1, 8)}, workdays={date(2026, 10, 10)})
    friday = datetime(2026, 9, 30, 4, tzinfo=UTC)
    assert workdays.deadline(calendar, friday, 3, ZONE).astimezone(ZONE).date() == date(2026, 10, 11)


USES = st.builds(Use, st.integers(0, 3), st.integers(0, 30), st.integers(0, 300))


@budget(max_examples=100)
@given(st.lists(USES, max_size=20), st.integers(0, 10), st.integers(0, 100), st.integers(0, 1000))
def test_what_is_admitted_never_exceeds_the_quota_and_what_fits_is_admitted(
    asked: list[Use], calls: int, rows: int, size: int
) -> None:
    quota = Quota(calls_day=calls, rows_month=rows, bytes_day=size)
    used = {period: Use() for period in metering.PERIODS}
    for more in asked:
        total = used["day"] + more
        fits = total.calls <= calls and total.rows <= rows and total.bytes <= size
        assert (metering.exceeded(quota, used, more) is None) == fits
        if fits:
            used = {period: use + more for period, use in used.items()}
    left = metering.rows_left(quota, used)
    assert left == rows - used["month"].rows


@pytest.mark.parametrize(
    ("period", "now", "expected"),
    [
        ("day", "2014-01-31T15:59:59+00:00", "2014-01-31T16:00:00+00:00"),
        ("day", "2014-01-31T16:00:00+00:00", "2014-02-01T16:00:00+00:00"),
        ("month", "2014-01-31T16:00:00+00:00", "2014-02-28T16:00:00+00:00"),
        ("month", "2013-12-31T15:59:59+00:00", "2013-12-31T16:00:00+00:00"),
    ],
)
def test_quotas_renew_at_midnight_of_the_city(period: str, now: str, expected: str) -> None:
    assert metering.renews(period, datetime.fromisoformat(now), ZONE) == datetime.fromisoformat(expected)


@budget(max_examples=50)
@given(st.integers(1, 40))
def test_every_receipt_of_a_tree_is_proven_as_another_programme_proves_it(size: int) -> None:
    leaves = [receipts.leaf(str(index).encode()) for index in range(size)]
    root, paths = receipts.root(leaves), receipts.paths(leaves)
    for index, path in enumerate(paths):
        found = verify_ledger.climb(index, size - 1, path, leaves[index])
        assert found is not None
        assert found[1] == root


def test_the_digest_of_a_request_is_what_the_page_says() -> None:
    body = b'{"a":1}'
    expected = sha256(f"POST\n/x?y=1\n{sha256(body).hexdigest()}\n".encode()).hexdigest()
    assert receipts.request_digest("POST", "/x?y=1", body) == expected


TEXTS = st.text(st.characters(codec="utf-8"), max_size=30)


@budget(max_examples=200)
@given(st.lists(TEXTS, max_size=3), TEXTS)
def test_no_filter_writes_sql_whatever_it_says(where: list[str], value: str) -> None:
    types = {"height": "number", 'na"me': "text"}
    plain = questions.page("people", types, (), (), None, 5).sql
    for given_filter in [*where, f"height:eq:{value}", f'na"me:in:{value}']:
        try:
            found = questions.page("people", types, (), [given_filter], 1, 5)
        except Invalid:
            continue
        allowed = set(plain + 'WHERE AND _id > $after CAST($w0_0123456789 AS DOUBLE VARCHAR) LIKE IN(),<>=ISNOTNULL"')
        assert set(found.sql) <= allowed


def test_who_decides_gives_no_more_than_was_asked_for() -> None:
    wider = (Item(dataset="people", fields=("code", "phone")), Item(dataset="shops"))
    found = {(fault.field, fault.key) for fault in asking.narrowed(ITEMS, wider)}
    assert found == {("items[0].fields", "sharing.not_asked"), ("items[1].dataset", "sharing.not_asked")}
    assert list(asking.narrowed(ITEMS, (Item(dataset="people", fields=("height",), tokens=("height",)),))) == []
    assert asking.bounded(Quota(rows_day=9), Quota(rows_day=5, calls_day=1)) == Quota(rows_day=5, calls_day=1)


def test_a_demand_finds_the_duty_that_speaks_of_it_before_others() -> None:
    offered = [
        matching.Candidate("duty", "household", "police", "户籍管理 户籍登记信息", frozenset({"id-number"})),
        matching.Candidate("duty", "rain", "water", "雨量监测 rain gauges", frozenset()),
    ]
    found = matching.best("需要户籍登记数据", frozenset({"id-number"}), offered)
    assert [match.name for match in found] == ["household"]
    assert found[0].elements == ("id-number",)
    assert matching.best("rain gauges in the city", frozenset(), offered)[0].name == "rain"
