/** What went wrong with a request, in words a person can act on. */

export interface FieldFault {
  field: string;
  key?: string;
  message: string;
}

export type Failure = "offline" | "unauthenticated" | "forbidden" | "missing" | "conflict" | "invalid" | "server";

export class Problem extends Error {
  constructor(
    readonly failure: Failure,
    readonly status: number,
    readonly detail: string,
    readonly faults: FieldFault[] = [],
    readonly key: string = "",
  ) {
    super(detail || failure);
    this.name = "Problem";
  }
}

function failureOf(status: number): Failure {
  if (status === 401) return "unauthenticated";
  if (status === 403) return "forbidden";
  if (status === 404) return "missing";
  if (status === 409 || status === 412 || status === 428) return "conflict";
  if (status === 502 || status === 503 || status === 504) return "offline";
  return status < 500 ? "invalid" : "server";
}

interface ProblemBody {
  title?: unknown;
  detail?: unknown;
  key?: unknown;
  errors?: unknown;
}

/** Read an RFC 9457 body; an answer that is none still gives a usable problem. */
export async function problemOf(response: Response): Promise<Problem> {
  let body: ProblemBody = {};
  try {
    body = (await response.json()) as ProblemBody;
  } catch {
    body = {};
  }
  const text = (value: unknown): string => (typeof value === "string" ? value : "");
  const faults = Array.isArray(body.errors) ? (body.errors as FieldFault[]).filter((e) => typeof e?.message === "string") : [];
  return new Problem(failureOf(response.status), response.status, text(body.detail) || text(body.title), faults, text(body.key));
}

/** Any thrown value as a problem: a failed fetch means that the server cannot be reached. */
export function asProblem(error: unknown): Problem {
  return error instanceof Problem ? error : new Problem("offline", 0, "");
}
