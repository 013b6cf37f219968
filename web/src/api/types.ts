/** The shapes of the REST contract, exactly as the server sends them. */

export interface Title {
  zh: string;
  en: string;
}

export interface Page<T> {
  items: T[];
  next: string | null;
}

export interface City {
  name: string | null;
  title: Title;
  clock: { now: string; speed: number; mode: string };
  timezone: string | null;
  bounds: [number, number, number, number] | null;
  centre: [number, number] | null;
  district_layer: string | null;
  districts: { code: string; title: Title }[];
  ready: boolean;
}

export interface Person {
  login: string;
  title: Title | string;
  roles: string[];
  organisation: string | null;
}

export interface SignIn {
  person: Person;
  must_change_password: boolean;
}

export interface Organisation {
  name: string;
  title: Title;
  level?: string;
  parent?: string | null;
}

export interface DistrictProperties {
  code: string;
  name: Title;
  centre: [number, number];
}

export type Districts = GeoJSON.FeatureCollection<GeoJSON.Geometry, DistrictProperties>;

export interface Stream {
  id: number;
  name: string;
  title: Title;
  observed_property: string;
  unit: string;
  owner: string;
  thing: string;
  longitude: number | null;
  latitude: number | null;
  frequency_seconds: number | null;
  latest: { time: string; result: number | null } | null;
}

export interface Level {
  name: string;
  title: Title;
  colour: string;
}

export type Sample = [time: string, value: number | null];

export interface VitalValue {
  key: string;
  dimension: string;
  label: Title;
  value: number | null;
  state: "ok" | "missing";
  level: Level | null;
  time: string | null;
  history: Sample[];
}

export interface Vital {
  name: string;
  title: Title;
  theme: string;
  unit: string;
  direction: string;
  owner?: string;
  standard?: Title | null;
  levels?: Level[];
  values: VitalValue[];
}

export interface Observation {
  stream: string;
  time: string;
  result: number | null;
}

export interface Reading {
  vital: string;
  key: string;
  time: string;
  value: number | null;
  state: string;
  level: string | null;
}

/** What made a reading: the observations between `start` (excluded) and `end`, by way of the readings in `inputs`. */
export interface Provenance {
  reading: Reading;
  start: string;
  end: string;
  inputs: Reading[];
  observations: Observation[];
}

export type WarningLevel = "blue" | "yellow" | "orange" | "red";

export interface Warning {
  id: string;
  rule: string;
  title: Title;
  level: WarningLevel;
  state: "active" | "lifted";
  subject: string;
  label: Title | string | null;
  vital: string;
  value: number | null;
  threshold: number | null;
  raised_at: string;
  changed_at: string | null;
  lifted_at: string | null;
  incident: string | null;
}

export const STAGES = ["reported", "filed", "dispatched", "handling", "handled", "verified", "closed"] as const;
export type Stage = (typeof STAGES)[number];

export interface IncidentPlace {
  longitude: number | null;
  latitude: number | null;
  district: string | null;
  label: Title | string | null;
}

export interface Incident {
  id: string;
  number: string;
  type: string;
  title: Title | string;
  severity: string;
  state: Stage;
  place: IncidentPlace;
  organisation: string | null;
  assignee: string | null;
  opened_at: string;
  due: { accept: string | null; resolve: string | null; verify: string | null };
  overdue: boolean;
  supervised: boolean;
  closed_at: string | null;
  version: number;
}

export interface HistoryStep {
  time: string;
  actor: string;
  actor_title?: Title | string | null;
  action: string;
  from: string | null;
  to: string | null;
  note: string | null;
}

export interface Evidence {
  warning: string | null;
  vital: string | null;
  key?: string | null;
  time?: string | null;
  value: number | null;
  threshold: number | null;
  observations: Observation[];
  ledger: number[];
}

export interface IncidentDetail extends Incident {
  assignee_title: Title | null;
  description?: string;
  actions: string[];
  history: HistoryStep[];
  evidence: Evidence;
}

export interface Indicator {
  name: string;
  title: Title;
  unit: string;
  target: number | null;
  direction: string;
  value: number | null;
  previous: number | null;
  measured_at: string | null;
  series: Sample[];
  status: "met" | "missed" | "unknown";
}

export interface Evaluation {
  key: string;
  label: Title;
  closed: number;
  on_time: number;
  on_time_rate: number | null;
  median_hours: number | null;
  open: number;
  overdue: number;
}

export interface LedgerHead {
  size: number;
  root: string;
  time: string;
  signatures: { algorithm: string; key_id: string; value: string }[];
}

export interface LedgerEntry {
  index: number;
  time?: string;
  type?: string;
  subject?: string;
  actor?: string;
  [field: string]: unknown;
}

export interface Dataset {
  name: string;
  title: Title;
  owner: string;
  kind: string;
  unit: string | null;
  frequency_seconds: number | null;
  last_observed: string | null;
  freshness: "fresh" | "late" | "silent" | "unknown";
  observations: number;
}

export interface CityEvent {
  id: string;
  type: string;
  subject: string;
  time: string;
  actor?: string;
  data: Record<string, unknown>;
}

/** A building as a list shows it. */
export interface BuildingRow {
  code: string;
  kind: string;
  title: Title;
  use: string;
  height: number | null;
  storeys: number | null;
  below: number | null;
  area: number;
  year: number | null;
  lods: string[];
  registered: string;
  longitude: number | null;
  latitude: number | null;
  source: string;
  source_id: string;
}

export interface BuildingSummary {
  kinds: Record<string, number>;
  use: Record<string, number>;
  highest: number | null;
  bounds: [number, number, number, number] | null;
}

export interface ModelNode {
  guid: string;
  name: string;
  elevation?: number;
  parts?: ModelNode[];
}

export interface BuildingFacts {
  building: BuildingRow;
  parts: { code: string; height: number | null }[];
  model: { schema: string; products: number; classes: Record<string, number>; structure: ModelNode } | null;
  grid: { responsible: string | null; chain: { code: string; level: string; title: Title }[] } | null;
  address: { standard: string } | null;
  addresses: { code: string; standard: string; metres: number }[];
  premises?: { totals: Record<string, number> };
  pipes?: { metres: number; network: string; network_kind: string; id: string; diameter: number | null; depth: number | null }[];
}
