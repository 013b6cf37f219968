/** This browser as a witness: it keeps the last ledger head it saw and asks for proof that it still stands. */
import { api } from "@/api/endpoints";
import { consistent, type Head } from "@/state/merkle";

const STORED = "mumian.ledger.head";

export type Verdict =
  | { outcome: "first" | "same" | "broken" | "unsupported" }
  | { outcome: "consistent"; first: number; second: number; seen: string };

interface Memory extends Head {
  seen: string;
}

function remembered(): Memory | null {
  try {
    const memory = JSON.parse(localStorage.getItem(STORED) ?? "null") as Memory | null;
    return memory && typeof memory.size === "number" && typeof memory.root === "string" ? memory : null;
  } catch {
    return null;
  }
}

function remember(head: Head): void {
  try {
    localStorage.setItem(STORED, JSON.stringify({ size: head.size, root: head.root, seen: new Date().toISOString() }));
  } catch {
    // Without storage there is nothing to compare with next time; the verdict of now still holds.
  }
}

export async function checkAgainstMemory(): Promise<Verdict> {
  if (typeof crypto === "undefined" || !crypto.subtle) return { outcome: "unsupported" };
  const now = await api.ledgerHead();
  const before = remembered();
  if (!before || before.size < 1) {
    remember(now);
    return { outcome: "first" };
  }
  if (before.size > now.size) return { outcome: "broken" };
  if (before.size === now.size) return { outcome: before.root === now.root ? "same" : "broken" };
  const answer = await api.ledgerConsistency(before.size, now.size);
  if (!(await consistent(before, now, answer.path))) return { outcome: "broken" };
  remember(now);
  return { outcome: "consistent", first: before.size, second: now.size, seen: before.seen };
}
