/** Every screen in both languages, at both sizes, light and dark: no text cut or overlapping, no foreign host, no console error. */
import assert from "node:assert/strict";
import { LANGUAGES, SIZES, open, shoot } from "./browser.mjs";
import { looks } from "./looks.mjs";
import { incidents, signIn, until } from "./steps.mjs";

/** Dark is looked at where it differs most from what is seen already. */
const THEMES = { "wide zh": ["light", "dark"], "narrow en": ["light", "dark"] };

export default async function appearance(browser, base, account) {
  const found = [];
  let password = account.password;
  let shown = null;
  for (const size of Object.keys(SIZES)) {
    for (const language of Object.keys(LANGUAGES)) {
      for (const theme of THEMES[`${size} ${language}`] ?? ["light"]) {
        const { page, faults, context } = await open(browser, base, { size, language, theme, forgive: [/status of 40[13]/] });
        await page.goto(base);
        password = await signIn(page, { ...account, password });
        for (const [name, path] of (shown ??= await screens(page))) {
          await page.goto(base + path);
          await until(`${name} is filled`, async () => (await page.locator("main").textContent()).length > 80, 30);
          await page.waitForTimeout(1000);
          await shoot(page, `${name}-${language}-${theme}-${size}`);
          for (const fault of await looks(page)) found.push(`${name} ${language} ${theme} ${size}: ${fault}`);
        }
        if (size === "wide") found.push(...(await fitsOnePage(page, base, language)));
        found.push(...faults);
        await context.close();
      }
    }
  }
  assert.deepEqual(found, []);
}

async function screens(page) {
  const vital = await until("a vital sign", () => page.evaluate(async () => (await (await fetch("/api/v1/brain/vitals")).json()).items[0]?.name), 120);
  const incident = await until("an incident", async () => (await incidents(page, ""))[0]?.number, 240);
  return Object.entries({
    city: "/",
    incident: `/incidents/${incident}`,
    incidents: "/incidents?state=all",
    vital: `/vitals/${vital}?key=city`,
    ledger: "/ledger",
    catalogue: "/catalogue",
  });
}

/** The big screen shows everything at once: no scrolling at 1920 × 1080. */
async function fitsOnePage(page, base, language) {
  await page.goto(base);
  await page.waitForTimeout(800);
  const height = await page.evaluate(() => document.documentElement.scrollHeight);
  return height > SIZES.wide.height + 1 ? [`city ${language} is ${height} px high`] : [];
}
