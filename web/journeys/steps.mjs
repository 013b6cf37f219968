/** Steps that several journeys share, in the words of a person: sign in, wait until something is seen. */
import assert from "node:assert/strict";

export const t = (language, zh, en) => (language === "zh" ? zh : en);

/** Wait until `look` answers something true; `what` says what was waited for. */
export async function until(what, look, seconds = 60) {
  const end = Date.now() + seconds * 1000;
  for (;;) {
    const found = await look();
    if (found) return found;
    assert.ok(Date.now() < end, `not seen within ${seconds} s: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 150));
  }
}

/** Sign in by the dialog; a one-time password is exchanged for `fresh`. Answers the password that holds afterwards. */
export async function signIn(page, { login, password, fresh }) {
  await page.locator("header .tools").getByRole("button", { name: /登录|Sign in/ }).click();
  const dialog = page.getByRole("dialog");
  await dialog.locator("input[name=login]").fill(login);
  await dialog.locator("input[name=password]").fill(password);
  await dialog.locator("button.primary").click();
  const next = dialog.locator("input[name=new]");
  await until("the dialog is gone or asks for a new password", async () => (await next.count()) > 0 || (await dialog.count()) === 0, 20);
  if ((await next.count()) === 0) return password;
  await next.fill(fresh);
  await dialog.locator("input[name=repeat]").fill(fresh);
  await dialog.locator("button.primary").click();
  await until("the dialog closes after the change", async () => (await dialog.count()) === 0, 20);
  return fresh;
}

/** Incidents as the signed-in person sees them: the open ones, or with an empty state all. */
export async function incidents(page, state = "open") {
  return page.evaluate(async (query) => {
    const response = await fetch(`/api/v1/brain/incidents${query}`);
    return response.ok ? (await response.json()).items : [];
  }, state ? `?state=${state}` : "");
}
