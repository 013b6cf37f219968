/** The latest events, for the ticker: seeded from the ledger, then fed by the live stream. */
import { shallowRef, watch } from "vue";
import { api } from "@/api/endpoints";
import { listen } from "@/api/events";
import { happened } from "@/i18n";
import { person } from "./session";

export interface Happening {
  key: string;
  type: string;
  subject: string;
  time: string;
  number: string | null;
}

const KEPT = 60;
/** Rounds that happen every minute would drown what a person wants to notice. */
const ROUTINE = [
  "sensing.observations.",
  "brain.vitals.",
  "brain.understanding.",
  "brain.warnings.published",
  "mechanism.indicators.",
  "identity.",
  "foundation.channels.",
  "elements.catalog.",
  "elements.lineage.",
  "elements.quality.scored",
  "ledger.",
];
/** So many entries of the ledger are looked through for notable ones. */
const SEARCHED = 500;

export const happenings = shallowRef<Happening[]>([]);
let started = false;

function notable(type: string): boolean {
  return !ROUTINE.some((prefix) => type.startsWith(prefix));
}

export function sentence(happening: Happening): string {
  return happened(happening.type);
}

function happening(key: string, type: string, subject: string, time: string, data: Record<string, unknown>): Happening {
  const incident = type.startsWith("brain.incidents.") ? (typeof data["number"] === "string" ? data["number"] : subject) : null;
  return { key, type, subject, time, number: incident };
}

export function startTicker(): void {
  if (started) return;
  started = true;
  listen((event) => {
    if (notable(event.type)) happenings.value = [happening(event.id, event.type, event.subject, event.time, event.data), ...happenings.value].slice(0, KEPT);
  });
  // Reading the ledger's entries is for people who are signed in.
  watch(person, (now) => now && void seed(), { immediate: true });
}

async function seed(): Promise<void> {
  try {
    const { size } = await api.ledgerHead();
    const { items } = await api.ledgerEntries({ after: Math.max(-1, size - SEARCHED - 1), limit: SEARCHED });
    const old = items
      .filter((entry) => typeof entry.type === "string" && notable(entry.type))
      .map((entry) => happening(`ledger-${entry.index}`, entry.type ?? "", entry.subject ?? "", entry.time ?? "", {}));
    if (happenings.value.length === 0) happenings.value = old.reverse().slice(0, KEPT);
  } catch {
    // The ledger may be closed to this reader; the live stream fills the ticker then.
  }
}
