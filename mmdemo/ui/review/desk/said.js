// What the open post's photo says in words, which all its reviewers share: shown, boxed, edited, taken back.
// A change is sent at once and is no decision: drafts, versions and the desk's own undo know nothing of it.
window.mmreview.said = (desk) => {
  const { page, session } = window.mmreview;
  const { el, pieces, spoken, button } = page;
  const { at, state } = desk;
  const { mmwords } = window;
  let sending = Promise.resolve(); // one change after the other: each states the version that the last one made

  const key = (part) => JSON.stringify(part);
  const find = (post, part) => post.photo_words.findIndex((one) => key(one) === key(part));
  const drawBoxes = (lit = -1) => mmwords.drawBoxes(at("photo"), state.post?.photo_words ?? [], lit);

  // --- change ---

  /** Send a change of a post's words, and show what they are then. `body` makes it of the words as they are; one that
   * is still right where somebody was faster goes again on top of theirs: `again`. Whether it was done. */
  function change(post, name, body, { done, again = false }) {
    const who = session.name(); // one who goes by another name meanwhile has not done this
    const send = async (retry) => {
      let conflict = false;
      const sent = { name: who, id: post.id, photo_version: post.photo_version, ...body() };
      const reply = await desk.ask(name, sent, (theirs) => {
        conflict = true;
        told(post, theirs, true);
      });
      if (!reply) return conflict && retry ? send(false) : false;
      told(post, reply);
      if (state.post === post) desk.warn("");
      if (state.post === post) desk.say(done);
      return true;
    };
    sending = sending.then(() => send(again));
    return sending;
  }

  function told(post, { photo_words, photo_version }, anew = false) {
    Object.assign(post, { photo_words, photo_version });
    if (state.post !== post) return;
    if (anew) list().replaceChildren(); // no field goes on showing what was not saved
    fill();
  }

  /** Put other words, or none, in place of one part, which may stand elsewhere once an earlier change is done. */
  function replace(post, part, instead, done) {
    const body = () => {
      const i = find(post, part);
      return { photo_words: i < 0 ? post.photo_words : post.photo_words.toSpliced(i, 1, ...instead) };
    };
    return change(post, "change_words", body, { done });
  }

  /** A new description, behind what is there: nobody's own text goes for it. */
  async function add(post, text) {
    const fresh = { source: "described", text, score: null, box: null, by: "" };
    const body = () => ({ photo_words: [...post.photo_words, fresh] });
    const added = await change(post, "change_words", body, { done: "Description added.", again: true });
    const field = at("said").querySelector(".pw-add input");
    if (added && state.post === post && field.value.trim() === text) field.value = "";
  }

  const takeBack = (post) =>
    change(post, "undo_words", () => ({}), { done: "The words of the photo are as before." });

  // --- draw ---

  const list = () => at("said").querySelector(".pw-parts");

  function row(post, part) {
    const hidden = part.shown.some((piece) => Array.isArray(piece)); // what a field would obey, not show
    const on = {
      edit: (text) => replace(post, part, [{ ...part, text }], "Words of the photo changed."),
      away: () => replace(post, part, [], "Words of the photo left out."),
      light: (lit) => drawBoxes(lit ? find(post, part) : -1),
    };
    const made = mmwords.row(part, on, {
      locked: Boolean(post.holder),
      spoken: spoken(part.shown),
      below: hidden ? el("bdi", { class: "rv-said-shown" }, ...pieces(part.shown)) : null,
    });
    made.dataset.part = key(part);
    return made;
  }

  /** The frame of another post's words. */
  function drawSaid() {
    const { post } = state;
    const held = Boolean(post.holder);
    const what = "Undo a change of the photo's words";
    const undo = button("Undo", "", () => takeBack(post), {
      class: "rv-small",
      title: what,
      "aria-label": what,
      disabled: held,
    });
    at("said").hidden = !post.photo && !post.photo_words.length;
    at("said").replaceChildren(
      el("header", {}, el("h3", { class: "pw-title", text: "What the photo says" }), undo),
      el("p", { class: "pw-told" }),
      el("ul", { class: "pw-parts" }),
      mmwords.adder((text) => add(post, text), held),
    );
    fill();
  }

  /** Bring the list up to date. Rows of words that stay are left alone, with the focus and what is typed there. */
  function fill() {
    const { post } = state;
    const rows = [...list().children];
    const focused = rows.findIndex((one) => one.contains(document.activeElement));
    const within = document.activeElement?.className;
    const left = rows.filter((one) => !post.photo_words.some((part) => key(part) === one.dataset.part));
    for (const one of left) one.remove();
    let next = list().firstElementChild;
    for (const part of post.photo_words) {
      if (next?.dataset.part === key(part)) next = next.nextElementSibling;
      else list().insertBefore(row(post, part), next);
    }
    while (next) {
      const gone = next;
      next = next.nextElementSibling;
      gone.remove();
    }
    at("said").querySelector(".rv-button").hidden = post.photo_version === 0;
    at("said").querySelector(".pw-told").textContent = list().children.length ? "" : "None so far.";
    if (focused >= 0 && !rows[focused].isConnected) refocus(focused, within);
    drawBoxes();
  }

  /** A row went under the hands of a person: the one in its place gets the focus, else the field below. */
  function refocus(i, within) {
    const place = [...list().children].at(Math.min(i, list().children.length - 1));
    const there = place?.getElementsByClassName(within)[0] ?? at("said").querySelector(".pw-add input");
    there.focus({ preventScroll: true });
  }

  // Also when the photo has come, and when its tab is shown: hidden, it has no size.
  new ResizeObserver(() => drawBoxes()).observe(at("photo"));

  return { drawSaid, drawBoxes };
};
