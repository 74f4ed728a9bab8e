// What a reviewer does to the open answer: select, label, stretch, judge, relate. Each edit is one undo step.
window.mmreview.edits = (() => {
  const answer = window.mmreview.answer;
  const { range } = window.mmreview.words;
  const { direction } = window.mmreview.page;
  const { choices } = window.mmreview.parts;

  const OTHER = "Now the other entity: press its number, click it, or go to it and press L.";

  /** Actions over `state` (post, answer, selection, cursor); `edit(what, answer)` records, `show()` redraws. */
  function actions(state, { edit, show, say }) {
    const count = () => state.post.words.length;
    const words = (start, end) =>
      state.post.words.slice(start, end).map(window.mmreview.page.spoken).join(" ");

    /** Select a part or words. While relating, a part that is pointed at is the other one; keys only go there. */
    function select(selection, byKeys = false) {
      if (state.picking && !byKeys && selection?.kind === "span") return pick(range(state.answer, selection));
      Object.assign(state, { selection, nesting: false });
      const at = range(state.answer, selection);
      if (at) {
        state.cursor = at[1] - 1;
        say(selection.kind === "words" ? words(...at) : window.mmreview.words.describe(state, at[0]));
      }
      show();
    }

    /** A click on a word: the entity or the side there, else the word itself; a second click takes the entity around
     * it, or lets go. */
    function tap(word) {
      const there = answer.spansAt(state.answer, word);
      const at = range(state.answer, state.selection);
      const again = at && at[0] <= word && word < at[1] && state.selection.kind !== "side";
      const here = state.selection?.kind === "span" ? there.indexOf(state.selection.i) : there.length;
      const i = again ? there[here + 1] : there[0];
      if (again && i === undefined) return select(null);
      if (i !== undefined) return select({ kind: "span", i });
      const side = state.answer.links
        .flatMap((link, n) => (answer.kept(link) ? ["head", "tail"].map((s) => [n, s, link[s]]) : []))
        .find(([, , [start, end]]) => start <= word && word < end);
      select(
        side ? { kind: "side", i: side[0], side: side[1] } : { kind: "words", start: word, end: word + 1 },
      );
    }

    function sweep(start, end) {
      select({ kind: "words", start, end });
    }

    /** Give the selected part new ends. */
    function reshape(start, end) {
      const { kind, i, side } = state.selection ?? {};
      if (kind === "words")
        return select({ kind, start: Math.max(0, start), end: Math.min(count(), Math.max(end, start + 1)) });
      if (kind === "span") {
        const { start: from, end: to } = state.answer.spans[i];
        edit(
          `move the ends of “${words(from, to)}”`,
          answer.resize(state.answer, i, start, end, count()),
          state.selection,
        );
      }
      if (kind === "side")
        edit(
          "move a side of the relation",
          answer.moveSide(state.answer, i, side, start, end, count()),
          state.selection,
        );
    }

    function grip(end, word, done) {
      const [from, to] = range(state.answer, state.selection) ?? [];
      if (from === undefined || !done) return;
      if (end === "start") reshape(Math.min(word, to - 1), to);
      else reshape(from, Math.max(word + 1, from + 1));
    }

    /** A step to the right is one back where the words run to the left. */
    const onward = (step) => (direction(state.post.words) === "rtl" ? -step : step);

    function stretch(end, towards) {
      const step = onward(towards);
      const at = range(state.answer, state.selection);
      if (!at) return select({ kind: "words", start: state.cursor ?? 0, end: (state.cursor ?? 0) + 1 });
      const [start, stop] =
        end === "start"
          ? [Math.min(at[0] + step, at[1] - 1), at[1]]
          : [at[0], Math.max(at[1] + step, at[0] + 1)];
      reshape(start, stop);
    }

    function move(step) {
      const next =
        state.cursor === null ? 0 : Math.min(Math.max(state.cursor + onward(step), 0), count() - 1);
      select({ kind: "words", start: next, end: next + 1 }, true);
    }

    function label(name) {
      if (!["span", "words"].includes(state.selection?.kind)) return say("Select words first.");
      const [start, end] = range(state.answer, state.selection);
      const next = answer.label(state.answer, start, end, name, state.nesting);
      state.nesting = false;
      const i = next.spans.findIndex((s) => s.start === start && s.end === end && answer.kept(s));
      edit(`“${words(start, end)}” is ${name}`, next, { kind: "span", i });
    }

    /** Whether the next label leaves the entities that share words with it. */
    function nest() {
      const { kind, start, end } = state.selection ?? {};
      const others = kind === "words" ? answer.inTheWay(state.answer, start, end) : [];
      if (!others.length) return say("Select words within an entity, or around one.");
      state.nesting = !state.nesting;
      const names = others.map((s) => `“${words(s.start, s.end)}”`).join(", ");
      say(state.nesting ? `${names} will stay: pick a label.` : `${names} will give way.`);
      show();
    }

    function judge(list, i, verdict) {
      const next = answer.judge(state.answer, list, i, verdict);
      edit(`${verdict} a part`, next, undecided(next));
    }

    /** The next part that nobody has decided on: accepting goes from part to part. */
    function undecided(next) {
      const i = next.spans.findIndex((s) => s.state === "open");
      if (i >= 0) return { kind: "span", i };
      const n = next.links.findIndex((l) => l.state === "open");
      return n >= 0 ? { kind: "link", i: n } : null;
    }

    /** Which part is selected, as [list, index], or null. */
    function part() {
      const { kind, i } = state.selection ?? {};
      if (kind === "span") return ["spans", i];
      return kind === "link" || kind === "side" ? ["links", i] : null;
    }

    function walk(step) {
      const all = [
        ...state.answer.spans.map((_, i) => ({ kind: "span", i })),
        ...state.answer.links.flatMap((_, i) => [
          { kind: "link", i },
          { kind: "side", i, side: "head" },
          { kind: "side", i, side: "tail" },
        ]),
      ];
      const same = (a) => JSON.stringify(a) === JSON.stringify(state.selection);
      const here = all.findIndex(same);
      if (all.length)
        select(all[(here + step + all.length + (here < 0 && step < 0 ? 1 : 0)) % all.length], true);
    }

    /** Begin a relation at what is selected, else at the entity that is picked next; or end it there. */
    function relate() {
      const at = ["span", "words", "side"].includes(state.selection?.kind)
        ? range(state.answer, state.selection)
        : null;
      const begins = !state.picking;
      state.picking = true;
      if (at) return pick(at);
      if (begins) say("Pick the first of the two entities: press its number or click it.");
      show();
    }

    /** One side of the relation that is being made: the first, or the other. */
    function pick(at) {
      if (state.from) return join(at);
      state.from = at;
      say(`From “${words(...at)}”. ${OTHER}`);
      show();
    }

    /** A relation from where `relate` began to these words, which may lie within its own or around them. */
    function join(to) {
      const from = state.from;
      if (from[0] === to[0] && from[1] === to[1]) return say(OTHER);
      Object.assign(state, { from: null, picking: false });
      const next = answer.link(state.answer, from, to);
      const i = next.links.length - 1;
      const fitting = choices(state, next.links[i]);
      const named = fitting.length === 1 ? answer.relabelLink(next, i, fitting[0]) : next;
      edit("relate two entities", named, { kind: "link", i });
    }

    function relation(i, name) {
      edit(`the relation is ${state.readable(name)}`, answer.relabelLink(state.answer, i, name), {
        kind: "link",
        i,
      });
    }

    /** The relation that keys mean: the selected one, or the only one. */
    function linkHere() {
      const { kind, i } = state.selection ?? {};
      if (kind === "link" || kind === "side") return i;
      return state.answer.links.filter(answer.kept).length === 1 && kind !== "span"
        ? state.answer.links.findIndex(answer.kept)
        : -1;
    }

    function number(n) {
      if (state.picking) {
        const span = window.mmreview.words.pickable(state.answer)[n - 1];
        return span ? pick([span.start, span.end]) : say(`There is no entity ${n}.`);
      }
      const i = linkHere();
      if (i >= 0 && (state.selection?.kind !== "words" || !state.post.labels.length)) {
        const name = ["None", ...choices(state, state.answer.links[i])][n];
        return name ? relation(i, name) : say(`There is no choice ${n}.`);
      }
      const name = state.post.labels[n - 1];
      return name ? label(name) : say(`There is no label ${n}.`);
    }

    /** A letter that some label has, or nothing: most letters mean nothing here. */
    const labelOf = (key) => state.post?.labels.find((one) => state.looks[one]?.key.toLowerCase() === key);

    function letter(key) {
      const name = labelOf(key);
      if (name) label(name);
    }

    function swap(i = linkHere()) {
      if (i >= 0) edit("swap the sides", answer.swapSides(state.answer, i), { kind: "link", i });
    }

    function kind(i, at, value) {
      edit("say what a side is", answer.setKind(state.answer, i, at, value), { kind: "link", i });
    }

    function clear() {
      Object.assign(state, { from: null, picking: false });
      select(null);
    }

    return {
      select,
      tap,
      sweep,
      grip,
      stretch,
      move,
      label,
      nest,
      judge,
      part,
      relate,
      relation,
      number,
      letter,
      labelOf,
      swap,
      kind,
      clear,
      partBefore: () => walk(-1),
      partAfter: () => walk(1),
    };
  }

  /** What to do next of a relation that is being made. */
  const hint = (state) =>
    state.from ? OTHER : "A relation: press the number of its first entity, or click it. Esc leaves.";

  return { actions, hint };
})();
