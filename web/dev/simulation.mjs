/** A plausible city for designing screens: hourly air values, warnings, incidents and an officer who works on them. */
import { leaf } from "./merkle.mjs";

const HOUR = 3_600_000;
export const STAGES = ["reported", "filed", "dispatched", "handling", "handled", "verified", "closed"];
const NEXT = { reported: "file", filed: "dispatch", dispatched: "take", handling: "resolve", handled: "verify", verified: "close" };
const AFTER = { file: "filed", dispatch: "dispatched", take: "handling", resolve: "handled", verify: "verified", close: "closed" };
const EVENT = { file: "filed", dispatch: "dispatched", take: "taken", resolve: "resolved", verify: "verified", close: "closed", return: "returned", supervise: "supervised" };

export const DISTRICTS = [
  ["440103", "荔湾区", "Liwan District", 113.244, 23.126],
  ["440104", "越秀区", "Yuexiu District", 113.267, 23.129],
  ["440105", "海珠区", "Haizhu District", 113.317, 23.084],
  ["440106", "天河区", "Tianhe District", 113.362, 23.125],
  ["440111", "白云区", "Baiyun District", 113.273, 23.297],
  ["440112", "黄埔区", "Huangpu District", 113.481, 23.182],
  ["440113", "番禺区", "Panyu District", 113.384, 22.938],
  ["440114", "花都区", "Huadu District", 113.22, 23.404],
  ["440115", "南沙区", "Nansha District", 113.525, 22.802],
  ["440117", "从化区", "Conghua District", 113.587, 23.549],
  ["440118", "增城区", "Zengcheng District", 113.811, 23.261],
].map(([code, zh, en, longitude, latitude]) => ({ code, title: { zh, en }, centre: [longitude, latitude] }));

const STATIONS = [
  ["city-station", "市监测站", "City Station", 113.2597, 23.1331, "440104"],
  ["5th-middle-school", "市五中", "5th Middle School", 113.2612, 23.1045, "440105"],
  ["us-post", "美国总领馆", "US Consulate", 113.3184, 23.1195, "440106"],
].map(([key, zh, en, longitude, latitude, district]) => ({ key, label: { zh, en }, longitude, latitude, district, series: [] }));

const LEVELS = [
  [50, "good", "优", "Excellent", "#00e400"],
  [100, "moderate", "良", "Good", "#ffff00"],
  [150, "light", "轻度污染", "Lightly polluted", "#ff7e00"],
  [200, "medium", "中度污染", "Moderately polluted", "#ff0000"],
  [300, "heavy", "重度污染", "Heavily polluted", "#99004c"],
  [Infinity, "severe", "严重污染", "Severely polluted", "#7e0023"],
];
const BREAKS = [[0, 0], [35, 50], [75, 100], [115, 150], [150, 200], [250, 300], [350, 400], [500, 500]];
const WARN = [["red", 250], ["orange", 150], ["yellow", 115], ["blue", 75]];

function aqi(pm) {
  if (pm === null) return null;
  const i = Math.min(BREAKS.findIndex(([limit]) => pm <= limit), BREAKS.length - 1);
  const [[c0, a0], [c1, a1]] = i <= 0 ? [BREAKS[0], BREAKS[1]] : [BREAKS[i - 1], BREAKS[i]];
  return Math.ceil(a0 + ((pm - c0) / (c1 - c0)) * (a1 - a0));
}
function levelOf(index) {
  if (index === null) return null;
  const [, name, zh, en, colour] = LEVELS.find(([limit]) => index <= limit);
  return { name, title: { zh, en }, colour };
}
const mean = (values) => {
  const known = values.filter((v) => v !== null);
  return known.length >= 14 ? known.reduce((a, b) => a + b, 0) / known.length : null;
};

export class Simulation {
  constructor(speed) {
    this.speed = speed;
    this.now = Date.UTC(2013, 11, 28);
    this.incidents = [];
    this.warnings = [];
    this.leaves = [];
    this.entries = [];
    this.listeners = new Set();
    this.rates = [];
    this.seed = 7;
    for (let i = 0; i < 24 * 9; i++) this.hour();
  }

  random() {
    this.seed = (this.seed * 1103515245 + 12345) % 2147483648;
    return this.seed / 2147483648;
  }

  iso(ms = this.now) {
    return new Date(ms).toISOString().replace("Z", "000Z");
  }

  emit(type, subject, data = {}, actor = "system") {
    const entry = { index: this.entries.length, time: this.iso(), type, subject, actor, data };
    this.entries.push(entry);
    this.leaves.push(leaf(JSON.stringify(entry)));
    for (const listener of this.listeners) listener(entry);
  }

  hour() {
    this.now += HOUR;
    const hours = this.now / HOUR;
    const episode = 68 + 44 * Math.sin(hours / 21) + 30 * Math.sin(hours / 9.7) + 22 * Math.sin((hours % 24) / 3.8);
    STATIONS.forEach((station, i) => {
      const value = Math.max(6, episode + i * 9 + (this.random() - 0.5) * 26);
      const silent = i === 1 && hours % 61 < 7;
      station.series.push([this.iso(), silent ? null : Math.round(value)]);
      if (station.series.length > 240) station.series.shift();
    });
    this.emit("sensing.observations.recorded", "fold", { count: 3 });
    this.emit("brain.vitals.evaluated", "round", { count: 8 });
    for (const value of this.values("pm25_24h")) if (value.key !== "city") this.judge(value);
    this.officer();
  }

