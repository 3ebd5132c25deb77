// Files as headless Chromium shows them, with the network cut, in light and in dark.
//
//   node browser.mjs CHROMIUM_FOLDER [--screenshots FOLDER] FILE…
//
// One JSON line for each file and scheme: what went wrong, and what was seen. The browser is spoken to in its own protocol
// over a pipe, so that nothing has to be installed besides.
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join, resolve } from "node:path";
import { pathToFileURL } from "node:url";

const [folder, ...rest] = process.argv.slice(2);
const pictures = rest[0] === "--screenshots" ? rest.splice(0, 2)[1] : undefined;
const profile = mkdtempSync(join(tmpdir(), "pyfleet-browser-"));
// FONTS=system: for eyes; the test has only the font that came with the browser.
const fonts = process.env.FONTS === "system" ? {} : { FONTCONFIG_FILE: join(profile, "fonts.conf") };
writeFileSync(
  join(profile, "fonts.conf"),
  `<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig><dir>${resolve(folder)}/fonts</dir><cachedir>${profile}/font-cache</cachedir></fontconfig>
`,
);
const browser = spawn(
  join(folder, "chromium"),
  [
    "--headless=shell",
    "--no-sandbox", // it opens nothing but files that the test has made, and containers have no namespaces to give
    "--disable-dev-shm-usage",
    "--remote-debugging-pipe",
    "--force-color-profile=srgb",
    "--host-resolver-rules=MAP * ~NOTFOUND",
    `--user-data-dir=${profile}`,
    "about:blank",
  ],
  {
    stdio: ["ignore", "ignore", "ignore", "pipe", "pipe"],
    env: { PATH: process.env.PATH, HOME: profile, LD_LIBRARY_PATH: join(folder, "lib"), ...fonts },
  },
);
const [, , , input, output] = browser.stdio;
const waiting = new Map();
const listeners = new Set();
let received = "";
output.setEncoding("utf8").on("data", (text) => {
  const messages = (received + text).split("\0");
  received = messages.pop();
  for (const message of messages.map((own) => JSON.parse(own))) {
    if (message.id) waiting.get(message.id)(message);
    else for (const listener of listeners) listener(message);
  }
});
let isDone = false; // then it may end before it has answered
const ended = new Promise((done) => browser.once("exit", done));
browser.on("exit", (code) => {
  if (waiting.size > 0 && !isDone) {
    console.error(`Chromium ended with ${code}`);
    process.exit(1);
  }
});
const WIDE = 3000; // nothing scrolls here
let last = 0;
const send = (method, params = {}, sessionId = undefined) =>
  new Promise((done, failed) => {
    const id = ++last;
    waiting.set(id, ({ error, result }) => {
      waiting.delete(id);
      error ? failed(new Error(`${method}: ${error.message}`)) : done(result);
    });
    input.write(`${JSON.stringify({ id, method, params, sessionId })}\0`);
  });

