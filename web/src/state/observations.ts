/** Observations as courses: one line for each stream, in the order of time. */
import type { Observation, Sample, Stream } from "@/api/types";
import { say } from "@/i18n";

export function streamTitle(name: string, streams: readonly Stream[]): string {
  return say(streams.find((s) => s.name === name)?.title) || name;
}

export function coursesOf(observations: readonly Observation[], streams: readonly Stream[]): { name: string; samples: Sample[] }[] {
  const courses = new Map<string, Sample[]>();
  for (const { stream, time, result } of observations) {
    const course = courses.get(stream) ?? [];
    course.push([time, result]);
    courses.set(stream, course);
  }
  return [...courses].map(([name, samples]) => ({
    name: streamTitle(name, streams),
    samples: samples.sort(([a], [b]) => a.localeCompare(b)),
  }));
}
