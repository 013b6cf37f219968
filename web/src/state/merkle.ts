/** Consistency of two ledger heads, checked in the browser after RFC 9162 section 2.1.4.2. */

export interface Head {
  size: number;
  root: string;
}

export function bytesOf(text: string): Uint8Array<ArrayBuffer> {
  if (/^[0-9a-f]*$/i.test(text) && text.length % 2 === 0) return Uint8Array.from(text.match(/../g) ?? [], (pair) => parseInt(pair, 16));
  const plain = atob(text.replace(/-/g, "+").replace(/_/g, "/"));
  return Uint8Array.from(plain, (char) => char.charCodeAt(0));
}

function same(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}

async function node(left: Uint8Array, right: Uint8Array): Promise<Uint8Array<ArrayBuffer>> {
  const input = new Uint8Array(1 + left.length + right.length);
  input[0] = 1;
  input.set(left, 1);
  input.set(right, 1 + left.length);
  return new Uint8Array(await crypto.subtle.digest("SHA-256", input));
}

const half = (n: number): number => Math.floor(n / 2);
const odd = (n: number): boolean => n % 2 === 1;
const powerOfTwo = (n: number): boolean => Number.isInteger(Math.log2(n));

/** True when `path` proves that the tree `second` begins with exactly the tree `first`. */
export async function consistent(first: Head, second: Head, path: readonly string[]): Promise<boolean> {
  const [old, now] = [bytesOf(first.root), bytesOf(second.root)];
  if (first.size === second.size) return same(old, now);
  if (first.size < 1 || first.size > second.size) return false;
  const steps = path.map(bytesOf);
  if (powerOfTwo(first.size)) steps.unshift(old);
  const [start, ...rest] = steps;
  if (!start) return false;
  let [fn, sn] = [first.size - 1, second.size - 1];
  while (odd(fn)) [fn, sn] = [half(fn), half(sn)];
  let [fr, sr]: [Uint8Array, Uint8Array] = [start, start];
  for (const step of rest) {
    if (sn === 0) return false;
    if (odd(fn) || fn === sn) {
      [fr, sr] = [await node(step, fr), await node(step, sr)];
      while (!odd(fn) && fn !== 0) [fn, sn] = [half(fn), half(sn)];
    } else {
      sr = await node(sr, step);
    }
    [fn, sn] = [half(fn), half(sn)];
  }
  return sn === 0 && same(fr, old) && same(sr, now);
}
