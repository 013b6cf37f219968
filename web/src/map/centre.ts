/** Where the name of an area stands best: deep inside of its largest part, not near a border. */

type Ring = readonly (readonly number[])[];
const STEPS = 24;

function ringsOf(geometry: GeoJSON.Geometry): Ring[] {
  if (geometry.type === "Polygon") return geometry.coordinates.slice(0, 1);
  if (geometry.type === "MultiPolygon") return geometry.coordinates.flatMap((polygon) => polygon.slice(0, 1));
  return [];
}

function area(ring: Ring): number {
  let sum = 0;
  for (let i = 0, j = ring.length - 1; i < ring.length; j = i++) sum += (ring[j]![0]! - ring[i]![0]!) * (ring[j]![1]! + ring[i]![1]!);
  return Math.abs(sum / 2);
}

function inside(x: number, y: number, ring: Ring): boolean {
  let within = false;
  for (let i = 0, j = ring.length - 1; i < ring.length; j = i++) {
    const [xi, yi, xj, yj] = [ring[i]![0]!, ring[i]![1]!, ring[j]![0]!, ring[j]![1]!];
    if (yi > y !== yj > y && x < ((xj - xi) * (y - yi)) / (yj - yi) + xi) within = !within;
  }
  return within;
}

/** The point of a grid over the largest ring that lies farthest from its corners; null for what is no area. */
export function centreOf(geometry: GeoJSON.Geometry): [number, number] | null {
  const ring = ringsOf(geometry).sort((a, b) => area(b) - area(a))[0];
  if (!ring) return null;
  const [xs, ys] = [ring.map((p) => p[0]!), ring.map((p) => p[1]!)];
  const [west, south, east, north] = [Math.min(...xs), Math.min(...ys), Math.max(...xs), Math.max(...ys)];
  let best: { point: [number, number]; room: number } | null = null;
  for (let i = 1; i < STEPS; i++) {
    for (let k = 1; k < STEPS; k++) {
      const [x, y] = [west + ((east - west) * i) / STEPS, south + ((north - south) * k) / STEPS];
      if (!inside(x, y, ring)) continue;
      const room = ring.reduce((least, p) => Math.min(least, (p[0]! - x) ** 2 + (p[1]! - y) ** 2), Infinity);
      if (!best || room > best.room) best = { point: [x, y], room };
    }
  }
  return best?.point ?? null;
}
