"""Properties of the MQTT codec and of topic filters, against plain definitions."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mumian.foundation.sensing.mqtt import packets, wire
from mumian.foundation.sensing.mqtt.packets import V5, V311, Publish
from mumian.foundation.sensing.mqtt.topics import Tree, has_wildcard, matches, valid_filter
from mumian.foundation.sensing.mqtt.websocket import WebSocket
from mumian.foundation.sensing.mqtt.wire import Framer, Violation

TEXT = st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"]), max_size=40)
TOPIC = st.text("abc/$é", min_size=1, max_size=20)
VALUES = st.fixed_dictionaries(
    {},
    optional={
        wire.MESSAGE_EXPIRY: st.integers(0, 2**32 - 1),
        wire.CONTENT_TYPE: TEXT,
        wire.CORRELATION: st.binary(max_size=30),
        wire.PAYLOAD_FORMAT: st.integers(0, 1),
        wire.TOPIC_ALIAS: st.integers(1, 65535),
        wire.USER: st.lists(st.tuples(TEXT, TEXT), min_size=1, max_size=3),
    },
)
LEVEL = st.sampled_from(["a", "b", "", "+", "$c"])


@st.composite
def publishes(draw: st.DrawFn) -> Publish:
    """A message as either side may send it."""
    qos = draw(st.integers(0, 2))
    number = draw(st.integers(1, 65535)) if qos else 0
    return Publish(
        draw(TOPIC),
        draw(st.binary(max_size=300)),
        qos,
        draw(st.booleans()),
        qos > 0 and draw(st.booleans()),
        number,
        draw(VALUES),
    )


@given(st.lists(publishes(), max_size=5), st.sampled_from([V311, V5]), st.lists(st.integers(1, 50), min_size=1, max_size=20))
def test_what_is_written_is_read_again_however_it_is_cut(messages: list[Publish], version: int, cuts: list[int]) -> None:
    data = b"".join(packets.publish(message, version) for message in messages)
    framer, found, at = Framer(10_000), [], 0
    while at < len(data):
        step = cuts[at % len(cuts)]
        found += framer.feed(data[at : at + step])
        at += step
    read = [packets.read_publish(first, body, version) for first, body in found]
    assert [r if version == V5 else (r.topic, r.payload, r.qos, r.id) for r in read] == [
        m if version == V5 else (m.topic, m.payload, m.qos, m.id) for m in messages
    ]


@given(st.binary(max_size=200), st.integers(0, 255), st.sampled_from([V311, V5]))
def test_any_bytes_are_read_or_refused_in_the_words_of_the_protocol(body: bytes, first: int, version: int) -> None:
    readers = [
        lambda: packets.read_connect(body),
        lambda: packets.read_publish(first, body, version),
        lambda: packets.read_acknowledgement(first, body, version),
        lambda: packets.read_subscribe(first, body, version),
        lambda: packets.read_unsubscribe(first, body, version),
        lambda: packets.read_disconnect(body, version),
        lambda: Framer(100).feed(body),
        lambda: WebSocket(100).feed(b"GET / HTTP/1.1\r\n\r\n" + body),
    ]
    codes = []
    for read in readers:
        try:
            read()
        except Violation as error:
            codes.append(error.code)
    assert all(0x80 <= code <= 0xFF for code in codes)


@given(st.integers(0, 2**28 - 1))
def test_a_number_of_variable_length_is_read_as_written(value: int) -> None:
    assert wire.Reader(wire.varint(value)).varint() == value


def test_a_packet_over_the_limit_is_refused_before_it_is_there() -> None:
    with pytest.raises(Violation) as refused:
        Framer(1000).feed(b"\x30\xe9\x07")
    assert refused.value.code == wire.TOO_LARGE
    assert Framer(1000).feed(b"\x30\xe8\x07") == []


def plainly(wanted: list[str], levels: list[str]) -> bool:
    """The definition of MQTT 5.0, 4.7, level by level."""
    if not wanted:
        return not levels
    if wanted[0] == "#":
        return True
    return bool(levels) and wanted[0] in ("+", levels[0]) and plainly(wanted[1:], levels[1:])


@given(
    st.lists(LEVEL, min_size=1, max_size=5),
    st.booleans(),
    st.lists(st.sampled_from(["a", "b", "", "$c"]), min_size=1, max_size=5),
)
def test_a_filter_matches_as_defined(levels: list[str], rest: bool, name: list[str]) -> None:
    topic = "/".join([*levels, "#"] if rest else levels)
    if not topic or not "/".join(name):
        return
    hidden = name[0].startswith("$") and topic[0] in "+#"
    assert matches(topic, "/".join(name)) is (plainly(topic.split("/"), name) and not hidden)


@given(
    st.lists(st.tuples(st.lists(LEVEL, min_size=1, max_size=4), st.booleans(), st.booleans()), max_size=12),
    st.lists(st.sampled_from(["a", "b", "", "$c"]), min_size=1, max_size=4),
)
def test_the_tree_finds_every_filter_that_matches(wanted: list[tuple[list[str], bool, bool]], name: list[str]) -> None:
    tree: Tree[int] = Tree()
    kept = {}
    for number, (levels, rest, removed) in enumerate(wanted):
        topic = "/".join([*levels, "#"] if rest else levels)
        tree.add(topic, number)
        if removed:
            tree.remove(topic, number)
        else:
            kept[number] = topic
    assert sorted(tree.find("/".join(name))) == [n for n, topic in kept.items() if matches(topic, "/".join(name))]
    for number, topic in kept.items():
        tree.remove(topic, number)
    assert not tree


def test_filters_are_well_formed_or_not() -> None:
    good = ["#", "+", "a/#", "a/+/b", "/", "a//b", "+/+", "v1.1/Datastreams(1)/Observations?$select=result"]
    bad = ["", "a#", "a/#/b", "+a", "a/b+", "/".join("a" * 40)]
    assert [valid_filter(topic) for topic in good] == [True] * len(good)
    assert [valid_filter(topic) for topic in bad] == [False] * len(bad)
    assert [has_wildcard(topic) for topic in ("a/b", "a/+", "#")] == [False, True, True]
