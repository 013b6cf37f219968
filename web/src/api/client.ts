/** One typed way to the server: JSON in and out, problems thrown, language sent along. */
import { language } from "@/i18n";
import { asProblem, problemOf } from "./problem";

export const ROOT = "/api/v1";

let refused: () => void = () => undefined;

/** Who wants to know that the server no longer (or not yet) takes this browser for somebody. */
export function onRefused(listener: () => void): void {
  refused = listener;
}

type Query = Record<string, string | number | undefined>;

interface Call {
  method?: string;
  query?: Query;
  body?: unknown;
  headers?: Record<string, string>;
  signal?: AbortSignal;
}

function address(path: string, query: Query | undefined): string {
  const known = Object.entries(query ?? {}).filter(([, value]) => value !== undefined && value !== "");
  const text = new URLSearchParams(known.map(([key, value]) => [key, String(value)])).toString();
  return ROOT + path + (text ? `?${text}` : "");
}

export async function call<T>(path: string, { method = "GET", query, body, headers, signal }: Call = {}): Promise<T> {
  const request: RequestInit = {
    method,
    credentials: "same-origin",
    headers: {
      Accept: "application/json",
      "Accept-Language": language.value === "zh" ? "zh-CN" : "en",
      ...(body === undefined ? {} : { "Content-Type": "application/json" }),
      ...headers,
    },
  };
  if (body !== undefined) request.body = JSON.stringify(body);
  if (signal) request.signal = signal;
  try {
    const response = await fetch(address(path, query), request);
    if (!response.ok) throw await problemOf(response);
    return (response.status === 204 ? undefined : await response.json()) as T;
  } catch (error) {
    const problem = asProblem(error);
    if (problem.failure === "unauthenticated") refused();
    throw problem;
  }
}

/** Follow the cursors of a list, up to a bound; `more` tells that the bound was met. */
export async function callAll<T>(path: string, query: Query, bound: number): Promise<{ items: T[]; more: boolean }> {
  const items: T[] = [];
  let cursor: string | undefined;
  do {
    const page = await call<{ items: T[]; next: string | null }>(path, { query: { ...query, cursor } });
    items.push(...page.items);
    cursor = page.next ?? undefined;
  } while (cursor && items.length < bound);
  return { items, more: cursor !== undefined };
}
