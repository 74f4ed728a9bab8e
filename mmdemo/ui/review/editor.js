// The Review page: asks the server, keeps what is open, and draws it. `window.mmreview.mount` starts it.
(() => {
  const { page, answer, session, words, parts, queue, keys, edits } = window.mmreview;
  const { el, button, percent } = page;
  const REST = 60_000; // how often an open post's lease is renewed, in milliseconds
  const FILTERS = { order: "input", status: "", label: "", reviewer: "", text: "", low: "", high: "" };

  function mount(root, server) {
    const box = root.querySelector(".rv");
    const at = (name) => box.querySelector(`[data-at="${name}"]`);
    const state = {
      post: null, answer: null, selection: null, cursor: null, from: null, hint: "", percent, photos: {},
      looks: {}, guidelines: {}, relations: [], readable: (label) => state.names[label] ?? label, names: {},
      filters: { ...FILTERS }, queue: null, mode: "review", list: { rows: [], page: 0, pages: 0, total: 0 }, opened: 0, busy: false,
    };

    // --- the server ------------------------------------------------------------------------------

    /** Ask the server; what it refuses is said in its own words and gives null. */
    async function ask(name, body = {}) {
      try {
        const reply = await server[`review_${name}`]({ name: session.name(), queue: state.queue, mode: state.mode, ...body });
        if (reply?.ok) return reply;
        warn(reply?.problem ?? "The server gave no answer.");
        if (reply?.conflict) await conflict(reply.post);
      } catch {
        warn("The server cannot be reached. Your draft is kept; try again.");
      }
      return null;
    }

    const say = (text) => (at("live").textContent = text);
    function warn(text) {
      at("warn").replaceChildren(text ? el("p", { class: "mm-error", role: "alert", text }) : "");
    }

    async function start() {
      const reply = await ask("start", { queue: sessionStorage.getItem("mmreview.queue") });
      if (!reply) return;
      Object.assign(state, { looks: reply.looks, guidelines: reply.guidelines, relations: reply.relations, names: reply.names });
      Object.assign(state, { fixedName: reply.fixed, queue: reply.queue });
      if (reply.fixed) session.rename(reply.name);
      queue.filters(at("filters"), reply.facets, { ...state.filters, queue: state.queue, mode: state.mode }, pick);
      drawWho();
      await list(0);
      const last = Number(sessionStorage.getItem("mmreview.open"));
      if (state.list.total) await (last && session.name() ? open(last) : next(true));
    }

    /** A filter, the queue or the mode was changed. */
    async function pick(name, value) {
      if (name === "queue") {
        sessionStorage.setItem("mmreview.queue", value);
        sessionStorage.removeItem("mmreview.open");
        Object.assign(state, { post: null, filters: { ...FILTERS } });
        return start();
      }
      if (name === "mode") Object.assign(state, { mode: value, post: null });
      else state.filters[name] = value;
      await list(0);
      if (!state.post || name === "order") await next(true);
    }

    async function list(number = state.list.page) {
      const reply = await ask("list", { filters: state.filters, page: number });
      if (!reply) return;
      state.list = reply;
      draw();
    }

    // --- opening ---------------------------------------------------------------------------------

    async function open(id) {
      if (!(await named())) return;
      const reply = await ask("open", { id, leave: state.post?.id ?? null });
      if (reply) show(reply.post);
    }

    /** The next post that fits the filters, is undecided and that nobody else is on. */
    async function next(first = false) {
      if (!(await named())) return;
      if (queue.DONE.includes(state.filters.status)) return neighbour(1); // looking over what is decided
      const reply = await ask("next", { filters: state.filters, leave: first ? null : (state.post?.id ?? null) });
      if (reply?.post) show(reply.post);
      else if (reply) finished("No undecided post is left that fits these filters.");
    }

    /** The post before or behind the open one in the list, whatever became of it. */
    async function neighbour(step) {
      const { rows, page: number, pages } = state.list;
      const i = rows.findIndex((row) => row.id === state.post?.id) + step;
      if (rows[i]) return open(rows[i].id);
      if (i < 0 ? number === 0 : number + 1 >= pages) return finished(step < 0 ? "This is the first post." : "This is the last post.");
      await list(number + step);
      return open(state.list.rows.at(step < 0 ? -1 : 0).id);
    }

    function finished(text) {
      say(text);
      at("warn").replaceChildren(el("p", { class: "rv-note", text }));
    }

    function show(post, kept = session.draft(post)) {
      warn("");
      Object.assign(state, { post, answer: kept ?? post.answer, selection: null, cursor: null, from: null, opened: Date.now() });
      sessionStorage.setItem("mmreview.open", post.id);
      draw();
      photo(post);
      at("words").scrollTop = 0;
      const count = state.answer.spans.length;
      const kind = kept ? "Your draft. " : "";
      say(`${kind}${place()}, ${queue.STATUS[post.status]}. ${count} ${count === 1 ? "entity" : "entities"}.`);
    }

    /** Where the open post stands among those listed. */
    function place() {
      const i = state.list.rows.findIndex((row) => row.id === state.post.id);
      return i < 0 ? `Post ${state.post.ref}` : `Post ${state.list.offset + i + 1} of ${state.list.total}`;
    }

    async function photo(post) {
      if (post.photo && !state.photos[post.photo]) state.photos[post.photo] = (await ask("photo", { id: post.id }))?.photo;
      if (state.post === post) drawPhoto();
    }

    /** Someone else was faster: theirs is shown, and Undo brings one's own answer back. */
    async function conflict(post) {
      if (!post) return;
      const mine = state.answer;
      show(post, post.answer);
      const text = at("warn").textContent;
      edit("load the other reviewer's answer", post.answer, null, mine);
      warn(text || "Someone else has changed this post since you opened it. This is their answer; Undo brings yours back.");
    }

    // --- editing and deciding ----------------------------------------------------------------------

    function edit(what, after, selection, before = state.answer) {
      if (state.post.holder) return warn(`${state.post.holder} is on this post; press N for another.`);
      if (JSON.stringify(before) === JSON.stringify(after)) return draw();
      session.push({ kind: "edit", post: state.post.id, version: state.post.version, before, after, what });
      put(after, selection);
      say(what);
    }

    function put(after, selection = null) {
      Object.assign(state, { answer: after, selection });
      if (JSON.stringify(after) === JSON.stringify(state.post.answer)) session.drop(state.post.id);
      else session.keep(state.post, after);
      draw();
    }

    async function decide(verdict) {
      const { post, answer: mine } = state;
      const wrong = verdict === "accept" ? answer.problem(mine) : "";
      if (wrong) return warn(wrong);
      if (!post || state.busy) return;
      state.busy = true;
      const seconds = Math.round((Date.now() - state.opened) / 100) / 10;
      const sent = await ask("save", { id: post.id, version: post.version, verdict, answer: answer.final(mine), seconds });
      state.busy = false;
      if (!sent) return;
      session.push({ kind: "decision", verdict, posts: [{ id: post.id, version: sent.version }], answer: mine, what: `${verdict} a post` });
      session.moved(post.id, post.version, sent.version);
      session.drop(post.id);
      say(`${place()} ${queue.STATUS[sent.status]}.`);
      await Promise.all([list(), next()]);
    }

    /** Settle a dispute by one of its two answers, which can still be corrected before it is accepted. */
    const take = (side) => (side.verdict === "rejected" ? decide("reject") : edit("take one of the two answers", side.answer, null));

    const on = edits.actions(state, { edit, show: draw, say });
    const judge = (verdict, word) => {
      if (!state.post) return;
      const part = on.part();
      if (part) on.judge(...part, verdict);
      else decide(word);
    };

    // --- history -----------------------------------------------------------------------------------

    async function rewind(from) {
      const step = session.latest(from);
      if (!step) return say(from === "undo" ? "Nothing to undo." : "Nothing to redo.");
      const done = step.kind === "edit" ? await rewindEdit(step, from) : await rewindDecision(step, from);
      if (done) session.step(from);
      if (done) say(`${from === "undo" ? "Undone" : "Redone"}: ${step.what}.`);
      draw();
    }

    async function rewindEdit(step, from) {
      if (state.post?.id !== step.post) await open(step.post);
      if (state.post?.id !== step.post) return false;
      if (state.post.version !== step.version) {
        warn("Someone else has decided on this post since; that edit cannot be taken back.");
        return true;
      }
      put(from === "undo" ? step.before : step.after);
      return true;
    }

    /** The server takes back (or repeats) this reviewer's latest decision, or all of one bulk decision. */
    async function rewindDecision(step, from) {
      const reply = await ask(from);
      if (!reply) return false;
      if (reply.kept) warn(`${reply.kept} of these posts were left alone: someone else has decided on them since.`);
      reply.posts.forEach(({ id, version }) => {
        const old = step.posts.find((post) => post.id === id);
        if (old) session.moved(id, old.version, version);
      });
      await list();
      const [only] = reply.posts;
      if (only && from === "undo" && step.answer) {
        session.keep(only, step.answer);
        await open(only.id);
      }
      return true;
    }

    async function bulk(found) {
      const posts = found.map(({ id, version }) => ({ id, version }));
      const reply = await ask("bulk", { posts });
      if (!reply) return;
      if (reply.posts.length) session.push({ kind: "decision", verdict: "accept", posts: reply.posts, what: `accept ${reply.posts.length} posts` });
      if (reply.kept) warn(`${reply.kept} of them had been changed meanwhile and were left alone.`);
      say(`${reply.posts.length} posts accepted. Undo takes all of them back.`);
      await list();
      if (posts.some(({ id }) => id === state.post?.id)) await next();
    }

    const surest = (threshold) => state.list.rows.filter((row) => row.status === "open" && !row.holder && row.score !== null && row.score >= threshold);

    // --- drawing -------------------------------------------------------------------------------------

    const fill = (name, nodes) => at(name).replaceChildren(...nodes.filter(Boolean));

    function draw() {
      queue.progress(at("progress"), state.list.counts ?? {});
      queue.rows(at("rows"), state.list, state.post?.id, open);
      queue.pager(at("pager"), state.list, list);
      box.classList.toggle("rv-has-post", Boolean(state.post));
      at("empty").hidden = Boolean(state.post);
      if (!state.post) return;
      const { post } = state;
      state.hint = post.entities ? "Click or drag words, then pick a label. Click an entity to change it." : "Pick the relation below. Click E1 or E2 to move it; label its words to say what it is.";
      if (state.from) state.hint = "Now select the other entity.";
      fill("facts", facts(post));
      fill("disputed", post.disputed ? parts.disputed(post.disputed, (side) => take(side)) : []);
      words.draw(at("words"), state);
      parts.palette(at("palette"), state, on);
      parts.spans(at("spans"), state, on);
      at("spans").hidden = !post.entities && !state.answer.spans.length;
      parts.links(at("links"), state, on);
      drawActions();
    }

    function facts(post) {
      const draft = JSON.stringify(state.answer) !== JSON.stringify(post.answer) && el("span", { class: "rv-tag", text: "draft" });
      const by = post.reviewer && `by ${post.reviewer}`;
      const texts = [place(), queue.STATUS[post.status], by, post.checkpoint && `predicted by ${post.checkpoint}`];
      return [el("span", { text: texts.filter(Boolean).join(" · ") }), draft, post.holder && el("span", { class: "rv-tag rv-warned", text: `${post.holder} is on it` })];
    }

    function drawPhoto() {
      const source = state.photos[state.post.photo];
      const none = el("p", { class: "rv-none", text: state.post.photo ? "The photo cannot be shown." : "No photo" });
      at("photo").replaceChildren(source ? el("img", { src: source, alt: "The post's photo" }) : none);
    }

    function drawActions() {
      const held = Boolean(state.post.holder);
      const part = on.part() ? "part" : "post";
      at("actions").replaceChildren(
        button(`Accept ${part}`, "A", () => judge("accepted", "accept"), { class: "rv-primary", disabled: held }),
        button(`Reject ${part}`, "R", () => judge("rejected", "reject"), { class: "rv-danger", disabled: held }),
        button("Undo", "U", () => rewind("undo"), { disabled: !session.can("undo"), title: session.latest("undo")?.what }),
        button("Redo", "⇧U", () => rewind("redo"), { disabled: !session.can("redo"), title: session.latest("redo")?.what }),
        button("Previous", "P", () => neighbour(-1)),
        button("Next", "N", () => next()),
        el("span", { class: "rv-space" }),
        button("Guidelines", "G", guidelines, { class: "rv-quiet" }),
        button("Help", "?", keys.help, { class: "rv-quiet" }),
      );
    }

    function drawWho() {
      const change = button("Change", "", () => named(true), { class: "rv-small" });
      fill("who", session.name() ? [el("span", {}, "Reviewing as ", el("b", { text: session.name() })), !state.fixedName && change] : []);
    }

    function guidelines() {
      const names = [...(state.post?.labels ?? []), ...state.relations];
      page.dialog("Guidelines", () => el("dl", { class: "rv-guide" }, ...names.flatMap((name) => [el("dt", {}, el("b", { text: state.readable(name) })), el("dd", { text: state.guidelines[name] })])));
    }

    /** The reviewer's name, asked for once. */
    function named(again = false) {
      if (session.name() && !again) return true;
      return new Promise((done) => {
        const asked = page.dialog("Who is reviewing?", (close) => {
          const input = el("input", { name: "reviewer", maxlength: "60", autocomplete: "nickname", required: true, value: session.name(), "aria-label": "Your name" });
          const form = el("form", {}, el("p", { text: "Each decision is stored with a name, so that a team can see who decided what." }), input, el("footer", {}, el("button", { class: "rv-button rv-primary", text: "Start reviewing" })));
          form.addEventListener("submit", (event) => {
            event.preventDefault();
            session.rename(input.value.trim() || session.name());
            close();
          });
          return form;
        });
        asked.addEventListener("close", () => (drawWho(), done(Boolean(session.name()))));
      });
    }

    // --- wiring --------------------------------------------------------------------------------------

    words.listen(at("words"), on);
    at("bulk").replaceChildren(button("Accept in bulk …", "", async () => (await named()) && queue.bulk(surest, bulk), { class: "rv-small" }));
    keys.listen(box, {
      ...on, guidelines, help: keys.help, next: () => next(), previous: () => neighbour(-1), undo: () => rewind("undo"), redo: () => rewind("redo"),
      accept: () => judge("accepted", "accept"), reject: () => judge("rejected", "reject"), remove: () => on.part() && judge("rejected"),
    });
    setInterval(() => box.offsetParent && state.post && !state.post.holder && server.review_renew({ name: session.name(), queue: state.queue, id: state.post.id }).catch(() => {}), REST);
    /** Posts were added or predicted elsewhere on the page: look again, at `queue` where one is named. */
    /** What the tools below the editor work on: the queue on screen, and the reviewer's name. */
    window.mmreview.here = async () => (await named(), [state.queue ?? "", session.name()]);
    window.mmreview.refresh = (name) => {
      if (name) sessionStorage.setItem("mmreview.queue", name);
      Object.assign(state, { post: null });
      return start();
    };
    start();
  }

  window.mmreview.mount = mount;
})();
