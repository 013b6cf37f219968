/** What colours mean in the view of three dimensions: uses, heights, kinds and depths of pipes, for light and dark. */
import type { Key } from "@/i18n";

export interface Swatch {
  /** A translation key, or plain text such as "10–20 m". */
  key?: Key;
  text?: string;
  colour: string;
}

export const USES = ["residential", "office", "commercial", "industrial", "education", "health", "government", "culture", "transport", "utility", "agriculture", "mixed", "other"] as const;
export type Use = (typeof USES)[number];

/** Tones that colour-blind readers tell apart in the order of the legend; names stand beside them. */
const USE_COLOURS: Record<Use, [string, string]> = {
  residential: ["#e5b769", "#c79a4d"],
  office: ["#6f9fd8", "#6f9fd8"],
  commercial: ["#d9685b", "#d9685b"],
  industrial: ["#9a86c4", "#9a86c4"],
  education: ["#58b09c", "#58b09c"],
  health: ["#e28bb4", "#cf7aa3"],
  government: ["#3f6f9f", "#5c8fc0"],
  culture: ["#b7793f", "#b7793f"],
  transport: ["#7d8794", "#8b96a5"],
  utility: ["#a3a64f", "#a3a64f"],
  agriculture: ["#86b85b", "#86b85b"],
  mixed: ["#c9a0a0", "#b58c8c"],
  other: ["#b9b2a4", "#857f74"],
};
export const UNKNOWN: [string, string] = ["#d6d1c6", "#5b6672"];

export const HEIGHTS = [0, 6, 12, 24, 50, 100] as const;
const HEIGHT_COLOURS: [string, string][] = [
  ["#f2dcb3", "#4a5866"],
  ["#e9bd8a", "#5f7488"],
  ["#dd9a6c", "#7f93a8"],
  ["#c8735c", "#b58a63"],
  ["#a04c55", "#d98b5f"],
  ["#6d2f4c", "#f0a878"],
];
export const PIPES = ["water", "drainage", "gas", "heat", "power", "telecom"] as const;
const PIPE_COLOURS: Record<(typeof PIPES)[number], [string, string]> = {
  water: ["#1f6fc4", "#66aef5"],
  drainage: ["#7a5230", "#c69668"],
  gas: ["#b98900", "#f0c540"],
  heat: ["#c23b2e", "#f07a6a"],
  power: ["#8e3fae", "#cf8ae8"],
  telecom: ["#1d8a58", "#5fd09a"],
};
export const DEPTHS = [0, 1, 2, 4, 7] as const;
const DEPTH_COLOURS: [string, string][] = [
  ["#8ac6e8", "#bfe5fb"],
  ["#4f9fd4", "#86c5f0"],
  ["#2b74b4", "#4f9fe0"],
  ["#1f4e8c", "#3b77c9"],
  ["#152c5e", "#2d55a8"],
];

const tone = (pair: [string, string], dark: boolean): string => pair[dark ? 1 : 0];
const span = (steps: readonly number[], i: number): string => (i + 1 < steps.length ? `${steps[i]}–${steps[i + 1]} m` : `> ${steps[i]} m`);

export function useSwatches(dark: boolean, present: readonly string[]): Swatch[] {
  const known = USES.filter((use) => present.includes(use)).map((use): Swatch => ({ key: `city3d.use.${use}`, colour: tone(USE_COLOURS[use], dark) }));
  return present.includes("") || known.length === 0 ? [...known, { key: "city3d.use.unknown", colour: tone(UNKNOWN, dark) }] : known;
}
export const heightSwatches = (dark: boolean): Swatch[] => HEIGHTS.map((_, i) => ({ text: span(HEIGHTS, i), colour: tone(HEIGHT_COLOURS[i]!, dark) }));
export const pipeSwatches = (dark: boolean, present: readonly string[]): Swatch[] => PIPES.filter((kind) => present.includes(kind)).map((kind) => ({ key: `city3d.pipe.${kind}`, colour: tone(PIPE_COLOURS[kind], dark) }));
export const depthSwatches = (dark: boolean): Swatch[] => [...DEPTHS.map((_, i) => ({ text: span(DEPTHS, i), colour: tone(DEPTH_COLOURS[i]!, dark) })), { key: "city3d.depthUnknown" as Key, colour: tone(UNKNOWN, dark) }];

export function buildingColour(by: "use" | "height", dark: boolean): unknown[] {
  if (by === "use") return ["match", ["coalesce", ["get", "use"], ""], ...USES.flatMap((use) => [use, tone(USE_COLOURS[use], dark)]), tone(UNKNOWN, dark)];
  const steps = HEIGHTS.slice(1).flatMap((height, i) => [height, tone(HEIGHT_COLOURS[i + 1]!, dark)]);
  return ["step", ["coalesce", ["get", "height"], 0], tone(HEIGHT_COLOURS[0]!, dark), ...steps];
}

export function pipeColour(by: "kind" | "depth", dark: boolean): unknown[] {
  if (by === "kind") return ["match", ["get", "network_kind"], ...PIPES.flatMap((kind) => [kind, tone(PIPE_COLOURS[kind], dark)]), tone(UNKNOWN, dark)];
  const steps = DEPTHS.slice(1).flatMap((depth, i) => [depth, tone(DEPTH_COLOURS[i + 1]!, dark)]);
  return ["case", ["==", ["typeof", ["get", "depth"]], "number"], ["step", ["coalesce", ["get", "depth"], 0], tone(DEPTH_COLOURS[0]!, dark), ...steps], tone(UNKNOWN, dark)];
}
