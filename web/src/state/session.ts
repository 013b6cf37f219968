/** Who is signed in here, and the one place that asks for it. */
import { computed, ref, shallowRef } from "vue";
import { api } from "@/api/endpoints";
import { onRefused } from "@/api/client";
import { restartEvents } from "@/api/events";
import { asProblem } from "@/api/problem";
import type { Person } from "@/api/types";
import { say } from "@/i18n";

export const person = shallowRef<Person | null>(null);
export const mustChangePassword = ref(false);
/** After signing out nothing stays on the screen that only the person may see; after an expiry the work does. */
export const leftOnPurpose = ref(false);
export const personName = computed(() => (person.value ? say(person.value.title) || person.value.login : ""));

/** The sign-in dialog: open or not, and why it was asked for. */
export const asking = ref<"no" | "wanted" | "expired">("no");
let waiting: ((signedIn: boolean) => void)[] = [];

/** Remembered so that a visitor who never signed in is not asked for a session the server must refuse. */
const STORED = "mumian.signed-in";

function remember(signedIn: boolean): void {
  try {
    if (signedIn) localStorage.setItem(STORED, "1");
    else localStorage.removeItem(STORED);
  } catch {
    // Without storage a reload forgets the session's owner, not the session.
  }
}

function remembered(): boolean {
  try {
    return localStorage.getItem(STORED) === "1";
  } catch {
    return true;
  }
}

export async function restoreSession(): Promise<void> {
  if (!remembered()) return;
  try {
    const current = await api.session();
    person.value = current.person ?? null;
    mustChangePassword.value = current.must_change_password ?? false;
    if (person.value && mustChangePassword.value) asking.value = "wanted";
  } catch (error) {
    // Without an answer nobody is signed out: the server may only be away.
    if (asProblem(error).failure !== "unauthenticated") return;
    remember(false);
    person.value = null;
  }
}

let checking = false;

/** A refusal in the middle of work means that the session may have ended: ask, before saying so. */
onRefused(() => {
  if (!person.value || checking) return;
  checking = true;
  void restoreSession().finally(() => (checking = false));
});

export async function signIn(login: string, password: string): Promise<void> {
  const current = await api.signIn(login, password);
  person.value = current.person;
  mustChangePassword.value = current.must_change_password;
  remember(true);
  leftOnPurpose.value = false;
  if (!current.must_change_password) restartEvents();
  if (!current.must_change_password) settle(true);
}

export async function changePassword(current: string, fresh: string): Promise<void> {
  await api.changePassword(current, fresh);
  mustChangePassword.value = false;
  restartEvents();
  settle(true);
}

export async function signOut(): Promise<void> {
  try {
    await api.signOut();
  } catch (error) {
    if (asProblem(error).failure !== "unauthenticated") throw error;
  }
  leftOnPurpose.value = true;
  person.value = null;
  mustChangePassword.value = false;
  remember(false);
  restartEvents();
}

/** Ask for a sign-in; answers whether somebody is signed in afterwards. */
export function askSignIn(reason: "wanted" | "expired" = "wanted"): Promise<boolean> {
  if (reason === "expired") person.value = null;
  asking.value = reason;
  return new Promise((resolve) => waiting.push(resolve));
}

export function settle(signedIn: boolean): void {
  asking.value = "no";
  const resolved = waiting;
  waiting = [];
  for (const resolve of resolved) resolve(signedIn);
}
