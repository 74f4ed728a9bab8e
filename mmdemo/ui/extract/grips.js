// Two grips at the ends of the chosen entity: dragged to another word, they mend its bounds. Keys have buttons for it.
window.mmgrips = (() => {
  let grips = [];

  const wordAt = (x, y) => document.elementsFromPoint(x, y).find((part) => part.matches(".xt-w"));

  /** Show the grips of an entity, by its chip; none for null. `done(entity, start, end)` gets its new bounds. */
  function show(root, chip, done) {
    for (const grip of grips) grip.remove();
    grips = [];
    const box = root?.querySelector(".xt-text");
    if (!chip || !box) return;
    const { entity } = chip.dataset;
    const [start, end] = [Number(chip.dataset.start), Number(chip.dataset.end)];
    grips = [grip(box, "start", start), grip(box, "end", end - 1)];
    for (const one of grips) {
      one.addEventListener("pointerdown", (event) =>
        drag(event, one, box, start, end, (from, to) => done(entity, from, to)),
      );
    }
  }

  function grip(box, side, at) {
    const made = document.createElement("span");
    made.className = "xt-grip";
    made.dataset.side = side;
    made.title = "Drag to mend where the entity begins or ends";
    const places = box.querySelector(`.xt-w[data-word="${at}"]`).getClientRects();
    const place = side === "start" ? places[0] : places[places.length - 1];
    const ground = box.getBoundingClientRect();
    const rtl = getComputedStyle(box.querySelector(".xt-words")).direction === "rtl";
    const x = (side === "start") !== rtl ? place.left : place.right;
    made.style.left = `${x - ground.left + box.scrollLeft}px`;
    made.style.top = `${place.top - ground.top + box.scrollTop}px`;
    made.style.height = `${place.height}px`;
    box.append(made);
    return made;
  }

  function drag(event, made, box, start, end, done) {
    event.preventDefault();
    made.setPointerCapture(event.pointerId);
    let [from, to] = [start, end];
    const move = (at) => {
      const word = wordAt(at.clientX, at.clientY);
      if (!word || !box.contains(word)) return;
      const place = Number(word.dataset.word);
      if (made.dataset.side === "start") from = Math.min(place, end - 1);
      else to = Math.max(place + 1, start + 1);
      for (const each of box.querySelectorAll(".xt-w")) {
        const own = Number(each.dataset.word);
        each.classList.toggle("xt-in", own >= from && own < to);
      }
    };
    const up = () => {
      made.removeEventListener("pointermove", move);
      for (const each of box.querySelectorAll(".xt-in")) each.classList.remove("xt-in");
      if (from !== start || to !== end) done(from, to);
    };
    made.addEventListener("pointermove", move);
    made.addEventListener("pointerup", up, { once: true });
    made.addEventListener("pointercancel", up, { once: true });
  }

  return { show };
})();
