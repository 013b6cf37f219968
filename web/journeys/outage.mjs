/** The server goes away and comes back: the page says so, keeps what was typed, and catches up. Runs on the fixture server. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { open, shoot } from "./browser.mjs";
import { incidents, signIn, until } from "./steps.mjs";

const SERVER = fileURLToPath(new URL("../dev/server.mjs", import.meta.url));
const ACCOUNT = { login: "admin", password: "kapok", fresh: "kapok" };

async function serve(port) {
  const child = spawn(process.execPath, [SERVER, String(port), "1800"], { stdio: ["ignore", "pipe", "inherit"] });
  await new Promise((resolve, reject) => {
    child.stdout.once("data", resolve);
    child.once("exit", () => reject(new Error("the fixture server did not start")));
  });
  return child;
}

export default async function outage(browser, port) {
  const base = `http://127.0.0.1:${port}`;
  let server = await serve(port);
  try {
    const { page, context } = await open(browser, base, { language: "en" });
    await page.goto(base);
    await signIn(page, ACCOUNT);
    const [incident] = await until("an open incident", async () => ((await incidents(page)).length ? incidents(page) : null), 120);
    await page.goto(`${base}/incidents/${incident.number}`);
    const note = page.locator("textarea[name=note]");
    await until("the form", () => note.count());
    await note.fill("typed before the server went away");

    server.kill("SIGKILL");
    await until("the page says that the server is gone", () => page.getByRole("alert").filter({ hasText: "not reachable" }).count(), 20);
    await page.locator(".buttons button").last().click();
    await until("the action fails with words", () => page.locator(".fault").count(), 20);
    assert.equal(await note.inputValue(), "typed before the server went away");
    await shoot(page, "outage");

    server = await serve(port);
    await until("it is connected again", () => page.locator("header .line.live").count(), 40);
    assert.equal(await page.getByRole("alert").filter({ hasText: "not reachable" }).count(), 0);
    assert.equal(await note.inputValue(), "typed before the server went away");
    await page.goto(base);
    await until("the city is shown again", () => page.locator(".vitals .figure b").count(), 20);
    await context.close();
  } finally {
    server.kill("SIGKILL");
  }
}
