/** A person signs in, takes an incident over and handles it until it is closed; a stale page loses nothing that was typed. */
import assert from "node:assert/strict";
import { open, shoot } from "./browser.mjs";
import { incidents, signIn, until } from "./steps.mjs";

const NOTE = "现场核实 <b>checked on site</b>";
/** Early stages first: the officer of the demo keeps off what a person has taken. */
const EARLY = ["reported", "filed", "dispatched", "handling"];

export default async function officer(browser, base, account) {
  const { page, faults, context } = await open(browser, base, { language: "en", forgive: [/status of 4\d\d/] });
  await page.goto(base);
  await refuseWrongPassword(page, account.login);
  await signIn(page, account);

  const untouched = async () => (await incidents(page)).find((i) => EARLY.includes(i.state));
  // On days of clean air nothing happens by itself: then somebody reports.
  const incident = (await untouched()) ?? (await report(page));
  await page.goto(`${base}/incidents/${incident.number}`);
  const steps = page.locator("ol li[aria-current=step]");
  await until("the incident's stage", () => steps.count());
  await staleKeepsNote(page);

  const taken = [];
  while ((await steps.textContent()).trim() !== "Closed") {
    assert.ok(taken.length < 25, `no way to the end: ${taken.join(", ")}`);
    taken.push(await stepOn(page, steps));
  }
  await shoot(page, "officer-closed");
  const history = await page.locator("main").textContent();
  assert.ok(history.includes(NOTE), "the note stands in the history, as text and not as markup");
  assert.ok(taken.includes("close"), `steps taken by hand: ${taken.join(", ")}`);
  assert.deepEqual(faults, []);
  await context.close();
}

async function report(page) {
  return page.evaluate(async () => {
    const { items } = await (await fetch("/api/v1/declarations?kind=IncidentType")).json();
    const { centre } = await (await fetch("/api/v1/city")).json();
    const body = { type: items[0].name, title: "路口浓烟 Smoke at a crossing", place: { longitude: centre[0], latitude: centre[1], label: "路口 crossing" } };
    const answer = await fetch("/api/v1/brain/incidents", { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) });
    if (!answer.ok) throw new Error(await answer.text());
    return answer.json();
  });
}

async function refuseWrongPassword(page, login) {
  await page.locator("header .tools").getByRole("button", { name: "Sign in" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.locator("input[name=login]").fill(login);
  await dialog.locator("input[name=password]").fill("certainly-not-this");
  await dialog.locator("button.primary").click();
  await until("a word about the wrong password", () => dialog.getByRole("alert").count(), 20);
  assert.equal(await dialog.locator("input[name=login]").inputValue(), login);
  await page.keyboard.press("Escape");
  await until("Esc closes the dialog", async () => (await dialog.count()) === 0, 10);
}

/** Send one action with an outdated version: the page must say so and keep the note. */
async function staleKeepsNote(page) {
  const note = page.locator("textarea[name=note]");
  await until("the form to act", () => note.count());
  await note.fill(NOTE);
  await page.route("**/actions", (route) => route.continue({ headers: { ...route.request().headers(), "if-match": '"0"' } }));
  await page.locator(".buttons button").last().click();
  await until("the conflict is named", () => page.locator("form + .fault, .fault[role=alert]").count(), 20);
  await page.unroute("**/actions");
  assert.equal(await note.inputValue(), NOTE, "what was typed is kept");
}

/** Do the action that leads on; a simulated officer may be faster, then the page just shows the newer stage. */
async function stepOn(page, steps) {
  const stage = await steps.textContent();
  const button = page.locator(".buttons .button.primary");
  await until(`an action in stage ${stage}`, async () => (await button.count()) > 0 || (await steps.textContent()) !== stage, 30);
  if ((await button.count()) === 0) return "overtaken";
  const action = await button.getAttribute("data-action");
  const note = page.locator("textarea[name=note]");
  if ((await note.inputValue()) === "" && action === "resolve") await note.fill(NOTE);
  const choice = page.locator("select[name=organisation]");
  if (action === "dispatch") await choice.selectOption({ index: 1 });
  await button.click({ timeout: 5000 }).catch(() => undefined);
  await until(`the stage after ${action}`, async () => (await steps.textContent()) !== stage || (await page.locator(".fault").count()) > 0, 30);
  return (await steps.textContent()) === stage ? `${action} (refused)` : action;
}
