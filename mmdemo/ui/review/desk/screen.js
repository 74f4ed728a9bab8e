// The desk as it is drawn: the whole of it after each change, from `state` alone.
window.mmreview.screen = (desk) => {
  const { page, session, words, parts, queue, keys, edits } = window.mmreview;
  const { el, button } = page;
  const { at, box, state } = desk;
  const fill = (name, nodes) => at(name).replaceChildren(...nodes.filter(Boolean));

  function draw() {
    queue.progress(at("progress"), state.list.counts ?? {});
    queue.rows(at("rows"), state.list, state.post?.id, desk.open);
    queue.pager(at("pager"), state.list, desk.list);
    box.classList.toggle("rv-has-queue", Boolean(state.queue));
    box.classList.toggle("rv-has-post", Boolean(state.post));
    at("empty").hidden = Boolean(state.post);
    if (state.post) drawPost();
    else fill("empty", nothing());
  }

  function drawPost() {
    const { post, answer } = state;
    state.hint = post.entities
      ? "Click or drag words, then pick a label. Click an entity to change it."
      : "Pick the relation below. Click E1 or E2 to move it; label its words to say what it is.";
    if (state.picking) state.hint = edits.hint(state);
    fill("facts", facts(post));
    fill("disputed", post.disputed ? parts.disputed(post.disputed, desk.take) : []);
    words.draw(at("words"), state);
    parts.palette(at("palette"), state, desk.on);
    parts.spans(at("spans"), state, desk.on);
    at("spans").hidden = !post.entities && !answer.spans.length;
    at("links").hidden = !answer.links.length;
    parts.links(at("links"), state, desk.on);
    drawActions();
  }

  /** What stands where a post would, and what to do about it. */
  function nothing() {
    const left = (state.list.counts?.open ?? 0) + (state.list.counts?.second ?? 0);
    const [title, text] = state.closed
      ? [
          "Sign in to review",
          "Posts under review and who reviewed them are shown to people who have signed in above.",
        ]
      : !state.queue
        ? [
            "No posts yet",
            "Load the examples or add posts below; then correct what a model found, with a few keys.",
          ]
        : left
          ? [
              left === 1 ? "1 post waits" : `${left} posts wait`,
              "A accepts, R rejects, U takes back; press ? for all keys.",
            ]
          : ["Nothing is left to do", "Choose a post to look at it again, or export the decided ones below."];
    const go = left > 0 && button("Start reviewing", "N", () => desk.next(), { class: "rv-primary" });
    return [el("b", { text: title }), el("p", { text }), go];
  }

  function facts(post) {
    const changed = JSON.stringify(state.answer) !== JSON.stringify(post.answer);
    const by = post.reviewer && `by ${post.reviewer}`;
    const from =
      post.checkpoint &&
      (post.checkpoint === "file" ? "suggested by the file" : `predicted by ${post.checkpoint}`);
    const texts = [desk.place(), queue.STATUS[post.status], by, from];
    return [
      el("span", { text: texts.filter(Boolean).join(" · ") }),
      changed && el("span", { class: "rv-tag", text: "draft" }),
      post.holder && el("span", { class: "rv-tag rv-warned", text: `${post.holder} is on it` }),
    ];
  }

  function drawPhoto() {
    const source = state.photos[state.post.photo];
    const none = el("p", {
      class: "rv-none",
      text: state.post.photo ? "The photo cannot be shown." : "No photo",
    });
    const loaded = { load: () => desk.drawBoxes() };
    const image = () => el("img", { src: source, alt: "The post's photo", on: loaded });
    at("photo").replaceChildren(source ? image() : none);
  }

  function drawActions() {
    const held = Boolean(state.post.holder);
    const what = (verdict) => (desk.target(verdict) ? "part" : "post");
    const step = (from) => ({ disabled: !session.can(from), title: session.latest(from)?.what });
    fill("actions", [
      button(`Accept ${what("accepted")}`, "A", () => desk.judge("accepted", "accept"), {
        class: "rv-primary",
        disabled: held,
      }),
      button(`Reject ${what("rejected")}`, "R", () => desk.judge("rejected", "reject"), {
        class: "rv-danger",
        disabled: held,
      }),
      state.relations.length > 0 &&
        button("Relate", "L", desk.on.relate, {
          disabled: held,
          "aria-pressed": String(state.picking),
          title: "A relation from one entity to another",
        }),
      button("Undo", "U", desk.undo, step("undo")),
      button("Redo", "⇧U", desk.redo, step("redo")),
      button("Previous", "P", () => desk.neighbour(-1)),
      button("Next", "N", () => desk.next()),
      el("span", { class: "rv-space" }),
      button("Guidelines", "G", guidelines, { class: "rv-quiet" }),
      button("Help", "?", keys.help, { class: "rv-quiet" }),
    ]);
  }

  /** The short texts that say when to use each label. */
  function guidelines() {
    const names = [...(state.post?.labels ?? []), ...state.relations].filter((n) => state.guidelines[n]);
    const entry = (name) => [
      el("dt", {}, el("b", { text: state.readable(name) })),
      el("dd", { text: state.guidelines[name] }),
    ];
    page.dialog("Guidelines", () => el("dl", { class: "rv-guide" }, ...names.flatMap(entry)));
  }

  return { draw, drawPhoto, guidelines };
};
