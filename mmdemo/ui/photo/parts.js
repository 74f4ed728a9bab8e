// The parts of what a photo says, for the Predict tab and the review desk: a row for each, and boxes over the photo
// where text was found. Texts of photos are hostile like tweets: they reach the page as text and values alone.
window.mmwords = (() => {
  const NAMES = {
    described: ["described", "Stated by a person or a file"],
    ocr: ["text", "Read in the photo"],
    objects: ["object", "Named by the image classifier"],
    captioned: ["caption", "Written by a captioning model"],
  };
  const LONGEST = 2000;

  function el(tag, given = {}, ...children) {
    const { text, on = {}, ...attributes } = given;
    const made = document.createElement(tag);
    if (text !== undefined) made.textContent = text;
    for (const [name, value] of Object.entries(attributes)) {
      if (value !== undefined && value !== false) made.setAttribute(name, value === true ? "" : value);
    }
    for (const [name, run] of Object.entries(on)) made.addEventListener(name, run);
    made.append(...children.filter((child) => child !== null && child !== undefined));
    return made;
  }

  const percent = (score) => (typeof score === "number" ? `${Math.round(100 * score)}%` : "");

  /** Where the picture itself stands inside its element: `object-fit` leaves margins. */
  function pictureBox(image) {
    const { clientWidth, clientHeight, naturalWidth, naturalHeight } = image;
    const fit = getComputedStyle(image).objectFit;
    if (!naturalWidth || fit === "fill") {
      return { left: 0, top: 0, width: clientWidth, height: clientHeight };
    }
    let scale = Math.min(clientWidth / naturalWidth, clientHeight / naturalHeight);
    if (fit === "scale-down") scale = Math.min(scale, 1);
    if (fit === "cover") scale = Math.max(clientWidth / naturalWidth, clientHeight / naturalHeight);
    const [width, height] = [naturalWidth * scale, naturalHeight * scale];
    return { left: (clientWidth - width) / 2, top: (clientHeight - height) / 2, width, height };
  }

  /** Draw a box for each line of text that was found over the photo in `frame`; the one at `lit` stands out. */
  function drawBoxes(frame, parts, lit = -1) {
    for (const old of frame?.querySelectorAll(".pw-boxes") ?? []) old.remove();
    const image = frame?.querySelector("img");
    if (!image || !parts.some((part) => part.box)) return;
    const place = pictureBox(image);
    const layer = el("div", { class: "pw-boxes", "aria-hidden": "true" });
    parts.forEach((part, i) => {
      if (!part.box) return;
      const [left, top, right, bottom] = part.box;
      const box = el("div", { class: `pw-box${i === lit ? " pw-lit" : ""}` });
      box.style.left = `${place.left + image.offsetLeft + left * place.width}px`;
      box.style.top = `${place.top + image.offsetTop + top * place.height}px`;
      box.style.width = `${(right - left) * place.width}px`;
      box.style.height = `${(bottom - top) * place.height}px`;
      layer.append(box);
    });
    image.parentElement.style.position = "relative";
    image.parentElement.append(layer);
  }

  /** A field for words; `done` gets them trimmed. */
  function field(label, given, done) {
    return el("input", {
      class: "pw-text",
      "aria-label": label,
      maxlength: LONGEST,
      dir: "auto",
      ...given,
      on: { ...given.on, change: (event) => done(event.target.value.trim()) },
    });
  }

  /** One part as a list item. `on`: edit(text), away(), light(whether); `locked` allows neither of the first two.
   * `spoken` is its text for a screen reader, `below` what else stands in the row. */
  function row(part, on, { locked = false, spoken = part.text, below = null } = {}) {
    const [name, title] = NAMES[part.source] ?? [part.source, ""];
    const light = { focus: () => on.light(true), blur: () => on.light(false) };
    const value = part.text.replace(/[\r\n]+/g, " "); // a field would join the lines' words
    const about = `Words of the photo, ${title.toLowerCase() || name}`;
    const say = field(about, { value, disabled: locked, on: light }, (text) =>
      text ? on.edit(text) : on.away(),
    );
    const away = el("button", {
      type: "button",
      class: "pw-away",
      text: "×",
      disabled: locked,
      "aria-label": `Leave out “${spoken.slice(0, 60)}”`,
      title: "Leave these words out",
      on: { click: on.away },
    });
    return el(
      "li",
      {
        class: `pw-part pw-${part.source}`,
        on: { pointerenter: () => on.light(true), pointerleave: () => on.light(false) },
      },
      el("span", { class: "pw-source", text: name, title: part.by ? `${title}: ${part.by}` : title }),
      say,
      el("span", { class: "pw-score", text: percent(part.score), title: "How sure the source is" }),
      away,
      below,
    );
  }

  /** The field that adds a description. */
  function adder(add, locked = false) {
    const given = { placeholder: "Describe the photo, or paste its alt text", disabled: locked };
    const say = field("Describe the photo", given, (text) => text && add(text));
    return el("div", { class: "pw-add" }, say);
  }

  return { el, drawBoxes, row, adder };
})();
