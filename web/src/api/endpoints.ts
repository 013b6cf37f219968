/** Every question the screens ask the server, by name. */
import { call, callAll } from "./client";
import type * as t from "./types";

const IDENTITY = "/foundation/identity";
const BUILDINGS = "/foundation/buildings";
const LEDGER = "/foundation/ledger";

async function items<T>(path: string, query: Record<string, string | number | undefined> = {}): Promise<T[]> {
  return (await callAll<T>(path, query, 2000)).items;
}

export const api = {
  city: () => call<t.City>("/city"),
  districts: (layer: string) => call<t.Districts>(`/foundation/spatial/layers/${encodeURIComponent(layer)}`),

  session: () => call<t.SignIn>(`${IDENTITY}/sessions/current`),
  signIn: (login: string, password: string) => call<t.SignIn>(`${IDENTITY}/sessions`, { method: "POST", body: { login, password } }),
  signOut: () => call<void>(`${IDENTITY}/sessions/current`, { method: "DELETE" }),
  changePassword: (current: string, fresh: string) => call<void>(`${IDENTITY}/password`, { method: "POST", body: { current, new: fresh } }),
  organisations: () => items<t.Organisation>(`${IDENTITY}/organisations`),

  streams: () => items<t.Stream>("/foundation/sensing/streams"),
  datasets: () => items<t.Dataset>("/elements/catalog/datasets"),

  vitals: () => items<t.Vital>("/brain/vitals"),
  provenance: (vital: string, key: string, time?: string) =>
    call<t.Provenance>(`/brain/vitals/${encodeURIComponent(vital)}/provenance`, {
      query: { key, time },
    }),
  warnings: (state: "active" | "lifted") => call<t.Page<t.Warning>>("/brain/warnings", { query: { state } }),

  incidents: (query: { state?: string; district?: string; cursor?: string }) => call<t.Page<t.Incident>>("/brain/incidents", { query }),
  openIncidents: () => callAll<t.Incident>("/brain/incidents", { state: "open" }, 1000),
  incident: (number: string) => call<t.IncidentDetail>(`/brain/incidents/${encodeURIComponent(number)}`),
  act: (number: string, version: number, body: { action: string; note?: string; organisation?: string; assignee?: string }) =>
    call<t.IncidentDetail>(`/brain/incidents/${encodeURIComponent(number)}/actions`, {
      method: "POST",
      body,
      headers: { "If-Match": `"${version}"` },
    }),

  /** The indicators that the platform itself measures; those filled in by hand do not move on a screen. */
  indicators: () => items<t.Indicator>("/mechanism/indicators", { measured: "true" }),
  evaluation: (by: "district" | "organisation") => items<t.Evaluation>("/mechanism/evaluation", { by }),

  buildingSummary: () => call<t.BuildingSummary>(`${BUILDINGS}/summary`),
  buildingsWithin: (bbox: string) => call<t.Page<t.BuildingRow>>(BUILDINGS, { query: { bbox, limit: 200 } }),
  buildingFacts: (code: string) => call<t.BuildingFacts>(`${BUILDINGS}/${encodeURIComponent(code)}/facts`),
  groundFeatures: (kind: string, bbox: string) => call<GeoJSON.FeatureCollection>(`${BUILDINGS}/features`, { query: { kind, bbox, limit: 1000 } }),
  pipeFeatures: (bbox: string) => call<GeoJSON.FeatureCollection>(`${BUILDINGS}/networks/features`, { query: { bbox, limit: 1000 } }),

  ledgerHead: () => call<t.LedgerHead>(`${LEDGER}/head`),
  ledgerEntries: (query: { after?: number; limit?: number; subject?: string }) => call<t.Page<t.LedgerEntry>>(`${LEDGER}/entries`, { query }),
  ledgerConsistency: (first: number, second: number) =>
    call<{ path: string[] }>(`${LEDGER}/consistency`, { query: { first, second } }),
};
