// The household picker: an ARIA combobox over the paged list.

import { households } from "./api.js";

export function picker(input, list) {
  let options = [];
  let active = -1;
  let asked = 0;

  function close() {
    list.hidden = true;
    active = -1;
    input.setAttribute("aria-expanded", "false");
    input.removeAttribute("aria-activedescendant");
  }

  function mark(index) {
    active = index;
    options.forEach((option, i) => option.setAttribute("aria-selected", String(i === index)));
    const option = options[index];
    if (!option) return;
    input.setAttribute("aria-activedescendant", option.id);
    option.scrollIntoView({ block: "nearest" });
  }

  function choose(option) {
    input.value = option.dataset.household;
    input.form.requestSubmit();
  }

  async function open() {
    const turn = ++asked;
    const found = await households(input.value.trim()).catch(() => []);
    if (turn !== asked || document.activeElement !== input) return;
    options = found.map((household) => {
      const option = document.createElement("li");
      option.id = `household-${household.household_id}`;
      option.role = "option";
      option.dataset.household = household.household_id;
      const name = document.createElement("b");
      name.textContent = `Household ${household.household_id}`;
      const habits = document.createElement("span");
      habits.textContent = (household.baskets === 1 ? "1 basket" : `${household.baskets} baskets`)
        + (household.mean_gap_days ? `, about every ${Math.max(1, Math.round(household.mean_gap_days))} days` : "");
      option.append(name, habits);
      option.addEventListener("pointerdown", (event) => { event.preventDefault(); choose(option); });
      return option;
    });
    list.replaceChildren(...options);
    mark(-1);
    list.hidden = !options.length;
    input.setAttribute("aria-expanded", String(options.length > 0));
  }

  input.addEventListener("input", open);
  input.addEventListener("focus", () => { input.select(); open(); });
  input.addEventListener("blur", close);
  input.addEventListener("keydown", (event) => {
    if (event.key === "Escape") return close();
    if (event.key === "Enter" && active >= 0) { event.preventDefault(); return choose(options[active]); }
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (!step || list.hidden) return;
    event.preventDefault();
    mark((active + step + options.length) % options.length);
  });
}
