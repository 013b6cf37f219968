/** Numbers, times and spans as a reader of the chosen language expects them, in the time zone of the city. */
import { ref } from "vue";
import { language, locale } from "./index";

const zone = ref<string>();

/** All times are shown in the city's own time zone, wherever the reader sits. */
export function useTimeZone(name: string | null | undefined): void {
  try {
    if (name) new Intl.DateTimeFormat("en", { timeZone: name });
    zone.value = name ?? undefined;
  } catch {
    zone.value = undefined;
  }
}

export function number(value: number | null | undefined, digits = 1): string {
  if (value === null || value === undefined || Number.isNaN(value)) return "–";
  const places = Math.abs(value) >= 100 ? 0 : digits;
  return value.toLocaleString(locale(), { maximumFractionDigits: places });
}

/** A value with its unit; a rate (unit "%" or "ratio") reads as a percentage. */
export function measured(value: number | null | undefined, unit: string | null | undefined): string {
  if (value === null || value === undefined || Number.isNaN(value)) return "–";
  if (unit === "ratio") return percent(value);
  if (unit === "%") return `${number(value)}%`;
  return unitText(unit) ? `${number(value)} ${unitText(unit)}` : number(value);
}

/** UCUM codes whose printed form differs. */
const PRINTED: Record<string, string> = { "1": "", ratio: "", "ug/m3": "µg/m³", "mg/m3": "mg/m³", m3: "m³", m2: "m²", km2: "km²", Cel: "°C", deg: "°", Ohm: "Ω" };

/** A unit as it stands beside a number; dimensionless values have none. */
export function unitText(unit: string | null | undefined): string {
  return unit ? (PRINTED[unit] ?? unit) : "";
}

export function percent(ratio: number | null | undefined): string {
  if (ratio === null || ratio === undefined) return "–";
  return ratio.toLocaleString(locale(), { style: "percent", maximumFractionDigits: 0 });
}

function parts(options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  return new Intl.DateTimeFormat(locale(), { hourCycle: "h23", ...(zone.value ? { timeZone: zone.value } : {}), ...options });
}

const FORMATS: Record<string, Intl.DateTimeFormatOptions> = {
  full: { year: "numeric", month: "short", day: "numeric", hour: "2-digit", minute: "2-digit" },
  date: { year: "numeric", month: "short", day: "numeric", weekday: "short" },
  short: { month: "numeric", day: "numeric", hour: "2-digit", minute: "2-digit" },
  shortWords: { month: "short", day: "numeric", hour: "2-digit", minute: "2-digit" },
  clock: { hour: "2-digit", minute: "2-digit" },
};
const cache = new Map<string, Intl.DateTimeFormat>();

export type TimeStyle = "full" | "date" | "short" | "clock";

export function time(when: string | Date | number | null | undefined, style: TimeStyle = "short"): string {
  if (when === null || when === undefined || when === "") return "–";
  const date = new Date(when);
  if (Number.isNaN(date.getTime())) return "–";
  // 3/9 is March in one half of the English-speaking world and September in the other.
  const name = style === "short" && language.value === "en" ? "shortWords" : style;
  const key = `${language.value} ${zone.value} ${name}`;
  let format = cache.get(key);
  if (!format) cache.set(key, (format = parts(FORMATS[name] ?? {})));
  return format.format(date);
}

/** A duration in its two largest units, such as `2 h 5 min` or `3 天 4 小时`. */
export function span(seconds: number): string {
  const zh = language.value === "zh";
  const units: [number, string][] = [
    [86400, zh ? "天" : "d"],
    [3600, zh ? "小时" : "h"],
    [60, zh ? "分" : "min"],
  ];
  let rest = Math.abs(seconds);
  const words: string[] = [];
  for (const [size, name] of units) {
    const count = Math.floor(rest / size);
    if (count > 0 && words.length < 2) words.push(`${count}\u00a0${name}`);
    rest -= count * size;
  }
  return words.join("\u00a0") || (zh ? "不到 1 分" : "< 1 min");
}
