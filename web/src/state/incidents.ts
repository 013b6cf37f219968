/** What the screens derive from incidents: the next deadline, the count in each stage. */
import { STAGES, type Incident, type Stage } from "@/api/types";

/** The deadline an incident is working towards in its present stage; none when closed. */
export function nextDue(incident: Pick<Incident, "state" | "due">): string | null {
  const { accept, resolve, verify } = incident.due;
  switch (incident.state) {
    case "reported":
    case "filed":
    case "dispatched":
      return accept ?? resolve;
    case "handling":
      return resolve;
    case "handled":
      return verify;
    default:
      return null;
  }
}

export function countByStage(open: readonly Incident[], closed: number): Record<Stage, number> {
  const counts = Object.fromEntries(STAGES.map((stage) => [stage, 0])) as Record<Stage, number>;
  for (const incident of open) counts[incident.state] = (counts[incident.state] ?? 0) + 1;
  counts.closed = closed;
  return counts;
}

export function countByDistrict(open: readonly Incident[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const { place } of open) {
    if (place.district) counts.set(place.district, (counts.get(place.district) ?? 0) + 1);
  }
  return counts;
}
