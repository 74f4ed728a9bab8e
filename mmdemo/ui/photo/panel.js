// What the photo says in words, on the Extract and Predict tabs: a list that a person edits, beside the photo.
window.mmphoto = (() => {
  const { el, drawBoxes, row, adder } = window.mmwords;

  function mount(element, props, trigger, watch, photo) {
    let parts = [];
    const boxes = (lit = -1) => drawBoxes(document.querySelector(photo), parts, lit);

    function send(next) {
      parts = next;
      props.value = { ...(props.value ?? {}), parts };
      trigger("input");
      paint();
    }

    /** What can be done to the part at `i`. */
    const on = (part, i) => ({
      edit: (text) => send(parts.with(i, { ...part, source: "described", text, score: null, by: "" })),
      away: () => send(parts.filter((_, at) => at !== i)),
      light: (lit) => boxes(lit ? i : -1),
    });

    const add = (text) => send([{ source: "described", text, score: null, box: null, by: "" }, ...parts]);

    function paint() {
      const box = element.querySelector("[data-at=photo-words]");
      if (!box) return;
      const value = props.value ?? {};
      parts = Array.isArray(value.parts) ? value.parts : [];
      const told = {
        reading: "Reading the photo…",
        read: parts.length ? "" : "Nothing was read in the photo.",
      }[value.state];
      box.replaceChildren(
        el("h3", { class: "pw-title", text: "What the photo says" }),
        el("p", { class: "pw-told", role: "status", text: told ?? "" }),
        el("ul", { class: "pw-parts" }, ...parts.map((part, i) => row(part, on(part, i)))),
        adder(add),
        ...(Array.isArray(value.notes) ? value.notes : []).map((text) => el("p", { class: "pw-note", text })),
      );
      boxes();
      const image = document.querySelector(`${photo} img`);
      if (image && !image.complete) image.addEventListener("load", () => boxes(), { once: true });
    }

    watch("value", paint);
    window.addEventListener("resize", () => boxes());
    paint();
  }

  return { mount };
})();
