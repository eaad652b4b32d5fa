// Keeps the page in step with the endpoint: reads its changing part every
// second, changes only what is different, so that focus and reading position
// stay, and lets buttons work without leaving the page.
"use strict";

const state = document.getElementById("state");
const freshness = document.getElementById("freshness");
const still = matchMedia("(prefers-reduced-motion: reduce)");
let etag = "";
let asking = null;

async function refresh() {
  if (asking) return asking;
  asking = read().catch(() => tell("The endpoint does not answer. This is what was seen last.")).finally(() => { asking = null; });
  return asking;
}

async function read() {
  const answer = await fetch("/_page/state", { headers: etag ? { "If-None-Match": etag } : {}, cache: "no-store" });
  if (answer.status !== 304) {
    if (!answer.ok) throw new Error(answer.statusText);
    etag = answer.headers.get("ETag") || "";
    const fresh = document.createElement("div");
    fresh.innerHTML = await answer.text();
    const before = places();
    update(state, fresh);
    glide(before);
  }
  tell("");
}

function tell(text) {
  freshness.hidden = !text;
  if (freshness.textContent !== text) freshness.textContent = text;
}

// update makes old's children like fresh's, keeping every element that is in both.
function update(old, fresh) {
  const keyed = new Map();
  for (const child of old.children) if (child.dataset.key) keyed.set(child.dataset.key, child);
  let at = old.firstChild;
  for (const next of [...fresh.childNodes]) {
    const key = next.nodeType === Node.ELEMENT_NODE ? next.dataset.key || "" : "";
    let match = key ? keyed.get(key) : at;
    if (match && !alike(match, next)) match = null;
    if (!match) {
      old.insertBefore(next, at);
      continue;
    }
    if (match !== at) old.insertBefore(match, at);
    at = match.nextSibling;
    if (match.nodeType !== Node.ELEMENT_NODE) {
      if (match.data !== next.data) match.data = next.data;
      continue;
    }
    for (const { name } of [...match.attributes]) if (!next.hasAttribute(name)) match.removeAttribute(name);
    for (const { name, value } of next.attributes) if (match.getAttribute(name) !== value) match.setAttribute(name, value);
    update(match, next);
  }
  while (at) {
    const gone = at;
    at = at.nextSibling;
    gone.remove();
  }
}

function alike(a, b) {
  if (a.nodeType !== b.nodeType) return false;
  return a.nodeType !== Node.ELEMENT_NODE ||
    (a.tagName === b.tagName && (a.dataset.key || "") === (b.dataset.key || "") && a.id === b.id);
}

// Labels glide from where they were to where they are.
function places() {
  return new Map([...document.querySelectorAll("[data-moves]")].map((e) => [e.dataset.moves, e.getBoundingClientRect()]));
}

function glide(before) {
  if (still.matches) return;
  for (const element of document.querySelectorAll("[data-moves]")) {
    const from = before.get(element.dataset.moves);
    const to = element.getBoundingClientRect();
    if (!from || (from.x === to.x && from.y === to.y)) continue;
    element.animate(
      [{ transform: `translate(${from.x - to.x}px, ${from.y - to.y}px)` }, { transform: "none" }],
      { duration: 600, easing: "cubic-bezier(.3,0,.1,1)" },
    );
  }
}

document.addEventListener("submit", async (event) => {
  event.preventDefault();
  const form = event.target;
  const button = form.querySelector("button");
  if (button.getAttribute("aria-disabled") === "true" || button.getAttribute("aria-busy") === "true") return;
  button.setAttribute("aria-busy", "true");
  try {
    await fetch(form.action, { method: "POST", redirect: "manual" });
    if (asking) await asking;
    await refresh();
  } catch {
    tell("The endpoint does not answer. This is what was seen last.");
  } finally {
    button.removeAttribute("aria-busy");
  }
});

setInterval(() => { if (!document.hidden) refresh(); }, 1000);
document.addEventListener("visibilitychange", () => { if (!document.hidden) refresh(); });
