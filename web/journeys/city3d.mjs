/** A city file and pipes are brought in, and the city stands in three dimensions: pointed at, turned by keys, read as a table. */
import assert from "node:assert/strict";
import { open, shoot } from "./browser.mjs";
import { looks } from "./looks.mjs";
import { signIn, until } from "./steps.mjs";

const FACES = [[[3, 2, 1, 0]], [[4, 5, 6, 7]], [[0, 1, 5, 4]], [[1, 2, 6, 5]], [[2, 3, 7, 6]], [[3, 0, 4, 7]]];
const USES = ["住宅", "办公", "商业", "学校"];

/** Twenty-five blocks in the 3° zone of 114° E (CGCS2000), every one of another height. */
function blocks() {
  const [objects, vertices] = [{}, []];
  for (let i = 0; i < 25; i++) {
    const [x, y, height] = [(i % 5) * 40, Math.floor(i / 5) * 40, 8 + i * 3];
    const floor = [[x, y], [x + 22, y], [x + 22, y + 22], [x, y + 22]];
    const boundaries = [FACES.map((face) => face.map((ring) => ring.map((corner) => corner + i * 8)))];
    vertices.push(...floor.map((at) => [...at, 0]), ...floor.map((at) => [...at, height]));
    const attributes = { name: `${i + 1}号楼`, measuredHeight: height, usage: USES[i % 4], storeysAboveGround: Math.round(height / 3) };
    objects[`block-${i + 1}`] = { type: "Building", attributes, geometry: [{ type: "Solid", lod: "1", boundaries }] };
  }
  const metadata = { referenceSystem: "https://www.opengis.net/def/crs/EPSG/0/4547" };
  return { type: "CityJSON", version: "2.0", transform: { scale: [1, 1, 1], translate: [430000, 2559000, 0] }, metadata, CityObjects: objects, vertices };
}

function pipes([west, south, east, north]) {
  const line = (id, depth, coordinates) => ({ type: "Feature", geometry: { type: "LineString", coordinates }, properties: { id, depth, diameter: 600, material: "PE" } });
  const middle = (south + north) / 2;
  return { type: "FeatureCollection", features: [line("p1", 1.5, [[west, middle], [(west + east) / 2, middle]]), line("p2", 3.2, [[(west + east) / 2, middle], [east, middle]])] };
}

async function send(page, method, path, body) {
  return page.evaluate(
    async ([way, where, content]) => {
      const response = await fetch(`/api/v1/foundation/buildings${where}`, { method: way, body: content });
      return { status: response.status, body: await response.json() };
    },
    [method, path, body === undefined ? undefined : JSON.stringify(body)],
  );
}

export default async function city3d(browser, base, account) {
  const { page, faults, context } = await open(browser, base, { forgive: [/status of 40[13]/] });
  await page.goto(base);
  await signIn(page, account);
  const came = await send(page, "POST", "/imports/cityjson?source=journey", blocks());
  assert.equal(came.status, 200, JSON.stringify(came.body));
  assert.equal(came.body.objects, 25);
  const { body: summary } = await send(page, "GET", "/summary");
  const laid = await send(page, "PUT", "/networks/journey?kind=water&title_zh=给水&title_en=Water", pipes(summary.bounds));
  assert.equal(laid.status, 200, JSON.stringify(laid.body));

  await page.goto(`${base}/city3d`);
  await until("the city is drawn", () => page.locator(".stage.drawn").count(), 90);
  const canvas = page.locator(".stage canvas");
  const [box] = [await canvas.boundingBox()];
  await page.mouse.click(box.x + box.width / 2, box.y + box.height / 2);
  await until("a click on a building shows its facts", () => page.locator(".facts dl").count(), 30);
  assert.match(await page.locator(".facts").textContent(), /journey · block-/);
  await page.getByLabel("地下管线").selectOption("depth");
  await until("the legend tells depths", () => page.locator(".legend i.bar").count());
  await page.waitForTimeout(1500);
  assert.deepEqual(await looks(page), []);
  await shoot(page, "city3d-wide");

  await canvas.focus();
  await page.keyboard.press("Shift+ArrowUp");
  await page.keyboard.press("Shift+ArrowRight");
  await page.getByRole("button", { name: "表格", exact: false }).click();
  await until("the table lists what is in view", () => page.locator("section table tbody tr").count(), 30);
  await page.locator("section table tbody button").first().click();
  await until("a row shows the facts of its building", () => page.locator(".facts dl").count());
  assert.deepEqual(faults, []);
  const kept = await context.storageState();
  await context.close();

  for (const [language, theme] of [["en", "dark"], ["zh", "light"]]) {
    const narrow = await open(browser, base, { size: "narrow", language, theme, forgive: [/status of 40[13]/] });
    await narrow.context.addCookies(kept.cookies);
    await narrow.page.goto(`${base}/city3d`);
    await until("the city is drawn on a small screen", () => narrow.page.locator(".stage.drawn").count(), 90);
    assert.deepEqual(await looks(narrow.page), []);
    await shoot(narrow.page, `city3d-narrow-${theme}`);
    assert.deepEqual(narrow.faults, []);
    await narrow.context.close();
  }
}
