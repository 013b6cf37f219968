/** What stands on the map: districts, stations and incidents, with their words for eyes and for ears. */
import type { Districts, Incident, Stream, Vital } from "@/api/types";
import { say, shortName, t } from "@/i18n";
import { number } from "@/i18n/format";
import { centreOf } from "./centre";
import type { Sign } from "./layout";

export interface MapSign extends Sign {
  kind: "district" | "station" | "incident";
  /** Something here needs work. */
  urgent: boolean;
  colour: string | null;
  spoken: string;
  /** District code, station (thing) name or incident numbers. */
  target: string[];
}

const labelPoints = new WeakMap<Districts, Map<string, [number, number]>>();

function labelPointsOf(districts: Districts): Map<string, [number, number]> {
  let points = labelPoints.get(districts);
  if (!points) {
    points = new Map(districts.features.map((f) => [f.properties.code, centreOf(f.geometry) ?? f.properties.centre]));
    labelPoints.set(districts, points);
  }
  return points;
}

export function districtSigns(districts: Districts, open: ReadonlyMap<string, number>): MapSign[] {
  const points = labelPointsOf(districts);
  return districts.features.map(({ properties: { code, name, centre } }) => ({
    id: `district-${code}`,
    kind: "district",
    longitude: (points.get(code) ?? centre)[0],
    latitude: (points.get(code) ?? centre)[1],
    text: shortName(name),
    priority: 1,
    dot: false,
    urgent: false,
    colour: null,
    spoken: t("map.district", { name: say(name), n: open.get(code) ?? 0 }),
    target: [code],
  }));
}

/** The box around all districts, so that the map shows exactly them. */
export function boundsOf(districts: Districts): [number, number, number, number] | null {
  const box: [number, number, number, number] = [Infinity, Infinity, -Infinity, -Infinity];
  const visit = (part: unknown): void => {
    if (!Array.isArray(part)) return;
    const [x, y] = part as unknown[];
    if (typeof x !== "number" || typeof y !== "number") return part.forEach(visit);
    [box[0], box[1], box[2], box[3]] = [Math.min(box[0], x), Math.min(box[1], y), Math.max(box[2], x), Math.max(box[3], y)];
  };
  for (const { geometry } of districts.features) visit("coordinates" in geometry ? geometry.coordinates : []);
  return Number.isFinite(box[0]) ? box : null;
}

export interface Station {
  thing: string;
  longitude: number;
  latitude: number;
  streams: Stream[];
}

/** Streams of one thing stand on one place: a station. */
export function stationsOf(streams: readonly Stream[]): Station[] {
  const stations = new Map<string, Station>();
  for (const stream of streams) {
    if (stream.longitude === null || stream.latitude === null) continue;
    const thing = stream.thing || stream.name;
    const known = stations.get(thing);
    if (known) known.streams.push(stream);
    else stations.set(thing, { thing, longitude: stream.longitude, latitude: stream.latitude, streams: [stream] });
  }
  return [...stations.values()];
}

/** The value of a vital at a station: by the name of one of its streams or of the thing itself. */
export function vitalAt(station: Station, vital: Vital | undefined) {
  const names = new Set([station.thing, ...station.streams.map((s) => s.name)]);
  return vital?.values.find((value) => names.has(value.key));
}

const SAME_PLACE = 1e-4;

/** Whether an incident happened at a station: it then shares the station's sign. */
export function isAt(incident: Incident, station: Station): boolean {
  const { longitude, latitude } = incident.place;
  return longitude !== null && latitude !== null && Math.abs(longitude - station.longitude) < SAME_PLACE && Math.abs(latitude - station.latitude) < SAME_PLACE;
}

export function stationSigns(stations: readonly Station[], vital: Vital | undefined, open: readonly Incident[]): MapSign[] {
  return stations.map((station) => {
    const value = vitalAt(station, vital);
    const here = open.filter((incident) => isAt(incident, station)).length;
    const text = value ? (value.state === "missing" ? t("common.missing") : number(value.value)) : stationName(station);
    return {
      id: `station-${station.thing}`,
      kind: "station",
      longitude: station.longitude,
      latitude: station.latitude,
      text,
      priority: 3,
      dot: true,
      urgent: here > 0,
      colour: value?.level?.colour ?? null,
      spoken: `${t("map.station", { name: value ? say(value.label) : stationName(station) })}: ${text} ${say(value?.level?.title)}${here > 0 ? `, ${t("map.incidentCount", { n: here })}` : ""}`,
      target: [station.thing],
    };
  });
}

export function stationName(station: Station): string {
  const [first] = station.streams;
  return first && station.streams.length === 1 ? say(first.title) : station.thing;
}

/** Incidents of one place share a sign, so that none hides another. */
export function incidentSigns(incidents: readonly Incident[]): MapSign[] {
  const places = new Map<string, Incident[]>();
  for (const incident of incidents) {
    if (incident.place.longitude === null || incident.place.latitude === null) continue;
    const key = `${incident.place.longitude.toFixed(4)} ${incident.place.latitude.toFixed(4)}`;
    places.set(key, [...(places.get(key) ?? []), incident]);
  }
  return [...places].map(([key, here]) => ({
    id: `incident-${key}`,
    kind: "incident",
    longitude: here[0]!.place.longitude!,
    latitude: here[0]!.place.latitude!,
    text: t("map.incidentCount", { n: here.length }),
    priority: 2,
    dot: true,
    urgent: true,
    colour: null,
    spoken: here.map((incident) => t("map.incident", { number: incident.number })).join(", "),
    target: here.map((incident) => incident.number),
  }));
}
