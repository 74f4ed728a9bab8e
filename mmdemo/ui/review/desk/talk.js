// What the desk says to the server and to the reviewer. Each part of the desk (talk, opening, deciding, rewinding,
// said, screen) is a function of `desk` that gives its actions; `editor.js` puts them together.
window.mmreview.talk = (desk, server) => {
  const { page, session } = window.mmreview;
  const { el, button } = page;
  const { at, state } = desk;

  /** Ask the server; what it refuses is said in its own words and gives null, after `conflict(reply)` if it is one. */
  async function ask(name, body = {}, conflict = null) {
    try {
      const here = { name: session.name(), queue: state.queue, mode: state.mode };
      const reply = await server[`review_${name}`]({ ...here, ...body });
      if (reply?.ok) return reply;
      warn(reply?.problem ?? "The server gave no answer.");
      if (reply?.conflict) await conflict?.(reply);
    } catch {
      warn("The server cannot be reached. Your draft is kept; try again.");
    }
    return null;
  }

  /** Keep the open post reserved; a failure is told when something is sent. */
  function renew() {
    const { post, queue } = state;
    if (desk.box.offsetParent && post && !post.holder)
      server.review_renew({ name: session.name(), queue, id: post.id }).catch(() => {});
  }

  const say = (text) => (at("live").textContent = text);

  function warn(text) {
    at("warn").replaceChildren(text ? el("p", { class: "mm-error", role: "alert", text }) : "");
  }

  /** Nothing wrong, but nothing happens either. */
  function note(text) {
    say(text);
    at("warn").replaceChildren(el("p", { class: "rv-note", text }));
  }

  function drawWho() {
    const change = button("Change", "", rename, { class: "rv-small", "aria-label": "Change your name" });
    const name = el("span", {}, "Reviewing as ", el("b", { text: session.name() }));
    at("who").replaceChildren(...(session.name() ? [name, state.fixedName ? "" : change] : []));
  }

  /** Go by another name: the open post is given back, and shown anew without the former reviewer's draft. */
  async function rename() {
    if (state.busy) return; // what is on its way bears the former name
    const [former, leave] = [session.name(), state.post?.id ?? null];
    await named(true);
    if (session.name() === former) return;
    await ask("leave", { name: former, leave });
    await desk.showQueue(state.queue);
  }

  /** Whether the reviewer has a name; it is asked for once, on a Space by signing in. */
  function named(again = false) {
    if (state.closed) {
      note("Sign in with Hugging Face above; then you can review.");
      return false;
    }
    if (session.name() && !again) return true;
    return new Promise((done) => {
      const asked = page.dialog("Who is reviewing?", nameForm);
      asked.addEventListener("close", () => {
        drawWho();
        done(Boolean(session.name()));
      });
    });
  }

  function nameForm(close) {
    const input = el("input", {
      name: "reviewer",
      maxlength: "60",
      autocomplete: "nickname",
      required: true,
      value: session.name(),
      "aria-label": "Your name",
    });
    const text = "Each decision is stored with a name, so that a team can see who decided what.";
    const go = el("footer", {}, el("button", { class: "rv-button rv-primary", text: "Start reviewing" }));
    const form = el("form", {}, el("p", { text }), input, go);
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      session.rename(input.value.trim() || session.name());
      close();
    });
    return form;
  }

  return { ask, renew, say, warn, note, drawWho, named };
};
