// Undo and redo through the whole session: edits in the page, and decisions that the server has.
window.mmreview.rewinding = (desk) => {
  const { session } = window.mmreview;
  const { state } = desk;

  async function rewind(from) {
    const step = session.latest(from);
    if (!step) return desk.say(from === "undo" ? "Nothing to undo." : "Nothing to redo.");
    if (state.busy) return;
    state.busy = true;
    const done = step.kind === "edit" ? await rewindEdit(step, from) : await rewindDecision(step, from);
    state.busy = false;
    if (done) session.step(from);
    if (done) desk.say(`${from === "undo" ? "Undone" : "Redone"}: ${step.what}.`);
    desk.draw();
  }

  async function rewindEdit(step, from) {
    if (state.post?.id !== step.post) await desk.open(step.post);
    if (state.post?.id !== step.post) return false;
    if (state.post.version !== step.version) {
      desk.warn("Someone else has decided on this post since; that edit cannot be taken back.");
      return true;
    }
    desk.put(from === "undo" ? step.before : step.after);
    return true;
  }

  /** The server takes back (or repeats) this reviewer's latest decision, or all of one bulk decision. */
  async function rewindDecision(step, from) {
    const reply = await desk.ask(from);
    if (!reply) return false;
    reply.posts.forEach(({ id, version }) => {
      const old = step.posts.find((post) => post.id === id);
      if (old) session.moved(id, old.version, version);
    });
    await desk.list();
    const [only] = reply.posts;
    if (only && from === "undo" && step.answer) {
      session.keep(only, step.answer);
      await desk.open(only.id);
    } else if (reply.posts.some(({ id }) => id === state.post?.id)) await desk.next();
    if (reply.kept) desk.warn(`${reply.kept} of these posts were left alone: someone else has decided on them since.`);
    return true;
  }

  return { undo: () => rewind("undo"), redo: () => rewind("redo") };
};
