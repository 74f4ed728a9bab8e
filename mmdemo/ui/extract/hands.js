// What a person does to an answer of the Extract tab: choose an entity, two of them, a relation or words; mend, ask
// why, stop. What is asked of the server goes by events of the answer's component; texts are set as text alone.
window.mmextract = (() => {
  const PARTS = "#result, #extract-pair, #extract-below";
  const EDITS = ["type", "bounds", "remove", "add"];
  let send = () => {};
  let chosen = null; // {entity}, {relation} or {from, to} (words)
  let all = false;
  let again = null; // what to choose, and what to focus, once the edited answer is there

  const root = () => document.querySelector("#result");
  const one = (selector) => root()?.querySelector(selector) ?? null;
  const every = (selector) =>
    [...document.querySelectorAll(PARTS)].flatMap((p) => [...p.querySelectorAll(selector)]);
  const chip = (id) => one(`.xt-chip[data-entity="${id}"]`);
  const arcs = () => JSON.parse(one(".xt-text")?.dataset.arcs ?? "[]");

  /** The arcs: the likeliest, or `all`. */
  function draw() {
    const box = one(".xt-text");
    if (!box) return;
    const chips = [...box.querySelectorAll(".xt-chip")].map(({ dataset }) => dataset);
    const ends = chips.map(({ entity, start, end }) => [entity, [Number(start), Number(end)]]);
    const shown = arcs().slice(0, all ? undefined : Number(box.dataset.drawn));
    window.mmarcs.draw(box, shown, Object.fromEntries(ends));
  }

  // --- choosing

  /** Show the tools of what is chosen, and mark it everywhere. */
  function paint() {
    const id = chosen?.entity ?? chosen?.relation ?? (chosen ? "word" : null);
    for (const tool of root()?.querySelectorAll(".xt-tool") ?? []) tool.hidden = tool.dataset.for !== id;
    for (const mark of every(".xt-chip, .xt-mark, .xt-node, .xt-list li[data-entity]")) {
      const on = chosen?.entity !== undefined && mark.dataset.entity === chosen.entity;
      mark.classList.toggle("xt-on", on);
      if (mark.matches(".xt-chip")) mark.setAttribute("aria-pressed", on);
    }
    for (const part of every("[data-relation]")) {
      part.classList.toggle("ar-on", part.dataset.relation === chosen?.relation);
    }
    for (const word of root()?.querySelectorAll(".xt-w") ?? []) {
      const at = Number(word.dataset.word);
      word.classList.toggle("xt-in", chosen?.from !== undefined && at >= chosen.from && at < chosen.to);
    }
    window.mmgrips?.show(root(), chosen?.entity ? chip(chosen.entity) : null, bounds);
  }

  function choose(next, pair = false) {
    const former = chosen?.entity;
    const same = JSON.stringify(next) === JSON.stringify(chosen);
    document.querySelector("#extract-pair")?.classList.add("xt-away");
    chosen = same ? null : next;
    paint();
    if (!pair || !chosen || !former) return;
    const { entity } = chosen;
    const drawn = arcs().find(
      (arc) => joins(arc, former, entity) || (arc.symmetric && joins(arc, entity, former)),
    );
    if (drawn) one(`.xt-tool[data-for="${drawn.id}"]`).hidden = false;
    else ask(former, entity);
  }

  const joins = (arc, head, tail) => arc.head === head && arc.tail === tail;

  /** The relation of two entities: the server tells it, whether it is drawn or not. */
  const ask = (head, tail) => send("select", { head, tail });

  function chooseWords(from, to) {
    const name = one('[data-for="word"] [data-at="word"]');
    const words = [...root().querySelectorAll(".xt-w")].slice(from, to).map((word) => word.textContent);
    name.textContent = words.join(" ");
    for (const button of root().querySelectorAll('[data-for="word"] [data-act]')) {
      Object.assign(button.dataset, { start: from, end: to, word: from });
    }
    choose({ from, to });
  }

  /** Words that were selected as text, in no entity: from where to where. */
  function selected() {
    const range = getSelection();
    if (!range || range.isCollapsed) return null;
    const words = [range.anchorNode, range.focusNode].map((node) => node?.parentElement?.closest(".xt-w"));
    if (!words.every((word) => word && root().contains(word))) return null;
    const at = words.map((word) => Number(word.dataset.word)).sort((a, b) => a - b);
    return [at[0], at[1] + 1];
  }

  // --- doing

  function bounds(entity, start, end) {
    edit({ act: "bounds", entity, start, end });
  }

  function edit(asked, button = null) {
    const own = asked.entity ? chip(asked.entity)?.dataset : null;
    const start = asked.start ?? own?.start;
    const end = asked.end ?? own?.end;
    const place = button ? [...button.parentElement.children].indexOf(button) : -1;
    again = asked.act === "remove" ? {} : { start: String(start), end: String(end), act: asked.act, place };
    again.focus = button !== null;
    send("edit", asked);
  }

  function act(button) {
    const asked = { ...button.dataset };
    if (EDITS.includes(asked.act)) edit(asked, button);
    else if (asked.act === "pair") ask(asked.head, asked.tail);
    else if (asked.act === "why") send("expand", asked);
    else if (asked.act === "stop") send("stop", {});
    else if (asked.act === "all") {
      all = !all;
      button.setAttribute("aria-pressed", all);
      button.textContent = all ? "Show the likeliest relations only" : `Show all ${arcs().length} relations`;
      document.querySelector("#extract-below")?.classList.toggle("xt-all", all);
      draw();
    } else if (asked.act === "choose") {
      choose(asked.entity ? { entity: asked.entity } : { relation: asked.relation }, Boolean(asked.entity));
      one(".xt-tool:not([hidden])")?.scrollIntoView({ block: "nearest" });
    }
  }

  document.addEventListener("click", (event) => {
    const at = event.target;
    if (!at.closest?.(PARTS)) return;
    const button = at.closest("button[data-act]");
    if (button) return act(button);
    const part = at.closest("[data-relation]");
    if (part) return choose({ relation: part.dataset.relation });
    const words = selected();
    if (words && words[1] - words[0] > 1) return chooseWords(...words);
    const entity = at.closest(".xt-chip, .xt-mark, .xt-node");
    if (entity) return choose({ entity: entity.dataset.entity }, true);
    const word = at.closest(".xt-w");
    if (word) return chooseWords(Number(word.dataset.word), Number(word.dataset.word) + 1);
    if (at.closest(".xt-text") && chosen) choose(chosen);
  });

  document.addEventListener("keydown", (event) => {
    const at = event.target;
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey) && at.matches?.("#post-text textarea")) {
      event.preventDefault();
      document.getElementById("predict")?.click();
    }
    if (!at.closest?.(PARTS)) return;
    if (event.key === "Escape" && chosen) {
      const back = chosen.entity ? chip(chosen.entity) : null;
      choose(chosen);
      back?.focus();
    }
    if (event.key === "Delete" && at.matches(".xt-chip")) {
      edit({ act: "remove", entity: at.dataset.entity });
    }
  });

  // --- lighting up what belongs together

  document.addEventListener("pointerover", (event) => {
    if (!event.target.closest?.(PARTS)) return;
    const part = event.target.closest("[data-relation]");
    const entity = part ? null : event.target.closest(".xt-mark, .xt-node");
    const ends = (arc) => entity && [arc.head, arc.tail].includes(entity.dataset.entity);
    const lit = part
      ? [part.dataset.relation]
      : arcs()
          .filter(ends)
          .map((arc) => arc.id);
    for (const each of every("[data-relation]")) {
      each.classList.toggle("ar-lit", lit.includes(each.dataset.relation));
    }
    one(".ar-arcs")?.classList.toggle("ar-dim", lit.length > 0);
  });

  // --- when an answer comes

  function renewed() {
    const back = again;
    again = null;
    chosen = null;
    const there = back?.start && one(`.xt-chip[data-start="${back.start}"][data-end="${back.end}"]`);
    if (there) chosen = { entity: there.dataset.entity };
    else all = false;
    document.querySelector("#extract-below")?.classList.toggle("xt-all", all);
    draw();
    paint();
    if (!back?.focus) return;
    const tool = there && one(`.xt-tool[data-for="${chosen.entity}"]`);
    const act = back.act === "add" ? null : tool?.querySelector(`[data-act="${back.act}"]`);
    const same = act?.parentElement.children[back.place];
    (same && !same.disabled ? same : (there ?? one(".xt-chip") ?? one(".xt-text")))?.focus();
  }

  function mount(element, trigger, watch) {
    send = (name, data) => trigger(name, data);
    watch("value", renewed);
    let wide = 0;
    new ResizeObserver(() => {
      const now = one(".xt-text")?.clientWidth ?? 0;
      if (now && now !== wide) {
        draw();
        paint();
      }
      wide = now;
    }).observe(element);
    renewed();
  }

  /** What was asked of two entities is there. */
  const told = (watch) =>
    watch("value", () => document.querySelector("#extract-pair")?.classList.remove("xt-away"));

  /** On a narrow screen the answer stands below the fold: bring it into sight. */
  function reveal() {
    const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
    root()?.scrollIntoView({ block: "nearest", behavior: still ? "auto" : "smooth" });
  }

  /** Copy an address that opens the page with this question. The photo is named, and found while it is kept here. */
  async function link(entities, relations, text, photo) {
    const given = { tab: "extract", entities: entities ?? "", relations: relations ?? "", text: text ?? "" };
    const folder = photo?.path?.split("/").at(-2) ?? "";
    if (/^[0-9a-f]{64}$/.test(folder)) given.photo = folder;
    const address = `${location.origin}${location.pathname}?${new URLSearchParams(given)}`;
    const hint = document.getElementById("extract-link");
    const holds = given.photo ? "the photo as long as it is kept here (a day)" : "no photo";
    try {
      await navigator.clipboard.writeText(address);
      hint.textContent = `The link is copied. It holds the text and the choices, and ${holds}.`;
    } catch {
      hint.textContent = address;
    }
  }

  return { mount, told, reveal, link };
})();
