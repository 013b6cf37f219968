/** Data that keeps itself fresh: refetched when related events arrive, never more often than a pace, kept when the server is gone. */
import { onScopeDispose, ref, shallowRef, watch, type Ref, type ShallowRef } from "vue";
import { connection, connections, listen } from "@/api/events";
import { asProblem, type Problem } from "@/api/problem";
import { leftOnPurpose, mustChangePassword, person } from "./session";
import { language } from "@/i18n";

export interface Resource<T> {
  data: ShallowRef<T | null>;
  problem: ShallowRef<Problem | null>;
  loading: Ref<boolean>;
  refresh: () => Promise<void>;
}

interface Freshness {
  /** Event types (prefixes) after which the data may have changed. */
  topics?: string[];
  /** Least time between two fetches. */
  paceMs?: number;
  /** Refetch even without an event. */
  everyMs?: number;
}

/** Without live events the data is asked for from time to time. */
const UNTOLD_MS = 5000;

export function useResource<T>(fetcher: () => Promise<T>, { topics = [], paceMs = 1000, everyMs }: Freshness = {}): Resource<T> {
  const data = shallowRef<T | null>(null);
  const problem = shallowRef<Problem | null>(null);
  const loading = ref(false);
  let [dirty, fetchedAt, disposed] = [false, 0, false];
  let timer: ReturnType<typeof setTimeout> | undefined;
  let generation = 0;

  async function refresh(): Promise<void> {
    const mine = ++generation;
    dirty = false;
    loading.value = true;
    fetchedAt = Date.now();
    try {
      const fresh = await fetcher();
      if (disposed || mine !== generation) return;
      data.value = fresh;
      problem.value = null;
    } catch (error) {
      if (disposed || mine !== generation) return;
      problem.value = asProblem(error);
      if (problem.value.failure === "unauthenticated" && leftOnPurpose.value) data.value = null;
    } finally {
      if (mine === generation) loading.value = false;
      if (dirty) schedule();
    }
  }

  function schedule(): void {
    dirty = true;
    if (timer !== undefined || loading.value || disposed || document.hidden) return;
    timer = setTimeout(
      () => {
        timer = undefined;
        void refresh();
      },
      Math.max(0, fetchedAt + paceMs - Date.now()),
    );
  }

  /** What was refused stays refused until somebody signs in: asking again would only fill the log. */
  const mayChange = (): boolean => problem.value?.failure !== "unauthenticated" && problem.value?.failure !== "forbidden";
  const seen = (): void => {
    if (!document.hidden && dirty) schedule();
  };
  const stopListening = listen((event) => {
    if (topics.some((topic) => event.type.startsWith(topic))) schedule();
  });
  // A new connection may have missed events; another person or language may see other things.
  watch([connections, person, mustChangePassword, language], () => void refresh());
  document.addEventListener("visibilitychange", seen);
  const repeat = everyMs === undefined ? undefined : setInterval(schedule, everyMs);
  const untold = setInterval(() => {
    if (connection.value !== "live" && topics.length > 0 && mayChange()) schedule();
  }, UNTOLD_MS);
  void refresh();

  onScopeDispose(() => {
    disposed = true;
    stopListening();
    clearTimeout(timer);
    clearInterval(repeat);
    clearInterval(untold);
    document.removeEventListener("visibilitychange", seen);
  });
  return { data, problem, loading, refresh };
}
