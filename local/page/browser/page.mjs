// Uses the live page as people do: with a mouse, with the keyboard only,
// without JavaScript, on a phone, in light and dark. Prints what is wrong, one
// line each, and ends with 1 if there was anything.
//
//   node page.mjs <address of the page> <folder for screenshots>
import { mkdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import chromium from "@sparticuz/chromium";
import puppeteer from "puppeteer-core";

const [address, images] = process.argv.slice(2);
const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const screens = [
  { name: "wide", width: 1280, height: 800, shown: 1320 },
  { name: "phone", width: 360, height: 740, shown: 740 },
];

let wrong = 0;
function check(holds, what) {
  if (holds) return;
  wrong++;
  console.log(what);
}

const browser = await puppeteer.launch({ executablePath: await chromium.executablePath(), args: chromium.args, headless: "shell" });

async function open(features = {}, screen = screens[0]) {
  const page = await browser.newPage();
  page.on("console", (said) => { if (["error", "warn"].includes(said.type())) check(false, `the console says: ${said.text()}`); });
  page.on("pageerror", (error) => check(false, `a script failed: ${error}`));
  page.on("request", (asked) => check(asked.url().startsWith(new URL(address).origin), `something is loaded from elsewhere: ${asked.url()}`));
  page.on("response", (got) => check(got.status() < 400, `${got.status()} for ${got.url()}`));
  await page.setViewport(screen);
  await page.emulateMediaFeatures(Object.entries(features).map(([name, value]) => ({ name, value })));
  await page.goto(address, { waitUntil: "load" });
  return page;
}

// comes waits until the page's text has all of what, without a reload.
async function comes(page, ...what) {
  for (const text of what) {
    await page.waitForFunction((text) => document.body.innerText.replace(/\s+/g, " ").includes(text), { timeout: 30000, polling: 50 }, text)
      .catch(() => check(false, `the page never says “${text}”`));
  }
}

const text = (page, selector) => page.$eval(selector, (element) => element.innerText.replace(/\s+/g, " "));

async function useTheMouse() {
  const page = await open();
  await page.evaluate(() => { window.unreloaded = true; });
  await page.click("#send");
  await comes(page, "Sent event", "Delivered in", "HTTP 202");
  await page.click("#rotate");
  await comes(page, "Rotation began", "Last rotation made");
  await page.click("#fault-receiver button");
  await comes(page, "THROTTLED");
  await page.click("#send");
  await comes(page, "HTTP 503", "Being retried");
  await page.click("#fault-address button");
  await comes(page, "wrong address");
  await page.click("#fault-receiver button");
  await page.click("#send");
  await comes(page, "ERROR_FROM_TARGET", "HTTP 404");
  await page.click("#fault-secret button");
  await comes(page, "wrong-secret");
  check(await page.evaluate(() => window.unreloaded), "a button left the page although scripts run");
  await page.close();
}

async function useTheKeyboard() {
  const page = await open();
  const stops = [];
  for (let i = 0; i < 9; i++) {
    await page.keyboard.press("Tab");
    stops.push(await page.evaluate(() => {
      const e = document.activeElement;
      const style = getComputedStyle(e);
      return { name: e.textContent.trim(), ring: style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2 };
    }));
  }
  const order = stops.map((stop) => stop.name).join(" | ");
  const want = "Skip to the buttons | Send test event | Rotate client secret | Repair everything | " +
    "Break: Key disabled | Repair: Wrong secret | Break: Receiver down | Repair: Wrong address";
  check(order.startsWith(want), `the keyboard's order is ${order}`);
  check(stops.slice(0, 8).every((stop) => stop.ring), "the focus cannot be seen everywhere");

  // Enter presses, and the button that has turned into its opposite keeps the focus.
  await page.focus("#fault-secret button");
  await page.keyboard.press("Enter");
  await page.waitForFunction(() => document.querySelector("#fault-secret button").innerText.startsWith("Break"), { timeout: 30000 });
  check(await page.evaluate(() => document.activeElement.textContent === "Break: Wrong secret"), "the focus is lost when the page changes");
  check(await page.$eval("#message", (e) => e.getAttribute("role") === "status" && e.innerText.includes("AWSCURRENT is back")), "the outcome is not announced");
  await page.close();
}

async function doWithoutScripts() {
  const page = await browser.newPage();
  await page.setJavaScriptEnabled(false);
  await page.goto(address);
  const [answer] = await Promise.all([page.waitForNavigation(), page.click("#send")]);
  check(answer.ok() && page.url().endsWith("/_page/#message"), `without scripts a button ends at ${page.url()}`);
  check((await text(page, "#message")).includes("Sent event"), "without scripts the outcome is not shown");
  await page.close();
}

async function repairEverything() {
  const page = await open();
  await page.click("#fault-key button");
  await comes(page, "The key is disabled", "Key Disabled");
  const delivered = await page.$eval("#station-receiver", (e) => Number(e.innerText.match(/(\d+)\s+delivered/)[1]));
  const broken = () => document.querySelectorAll(".fault.broken").length;
  check(await page.evaluate(broken) === 2, "not just the key and the address are shown as broken");
  await page.click("#repair");
  await comes(page, "The key is enabled again", "Key Enabled");
  await page.waitForFunction(() => document.querySelectorAll(".fault.broken").length === 0, { timeout: 30000 });
  await page.click("#send");
  await comes(page, "Sent event");
  await page.waitForFunction((before) => Number(document.querySelector("#station-receiver").innerText.match(/(\d+)\s+delivered/)[1]) === before + 1, { timeout: 30000 }, delivered)
    .catch(() => check(false, "after the repair an event does not arrive"));
  await page.close();
}

async function lookEverywhere() {
  mkdirSync(images, { recursive: true });
  for (const screen of screens) {
    for (const scheme of ["light", "dark"]) {
      const page = await open({ "prefers-color-scheme": scheme, "prefers-reduced-motion": "reduce" }, screen);
      const width = await page.evaluate(() => document.documentElement.scrollWidth);
      check(width <= screen.width, `${screen.name}: the page is ${width} pixels wide on a screen of ${screen.width}`);
      const small = await page.$$eval("button", (all) => all.filter((b) => b.getBoundingClientRect().height < 44).map((b) => b.textContent));
      check(small.length === 0, `${screen.name}: too small to touch: ${small}`);
      const moving = await page.evaluate(() => document.getAnimations().length);
      check(moving === 0, `${screen.name}: ${moving} things move although less motion is wanted`);
      await page.evaluate(axe);
      const { violations } = await page.evaluate(() => axe.run(document, { runOnly: ["wcag2a", "wcag2aa", "wcag21aa", "wcag22aa", "best-practice"] }));
      for (const found of violations) {
        check(false, `${screen.name}, ${scheme}: ${found.help}: ${found.nodes.map((node) => node.html).slice(0, 3).join(" ")}`);
      }
      const clip = { x: 0, y: 0, width: screen.width, height: screen.shown };
      await page.screenshot({ path: `${images}/page-${screen.name}-${scheme}.png`, clip, captureBeyondViewport: true });
      await page.close();
    }
  }
}

await useTheMouse();
await useTheKeyboard();
await doWithoutScripts();
await lookEverywhere();
await repairEverything();
await browser.close();
process.exit(wrong ? 1 : 0);
