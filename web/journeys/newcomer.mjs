/** A newcomer sees the city live: vital signs, a warning that opens an incident, the indicator that moves, the proof. */
import assert from "node:assert/strict";
import { open, shoot } from "./browser.mjs";
import { signIn, until } from "./steps.mjs";

export default async function newcomer(browser, base, account) {
  const { page, faults, context } = await open(browser, base, { forgive: [/status of 40[13]/] });
  await page.goto(base);
  await until("the name of the city", async () => (await page.locator("header .brand strong").textContent())?.trim().length > 1);
  await signIn(page, account);

  const clock = page.locator("header .clock time");
  const before = await clock.textContent();
  await until("the city's clock moves", async () => (await clock.textContent()) !== before);
  await until("the live connection", () => page.locator("header .line.live").count());

  const figure = page.locator(".vitals .figure b").first();
  await until("a vital sign with a number", async () => /\d/.test((await figure.count()) ? await figure.textContent() : ""), 120);
  await until("its level in words", () => page.locator(".vitals .about .level").count(), 120);
  await until("a warning", () => page.locator(".warnings ol li strong").count(), 240);
  await until("an incident in the flow", () => page.locator("table a[href^='/incidents/']").count(), 120);
  await until("the map with a station on it", () => page.locator(".signs button.station").count());
  await shoot(page, "newcomer-city");

  const kpi = page.locator(".kpi .value");
  const values = async () => (await kpi.allTextContents()).join(" ");
  await until("a measured indicator", async () => /\d/.test(await values()), 240);
  const first = await values();
  await until("the indicator moves", async () => (await values()) !== first, 240);

  const size = page.locator("footer .ledger b");
  const entries = await size.textContent();
  await until("the ledger grows", async () => (await size.textContent()) !== entries);

  await figure.click();
  await page.waitForURL(/\/vitals\//);
  await until("the observations that made the number", () => page.locator(".number-line ~ .columns table tbody tr").count());
  await page.waitForTimeout(1000);
  await shoot(page, "newcomer-provenance");
  await page.goto(`${base}/ledger`);
  const check = page.locator("main button.primary");
  await check.click();
  await until("the browser remembers the head", () => page.locator(".verdict.first").count());
  await until("a newer head", async () => {
    await check.click();
    await page.waitForTimeout(1500);
    return page.locator(".verdict.consistent").count();
  });
  assert.deepEqual(faults, []);
  await context.close();
}