// Runs in the page. Every text is looked at where it stands: what is its colour, and what is painted under it?
function look() {
  const problems = [];
  const colour = (text) => {
    const [r, g, b, a = 1] = (text.match(/[\d.]+/g) ?? [0, 0, 0, 0]).map(Number);
    return { r, g, b, a: text === "none" || text === "transparent" ? 0 : a };
  };
  const luminance = ({ r, g, b }) => {
    const [x, y, z] = [r, g, b].map((own) => {
      const part = own / 255;
      return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * x + 0.7152 * y + 0.0722 * z;
  };
  const contrast = (one, other) => {
    const [light, dark] = [luminance(one), luminance(other)].sort((a, b) => b - a);
    return (light + 0.05) / (dark + 0.05);
  };
  const under = (element, x, y) => {
    const shapes = ["rect", "path", "polygon"];
    for (const own of document.elementsFromPoint(x, y)) {
      if (own === element || own.tagName.toLowerCase() === "text") continue;
      const style = getComputedStyle(own);
      const paint = colour(shapes.includes(own.tagName.toLowerCase()) ? style.fill : style.backgroundColor);
      if (paint.a === 1) return paint;
    }
    return undefined;
  };
  for (const details of document.querySelectorAll("details")) details.open = true;

  let texts = 0;
  let worst = 21;
  const check = (element, paint, rectangle) => {
    if (rectangle.width === 0 || rectangle.height === 0 || rectangle.right < 0) return;
    texts += 1;
    const said = element.textContent.trim().slice(0, 40);
    const background = under(element, rectangle.x + rectangle.width / 2, rectangle.y + rectangle.height / 2);
    if (!background) return problems.push(`nothing is painted under "${said}"`);
    const own = contrast(colour(paint), background);
    worst = Math.min(worst, own);
    if (own < 4.5) problems.push(`"${said}" has a contrast of ${own.toFixed(2)}`);
  };
  for (const text of document.querySelectorAll("svg text")) {
    check(text, getComputedStyle(text).fill, text.getBoundingClientRect());
  }
  const walker = document.createTreeWalker(document.body ?? document.documentElement, NodeFilter.SHOW_TEXT);
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    const element = node.parentElement;
    if (!node.textContent.trim() || element.closest("svg, style, script, title")) continue;
    const range = document.createRange();
    range.selectNodeContents(node);
    check(element, getComputedStyle(element).color, range.getClientRects()[0] ?? element.getBoundingClientRect());
  }

  let boxes = 0;
  for (const svg of document.querySelectorAll("svg.chart")) {
    const paper = svg.viewBox.baseVal;
    const nodes = [...svg.querySelectorAll(".node")].map((node) => ({
      node,
      box: node.querySelector(".body").getBBox(),
      said: node.querySelector("text").textContent,
    }));
    boxes += nodes.length;
    const inside = (one, other) =>
      one.x >= other.x && one.y >= other.y && one.x + one.width <= other.x + other.width && one.y + one.height <= other.y + other.height;
    for (const { node, box, said } of nodes) {
      if (!inside(box, paper)) problems.push(`"${said}" lies outside of the paper`);
      for (const text of node.querySelectorAll("text")) {
        if (!inside(text.getBBox(), box)) problems.push(`"${text.textContent}" runs out of its box`);
      }
    }
    const apart = (one, other) =>
      one.x + one.width <= other.x || other.x + other.width <= one.x || one.y + one.height <= other.y || other.y + other.height <= one.y;
    nodes.forEach(({ box, said }, position) => {
      for (const other of nodes.slice(position + 1)) {
        if (!apart(box, other.box)) problems.push(`"${said}" and "${other.said}" overlap`);
      }
    });
    for (const text of svg.querySelectorAll("text")) {
      if (!inside(text.getBBox(), paper)) problems.push(`"${text.textContent}" runs out of the paper`);
    }
    // An edge is looked at every few units: it may touch its own two boxes, and enter none.
    for (const edge of svg.querySelectorAll(".edge")) {
      const length = edge.getTotalLength();
      for (let at = 2; at < length - 2; at += 4) {
        const { x, y } = edge.getPointAtLength(at);
        const met = nodes.find(
          ({ box }) => x > box.x + 0.5 && x < box.x + box.width - 0.5 && y > box.y + 0.5 && y < box.y + box.height - 0.5,
        );
        if (met) {
          problems.push(`an edge runs through "${met.said}"`);
          break;
        }
      }
    }
  }
  const ids = [...document.querySelectorAll("[id]")].map((own) => own.id);
  if (new Set(ids).size !== ids.length) problems.push("an id is there twice");
  const links = [...document.querySelectorAll("a")].map((own) => own.getAttribute("href"));
  for (const link of links) {
    if (!link.startsWith("#") || !document.getElementById(link.slice(1))) problems.push(`${link} leads nowhere`);
  }
  for (const details of document.querySelectorAll("details")) details.open = false;
  return { problems, texts, boxes, links: links.length, worst, background: getComputedStyle(document.body ?? document.documentElement).backgroundColor };
}

// Runs in the page: the chart's first link is followed, and what it leads to is unfolded.
async function follow() {
  const link = document.querySelector("svg a");
  if (!link) return undefined;
  link.focus();
  if (document.activeElement !== link) return "a box cannot be reached with the keyboard";
  link.dispatchEvent(new MouseEvent("click", { bubbles: true, cancelable: true }));
  // On a busy machine that takes a moment.
  for (let turn = 0; turn < 40; turn += 1) {
    await new Promise((done) => setTimeout(done, 50));
    const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
    if (target?.closest("details")?.open) return undefined;
  }
  return `${link.getAttribute("href")} unfolds nothing`;
}

const { targetId } = await send("Target.createTarget", { url: "about:blank" });
const { sessionId } = await send("Target.attachToTarget", { targetId, flatten: true });
const page = (method, params) => send(method, params, sessionId);
for (const domain of ["Page", "Runtime", "Log", "Network", "Audits"]) await page(`${domain}.enable`);
await page("Network.emulateNetworkConditions", { offline: true, latency: 0, downloadThroughput: 0, uploadThroughput: 0 });

for (const file of rest) {
  const url = pathToFileURL(resolve(file)).href;
  for (const scheme of ["light", "dark"]) {
    const problems = [];
    let loaded;
    const isLoaded = new Promise((done) => (loaded = done));
    const listener = ({ method, params }) => {
      if (method === "Page.loadEventFired") loaded();
      if (method === "Runtime.exceptionThrown") problems.push(`exception: ${params.exceptionDetails.text}`);
      if (method === "Runtime.consoleAPICalled") problems.push(`console: ${params.type}`);
      if (method === "Log.entryAdded") problems.push(`log: ${params.entry.text}`);
      if (method === "Audits.issueAdded") problems.push(`issue: ${params.issue.code}`);
      if (method === "Network.requestWillBeSent" && params.request.url !== url) {
        problems.push(`asks for ${params.request.url}`);
      }
    };
    await page("Emulation.setEmulatedMedia", { features: [{ name: "prefers-color-scheme", value: scheme }] });
    const size = (width, height) =>
      page("Emulation.setDeviceMetricsOverride", { width, height, deviceScaleFactor: 1, mobile: false });
    await size(1280, 900);
    listeners.add(listener);
    await page("Page.navigate", { url });
    await isLoaded;
    const evaluate = async (called) => {
      const { result, exceptionDetails } = await page("Runtime.evaluate", {
        expression: `(${called})()`,
        awaitPromise: true,
        returnByValue: true,
      });
      if (exceptionDetails) throw new Error(JSON.stringify(exceptionDetails));
      return result.value;
    };
    // What is not in the window cannot be asked what lies under it.
    const extent = (own) => `() => Math.ceil(document.documentElement.${own})`;
    await evaluate("() => { for (const own of document.querySelectorAll('details')) own.open = true; }");
    const isSvg = file.endsWith(".svg");
    if (!isSvg) {
      for (const width of [390, 1280]) {
        await size(width, 900);
        if (await evaluate("() => document.documentElement.scrollWidth > innerWidth")) problems.push(`scrolls sideways at ${width}`);
      }
      await size(WIDE, 900);
    }
    const width = isSvg ? await evaluate("() => document.documentElement.width.baseVal.value") : WIDE;
    const height = isSvg
      ? await evaluate("() => document.documentElement.height.baseVal.value")
      : await evaluate(extent("scrollHeight"));
    await size(Math.ceil(width), Math.ceil(height));
    const seen = await evaluate(look);
    if (pictures) {
      if (!isSvg) {
        await size(1280, 900);
        await size(1280, await evaluate(extent("scrollHeight")));
      }
      const { data } = await page("Page.captureScreenshot", { format: "png", captureBeyondViewport: true });
      writeFileSync(join(pictures, `${basename(file)}-${scheme}.png`), Buffer.from(data, "base64"));
    }
    await size(1280, 900);
    const followed = await evaluate(follow);
    if (followed) problems.push(followed);
    if (pictures && !isSvg) {
      const { data } = await page("Page.captureScreenshot", { format: "png" });
      writeFileSync(join(pictures, `${basename(file)}-${scheme}-followed.png`), Buffer.from(data, "base64"));
    }
    listeners.delete(listener);
    console.log(JSON.stringify({ file: basename(file), scheme, ...seen, problems: [...problems, ...seen.problems] }));
  }
}
isDone = true;
send("Browser.close").catch(() => {});
await ended;
// Its helpers may write a moment longer than it lives.
rmSync(profile, { recursive: true, force: true, maxRetries: 20, retryDelay: 250 });
process.exit(0);
