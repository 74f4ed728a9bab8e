// The words of a post: drawn with their spans and link sides, and turned into selections by mouse, pen or finger.
window.mmreview.words = (() => {
  const { direction, el, pieces, spoken } = window.mmreview.page;
  const { kept, spansAt } = window.mmreview.answer;

  /** The word range that a selection covers, or null. */
  function range(answer, selection) {
    if (selection?.kind === "words") return [selection.start, selection.end];
    if (selection?.kind === "span") return [answer.spans[selection.i].start, answer.spans[selection.i].end];
    if (selection?.kind === "side") return answer.links[selection.i][selection.side];
    return null;
  }

  /** The sides of links at a word: [{i, side, name, start, end}], kept links only. Of several links the arcs tell
   * which is which, so that only those of the selected one are marked. */
  function sidesAt({ answer, selection }, word) {
    const found = [];
    const several = answer.links.filter(kept).length > 1;
    const chosen = ["link", "side"].includes(selection?.kind) ? selection.i : null;
    answer.links.forEach((link, i) => {
      if (!kept(link) || (several && i !== chosen)) return;
      for (const [side, name] of [
        ["head", "E1"],
        ["tail", "E2"],
      ]) {
        const [start, end] = link[side];
        if (start <= word && word < end) found.push({ i, side, name, start, end });
      }
    });
    return found;
  }

  function describe(state, word) {
    const { post, answer } = state;
    const spans = spansAt(answer, word).map((i) => `${answer.spans[i].label}, ${answer.spans[i].state}`);
    const sides = sidesAt(state, word).map((s) =>
      s.side === "head" ? "head of the relation" : "tail of the relation",
    );
    return [spoken(post.words[word]), spans.join(", within "), ...sides].filter(Boolean).join(", ");
  }

  const grip = (end) => el("span", { class: "rv-grip", data: { end }, "aria-hidden": "true" });

  /** A span's label and score; while a relation is made also the number that picks it. */
  function chip(state, span) {
    const look = state.looks[span.label] ?? state.looks[""];
    const score = state.percent(span.score);
    const number = state.picking ? pickable(state.answer).indexOf(span) + 1 : 0;
    return el(
      "span",
      { class: "rv-chip", css: { "--look": look.colour }, "aria-hidden": "true" },
      number > 0 && number < 10 ? el("kbd", { text: String(number) }) : null,
      span.label,
      score ? el("span", { text: ` ${score}` }) : null,
    );
  }

  /** The entities that number keys pick while a relation is made, in the order of the text. */
  const pickable = (answer) => answer.spans.filter(kept);

  const sideTag = ({ name }, looks) =>
    el("span", {
      class: "rv-side",
      css: { "--look": looks[name].colour },
      text: name,
      "aria-hidden": "true",
    });

  /** One word with what stands around it: grips at a selected range's ends, chips behind a span. */
  function word(state, i, chosen) {
    const { post, answer, looks } = state;
    const [span, ...around] = spansAt(answer, i).map((at) => answer.spans[at]);
    const sides = sidesAt(state, i);
    const classes = ["rv-word"];
    const css = {};
    if (span) {
      const look = looks[span.label] ?? looks[""];
      Object.assign(css, { "--look": look.colour, "--tint": look.tint, "--line": look.underline });
      classes.push("rv-in", span.state === "open" && "rv-open");
      if (i === span.start) classes.push("rv-first");
      if (i === span.end - 1) classes.push("rv-last");
    }
    if (around.length) {
      classes.push("rv-within");
      css["--around"] = (looks[around[0].label] ?? looks[""]).colour;
    }
    for (const { side } of sides) classes.push(`rv-${side}`);
    if (chosen && chosen[0] <= i && i < chosen[1]) classes.push("rv-chosen");
    if (state.cursor === i) classes.push("rv-cursor");
    const node = el("span", {
      class: classes.filter(Boolean).join(" "),
      css,
      role: "option",
      id: `rv-word-${i}`,
      data: { word: i },
      "aria-label": describe(state, i),
      "aria-selected": String(Boolean(chosen && chosen[0] <= i && i < chosen[1])),
    });
    node.append(el("bdi", {}, ...pieces(post.words[i])));
    const [before, after] = [[], []];
    before.push(...sides.filter((s) => s.start === i).map((s) => sideTag(s, looks)));
    if (chosen?.[0] === i && state.selection.kind !== "words") node.prepend(grip("start"));
    if (chosen?.[1] === i + 1 && state.selection.kind !== "words") node.append(grip("end"));
    const ending = span ? [span, ...around].filter((s) => s.end === i + 1) : [];
    after.push(...ending.map((s) => chip(state, s)));
    return [...before, node, ...after];
  }

  /** A gap belongs to a span when both its neighbours do, so that the tint runs on. */
  function gap(state, i) {
    const text = state.post.gaps[i];
    const before = i > 0 ? spansAt(state.answer, i - 1) : [];
    const span = spansAt(state.answer, i).find((at) => before.includes(at)) ?? -1;
    const shared = sidesAt(state, i)
      .filter((side) => side.start < i)
      .map((side) => `rv-${side.side}`)
      .join(" ");
    if (text && span >= 0) {
      const look = state.looks[state.answer.spans[span].label] ?? state.looks[""];
      const css = { "--look": look.colour, "--tint": look.tint, "--line": look.underline };
      return el("span", { class: `rv-in rv-gap ${shared}`, css, text, "aria-hidden": "true" });
    }
    return shared ? el("span", { class: shared, text, "aria-hidden": "true" }) : text;
  }

  /** Anew when the words wrap otherwise. */
  let drawArcs = () => {};

  /** The kept relations as arcs between their sides; one that says "none", or nothing yet, is dashed. */
  function arcs(box, state) {
    const { answer, selection } = state;
    const id = (side) => side.join("-");
    const chosen = ["link", "side"].includes(selection?.kind) ? selection.i : null;
    const found = answer.links.flatMap((link, i) => (kept(link) ? [{ link, i }] : []));
    const ends = found.flatMap(({ link }) => [link.head, link.tail]).map((side) => [id(side), side]);
    const drawn = found.map(({ link, i }) => ({
      id: i,
      head: id(link.head),
      tail: id(link.tail),
      name: link.label ? state.readable(link.label) : "?",
      score: state.percent(link.score),
      symmetric: state.symmetric.includes(link.label),
      kind: [
        (!link.label || link.label === state.none) && "rv-unrelated",
        link.state === "open" && "rv-undecided",
        i === chosen && "ar-on",
      ]
        .filter(Boolean)
        .join(" "),
    }));
    window.mmarcs.draw(box, drawn, Object.fromEntries(ends));
  }

  function draw(box, state) {
    const chosen = range(state.answer, state.selection);
    box.dir = direction(state.post.words); // "auto" does not look into <bdi>, and every word is one
    const drawn = state.post.words.flatMap((_, i) => [gap(state, i), ...word(state, i, chosen)]);
    box.replaceChildren(window.mmarcs.ground(), ...drawn);
    drawArcs = () => arcs(box, state);
    drawArcs();
    if (state.cursor === null) box.removeAttribute("aria-activedescendant");
    else box.setAttribute("aria-activedescendant", `rv-word-${state.cursor}`);
  }

  /** The word nearest to a point on the page. */
  function wordAt(box, event) {
    const hit = document.elementFromPoint(event.clientX, event.clientY)?.closest?.(".rv-word");
    return hit && box.contains(hit) ? Number(hit.dataset.word) : null;
  }

  /** Make `box` tell `on.tap(word)`, `on.sweep(start, end, done)` and `on.grip(end, word, done)`. */
  function listen(box, on) {
    let drag = null;
    let width = 0;
    new ResizeObserver(() => {
      if (box.clientWidth !== width) drawArcs();
      width = box.clientWidth;
    }).observe(box);
    box.addEventListener("click", (event) => {
      const arc = event.target.closest(".ar-arc");
      if (arc) on.select({ kind: "link", i: Number(arc.dataset.relation) });
    });
    box.addEventListener("pointerdown", (event) => {
      if (event.button !== 0) return;
      const end = event.target.closest(".rv-grip")?.dataset.end;
      const word = wordAt(box, event);
      if (word === null && !end) return;
      drag = { end, from: word, last: word, moved: false };
      box.setPointerCapture(event.pointerId);
      box.focus({ preventScroll: true });
      event.preventDefault();
    });
    box.addEventListener("pointermove", (event) => {
      const word = drag && wordAt(box, event);
      if (!drag || word === null || word === drag.last) return;
      Object.assign(drag, { last: word, moved: true });
      if (drag.end) on.grip(drag.end, word, false);
      else on.sweep(Math.min(drag.from, word), Math.max(drag.from, word) + 1, false);
    });
    box.addEventListener("pointerup", () => {
      if (!drag) return;
      const { end, from, last, moved } = drag;
      drag = null;
      if (end) on.grip(end, last, true);
      else if (moved) on.sweep(Math.min(from, last), Math.max(from, last) + 1, true);
      else on.tap(from);
    });
    box.addEventListener("pointercancel", () => (drag = null));
  }

  return { draw, range, describe, listen, pickable };
})();
