// What the photo says in words: a list that a person edits, and boxes over the photo where text was found.
window.mmphoto = (() => {
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
    made.append(...children.filter((child) => child !== null));
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

  /** Draw a box for each line of text that was found; the one at `lit` stands out. */
  function drawBoxes(parts, lit) {
    for (const old of document.querySelectorAll(".pw-boxes")) old.remove();
    const image = document.querySelector("#photo img");
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

  function mount(element, props, trigger, watch) {
    let parts = [];

    function send(next) {
      parts = next;
      props.value = { ...(props.value ?? {}), parts };
      trigger("input");
      paint();
    }

    function row(part, i) {
      const [name, title] = NAMES[part.source] ?? [part.source, ""];
      const say = el("input", {
        class: "pw-text",
        "aria-label": `Words of the photo, ${title.toLowerCase() || name}`,
        value: part.text,
        maxlength: LONGEST,
        dir: "auto",
        on: {
          change: (event) => {
            const text = event.target.value.trim();
            const edited = { ...part, source: "described", text, score: null, by: "" };
            send(text ? parts.with(i, edited) : parts.filter((_, at) => at !== i));
          },
          focus: () => drawBoxes(parts, i),
          blur: () => drawBoxes(parts, -1),
        },
      });
      const away = el("button", {
        type: "button",
        class: "pw-away",
        text: "×",
        "aria-label": `Leave out “${part.text.slice(0, 60)}”`,
        title: "Leave these words out",
        on: { click: () => send(parts.filter((_, at) => at !== i)) },
      });
      return el(
        "li",
        {
          class: `pw-part pw-${part.source}`,
          on: { pointerenter: () => drawBoxes(parts, i), pointerleave: () => drawBoxes(parts, -1) },
        },
        el("span", { class: "pw-source", text: name, title: part.by ? `${title}: ${part.by}` : title }),
        say,
        el("span", { class: "pw-score", text: percent(part.score), title: "How sure the source is" }),
        away,
      );
    }

    function adder() {
      const say = el("input", {
        class: "pw-text",
        "aria-label": "Describe the photo",
        placeholder: "Describe the photo, or paste its alt text",
        maxlength: LONGEST,
        dir: "auto",
        on: {
          change: (event) => {
            const text = event.target.value.trim();
            if (text) send([{ source: "described", text, score: null, box: null, by: "" }, ...parts]);
          },
        },
      });
      return el("div", { class: "pw-add" }, say);
    }

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
        el("ul", { class: "pw-parts" }, ...parts.map(row)),
        adder(),
        ...(Array.isArray(value.notes) ? value.notes : []).map((text) => el("p", { class: "pw-note", text })),
      );
      drawBoxes(parts, -1);
      const image = document.querySelector("#photo img");
      if (image && !image.complete)
        image.addEventListener("load", () => drawBoxes(parts, -1), { once: true });
    }

    watch("value", paint);
    window.addEventListener("resize", () => drawBoxes(parts, -1));
    paint();
  }

  return { mount };
})();
