// What a reviewer makes of the open post: edits that stay a draft until a decision sends them, alone or in bulk.
window.mmreview.deciding = (desk) => {
  const { answer, session, queue } = window.mmreview;
  const { at, state } = desk;

  /** Change the answer in one step that can be undone. */
  function edit(what, after, selection, before = state.answer) {
    const { post } = state;
    // While a decision is on its way, an edit would be neither part of it nor kept.
    if (state.busy) return desk.note("The last decision is still being saved; nothing was changed. Try again.");
    if (held(post)) return;
    if (JSON.stringify(before) === JSON.stringify(after)) return put(after, selection);
    session.pushEdit(place(), post, before, after, what);
    put(after, selection);
    desk.say(what);
  }

  /** Where a step of the history belongs. */
  const place = () => ({ queue: state.queue, mode: state.mode });

  /** Whether somebody else is on the post; if so, the page says who. */
  function held(post) {
    if (post.holder) desk.warn(`${post.holder} is on this post; press N for another.`);
    return Boolean(post.holder);
  }

  function put(after, selection = null) {
    Object.assign(state, { answer: after, selection });
    if (JSON.stringify(after) === JSON.stringify(state.post.answer)) session.drop(state.queue, state.post);
    else session.keep(state.queue, state.post, after);
    desk.draw();
  }

  async function decide(verdict) {
    const { post, answer: mine } = state;
    const wrong = verdict === "accept" ? answer.problem(mine) : "";
    if (wrong) return desk.warn(wrong);
    if (!post || state.busy || held(post)) return;
    // The last post stays on screen once it is decided: the same key again looks for more, and sends nothing.
    if (post.sent === verdict && JSON.stringify(mine) === JSON.stringify(post.answer)) return desk.next();
    state.busy = true; // until the next post is there: a key pressed in between is not meant for this one
    try {
      await send(post, verdict, mine);
    } finally {
      state.busy = false;
    }
  }

  async function send(post, verdict, mine) {
    const seconds = Math.round((Date.now() - state.opened) / 100) / 10;
    const body = { id: post.id, version: post.version, verdict, answer: answer.final(mine), seconds };
    const [from, wishes] = [place(), desk.wishes()];
    const sent = await desk.ask("save", body, (reply) => conflict(reply, mine, from));
    if (!sent) return;
    const posts = [{ id: post.id, version: sent.version }];
    session.push({ ...from, kind: "decision", verdict, posts, answer: mine, what: `${verdict} a post` });
    session.moved(post.id, post.version, sent.version);
    session.drop(from.queue, post);
    Object.assign(post, { version: sent.version, status: sent.status, answer: mine, sent: verdict });
    if (wishes !== desk.wishes() || state.post !== post) return desk.list(); // somewhere else already
    desk.say(`${desk.place()} ${queue.STATUS[sent.status]}.`);
    await Promise.all([desk.list(), desk.next()]);
  }

  /** The part that a verdict would be about: the selected one. Accepting means the post once every part is decided. */
  function target(verdict) {
    const part = desk.on.part();
    if (!part || verdict === "rejected") return part;
    const open = [...state.answer.spans, ...state.answer.links].some((one) => one.state === "open");
    return open || state.answer[part[0]][part[1]].state === "rejected" ? part : null;
  }

  /** Accept or reject what is selected, else the post. */
  function judge(verdict, word) {
    if (!state.post) return;
    const part = target(verdict);
    if (part) desk.on.judge(...part, verdict);
    else decide(word);
  }

  /** Settle a dispute by one of its two answers, which can still be corrected before it is accepted. */
  const take = (side) => (side.verdict === "rejected" ? decide("reject") : edit("take one of the two answers", side.answer, null));

  /** Someone else was faster: theirs is shown, and Undo brings one's own answer back. */
  async function conflict({ post, problem }, mine, from) {
    session.pushEdit(from, post, mine, post.answer, "load the other reviewer's answer");
    if (state.post?.id === post.id) desk.show(post, post.answer);
    const theirs = "Someone else has changed this post since you opened it. This is their answer; Undo brings yours back.";
    desk.warn(post.disputed || state.post?.id !== post.id ? problem : theirs);
    await desk.list();
  }

  /** Undecided posts of the page whose least sure part scores at least `threshold`; none that one has begun to correct. */
  const surest = (threshold) =>
    state.list.rows.filter((row) => row.status === "open" && !row.holder && row.score !== null && row.score >= threshold)
      .filter((row) => !session.drafted(state.queue, row));

  /** Accept these rows; the server looks again whether each is still sure by `least` of the answer that was shown. */
  async function bulk(found, least) {
    const posts = found.map(({ id, version, checkpoint }) => ({ id, version, checkpoint }));
    const from = place();
    const reply = await desk.ask("bulk", { posts, least });
    if (!reply) return;
    const count = reply.posts.length;
    const before = new Map(posts.map(({ id, version }) => [id, version]));
    reply.posts.forEach(({ id, version }) => session.moved(id, before.get(id), version));
    if (count) session.push({ ...from, kind: "decision", verdict: "accept", posts: reply.posts, what: `accept ${count} posts` });
    await desk.list();
    if (posts.some(({ id }) => id === state.post?.id)) await desk.next();
    if (reply.kept) desk.warn(`${reply.kept} of them had been changed meanwhile and were left alone.`);
    desk.say(`${count} posts accepted. Undo takes all of them back.`);
  }

  const askBulk = async () => (await desk.named()) && queue.bulk(surest, bulk);

  return { edit, put, decide, target, judge, take, askBulk };
};
