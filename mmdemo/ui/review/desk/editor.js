// The review desk: `window.mmreview.mount` puts its parts together on the page and starts it.
(() => {
  const { page, session, words, keys, edits } = window.mmreview;
  const REST = 60_000; // how often an open post's lease is renewed, in milliseconds

  function mount(root, server) {
    const box = root.querySelector(".rv");
    const at = (name) => box.querySelector(`[data-at="${name}"]`);
    const state = {
      // the open post, its answer as edited, what is selected in it, and since when it is open
      post: null,
      answer: null,
      selection: null,
      cursor: null,
      from: null,
      picking: false,
      hint: "",
      opened: 0,
      busy: false,
      photos: {},
      // what labels look like and mean
      looks: {},
      guidelines: {},
      relations: [],
      names: {},
      none: "",
      symmetric: [],
      readable: (label) => state.names[label] ?? label,
      percent: page.percent,
      // the list
      filters: null,
      queue: null,
      mode: "review",
      list: { rows: [], page: 0, pages: 0, offset: 0, total: 0 },
    };
    const desk = { box, at, state };
    const { talk, opening, deciding, rewinding, said, screen } = window.mmreview;
    Object.assign(
      desk,
      talk(desk, server),
      opening(desk),
      deciding(desk),
      rewinding(desk),
      said(desk),
      screen(desk),
    );
    desk.on = edits.actions(state, { edit: desk.edit, show: desk.draw, say: desk.say });

    words.listen(at("words"), desk.on);
    at("bulk").replaceChildren(page.button("Accept in bulk …", "", desk.askBulk, { class: "rv-small" }));
    keys.listen(
      box,
      {
        ...desk.on,
        undo: desk.undo,
        redo: desk.redo,
        guidelines: desk.guidelines,
        help: keys.help,
        next: () => desk.next(),
        previous: () => desk.neighbour(-1),
        accept: () => desk.judge("accepted", "accept"),
        reject: () => desk.judge("rejected", "reject"),
        remove: () => desk.on.part() && desk.judge("rejected"),
      },
      () => state.post !== null,
      (letter) => Boolean(desk.on.labelOf(letter)),
    );
    const timer = setInterval(() => (box.isConnected ? desk.renew() : clearInterval(timer)), REST);

    /** What the tools below the desk work on: the queue on screen, and the reviewer's name. */
    window.mmreview.here = async () => {
      await desk.named();
      return [state.queue ?? "", session.name()];
    };
    /** Posts were added or predicted elsewhere on the page: look again, at `name` where it is given. */
    window.mmreview.refresh = desk.showQueue;
    desk.start();
  }

  window.mmreview.mount = mount;
})();
