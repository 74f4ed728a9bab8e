// Which post is open: the queue's list, its filters, and the ways from one post to another.
window.mmreview.opening = (desk) => {
  const { session, queue } = window.mmreview;
  const { at, state } = desk;
  const FILTERS = { order: "input", status: "", label: "", reviewer: "", text: "", low: "", high: "" };

  // Answers may overtake each other. Of each kind only the one to the latest question counts.
  const asked = { start: 0, list: 0, open: 0 };
  const answered = { start: 0, list: 0 };
  let opened = Promise.resolve();

  async function latest(kind, body) {
    const turn = ++asked[kind];
    const reply = await desk.ask(kind, body);
    answered[kind] = Math.max(answered[kind], turn);
    return turn === asked[kind] ? reply : null;
  }

  /** Which queue and task the desk is at, or on its way to. */
  const stand = () => `${asked.start} ${state.mode}`;

  /** Ask for a post. One that comes when the desk is elsewhere is not shown there, but given back. */
  async function fetched(name, body) {
    const [from, who] = [stand(), { name: session.name() }];
    const reply = await desk.ask(name, body);
    if (from === stand()) return reply;
    if (reply?.post) await desk.ask("leave", { ...who, leave: reply.post.id });
    return null;
  }

  /** Open posts one after the other, so that each is given back in its turn; of several wishes only the last is met. */
  function inTurn(work) {
    if (asked.start !== answered.start) return Promise.resolve(false); // the post would be of the queue that is left
    const turn = ++asked.open;
    opened = opened.catch(() => {}).then(() => turn === asked.open && work());
    return opened;
  }

  /** How many posts have been asked for: unchanged, the reviewer still means the one on screen. */
  const wishes = () => asked.open;

  /** Fetch what the page needs once, then the list, then the post that was open before a reload. */
  async function start() {
    const reply = await latest("start", { queue: session.last("queue") });
    if (!reply) return;
    const { looks, guidelines, relations, names, none, symmetric, closed } = reply;
    window.mmreview.answer.use(relations);
    Object.assign(state, {
      looks,
      guidelines,
      relations: relations.map((relation) => relation.label),
      names,
      none,
      symmetric,
      closed,
      fixedName: reply.fixed,
      queue: reply.queue,
    });
    state.filters ??= { ...FILTERS };
    if (reply.fixed) session.rename(reply.name);
    queue.filters(
      at("filters"),
      reply.facets,
      { ...state.filters, queue: state.queue, mode: state.mode },
      pick,
    );
    desk.drawWho();
    if (closed) return desk.draw(); // which says why; the list would be refused
    await list(0);
    if (!state.list.total || !session.name()) return; // nobody is asked for a name before they mean to review
    const last = session.last("open");
    const again = last ? open(last) : false;
    const turn = wishes();
    if (!(await again) && turn === wishes()) await next(true);
  }

  /** A filter, the queue or the mode was changed. */
  async function pick(name, value) {
    if (name === "queue") return showQueue(value);
    if (name === "mode") {
      giveBack();
      state.mode = value;
    } else state.filters[name] = value;
    await list(0);
    if (!state.post || name === "order") await next(true);
  }

  /** Show another queue, or the same one anew; in `mode`, else that of a new queue or as it was. */
  function showQueue(name, mode = null) {
    if (name && name !== state.queue) {
      giveBack();
      session.remember("queue", name);
      session.remember("open", null);
      Object.assign(state, { filters: { ...FILTERS }, mode: "review" });
    }
    Object.assign(state, { post: null, mode: mode ?? state.mode });
    return start();
  }

  /** Let others have the post on screen, before another one is asked for. */
  function giveBack() {
    const [name, leave] = [session.name(), state.post?.id];
    state.post = null;
    if (name && leave) opened = opened.catch(() => {}).then(() => desk.ask("leave", { name, leave }));
  }

  async function list(number = state.list.page) {
    const reply = await latest("list", { filters: state.filters, page: number });
    if (!reply) return;
    state.list = reply;
    desk.draw();
  }

  /** Open a post; whether it is open now. */
  const open = (id) => inTurn(() => toPost(id));

  async function toPost(id) {
    if (!(await desk.named())) return false;
    const reply = await fetched("open", { id, leave: state.post?.id ?? null });
    if (reply) show(reply.post);
    return Boolean(reply);
  }

  /** The next post that fits the filters, is undecided and that nobody else is on. */
  const next = (first = false) => inTurn(() => toNext(first));

  async function toNext(first) {
    if (!(await desk.named())) return;
    if (queue.DONE.includes(state.filters.status)) return toNeighbour(1); // looking over what is decided
    const leave = first ? null : (state.post?.id ?? null);
    const reply = await fetched("next", { filters: state.filters, leave });
    if (reply?.post) return show(reply.post);
    if (!reply) return;
    await list(); // others may have decided the rest
    desk.note("No undecided post is left that fits these filters.");
  }

  /** The post before or behind the open one in the list, whatever became of it. */
  const neighbour = (step) => inTurn(() => toNeighbour(step));

  async function toNeighbour(step) {
    const { rows, page: number, pages } = state.list;
    const i = rows.findIndex((row) => row.id === state.post?.id) + step;
    if (rows[i]) return toPost(rows[i].id);
    const over = i < 0 ? number === 0 : number + 1 >= pages;
    if (over) return desk.note(step < 0 ? "This is the first post." : "This is the last post.");
    await list(number + step);
    const row = state.list.rows.at(step < 0 ? -1 : 0);
    return row ? toPost(row.id) : undefined;
  }

  function show(post, kept = session.draft(state.queue, post)) {
    desk.warn("");
    const again = state.post !== null;
    const nothing = { selection: null, cursor: null, from: null, picking: false };
    Object.assign(state, { post, answer: kept ?? post.answer, opened: Date.now(), ...nothing });
    session.remember("open", post.id);
    desk.draw();
    desk.drawSaid();
    photo(post);
    at("words").scrollTop = 0;
    if (again && [document.body, ...document.querySelectorAll("[role=tab]")].includes(document.activeElement))
      at("words").focus({ preventScroll: true }); // so that arrows mean words
    const count = state.answer.spans.length;
    const found = `${count} ${count === 1 ? "entity" : "entities"}`;
    desk.say(`${kept ? "Your draft. " : ""}${place()}, ${queue.STATUS[post.status]}. ${found}.`);
  }

  async function photo(post) {
    if (post.photo && !state.photos[post.photo])
      state.photos[post.photo] = (await desk.ask("photo", { id: post.id }))?.photo;
    if (state.post === post) desk.drawPhoto();
  }

  /** Where the open post stands among those listed. */
  function place() {
    const i = state.list.rows.findIndex((row) => row.id === state.post.id);
    return i < 0 ? `Post ${state.post.ref}` : `Post ${state.list.offset + i + 1} of ${state.list.total}`;
  }

  return { start, showQueue, list, open, next, neighbour, wishes, show, place };
};
