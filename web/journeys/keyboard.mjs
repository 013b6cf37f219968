/** The city by keyboard alone: skip link, visible focus, a dialog that keeps the focus and gives it back. */
import assert from "node:assert/strict";
import { open } from "./browser.mjs";
import { until } from "./steps.mjs";

const focused = (page) => page.evaluate(() => document.activeElement?.textContent?.trim().slice(0, 60) ?? "");

export default async function keyboard(browser, base) {
  const { page, context } = await open(browser, base, { language: "en" });
  await page.goto(base);
  await until("the header", () => page.locator("header .tools button").count());
  await page.keyboard.press("Tab");
  assert.equal(await focused(page), "Skip to content");
  await page.keyboard.press("Enter");
  assert.equal(await page.evaluate(() => document.activeElement?.id), "content");

  const signIn = page.locator("header .tools").getByRole("button", { name: "Sign in" });
  await signIn.focus();
  const outline = await signIn.evaluate((button) => getComputedStyle(button).outlineStyle);
  assert.notEqual(outline, "none", "the focus is visible");
  await page.keyboard.press("Enter");
  const dialog = page.getByRole("dialog");
  await until("the dialog", () => dialog.count());
  for (let i = 0; i < 12; i++) {
    await page.keyboard.press("Tab");
    const inside = await page.evaluate(() => document.activeElement === document.body || document.querySelector("dialog")?.contains(document.activeElement));
    assert.ok(inside, "the focus stays inside of the dialog");
  }
  await page.keyboard.press("Escape");
  await until("the dialog is gone", async () => (await dialog.count()) === 0);
  assert.equal(await focused(page), "Sign in", "the focus is back where it was");

  const station = page.locator(".signs button").first();
  await until("a sign on the map", () => station.count());
  await station.focus();
  await page.keyboard.press("Enter");
  await until("a detail or a page about the sign", async () => (await page.locator(".detail").count()) > 0 || page.url() !== `${base}/`);
  await page.keyboard.press("Escape");
  await until("Esc closes the detail", async () => (await page.locator(".detail").count()) === 0);
  await context.close();
}
