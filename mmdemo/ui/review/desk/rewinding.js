// Undo and redo through the whole session: edits in the page, and decisions that the server has.
window.mmreview.rewinding = (desk) => {
  const { session } = window.mmreview;
  const { state } = desk;

  async function rewind(from) {
    const step = session.latest(from);
    if (!step) return desk.say(from === "undo" ? "Nothing to undo." : "Nothing to redo.");
    if (state.busy) return;
    state.busy = true;
    try {
      // In the task it was done in, too: a post opens as one to review, or as a dispute to settle.
      if (step.queue !== state.queue || step.mode !== state.mode) await desk.showQueue(step.queue, step.mode);
      if (step.queue !== state.queue) return desk.warn(`That was in the queue ${step.queue}, which cannot be opened.`);
      const rewound = step.kind === "edit" ? await rewindEdit(step, from) : await rewindDecision(step, from);
      if (rewound) desk.say(`${from === "undo" ? "Undone" : "Redone"}: ${step.what}.`);
      desk.draw();
    } finally {
      state.busy = false;
    }
  }

  async function rewindEdit(step, from) {
    if (state.post?.id !== step.post) await desk.open(step.post);
    if (state.post?.id !== step.post) return false;
    // Post numbers start anew when a Space loses its disk: the words tell.
    if (state.post.version !== step.version || session.words(state.post) !== step.words) {
      session.discard(from);
      desk.warn(`This post has changed since; that edit cannot be ${from === "undo" ? "undone" : "redone"}.`);
      return false;
    }
    session.step(from);
    desk.put(from === "undo" ? step.before : step.after);
    return true;
  }

  /** The server takes back (or repeats) this reviewer's latest decision, or all of one bulk decision. */
  async function rewindDecision(step, from) {
    const reply = await desk.ask(from, { expect: step.posts.map(({ id }) => id) });
    if (!reply) return void (await desk.list()); // it was decided elsewhere
    if (reply.posts.length) session.step(from);
    else session.discard(from);
    reply.posts.forEach(({ id, version }) => {
      const old = step.posts.find((post) => post.id === id);
      if (old) session.moved(id, old.version, version);
    });
    await desk.list();
    const [only] = reply.posts;
    if (only && from === "undo" && step.answer) {
      if (await desk.open(only.id)) {
        session.moved(only.id, only.version, state.post.version); // a dispute counts in its own way
        desk.put(step.answer);
      }
    } else if (reply.posts.some(({ id }) => id === state.post?.id)) await desk.next();
    if (reply.kept) desk.warn(`${reply.kept} of these posts were left alone: someone else has decided on them since.`);
    return reply.posts.length > 0;
  }

  return { undo: () => rewind("undo"), redo: () => rewind("redo") };
};
