// Draw lists from the page's templates, and move cards to their new places.

const ICONS = new URL("icons.svg", import.meta.url).pathname;
const MOVE_MS = 450;
const calm = matchMedia("(prefers-reduced-motion: reduce)");

export const byId = (id) => document.getElementById(id);
const slug = (aisle) => aisle.toLowerCase().replace(/[^a-z]+/g, "-");
const money = (price) => (price == null ? "" : `$${price.toFixed(2)}`);
const field = (node, name) => node.querySelector(`[data-field="${name}"]`);

function meta(product) {
  const brand = product.brand === "Private" ? "Store brand" : null;
  return [product.aisle, product.size, brand].filter(Boolean).join(" · ");
}

function newCard(item) {
  const node = byId("card").content.firstElementChild.cloneNode(true);
  node.dataset.product = item.product_id;
  node.dataset.aisle = slug(item.aisle);
  node.querySelector(".tile use").setAttribute("href", `${ICONS}#${slug(item.aisle)}`);
  return node;
}

function describe(node, item) {
  field(node, "name").textContent = item.name;
  field(node, "meta").textContent = meta(item);
  field(node, "price").textContent = money(item.price);
  field(node, "why").textContent = item.why;
  node.querySelector('[data-action="view"]').setAttribute("aria-label", `View ${item.name}`);
  node.querySelector('[data-action="add_to_cart"]').setAttribute("aria-label", `Add ${item.name} to cart`);
}

function badge(node, move) {
  const text = !move ? "" : move.before == null ? "New" : `Up ${move.before - move.after}`;
  const place = field(node, "badge");
  place.textContent = text;
  place.classList.toggle("on", Boolean(text));
  node.classList.toggle("entered", text === "New");
}

// Put the items in order, keeping the node of every product that stays.
export function drawList(items, changes) {
  const list = byId("list");
  const old = new Map([...list.children].map((node) => [node.dataset.product, node]));
  const before = new Map([...old].map(([id, node]) => [id, node.getBoundingClientRect()]));
  const moves = new Map([...(changes?.entered ?? []), ...(changes?.moved_up ?? [])]
    .map((move) => [String(move.product_id), move]));
  const nodes = items.map((item) => {
    const id = String(item.product_id);
    const node = old.get(id) ?? newCard(item);
    describe(node, item);
    badge(node, moves.get(id));
    return node;
  });
  const focused = document.activeElement?.closest?.(".card");
  list.replaceChildren(...nodes);
  if (focused && !focused.isConnected) list.focus({ preventScroll: true });
  if (!calm.matches) nodes.forEach((node) => slide(node, before.get(node.dataset.product)));
}

function slide(node, from) {
  if (!from) {
    node.animate([{ opacity: 0, transform: "scale(.94)" }, { opacity: 1, transform: "none" }],
      { duration: MOVE_MS, easing: "ease-out" });
    return;
  }
  const to = node.getBoundingClientRect();
  const [x, y] = [from.left - to.left, from.top - to.top];
  if (!x && !y) return;
  node.animate([{ transform: `translate(${x}px, ${y}px)` }, { transform: "none" }],
    { duration: MOVE_MS, easing: "cubic-bezier(.2, .8, .2, 1)" });
}

export function drawCart(products) {
  const lines = products.map((product) => {
    const node = byId("cart-line").content.firstElementChild.cloneNode(true);
    node.dataset.product = product.product_id;
    field(node, "name").textContent = product.name;
    field(node, "price").textContent = money(product.price);
    node.querySelector("button").setAttribute("aria-label", `Remove ${product.name}`);
    return node;
  });
  byId("cart").replaceChildren(...lines);
  byId("cart-count").textContent = products.length || "";
  byId("cart-empty").hidden = products.length > 0;
}

// `elapsed`: seconds since the answer came; the features grow older with it.
export function drawFreshness(answer, elapsed) {
  const age = answer.freshness_seconds;
  const took = `answered in ${answer.timings.total.toFixed(0)} ms`;
  byId("fresh-text").textContent = age == null ? took : `Features ${duration(age + elapsed)} old · ${took}`;
}

export function drawNotice(answer) {
  byId("fresh").classList.toggle("degraded", answer.fallback);
  const text = answer.notice ?? "";
  if (byId("notice").textContent !== text) byId("notice").textContent = text;
  byId("notice").hidden = !answer.fallback;
}

function duration(seconds) {
  if (seconds < 60) return `${seconds.toFixed(1)} s`;
  if (seconds < 3600) return `${Math.round(seconds / 60)} min`;
  if (seconds < 172800) return `${Math.round(seconds / 3600)} h`;
  return `${Math.round(seconds / 86400)} days`;
}

export function drawChange(summary, took) {
  const line = byId("change");
  line.textContent = `${summary} `;
  if (took == null) return;
  const figure = document.createElement("span");
  figure.className = "took";
  figure.textContent = `${Math.round(took)} ms after your click.`;
  line.append(figure);
}

// The click's way: confirmed by Kafka, in the online features, list on the page. The features
// may have it before the confirmation is back, so the stages stand in the order of their times.
export function drawJourney(accepted, online, shown, timings) {
  const times = { accepted, online, shown };
  const stages = [...document.querySelectorAll("#journey [data-stage]")]
    .sort((a, b) => (times[a.dataset.stage] ?? 0) - (times[b.dataset.stage] ?? 0));
  stages[0].parentNode.append(...stages);
  for (const stage of stages) {
    const time = times[stage.dataset.stage];
    stage.querySelector("b").textContent = time == null ? "–" : `${Math.round(time)} ms`;
    stage.querySelector("i").style.setProperty("--share", Math.min(1, (time ?? 0) / shown));
  }
  byId("answered").textContent = `Answered in ${timings.total.toFixed(1)} ms: features ${timings.features.toFixed(1)}, `
    + `candidates ${timings.candidates.toFixed(1)}, model ${timings.model.toFixed(1)}.`;
  byId("journey").hidden = false;
}

// What stands behind a card: every reason, and what goes with the product.
export function drawMore(node, item, neighbours) {
  const more = field(node, "more");
  const facts = item.reasons.slice(2).map((reason) => `${reason.text}.`);
  if (neighbours.length) facts.push(`Goes with ${[...new Set(neighbours.map((product) => product.name))].join(", ")}.`);
  facts.push(`No. ${item.product_id}, score ${item.score.toFixed(3)}, found by ${item.sources.join(", ").replaceAll("_", " ")}.`);
  more.replaceChildren(...facts.map((fact) => {
    const line = document.createElement("p");
    line.textContent = fact;
    return line;
  }));
}
