/** The city this server runs: its name, districts and clock, shared by all screens. */
import { computed, effectScope, ref, shallowRef, watch } from "vue";
import { api } from "@/api/endpoints";
import { listen } from "@/api/events";
import type { City } from "@/api/types";
import { say, shortName } from "@/i18n";
import { useTimeZone } from "@/i18n/format";
import { useResource, type Resource } from "./resource";

let shared: Resource<City> | null = null;
const now = ref(Date.now());
const anchor = shallowRef({ city: Date.now(), wall: performance.now(), speed: 1 });

const RESYNC_MS = 20_000;
const TICK_MS = 1000;
/** A fast replay would jump by an hour at each second. */
const FAST = 60;
const FAST_TICK_MS = 250;

export function useCity(): Resource<City> {
  if (!shared) {
    shared = effectScope(true).run(() => {
      const city = useResource(api.city, { topics: ["declarations.applied"], everyMs: RESYNC_MS });
      watch(city.data, follow);
      return city;
    })!;
    listen((event) => hearTime(event.time));
    setInterval(() => anchor.value.speed <= FAST && tick(), TICK_MS);
    setInterval(() => anchor.value.speed > FAST && tick(), FAST_TICK_MS);
  }
  return shared;
}

function follow(city: City | null): void {
  if (!city) return;
  useTimeZone(city.timezone);
  anchor.value = { city: Date.parse(city.clock.now), wall: performance.now(), speed: city.clock.speed };
  tick();
}

/** An event of a later time than ours proves that our clock is behind. */
function hearTime(time: string): void {
  const heard = Date.parse(time);
  if (heard > now.value && cityMode.value === "replay") anchor.value = { ...anchor.value, city: heard, wall: performance.now() };
}

function tick(): void {
  const { city, wall, speed } = anchor.value;
  now.value = city + (performance.now() - wall) * speed;
}

/** The city's own time in milliseconds, in a replay the simulated one; ticks every second. */
export const cityNow = computed(() => now.value);
export const cityMode = computed(() => shared?.data.value?.clock.mode ?? "live");

export const districtNames = computed(() => new Map((shared?.data.value?.districts ?? []).map((d) => [d.code, d.title])));

export function districtName(code: string | null | undefined): string {
  if (!code) return "";
  return say(districtNames.value.get(code)) || code;
}

export function shortDistrictName(code: string | null | undefined): string {
  return shortName(districtName(code));
}
