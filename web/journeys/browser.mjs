/** Real Chromium for the journeys: pages of a named size, language and theme that note every fault they see. */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { chromium } from "playwright-core";

export const SIZES = { wide: { width: 1920, height: 1080 }, narrow: { width: 390, height: 844 } };
export const LANGUAGES = { zh: "zh-CN", en: "en-GB" };
const FLAGS = [
  "--no-sandbox",
  "--disable-gpu",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  "--use-angle=swiftshader",
  "--enable-unsafe-swiftshader",
];
const ARTEFACTS = process.env["MUMIAN_ARTEFACTS"] ?? fileURLToPath(new URL("../../artefacts/journeys", import.meta.url));

export async function launch() {
  return chromium.launch({ executablePath: process.env["CHROMIUM"] ?? "/usr/bin/chromium", headless: true, args: FLAGS });
}

/** A page, and the list of faults (console errors, thrown errors, foreign hosts, server errors) that it fills by itself. */
export async function open(browser, base, { size = "wide", language = "zh", theme = "light", forgive = [] } = {}) {
  const context = await browser.newContext({ viewport: SIZES[size], locale: LANGUAGES[language], colorScheme: theme, reducedMotion: "reduce", hasTouch: size === "narrow", isMobile: size === "narrow" });
  const page = await context.newPage();
  const faults = [];
  const note = (text) => {
    if (!forgive.some((pattern) => pattern.test(text))) faults.push(text);
  };
  page.on("console", (message) => message.type() === "error" && note(`console: ${message.text()} ${message.location().url ?? ""}`));
  page.on("pageerror", (error) => note(`thrown: ${error.message}`));
  page.on("request", (request) => {
    const url = new URL(request.url());
    if (["http:", "https:", "ws:", "wss:"].includes(url.protocol) && url.host !== new URL(base).host) note(`foreign host: ${url.href}`);
  });
  page.on("response", (response) => response.status() >= 500 && note(`server: ${response.status()} ${response.url()}`));
  return { context, page, faults };
}

export async function shoot(page, name) {
  mkdirSync(ARTEFACTS, { recursive: true });
  await page.screenshot({ path: join(ARTEFACTS, `${name}.png`), fullPage: page.viewportSize().width < 1000 });
}
