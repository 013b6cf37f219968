/** The REST contract answered from the simulation: one function for each path. */
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { consistency, root } from "./merkle.mjs";
import { DISTRICTS } from "./simulation.mjs";

const PERSON = { login: "admin", title: { zh: "管理员", en: "Administrator" }, roles: ["administrator"], organisation: "gz" };

/** Real boundaries from a GeoJSON file when one is named, otherwise a box around each centre. */
function districts() {
  const file = process.env["MUMIAN_DEV_DISTRICTS"];
  if (file) return JSON.parse(readFileSync(file, "utf8"));
  const box = ([x, y]) => [[x - 0.04, y - 0.03], [x + 0.04, y - 0.03], [x + 0.04, y + 0.03], [x - 0.04, y + 0.03], [x - 0.04, y - 0.03]];
  const features = DISTRICTS.map(({ code, title, centre }) => ({
    type: "Feature",
    properties: { code, name: title, centre },
    geometry: { type: "Polygon", coordinates: [box(centre)] },
  }));
  return { type: "FeatureCollection", features };
}

const page = (items) => ({ items, next: null });
const VITALS = [
  ["aqi", "空气质量指数 AQI", "Air quality index", ""],
  ["pm25_24h", "PM2.5 24 小时均值", "PM2.5, 24-hour mean", "µg/m³"],
];

