// A reviewer's answer to one post, as plain data, and what can be done to it. Nothing here touches the page.
// An answer is {spans, links}. A span is {start, end, label, score, state, was}; a link is {head, tail, label,
// score, state, was, kinds}. Spans are half-open word indices. Each function gives a new answer and leaves the
// old one alone: history keeps both.
window.mmreview = window.mmreview || {};
window.mmreview.answer = (() => {
  /** Relation -> {head, tail}: the entity labels that it may join; empty is "any". The queue's labels say it. */
  let ends = new Map();
  const use = (relations) => {
    ends = new Map(relations.map(({ label, head, tail }) => [label, { head, tail }]));
  };

  /** The labels that a relation's two sides may have, as two lists. */
  const endsOf = (label) => [ends.get(label)?.head ?? [], ends.get(label)?.tail ?? []];

  /** Whether a relation may stand between spans of these labels; null is "any". */
  const fits = (label, kinds) =>
    endsOf(label).every((wanted, i) => !wanted.length || !kinds[i] || wanted.includes(kinds[i]));

  /** What the sides of a link are: by the entity on exactly those words, else as the reviewer said. */
  function kindsAt(answer, link) {
    return [link.head, link.tail].map(([start, end], at) => {
      const entity = answer.spans.find((s) => kept(s) && s.start === start && s.end === end);
      return entity ? entity.label : link.kinds[at];
    });
  }

  const kept = (part) => part.state !== "rejected";
  const replaced = (list, i, part) => list.map((old, at) => (at === i ? part : old));
  const overlaps = (a, b) => a.start < b.end && b.start < a.end;
  const sorted = (spans) => [...spans].sort((a, b) => a.start - b.start || a.end - b.end);

  /** A part after an edit: what came from a model is "changed", or "open" again once it is as it was. */
  function edited(part) {
    if (!part.was) return { ...part, state: "added" };
    const same = JSON.stringify(part.was) === JSON.stringify(essence(part));
    return { ...part, state: same ? "accepted" : "changed" };
  }

  /** What of a part is the answer, without scores and states. */
  const essence = (part) =>
    part.head
      ? { head: part.head, tail: part.tail, label: part.label }
      : { start: part.start, end: part.end, label: part.label };

  /** The kept spans that cover a word, as their indices: of nested ones the inner before the outer. */
  function spansAt(answer, word) {
    const length = (i) => answer.spans[i].end - answer.spans[i].start;
    return answer.spans
      .flatMap((s, i) => (kept(s) && s.start <= word && word < s.end ? [i] : []))
      .sort((a, b) => length(a) - length(b));
  }

  /** The kept spans that share a word with these words and are not exactly they. */
  const inTheWay = (answer, start, end) =>
    answer.spans.filter(
      (s) => kept(s) && overlaps(s, { start, end }) && !(s.start === start && s.end === end),
    );

  /** Put a label on words. Spans in the way give way, unless they are to stay, and the two share words. */
  function label(answer, start, end, name, stay = false) {
    const mine = answer.spans.findIndex((s) => s.start === start && s.end === end);
    if (mine >= 0) {
      const part = edited({ ...answer.spans[mine], label: name });
      return { ...answer, spans: replaced(answer.spans, mine, part) };
    }
    const fresh = { start, end, label: name, score: null, state: "added", was: null };
    if (stay) return { ...answer, spans: sorted([...answer.spans, fresh]) };
    const others = answer.spans
      .filter((s) => s.was || !overlaps(s, fresh))
      .map((s) => (overlaps(s, fresh) ? { ...s, state: "rejected" } : s));
    return { ...answer, spans: sorted([...others, fresh]) };
  }

  /** The ends a span can be given among `count` words: never empty, never over a neighbour. */
  function room(answer, i, start, end, count) {
    let [low, high] = [0, count];
    answer.spans.forEach((s, at) => {
      if (at === i || !kept(s)) return;
      if (s.end <= answer.spans[i].start) low = Math.max(low, s.end);
      if (s.start >= answer.spans[i].end) high = Math.min(high, s.start);
    });
    const from = Math.min(Math.max(start, low), high - 1);
    return [from, Math.max(Math.min(end, high), from + 1)];
  }

  function resize(answer, i, start, end, count) {
    const [from, to] = room(answer, i, start, end, count);
    const part = edited({ ...answer.spans[i], start: from, end: to });
    return { ...answer, spans: replaced(answer.spans, i, part) };
  }

  /** Move one side of a link. */
  function moveSide(answer, i, side, start, end, count) {
    const from = Math.min(Math.max(start, 0), count - 1);
    const part = { ...answer.links[i], [side]: [from, Math.min(Math.max(end, from + 1), count)] };
    return { ...answer, links: replaced(answer.links, i, edited(part)) };
  }

  function relabelLink(answer, i, name) {
    const link = answer.links[i];
    return { ...answer, links: replaced(answer.links, i, edited({ ...link, label: name })) };
  }

  /** Say what one side is. A label that no longer fits is taken back: the reviewer picks another. */
  function setKind(answer, i, side, kind) {
    const kinds = answer.links[i].kinds.map((old, at) => (at === side ? kind : old));
    const link = { ...answer.links[i], kinds };
    const part = fits(link.label, kindsAt(answer, link)) ? link : edited({ ...link, label: null });
    return { ...answer, links: replaced(answer.links, i, part) };
  }

  function swapSides(answer, i) {
    const { head, tail, kinds, ...rest } = answer.links[i];
    const turned = { ...rest, head: tail, tail: head, kinds: [kinds[1], kinds[0]] };
    const label = fits(turned.label, kindsAt(answer, turned)) ? turned.label : null;
    return { ...answer, links: replaced(answer.links, i, edited({ ...turned, label })) };
  }

  /** A new link between two spans of an answer, which the reviewer still has to name. */
  function link(answer, head, tail) {
    const fresh = { head, tail, kinds: [null, null], label: null, score: null, state: "added", was: null };
    return { ...answer, links: [...answer.links, fresh] };
  }

  /** Accept, reject or restore one part of `list` ("spans" or "links"). A part of one's own goes for good. */
  function judge(answer, list, i, state) {
    const part = answer[list][i];
    if (state === "rejected" && !part.was)
      return { ...answer, [list]: answer[list].filter((_, at) => at !== i) };
    if (state === "accepted" && part.state === "rejected" && list === "spans") {
      const others = answer.spans.map((s) => (s !== part && kept(s) && overlaps(s, part) ? null : s));
      const cleared = { ...answer, spans: others.filter(Boolean) };
      return judgeAt(cleared, list, cleared.spans.indexOf(part), restored(part));
    }
    return judgeAt(answer, list, i, state === "accepted" ? restored(part) : { ...part, state });
  }
  const judgeAt = (answer, list, i, part) => ({ ...answer, [list]: replaced(answer[list], i, part) });
  const restored = (part) => (part.was ? edited(part) : { ...part, state: "added" });

  /** The answer alone, as the server takes it. */
  function final(answer) {
    return {
      entities: answer.spans.filter(kept).map(essence),
      links: answer.links.filter(kept).map(essence),
    };
  }

  /** Why an answer cannot be sent yet, or "". */
  function problem(answer) {
    for (const link of answer.links.filter(kept)) {
      if (!link.label) return "Pick what the relation is, or reject it.";
      if (!fits(link.label, kindsAt(answer, link)))
        return `The relation ${link.label} does not fit the labels of its two sides.`;
    }
    return "";
  }

  return {
    use,
    endsOf,
    kindsAt,
    fits,
    kept,
    spansAt,
    inTheWay,
    label,
    resize,
    moveSide,
    relabelLink,
    setKind,
    swapSides,
    link,
    judge,
    final,
    problem,
  };
})();
