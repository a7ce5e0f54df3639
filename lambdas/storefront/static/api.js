// The decision API as the page needs it.

async function answer(response) {
  if (response.ok) return response.json();
  const problem = await response.json().catch(() => ({}));
  throw new Error(problem.detail || `The server answered ${response.status}.`);
}

export async function households(query) {
  const found = await answer(await fetch(`/v1/households?limit=8&query=${encodeURIComponent(query)}`));
  return found.items;
}

export async function sendClick(click) {
  const taken = await answer(await fetch("/v1/events", {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(click),
  }));
  return taken.events[0];
}

export async function similar(productId) {
  return answer(await fetch(`/v1/products/${productId}/similar?n=3`));
}

// The list, or null while it is still the one that `etag` names. The server holds its answer
// back for up to `wait` seconds until the household's features change.
export async function recommendations(household, n, etag, wait) {
  const headers = { "If-None-Match": etag, Prefer: `wait=${wait}` };
  const response = await fetch(`/v1/recommendations/${household}?n=${n}`, { headers, cache: "no-store" });
  if (response.status === 304) return null;
  return { ...(await answer(response)), etag: response.headers.get("ETag") };
}
