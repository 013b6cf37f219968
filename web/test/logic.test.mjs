/** The decisions of the shell that need no browser: proofs, the event stream, labels on the map, deadlines. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { consistency, leaf, root } from "../dev/merkle.mjs";
import { load, unload } from "./modules.mjs";

before(() => {
  globalThis.navigator ??= { language: "en" };
  globalThis.localStorage ??= { getItem: () => null, setItem: () => undefined, removeItem: () => undefined };
  globalThis.document ??= { documentElement: { lang: "", dataset: {} }, createElement: () => ({}), addEventListener: () => undefined };
});
after(unload);

const tree = (size) => Array.from({ length: size }, (_, i) => leaf(`entry ${i}`));
const head = (leaves) => ({ size: leaves.length, root: root(leaves).toString("hex") });

test("every earlier head of a growing ledger is proved to be its beginning", async () => {
  const { consistent } = await load("/src/state/merkle.ts");
  for (let size = 1; size <= 40; size++) {
    const leaves = tree(size);
    for (let first = 1; first <= size; first++) {
      const path = consistency(first, leaves).map((hash) => hash.toString("hex"));
      assert.ok(await consistent(head(leaves.slice(0, first)), head(leaves), path), `${first} of ${size}`);
    }
  }
});

test("a ledger whose past was changed is found out", async () => {
  const { consistent } = await load("/src/state/merkle.ts");
  const leaves = tree(21);
  const forged = [...leaves];
  forged[3] = leaf("something else");
  for (let first = 4; first <= 21; first++) {
    const path = consistency(first, forged).map((hash) => hash.toString("hex"));
    assert.equal(await consistent(head(leaves.slice(0, first)), head(forged), path), false, `${first}`);
  }
  assert.equal(await consistent(head(leaves), head(leaves.slice(0, 5)), []), false, "a ledger never shrinks");
});

test("events are read whatever way the stream is cut into chunks", async () => {
  const { parser } = await load("/src/api/events.ts");
  const stream = 'retry: 2000\n\n: still here\n\nid: 7\nevent: brain.incidents.opened\ndata: {"subject":"GZ-1"}\n\nid: 8\r\nevent: x\r\ndata: a\r\ndata: b\r\n\r\n';
  const expected = [
    ["7", "brain.incidents.opened", '{"subject":"GZ-1"}'],
    ["8", "x", "a\nb"],
  ];
  for (let size = 1; size <= stream.length; size++) {
    const seen = [];
    const feed = parser((...event) => seen.push(event));
    for (let at = 0; at < stream.length; at += size) feed(stream.slice(at, at + size));
    assert.deepEqual(seen, expected, `chunks of ${size}`);
  }
});

test("labels on the map never lie over one another or over a dot, and the important ones stay", async () => {
  const { layOut, widthOf } = await load("/src/map/layout.ts");
  let seed = 5;
  const random = () => (seed = (seed * 16807) % 2147483647) / 2147483647;
  const signs = Array.from({ length: 60 }, (_, i) => ({ id: `${i}`, longitude: random() * 300, latitude: random() * 300, text: i % 2 ? "天河区" : "142", priority: i === 0 ? 9 : i % 3, dot: i % 2 === 0 }));
  const placed = layOut(signs, (x, y) => ({ x, y }));
  const boxes = placed.filter((p) => p.label).map((p) => ({ x: p.label.x, y: p.label.y, w: widthOf(p.sign.text), h: 22 }));
  boxes.forEach((a, i) => boxes.slice(i + 1).forEach((b) => assert.ok(a.x + a.w <= b.x || b.x + b.w <= a.x || a.y + a.h <= b.y || b.y + b.h <= a.y)));
  assert.ok(boxes.length < signs.length, "the field is too full for all");
  assert.ok(placed[0].label, "the most important one has its place");
});

test("an incident works towards the deadline of its stage", async () => {
  const { nextDue, countByStage } = await load("/src/state/incidents.ts");
  const due = { accept: "a", resolve: "r", verify: "v" };
  const expected = { reported: "a", dispatched: "a", handling: "r", handled: "v", verified: null, closed: null };
  for (const [state, when] of Object.entries(expected)) assert.equal(nextDue({ state, due }), when, state);
  assert.equal(countByStage([{ state: "filed" }, { state: "filed" }], 12).filed, 2);
  assert.equal(countByStage([], 12).closed, 12);
});
