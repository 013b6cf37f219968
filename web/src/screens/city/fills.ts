/** The colours of districts: by the level of a vital sign, or by how many incidents are open. */
import { computed, type Ref } from "vue";
import type { Vital } from "@/api/types";
import { theme, token } from "@/state/theme";

export type ColourBy = "vital" | "incidents";

/** Least number of open incidents for each shade. */
export const HEAT_STEPS = [1, 2, 4] as const;

/** Level colours come from standards that were not made for areas; mixed with the land they stay calm. */
const SHARE = 0.55;

export function heatOf(): string[] {
  return HEAT_STEPS.map((_, i) => `var(--map-heat-${i + 1})`);
}

function channels(colour: string): [number, number, number] | null {
  const hex = /^#([0-9a-f]{6})$/i.exec(colour)?.[1];
  return hex ? [parseInt(hex.slice(0, 2), 16), parseInt(hex.slice(2, 4), 16), parseInt(hex.slice(4, 6), 16)] : null;
}

export function mixed(colour: string, ground: string, share: number): string {
  const [a, b] = [channels(colour), channels(ground)];
  if (!a || !b) return ground;
  return `rgb(${a.map((v, i) => Math.round(v * share + b[i]! * (1 - share))).join(",")})`;
}

export function useDistrictFills(by: Ref<ColourBy>, vital: Ref<Vital | undefined>, open: Ref<Map<string, number>>) {
  return computed(() => {
    void theme.value;
    const fills = new Map<string, string>();
    if (by.value === "vital") {
      for (const value of vital.value?.values ?? []) {
        if (value.dimension === "district" && value.level) fills.set(value.key, mixed(value.level.colour, token("--map-land"), SHARE));
      }
      return fills;
    }
    for (const [code, count] of open.value) {
      const shade = HEAT_STEPS.filter((least) => count >= least).length;
      if (shade > 0) fills.set(code, token(`--map-heat-${shade}`));
    }
    return fills;
  });
}
