// What stands under the words: the labels to pick from, the list of entities, and the relation with its kinds.
window.mmreview.parts = (() => {
  const { el, pieces, spoken, key, button, percent } = window.mmreview.page;
  const { kept, fits, kindsAt, endsOf } = window.mmreview.answer;
  const STATES = {
    open: "not decided",
    accepted: "accepted",
    changed: "changed",
    added: "added",
    rejected: "rejected",
  };
  const MARKS = { open: "○", accepted: "✓", changed: "✎", added: "+", rejected: "✕" };

  /** The words of a range as page content, shortened in the middle of nothing: a row is one line. */
  function quote(post, [start, end]) {
    const parts = [];
    for (let i = start; i < end; i += 1)
      parts.push(i > start && post.gaps[i] ? " " : "", ...pieces(post.words[i]));
    return el("bdi", { class: "rv-quote" }, ...parts);
  }

  function stateOf(part) {
    const was = part.state === "changed" && part.was?.label !== part.label && part.was?.label;
    const note = was ? `was ${was}` : STATES[part.state];
    return el(
      "span",
      { class: `rv-state rv-is-${part.state}` },
      el("span", { text: MARKS[part.state], "aria-hidden": "true" }),
      ` ${note}`,
    );
  }

  const score = (part) =>
    el("span", {
      class: "rv-score",
      text: percent(part.score),
      title: part.score === null ? undefined : "The model's probability",
    });

  /** Accept and reject (or restore) for one part. */
  function verdicts(part, name, on) {
    const small = { class: "rv-small" };
    if (part.state === "rejected")
      return [button("Restore", "", () => on("accepted"), { ...small, "aria-label": `Restore ${name}` })];
    const done = part.state !== "open";
    return [
      !done && button("Accept", "", () => on("accepted"), { ...small, "aria-label": `Accept ${name}` }),
      button(part.was ? "Reject" : "Remove", "", () => on("rejected"), {
        ...small,
        "aria-label": `Reject ${name}`,
      }),
    ];
  }

  function spanRow(state, i, on) {
    const span = state.answer.spans[i];
    const look = state.looks[span.label] ?? state.looks[""];
    const name = state.post.words.slice(span.start, span.end).map(spoken).join(" ");
    const chosen = state.selection?.kind === "span" && state.selection.i === i;
    const pick = el(
      "button",
      {
        type: "button",
        class: "rv-pick",
        "aria-pressed": String(chosen),
        "aria-label": `${name}, ${span.label}, ${STATES[span.state]}`,
        on: { click: () => on.select({ kind: "span", i }) },
      },
      el("span", { class: "rv-chip", css: { "--look": look.colour }, text: span.label }),
      quote(state.post, [span.start, span.end]),
    );
    return el(
      "li",
      { class: `rv-part${chosen ? " rv-on" : ""}${kept(span) ? "" : " rv-off"}` },
      pick,
      score(span),
      stateOf(span),
      el("span", { class: "rv-verdicts" }, ...verdicts(span, name, (s) => on.judge("spans", i, s))),
    );
  }

  /** The entities of an answer. */
  function spans(box, state, on) {
    const rows = state.answer.spans.map((_, i) => spanRow(state, i, on));
    const none = el("li", { class: "rv-none", text: "No entity. Click or drag words, then pick a label." });
    box.replaceChildren(...(rows.length ? rows : [none]));
  }

  /** What can be chosen for what is selected: labels, or what a relation is. */
  function palette(box, state, on) {
    const link = chosenLink(state);
    if (link >= 0) return box.replaceChildren(linkCard(state, link, on));
    box.replaceChildren(...window.mmreview.labels.draw(state, on));
  }

  /** Relation names that fit the kinds, the model's favourites first; the key for none is 0. */
  function choices(state, link) {
    const rank = (name) => state.post.ranking?.[name] ?? -1;
    const kinds = kindsAt(state.answer, link);
    return state.relations
      .filter((name) => name !== state.none && fits(name, kinds))
      .sort((a, b) => rank(b) - rank(a));
  }

  /** The entity labels as [label, what it is called in the choice of a side's kind]. */
  const kindNames = (state) => state.post.labels.map((name) => [name, state.looks[name]?.meaning || name]);

  function sideRow(state, i, side, on) {
    const link = state.answer.links[i];
    const at = side === "head" ? 0 : 1;
    const name = side === "head" ? "E1" : "E2";
    const chosen =
      state.selection?.kind === "side" && state.selection.i === i && state.selection.side === side;
    const known = kindsAt(state.answer, link)[at];
    const kind = el(
      "select",
      {
        "aria-label": `What ${name} is`,
        disabled: known !== link.kinds[at],
        title: "Only relations that fit are offered",
        on: { change: (event) => on.kind(i, at, event.target.value || null) },
      },
      ...[["", "any kind"], ...kindNames(state)].map(([value, text]) =>
        el("option", { text, value, selected: (known ?? "") === value }),
      ),
    );
    const pick = el(
      "button",
      {
        type: "button",
        class: "rv-pick",
        "aria-pressed": String(chosen),
        title: "Select it, then drag its ends or press Shift+arrows",
        on: { click: () => on.select({ kind: "side", i, side }) },
      },
      el("span", { class: "rv-chip", css: { "--look": state.looks[name].colour }, text: name }),
      quote(state.post, link[side]),
    );
    return el("div", { class: `rv-end${chosen ? " rv-on" : ""}` }, pick, kind);
  }

  function choice(state, i, name, number, on) {
    const link = state.answer.links[i];
    const [from, to] = endsOf(name).map((labels) => labels.join(", "));
    const ranked = state.post.ranking?.[name];
    return el(
      "button",
      {
        type: "button",
        role: "radio",
        class: "rv-choice",
        "aria-checked": String(link.label === name),
        title: state.guidelines[name],
        "aria-keyshortcuts": number < 10 ? String(number) : undefined,
        on: { click: () => on.relation(i, name) },
      },
      number < 10 ? key(String(number)) : el("kbd", { class: "rv-nokey" }),
      el("b", { text: state.readable(name) }),
      from || to ? el("small", { text: `${from || "any"} → ${to || "any"}` }) : null,
      el("span", { class: "rv-score", text: percent(ranked) }),
    );
  }

  function linkCard(state, i, on) {
    const link = state.answer.links[i];
    if (!kept(link)) {
      return el(
        "div",
        { class: "rv-link rv-off" },
        quote(state.post, link.head),
        el("span", { text: ` ${state.readable(link.label)} ` }),
        quote(state.post, link.tail),
        stateOf(link),
        ...verdicts(link, "the relation", (s) => on.judge("links", i, s)),
      );
    }
    const names = [state.none, ...choices(state, link)];
    const head = el(
      "header",
      {},
      el("b", { text: link.label ? state.readable(link.label) : "Which relation?" }),
      score(link),
      stateOf(link),
      el(
        "span",
        { class: "rv-verdicts" },
        button("Swap", "S", () => on.swap(i), { class: "rv-small", "aria-label": "Swap E1 and E2" }),
        ...verdicts(link, "the relation", (s) => on.judge("links", i, s)),
      ),
    );
    const hint = link.label
      ? (state.guidelines[link.label] ?? "")
      : "Only relations that fit the two kinds are listed.";
    return el(
      "div",
      { class: "rv-link" },
      head,
      sideRow(state, i, "head", on),
      sideRow(state, i, "tail", on),
      el("p", { class: "rv-hint", text: hint }),
      el(
        "div",
        { class: "rv-choices", role: "radiogroup", "aria-label": "Relation" },
        ...names.map((name, n) => choice(state, i, name, n, on)),
      ),
    );
  }

  /** A relation as one row, which opens its card. */
  function linkRow(state, i, on) {
    const link = state.answer.links[i];
    const name = link.label ? state.readable(link.label) : "which relation?";
    const pick = el(
      "button",
      { type: "button", class: "rv-pick", on: { click: () => on.select({ kind: "link", i }) } },
      quote(state.post, link.head),
      el("span", { class: "rv-relation", text: name }),
      quote(state.post, link.tail),
    );
    return el(
      "li",
      { class: `rv-part${chosenLink(state) === i ? " rv-on" : ""}` },
      pick,
      score(link),
      stateOf(link),
      el("span", { class: "rv-verdicts" }, ...verdicts(link, name, (s) => on.judge("links", i, s))),
    );
  }

  /** Which of several relations is selected, or -1: its choices stand right under the words. */
  function chosenLink(state) {
    const { kind, i } = state.selection ?? {};
    const several = state.answer.links.filter(kept).length > 1;
    return several && ["link", "side"].includes(kind) && kept(state.answer.links[i]) ? i : -1;
  }

  /** The relations: the only one with its choices, several as rows. */
  function links(box, state, on) {
    const all = state.answer.links;
    const several = all.filter(kept).length > 1;
    const nodes = all.map((link, i) =>
      kept(link) && several ? linkRow(state, i, on) : el("li", {}, linkCard(state, i, on)),
    );
    box.replaceChildren(...nodes);
  }

  /** Both answers of a dispute, without names: what each has alone, and a button that takes it. */
  function disputed(sides, take) {
    return [
      el("p", {
        class: "rv-hint",
        text: "Two blind reviews differ. Take one of them, correct it if need be, then accept.",
      }),
      ...sides.map((side, i) =>
        el(
          "section",
          { class: "rv-review", "aria-label": `Review ${i + 1}` },
          el("b", { text: `Review ${i + 1}` }),
          el("ul", {}, ...side.only.map((text) => el("li", {}, el("bdi", {}, ...pieces(text))))),
          button(`Take review ${i + 1}`, "", () => take(side), { class: "rv-small" }),
        ),
      ),
    ];
  }

  return { spans, palette, links, choices, quote, disputed };
})();
