// A click becomes an event; the list follows once the event has come back through the features.

import { recommendations, sendClick, similar } from "./api.js";
import { picker } from "./picker.js";
import { byId, drawCart, drawChange, drawFreshness, drawJourney, drawList, drawMore, drawNotice } from "./view.js";

const GIVE_UP_MS = 15_000;
const REFRESH_MS = 5_000;
const WAIT_SECONDS = 2;

const household = Number(document.body.dataset.household);
// As many as the page had room for: a list that was shorter for a while grows again.
const size = Number(document.body.dataset.items);
const sessionId = (sessionStorage.mercato ??= crypto.randomUUID?.() ?? `${Date.now()}-${Math.random()}`);
let shown = null;
let shownAt = performance.now();
let clicks = Promise.resolve();
let waiting = 0;

function show(answer, took) {
  shown = answer;
  shownAt = performance.now();
  drawList(answer.items, answer.changes);
  if (answer.session) drawCart(answer.session.cart);
  drawNotice(answer);
  age();
  if (answer.changes) drawChange(answer.changes.summary, took);
}

function age() {
  drawFreshness(shown, (performance.now() - shownAt) / 1000);
}

// The first answer whose session has seen the event.
async function answerTo(event, started) {
  while (performance.now() - started < GIVE_UP_MS) {
    const answer = await recommendations(household, size, shown.etag, WAIT_SECONDS);
    if (!answer) continue;
    if (answer.fallback || Date.parse(answer.session?.last_event_time) >= Date.parse(event.event_time)) return answer;
    show(answer);
  }
  throw new Error("Your click was taken, but it has not reached the features yet.");
}

async function click(action, productId, button) {
  const started = performance.now();
  waiting += 1;
  button.setAttribute("aria-disabled", "true");
  try {
    const event = await sendClick({
      household_id: household, session_id: sessionId, action, product_id: productId,
      ...(shown.store_id ? { store_id: shown.store_id } : {}),
    });
    const accepted = performance.now() - started;
    const answer = await answerTo(event, started);
    const took = performance.now() - started;
    show(answer, took);
    drawJourney(accepted, answer.session?.reached_online_ms, took, answer.timings);
  } catch (error) {
    drawChange(error.message);
  } finally {
    waiting -= 1;
    button.removeAttribute("aria-disabled");
  }
}

async function openCard(card, button, productId) {
  const more = card.querySelector('[data-field="more"]');
  const opens = more.hidden;
  button.setAttribute("aria-expanded", String(opens));
  more.hidden = !opens;
  if (!opens) return false;
  const item = shown.items.find((one) => one.product_id === productId);
  drawMore(card, item, []);
  similar(productId).then((found) => drawMore(card, item, found.fallback ? [] : found.items)).catch(() => {});
  return true;
}

async function onClick(event) {
  const button = event.target.closest("[data-action]");
  if (!button || button.getAttribute("aria-disabled")) return;
  const holder = button.closest("[data-product]");
  const productId = Number(holder.dataset.product);
  if (button.dataset.action === "view" && !(await openCard(holder, button, productId))) return;
  clicks = clicks.then(() => click(button.dataset.action, productId, button));
}

// Follow changes that come from elsewhere: another tab, a checkout, a dependency that came back.
async function refresh() {
  if (waiting || document.hidden) return;
  const answer = await recommendations(household, size, shown.etag, 0).catch(() => null);
  if (answer && !waiting) show(answer);
}

document.documentElement.classList.add("js");
picker(byId("household"), byId("households"));
if (household) {
  shown = JSON.parse(byId("state").textContent);
  document.querySelector("main").addEventListener("click", onClick);
  age();
  setInterval(refresh, REFRESH_MS);
  setInterval(age, 1_000);
}
