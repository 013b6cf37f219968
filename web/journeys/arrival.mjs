/** The first sign-in: the one-time password opens nothing but the choice of an own one, and that one holds. */
import assert from "node:assert/strict";
import { open } from "./browser.mjs";
import { signIn, until } from "./steps.mjs";

export default async function arrival(browser, base, account) {
  const { page, faults, context } = await open(browser, base, { size: "narrow", language: "zh", forgive: [/status of 40[13]/] });
  await page.goto(base);
  await until("the name of the city", async () => (await page.locator("header .brand strong").textContent())?.trim().length > 1);
  const held = await signIn(page, account);
  assert.equal(held, account.fresh, "the one-time password had to be changed");
  const signOut = page.getByRole("button", { name: "退出" });
  await until("the person is signed in", () => signOut.count());
  await page.reload();
  await until("the person is still signed in after a reload", () => signOut.count(), 20);
  await signOut.click();
  await until("the person is signed out", async () => (await signOut.count()) === 0);
  await signIn(page, { ...account, password: held });
  await until("the chosen password holds", () => signOut.count());
  assert.deepEqual(faults, []);
  await context.close();
}
