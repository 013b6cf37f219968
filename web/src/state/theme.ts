/** Light or dark: the system's wish at first, the person's choice afterwards. */
import { computed, ref, watch } from "vue";

export type Theme = "light" | "dark";
const STORED = "mumian.theme";
const system = window.matchMedia("(prefers-color-scheme: dark)");
const systemTheme = ref<Theme>(system.matches ? "dark" : "light");
system.addEventListener("change", (change) => {
  systemTheme.value = change.matches ? "dark" : "light";
});

function stored(): Theme | null {
  try {
    const theme = localStorage.getItem(STORED);
    return theme === "light" || theme === "dark" ? theme : null;
  } catch {
    return null;
  }
}
const chosen = ref<Theme | null>(stored());

export const theme = computed<Theme>(() => chosen.value ?? systemTheme.value);
watch(theme, (now) => (document.documentElement.dataset["theme"] = now), { immediate: true, flush: "sync" });

export function switchTheme(): void {
  chosen.value = theme.value === "dark" ? "light" : "dark";
  try {
    localStorage.setItem(STORED, chosen.value);
  } catch {
    // Without storage the choice lasts as long as the page.
  }
}

/** The value of a design token as the page shows it now; canvas drawings need it as text. */
export function token(name: string): string {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}
