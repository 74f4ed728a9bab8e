// What a reviewer's browser remembers: the name, drafts that survive a reload, and one history for the whole
// session, so that undo also goes back over decisions that have been sent.
window.mmreview.session = (() => {
  const NAME = "mmreview.name";
  const DRAFTS = "mmreview.drafts";
  const HISTORY = "mmreview.steps"; // and whose
  const LIMIT = 500; // steps kept; the oldest go first
  let mine = ""; // this tab's reviewer: a name given in another tab signs nothing here

  // Where storage is blocked, naming it throws: `store` is its name, read within the try.
  function read(store, key, otherwise) {
    try {
      return JSON.parse(window[store].getItem(key)) ?? otherwise;
    } catch {
      return otherwise; // blocked storage, or something else's value
    }
  }

  function write(store, key, value) {
    try {
      window[store].setItem(key, JSON.stringify(value));
    } catch {
      // Full or blocked: the review goes on, only a reload would lose the draft.
    }
  }

  const name = () => (mine ||= read("localStorage", NAME, ""));

  /** Go by this name; each reviewer has a history of their own. */
  function rename(value) {
    if (value === mine) return;
    write("localStorage", NAME, (mine = value));
    past = remembered();
  }

  /** Whose draft of which post: another reviewer's, or another store's post of that number, has another key. */
  const place = (queue, post) => JSON.stringify([name(), queue, post.id, post.ref]);

  const words = (post) => JSON.stringify(post.words);

  /** The unsent answer to a post, if it was begun on this version and these words of it. */
  function draft(queue, post) {
    const found = read("localStorage", DRAFTS, {})[place(queue, post)];
    const same = found?.version === post.version && found.words === words(post);
    return same ? found.answer : null;
  }

  /** Whether there is an unsent answer to a row of the list, begun on this version. */
  const drafted = (queue, row) => read("localStorage", DRAFTS, {})[place(queue, row)]?.version === row.version;

  function keep(queue, post, answer) {
    const drafts = read("localStorage", DRAFTS, {});
    drafts[place(queue, post)] = { version: post.version, words: words(post), answer, at: Date.now() };
    const newest = Object.entries(drafts).sort((a, b) => b[1].at - a[1].at).slice(0, 100);
    write("localStorage", DRAFTS, Object.fromEntries(newest));
  }

  function drop(queue, post) {
    const drafts = read("localStorage", DRAFTS, {});
    delete drafts[place(queue, post)];
    write("localStorage", DRAFTS, drafts);
  }

  // A step is {queue, mode, kind: "edit", post, version, words, before, after, what} or {queue, mode, kind: "decision",
  // posts: [{id, version}], verdict, answer, what}. The history lives as long as the tab: another tab has its own.
  const remembered = () => read("sessionStorage", `${HISTORY}.${name()}`, { undo: [], redo: [] });
  const save = () => write("sessionStorage", `${HISTORY}.${name()}`, past);
  let past = remembered();

  /** What is open, so that a reload opens it again: "queue" or "open" -> a name or a post's number, or null. */
  const last = (what) => read("sessionStorage", `mmreview.${what}`, null);
  const remember = (what, value) => write("sessionStorage", `mmreview.${what}`, value);

  function push(step) {
    past = { undo: [...past.undo, step].slice(-LIMIT), redo: [] };
    save();
  }

  function pushEdit(place, post, before, after, what) {
    push({ ...place, kind: "edit", post: post.id, version: post.version, words: words(post), before, after, what });
  }

  /** Move the latest step of one stack to the other and give it: `from` is "undo" or "redo". */
  function step(from) {
    const found = past[from].at(-1);
    if (!found) return null;
    const to = from === "undo" ? "redo" : "undo";
    past = { ...past, [from]: past[from].slice(0, -1), [to]: [...past[to], found] };
    save();
    return found;
  }

  /** Forget the latest step of a stack: it can be neither undone nor redone any more. */
  function discard(from) {
    past = { ...past, [from]: past[from].slice(0, -1) };
    save();
  }

  /** A decision of one's own gave a post a new version: what one did to it before can still be undone. */
  function moved(id, from, to) {
    const same = (one) => (one.id === id && one.version === from ? { ...one, version: to } : one);
    const follow = (one) => {
      if (one.kind === "edit") return one.post === id && one.version === from ? { ...one, version: to } : one;
      return { ...one, posts: one.posts.map(same) };
    };
    past = { undo: past.undo.map(follow), redo: past.redo.map(follow) };
    save();
  }

  const can = (from) => past[from].length > 0;
  const latest = (from) => past[from].at(-1) ?? null;

  return { name, rename, draft, drafted, keep, drop, last, remember, words, push, pushEdit, step, discard, moved, can, latest };
})();