  values(vital) {
    const of = (station, back) => {
      const end = station.series.length - back;
      const pm = mean(station.series.slice(Math.max(0, end - 24), end).map(([, v]) => v));
      return vital === "aqi" ? aqi(pm) : pm === null ? null : Math.round(pm * 10) / 10;
    };
    const history = (read) => Array.from({ length: 72 }, (_, i) => [this.iso(this.now - (71 - i) * HOUR), read(71 - i)]);
    const row = (key, dimension, label, read) => {
      const value = read(0);
      const level = levelOf(vital === "aqi" ? value : aqi(value));
      return { key, dimension, label, value, state: value === null ? "missing" : "ok", level, time: this.iso(), history: history(read) };
    };
    const city = (back) => {
      const known = STATIONS.map((s) => of(s, back)).filter((v) => v !== null);
      const average = known.reduce((a, b) => a + b, 0) / known.length;
      return known.length === 0 ? null : vital === "aqi" ? Math.ceil(average) : Math.round(average * 10) / 10;
    };
    return [row("city", "city", { zh: "全市", en: "City" }, city), ...STATIONS.map((s) => row(s.key, "station", s.label, (back) => of(s, back)))];
  }

  judge(value) {
    const open = this.warnings.find((w) => w.subject === value.key && w.state === "active");
    if (value.value === null) return;
    const level = WARN.find(([, limit]) => value.value >= limit)?.[0];
    if (open && !level && value.value < 70) {
      Object.assign(open, { state: "lifted", lifted_at: this.iso() });
      this.emit("brain.warnings.lifted", open.id);
    } else if (open && level && level !== open.level) {
      Object.assign(open, { level, changed_at: this.iso(), value: value.value, threshold: WARN.find(([n]) => n === level)[1] });
      this.emit("brain.warnings.changed", open.id);
    } else if (open) open.value = value.value;
    else if (level) this.raise(value, level);
  }

  raise(value, level) {
    const station = STATIONS.find((s) => s.key === value.key);
    const threshold = WARN.find(([n]) => n === level)[1];
    const number = `SJ${this.iso().slice(0, 10).replaceAll("-", "")}-${String(this.incidents.length + 1).padStart(4, "0")}`;
    const id = `w${this.warnings.length}`;
    const title = { zh: "PM2.5 持续偏高", en: "PM2.5 stays high" };
    this.warnings.push({ id, rule: "pm25-high", title, level, state: "active", subject: value.key, label: station.label, vital: "pm25_24h", value: value.value, threshold, raised_at: this.iso(), changed_at: null, lifted_at: null, incident: number });
    this.emit("brain.warnings.raised", id);
    const due = { accept: this.iso(this.now + 12 * HOUR), resolve: this.iso(this.now + 48 * HOUR), verify: this.iso(this.now + 84 * HOUR) };
    const observations = station.series.slice(-24).map(([time, result]) => ({ stream: station.key, time, result }));
    this.incidents.push({
      id: `i${this.incidents.length}`, number, type: "air-pollution", title: { zh: `${station.label.zh}附近空气污染处置`, en: `Air pollution near ${station.label.en}` }, severity: level, state: "reported",
      place: { longitude: station.longitude, latitude: station.latitude, district: station.district, label: station.label },
      organisation: null, assignee: null, opened_at: this.iso(), due, overdue: false, supervised: false, closed_at: null, version: 1,
      history: [{ time: this.iso(), actor: "system", action: "open", from: null, to: "reported", note: null }],
      evidence: { warning: id, vital: "pm25_24h", value: value.value, threshold, observations, ledger: [this.entries.length - 1, this.entries.length] },
    });
    this.emit("brain.incidents.opened", number, { number });
  }

  officer() {
    for (const incident of this.incidents.filter((i) => i.state !== "closed")) {
      const deadline = incident.state === "handling" ? incident.due.resolve : incident.state === "handled" ? incident.due.verify : incident.due.accept;
      incident.overdue = this.iso() > deadline;
      if (incident.overdue && !incident.supervised) this.act(incident, "supervise", "system", null);
      if (this.random() < 0.085) this.act(incident, NEXT[incident.state], `officer@gz-${incident.place.district}`, incident.state === "handling" ? "现场巡查完成，已要求停工降尘。" : null);
    }
  }

  actions(incident) {
    if (incident.state === "closed") return [];
    return [NEXT[incident.state], ...(incident.state === "handled" ? ["return"] : []), ...(incident.supervised ? [] : ["supervise"])];
  }

  act(incident, action, actor, note) {
    const from = incident.state;
    if (action === "supervise") incident.supervised = true;
    else incident.state = action === "return" ? "handling" : AFTER[action];
    if (action === "dispatch") incident.organisation = `gz-${incident.place.district}-ecology`;
    if (action === "take") incident.assignee = actor;
    if (incident.state === "closed") {
      incident.closed_at = this.iso();
      incident.overdue = false;
    }
    incident.version += 1;
    incident.history.push({ time: this.iso(), actor, action, from, to: incident.state, note });
    incident.evidence.ledger.push(this.entries.length);
    this.emit(`brain.incidents.${EVENT[action]}`, incident.number, { number: incident.number }, actor);
    if (incident.state === "closed") this.measure();
  }

  measure() {
    this.rates.push([this.iso(), this.onTimeRate(this.incidents)]);
    this.emit("mechanism.indicators.measured", "on-time-rate");
  }

  onTimeRate(incidents) {
    const closed = incidents.filter((i) => i.state === "closed");
    return closed.length ? closed.filter((i) => i.closed_at <= i.due.verify).length / closed.length : null;
  }

  stations() {
    return STATIONS;
  }
}
