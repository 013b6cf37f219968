/** The titles of organisations, asked for at first need and again when somebody signs in: who may read them is a policy. */
import { shallowRef, watch } from "vue";
import { api } from "@/api/endpoints";
import type { Organisation } from "@/api/types";
import { say } from "@/i18n";
import { person } from "./session";

export const organisations = shallowRef<Organisation[]>([]);
let asked = false;

export function askOrganisations(): void {
  if (asked) return;
  asked = true;
  watch(person, () => void fetchAll(), { immediate: true });
}

async function fetchAll(): Promise<void> {
  try {
    organisations.value = await api.organisations();
  } catch {
    // Without titles the names are shown.
  }
}

export function organisationName(name: string | null | undefined): string {
  if (!name) return "";
  askOrganisations();
  return say(organisations.value.find((o) => o.name === name)?.title) || name;
}
