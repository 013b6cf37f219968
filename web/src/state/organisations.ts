/** The titles of organisations, asked for once. */
import { shallowRef } from "vue";
import { api } from "@/api/endpoints";
import type { Organisation } from "@/api/types";
import { say } from "@/i18n";

export const organisations = shallowRef<Organisation[]>([]);
let asked = false;

export function askOrganisations(): void {
  if (asked) return;
  asked = true;
  api.organisations().then(
    (items) => (organisations.value = items),
    () => (asked = false),
  );
}

export function organisationName(name: string | null | undefined): string {
  if (!name) return "";
  askOrganisations();
  return say(organisations.value.find((o) => o.name === name)?.title) || name;
}
