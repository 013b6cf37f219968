/** The language of the interface: browser language at first, the person's choice afterwards. */
import { ref, watch } from "vue";
import type { Title } from "@/api/types";
import { en, type Key } from "./en";
import { EVENTS } from "./events";
import { zh } from "./zh";

export type Language = "zh" | "en";
export type { Key };
const STORED = "mumian.language";
const WORDS = { zh, en };

function initial(): Language {
  let stored: string | null = null;
  try {
    stored = localStorage.getItem(STORED);
  } catch {
    stored = null;
  }
  if (stored === "zh" || stored === "en") return stored;
  return navigator.language.toLowerCase().startsWith("zh") ? "zh" : "en";
}

export const language = ref<Language>(initial());

watch(
  language,
  (now) => {
    document.documentElement.lang = now === "zh" ? "zh-CN" : "en";
  },
  { immediate: true },
);

export function choose(next: Language): void {
  language.value = next;
  try {
    localStorage.setItem(STORED, next);
  } catch {
    // Without storage the choice lasts as long as the page.
  }
}

type Values = Record<string, string | number>;

/** The words of a key, with {placeholders} filled in. */
export function t(key: Key, values: Values = {}): string {
  const forms = WORDS[language.value][key].split("|");
  const form = (values["n"] === 1 ? forms[0] : forms[forms.length - 1]) ?? key;
  return form.replace(/\{(\w+)\}/g, (whole, name: string) => {
    const value = values[name];
    return value === undefined ? whole : typeof value === "number" ? value.toLocaleString(locale()) : value;
  });
}

/** The words of a key that is built at run time; falls back to a given text when there are none. */
export function maybe(key: string, otherwise: string): string {
  return key in en ? t(key as Key) : otherwise;
}

/** What an event tells; one of a type that is new here is called by its type. */
export function happened(type: string): string {
  return EVENTS[type]?.[language.value] ?? type;
}

/** A title of the server in the language of the reader; plain strings pass through. */
export function say(title: Title | string | null | undefined): string {
  if (title === null || title === undefined) return "";
  if (typeof title === "string") return title;
  return title[language.value] || title.zh || title.en || "";
}

/** A district's name without the word for district, where space is dear; Chinese names need the word. */
export function shortName(title: Title | string | null | undefined): string {
  return say(title).replace(/ (District|County)$/, "");
}

export function locale(): string {
  return language.value === "zh" ? "zh-CN" : "en-GB";
}
