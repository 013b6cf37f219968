/** All that the big screen shows, each part refreshed by the events that concern it. */
import { computed } from "vue";
import { api } from "@/api/endpoints";
import { fetchDistricts } from "@/state/districts";
import { useResource } from "@/state/resource";

export type CityState = ReturnType<typeof useCityState>;

// The server answers a vital with its whole history, so it is asked less often than the rest.
const VITALS_PACE_MS = 1500;
const EVALUATION_PACE_MS = 3000;

export function useCityState() {
  const vitals = useResource(api.vitals, { topics: ["brain.vitals."], paceMs: VITALS_PACE_MS });
  const warnings = useResource(() => api.warnings("active"), { topics: ["brain.warnings."] });
  const lifted = useResource(() => api.warnings("lifted"), { topics: ["brain.warnings.lifted"] });
  const open = useResource(api.openIncidents, { topics: ["brain.incidents."] });
  const closed = useResource(() => api.incidents({ state: "closed" }), { topics: ["brain.incidents.closed"] });
  const evaluation = useResource(() => api.evaluation("district"), { topics: ["brain.incidents.", "mechanism."], paceMs: EVALUATION_PACE_MS });
  const streams = useResource(api.streams, { topics: ["sensing.stream."], everyMs: 30_000 });
  const districts = useResource(fetchDistricts, { topics: ["declarations.applied"] });

  const openIncidents = computed(() => open.data.value?.items ?? []);
  /** Closed incidents are paged, so their number comes from the evaluation. */
  const closedCount = computed(() => {
    const counted = (evaluation.data.value ?? []).reduce((sum, row) => sum + row.closed, 0);
    return Math.max(counted, closed.data.value?.items.length ?? 0);
  });
  return { vitals, warnings, lifted, open, closed, evaluation, streams, districts, openIncidents, closedCount };
}
