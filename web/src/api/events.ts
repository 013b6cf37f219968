/** The live event stream: reads server-sent events with fetch, resumes by the last id, waits longer after each failure. */
import { ref } from "vue";
import { ROOT } from "./client";
import { Problem, problemOf } from "./problem";
import type { CityEvent } from "./types";

/** Refused: the server answers, but shows its events only to people who are signed in. */
export type Connection = "connecting" | "live" | "lost" | "refused";
export const connection = ref<Connection>("connecting");
/** Counts (re)connections, so that whoever shows data knows when to catch up. */
export const connections = ref(0);

type Listener = (event: CityEvent) => void;

/** The server sends a heartbeat every 15 s; three missed ones mean that the line is dead. */
const SILENCE_MS = 45_000;
const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 15_000;
/** Nothing changes before somebody signs in, and that ends the wait. */
const REFUSED_WAIT_MS = 300_000;

const listeners = new Set<Listener>();
let last = "";
let started = false;
let wake: () => void = () => undefined;
let restarting = false;
let current: AbortController | null = null;

export function listen(listener: Listener): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

export function startEvents(): void {
  if (started) return;
  started = true;
  void follow();
}

/** Connect anew at once: somebody else is signed in now, and may see more or less. */
export function restartEvents(): void {
  restarting = true;
  current?.abort();
  wake();
}

async function follow(): Promise<never> {
  let wait = FIRST_WAIT_MS;
  for (;;) {
    try {
      await readOnce(() => {
        wait = FIRST_WAIT_MS;
        restarting = false;
        connection.value = "live";
        connections.value += 1;
      });
      connection.value = "lost";
    } catch (error) {
      if (restarting) {
        restarting = false;
        connection.value = "connecting";
        continue;
      }
      const refused = error instanceof Problem && ["unauthenticated", "forbidden"].includes(error.failure);
      connection.value = refused ? "refused" : "lost";
      if (refused) wait = REFUSED_WAIT_MS;
    }
    await pause(wait * (0.75 + Math.random() / 2));
    wait = Math.min(wait * 2, LONGEST_WAIT_MS);
  }
}

/** Wait, but try at once when the browser says that the network is back. */
function pause(ms: number): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      clearTimeout(timer);
      window.removeEventListener("online", done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    wake = done;
    window.addEventListener("online", done);
  });
}

async function readOnce(opened: () => void): Promise<void> {
  const abort = new AbortController();
  current = abort;
  let watchdog = setTimeout(() => abort.abort(), SILENCE_MS);
  try {
    const response = await fetch(`${ROOT}/events`, {
      headers: { Accept: "text/event-stream", ...(last ? { "Last-Event-ID": last } : {}) },
      credentials: "same-origin",
      cache: "no-store",
      signal: abort.signal,
    });
    if (!response.ok || !response.body) throw await problemOf(response);
    opened();
    const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
    const feed = parser(deliver);
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      clearTimeout(watchdog);
      watchdog = setTimeout(() => abort.abort(), SILENCE_MS);
      feed(value);
    }
  } finally {
    clearTimeout(watchdog);
  }
}

function deliver(id: string, type: string, data: string): void {
  if (id) last = id;
  try {
    const body = JSON.parse(data) as Omit<CityEvent, "id" | "type">;
    const event: CityEvent = { id, type, subject: body.subject, time: body.time, actor: body.actor ?? "", data: body.data ?? {} };
    for (const listener of listeners) listener(event);
  } catch {
    // One unreadable event must not end the stream.
  }
}

/** An incremental parser of the text/event-stream format (WHATWG HTML, server-sent events). */
export function parser(emit: (id: string, type: string, data: string) => void): (chunk: string) => void {
  let rest = "";
  let [id, type] = ["", "message"];
  let data: string[] = [];
  const line = (text: string): void => {
    if (text === "") {
      if (data.length > 0) emit(id, type, data.join("\n"));
      [type, data] = ["message", []];
      return;
    }
    const colon = text.indexOf(":");
    const field = colon < 0 ? text : text.slice(0, colon);
    const value = colon < 0 ? "" : text.slice(colon + 1).replace(/^ /, "");
    if (field === "id") id = value;
    else if (field === "event") type = value;
    else if (field === "data") data.push(value);
  };
  return (chunk) => {
    const lines = (rest + chunk).split(/\r\n|\n|\r(?!$)/);
    rest = lines.pop() ?? "";
    lines.forEach(line);
  };
}
