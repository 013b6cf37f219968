/** Where the labels of a map go: beside their points, never over one another; the less important ones give way. */

export interface Sign {
  id: string;
  longitude: number;
  latitude: number;
  text: string;
  /** Higher is placed first. */
  priority: number;
  /** A sign beside a dot tries the four sides; one without stands on its place. */
  dot: boolean;
}

export interface PlacedSign<S extends Sign> {
  sign: S;
  x: number;
  y: number;
  /** Top left corner of the label, or null where no room was left. */
  label: { x: number; y: number } | null;
}

interface Box {
  x: number;
  y: number;
  width: number;
  height: number;
}

const HEIGHT = 22;
const GAP = 9;
const DOT = 7;

/** The width of a label, by counting: wide (CJK) and narrow characters. */
export function widthOf(text: string): number {
  let width = 16;
  for (const char of text) width += char.codePointAt(0)! > 0x2e7f ? 12.5 : 7;
  return width;
}

const apart = (a: Box, b: Box): boolean => a.x + a.width <= b.x || b.x + b.width <= a.x || a.y + a.height <= b.y || b.y + b.height <= a.y;

function choices(sign: Sign, x: number, y: number): Box[] {
  const size = { width: widthOf(sign.text), height: HEIGHT };
  if (!sign.dot) return [{ x: x - size.width / 2, y: y - HEIGHT / 2, ...size }];
  const [left, right] = [x - GAP - size.width, x + GAP];
  const [above, level, below] = [y - GAP - HEIGHT, y - HEIGHT / 2, y + GAP];
  const spots: [number, number][] = [
    [right, level],
    [left, level],
    [x - size.width / 2, above],
    [x - size.width / 2, below],
    [right, above],
    [left, above],
    [right, below],
    [left, below],
  ];
  return spots.map(([px, py]) => ({ x: px, y: py, ...size }));
}

export function layOut<S extends Sign>(signs: readonly S[], project: (longitude: number, latitude: number) => { x: number; y: number }): PlacedSign<S>[] {
  const placed = signs.map((sign) => ({ sign, ...project(sign.longitude, sign.latitude), label: null as { x: number; y: number } | null }));
  const taken: Box[] = placed.filter((p) => p.sign.dot).map((p) => ({ x: p.x - DOT, y: p.y - DOT, width: 2 * DOT, height: 2 * DOT }));
  for (const one of [...placed].sort((a, b) => b.sign.priority - a.sign.priority)) {
    const free = choices(one.sign, one.x, one.y).find((box) => taken.every((other) => apart(box, other)));
    if (!free) continue;
    taken.push(free);
    one.label = { x: free.x, y: free.y };
  }
  return placed;
}
