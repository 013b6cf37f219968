/** Runs one journey: `node journeys/run.mjs NAME BASE [LOGIN PASSWORD [NEW-PASSWORD]]`; ends with 1 and the reason when it fails. */
import { launch } from "./browser.mjs";

const [name, base, login = "admin", password = "", fresh = `${password}-mine`] = process.argv.slice(2);
const { default: journey } = await import(`./${name}.mjs`);
const browser = await launch();
try {
  await journey(browser, base, { login, password, fresh });
  console.log(JSON.stringify({ journey: name, passed: true }));
} catch (error) {
  console.error(error.message);
  process.exitCode = 1;
} finally {
  await browser.close();
}
