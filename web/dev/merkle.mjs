/** The tree of RFC 9162, written as its definition: slow and plain, for the fixture server and for tests. */
import { createHash } from "node:crypto";

const sha256 = (...parts) => parts.reduce((hash, part) => hash.update(part), createHash("sha256")).digest();
export const leaf = (data) => sha256(Buffer.from([0]), Buffer.from(data));
const node = (left, right) => sha256(Buffer.from([1]), left, right);
const split = (n) => 2 ** Math.ceil(Math.log2(n) - 1);

export function root(leaves) {
  if (leaves.length === 0) return sha256();
  if (leaves.length === 1) return leaves[0];
  const k = split(leaves.length);
  return node(root(leaves.slice(0, k)), root(leaves.slice(k)));
}

/** SUBPROOF of RFC 9162 section 2.1.4.1. */
export function consistency(first, leaves, whole = true) {
  if (first === leaves.length) return whole ? [] : [root(leaves)];
  const k = split(leaves.length);
  if (first <= k) return [...consistency(first, leaves.slice(0, k), whole), root(leaves.slice(k))];
  return [...consistency(first - k, leaves.slice(k), false), root(leaves.slice(0, k))];
}