export function answers(city) {
  const summary = ({ history: _h, evidence: _e, ...incident }) => incident;
  const detail = (incident) => ({ ...incident, actions: city.actions(incident) });
  const find = (number) => city.incidents.find((i) => i.number === number);
  const evaluation = (by) => {
    const groups = Map.groupBy ? Map.groupBy(city.incidents, keyOf) : group(city.incidents, keyOf);
    function keyOf(i) {
      return by === "district" ? i.place.district : `gz-${i.place.district}-ecology`;
    }
    return [...groups].map(([key, mine]) => {
      const closed = mine.filter((i) => i.state === "closed");
      const hours = closed.map((i) => (Date.parse(i.closed_at) - Date.parse(i.opened_at)) / 3_600_000).sort((a, b) => a - b);
      const district = DISTRICTS.find((d) => key.includes(d.code)).title;
      const label = by === "district" ? district : { zh: `${district.zh}生态环境分局`, en: `${district.en.replace(" District", "")} ecology branch` };
      return { key, label, closed: closed.length, on_time: closed.filter((i) => i.closed_at <= i.due.verify).length, on_time_rate: city.onTimeRate(mine), median_hours: hours[hours.length >> 1] ?? null, open: mine.length - closed.length, overdue: mine.filter((i) => i.overdue).length };
    });
  };
  const streams = () =>
    city.stations().map((s, i) => ({
      id: i + 1, name: s.key, title: { zh: `${s.label.zh} PM2.5`, en: `${s.label.en} PM2.5` }, observed_property: "pm25", unit: "µg/m³", owner: "gz-ecology", thing: `station-${s.key}`,
      longitude: s.longitude, latitude: s.latitude, frequency_seconds: 3600, latest: { time: s.series.at(-1)[0], result: s.series.at(-1)[1] },
    }));

  return {
    "GET /city": () => ({ name: "guangzhou", title: { zh: "广州", en: "Guangzhou" }, clock: { now: city.iso(), speed: city.speed, mode: "replay" }, timezone: "Asia/Shanghai", district_layer: "districts", bounds: [112.95, 22.56, 114.06, 23.94], centre: [113.4, 23.2], districts: DISTRICTS.map(({ code, title }) => ({ code, title })), ready: true }),
    "GET /foundation/spatial/layers/:name": districts,
    "GET /foundation/identity/organisations": () => page(DISTRICTS.map((d) => ({ name: `gz-${d.code}-ecology`, title: { zh: `${d.title.zh}生态环境分局`, en: `${d.title.en} ecology branch` } }))),
    "GET /foundation/identity/sessions/current": (request) => (request.session ? { person: PERSON, must_change_password: false } : { status: 401 }),
    "POST /foundation/identity/sessions": (request) => {
      if (request.body.password === "once") return { session: true, status: 201, person: PERSON, must_change_password: true };
      if (request.body.password !== "kapok") return { status: 401, detail: request.zh ? "账号或密码不正确。" : "Login and password do not match." };
      return { session: true, status: 201, person: PERSON, must_change_password: false };
    },
    "DELETE /foundation/identity/sessions/current": () => ({ session: false, status: 204 }),
    "POST /foundation/identity/password": () => ({ status: 204 }),
    "GET /foundation/sensing/streams": () => page(streams()),
    "GET /elements/catalog/datasets": () =>
      page(city.stations().map((s) => ({ name: `pm25-${s.key}`, title: { zh: `${s.label.zh} PM2.5 小时值`, en: `${s.label.en}: hourly PM2.5` }, owner: "gz-ecology", kind: "stream", unit: "µg/m³", frequency_seconds: 3600, last_observed: s.series.at(-1)[0], freshness: s.series.at(-1)[1] === null ? "late" : "fresh", observations: s.series.length }))),
    "GET /brain/vitals": () => page(VITALS.map(([name, zh, en, unit]) => ({ name, title: { zh, en }, theme: "environment", unit, direction: "down", values: city.values(name) }))),
    "GET /brain/vitals/:name/provenance": ({ query }) =>
      ({
        reading: { vital: "pm25_24h", key: query.key, time: city.iso(), value: null, state: "ok", level: null },
        start: city.iso(city.now - 24 * 3_600_000),
        end: city.iso(),
        inputs: [],
        observations: city.stations().filter((s) => query.key === "city" || s.key === query.key).flatMap((s) => s.series.slice(-24).map(([time, result]) => ({ stream: s.key, time, result }))),
      }),
    "GET /brain/warnings": ({ query }) => page(city.warnings.filter((w) => !query.state || w.state === query.state).reverse()),
    "GET /brain/incidents": ({ query }) =>
      page(city.incidents.filter((i) => (query.state === "open" ? i.state !== "closed" : query.state !== "closed" || i.state === "closed") && (!query.district || i.place.district === query.district)).map(summary).reverse()),
    "GET /brain/incidents/:number": ({ params }) => (find(params.number) ? { ...detail(find(params.number)) } : { status: 404 }),
    "POST /brain/incidents/:number/actions": (request) => {
      const incident = find(request.params.number);
      if (!request.session) return { status: 401 };
      if (request.ifMatch !== incident.version) return { status: 412, detail: "stale" };
      if (!city.actions(incident).includes(request.body.action)) return { status: 409, detail: "not allowed now" };
      city.act(incident, request.body.action, "admin", request.body.note ?? null);
      return detail(incident);
    },
    "GET /mechanism/indicators": () => {
      const [last, before] = [city.rates.at(-1), city.rates.at(-2)];
      const on = { name: "on-time-rate", title: { zh: "事件按时办结率", en: "Incidents closed on time" }, unit: "ratio", target: 0.9, direction: "up", value: last?.[1] ?? null, previous: before?.[1] ?? null, measured_at: last?.[0] ?? null, series: city.rates.slice(-40) };
      return page([{ ...on, status: on.value === null ? "unknown" : on.value >= 0.9 ? "met" : "missed" }]);
    },
    "GET /mechanism/evaluation": ({ query }) => page(evaluation(query.by)),
    "GET /foundation/ledger/head": () => ({ size: city.leaves.length, root: root(city.leaves).toString("hex"), time: city.iso(), signatures: ["Ed25519", "SM2"].map((algorithm) => ({ algorithm, key_id: `${algorithm.toLowerCase()}-dev`, value: createHash("sha512").update(algorithm).digest("hex") })) }),
    "GET /foundation/ledger/entries": ({ query }) => page(city.entries.slice(Number(query.after ?? -1) + 1, Number(query.after ?? -1) + 1 + Number(query.limit ?? 100))),
    "GET /foundation/ledger/consistency": ({ query }) => ({ path: consistency(Number(query.first), city.leaves.slice(0, Number(query.second))).map((h) => h.toString("hex")) }),
  };
}


function group(items, keyOf) {
  const groups = new Map();
  for (const item of items) groups.set(keyOf(item), [...(groups.get(keyOf(item)) ?? []), item]);
  return groups;
}
