// Small builders that the review page is made of. Text reaches the page as text nodes alone, never as HTML:
// tweets are hostile.
window.mmreview.page = (() => {
  function listen(node, listeners) {
    for (const [name, run] of Object.entries(listeners)) node.addEventListener(name, run);
  }

  function paint(node, properties) {
    for (const [name, value] of Object.entries(properties)) node.style.setProperty(name, value);
  }

  /** An element. Keys: `class`, `text`, `on` (listeners), `data`, `css` (custom properties), any attribute. */
  function el(tag, settings = {}, ...children) {
    const node = document.createElement(tag);
    for (const [key, value] of Object.entries(settings)) {
      if (value === undefined || value === null || value === false) continue;
      if (key === "class") node.className = value;
      else if (key === "text") node.textContent = value;
      else if (key === "on") listen(node, value);
      else if (key === "data") Object.assign(node.dataset, value);
      else if (key === "css") paint(node, value);
      else if (key === "value" || key === "disabled" || key === "checked") node[key] = value;
      else node.setAttribute(key, value === true ? "" : value);
    }
    node.append(
      ...children.flat().filter((child) => child !== null && child !== undefined && child !== false),
    );
    return node;
  }

  /** A tweet's text as the server cut it: strings, and [name] for what is shown by name, not obeyed. */
  const pieces = (parts) =>
    parts.map((part) =>
      typeof part === "string" ? part : el("span", { class: "mm-control", text: part[0] }),
    );

  /** The same as plain text, for labels that a screen reader speaks. */
  const spoken = (parts) => parts.map((part) => (typeof part === "string" ? part : part[0])).join("");

  const RIGHT_TO_LEFT = /[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc\u{10800}-\u{10fff}\u{1e800}-\u{1efff}]/u;

  /** Which way words run, "rtl" or "ltr": as most of their letters do. Names, links and signs have no say: many an
   * Arabic tweet begins with a Latin @name. */
  function direction(words) {
    let sum = 0;
    for (const word of words.flatMap((parts) =>
      parts
        .filter((p) => typeof p === "string")
        .join("")
        .split(/\s+/u),
    )) {
      if (/^(@|https?:|www\.)/iu.test(word)) continue;
      for (const letter of word.match(/\p{L}/gu) ?? []) sum += RIGHT_TO_LEFT.test(letter) ? 1 : -1;
    }
    return sum > 0 ? "rtl" : "ltr";
  }

  const key = (name) => el("kbd", { text: name, "aria-hidden": "true" });

  /** A button with its key on it. */
  function button(text, keyName, run, settings = {}) {
    const { class: kind = "", ...rest } = settings;
    const shortcut = keyName ? { "aria-keyshortcuts": keyName } : {};
    const parts = [el("span", { text }), keyName && key(keyName)];
    return el(
      "button",
      { type: "button", class: `rv-button ${kind}`, on: { click: run }, ...shortcut, ...rest },
      ...parts,
    );
  }

  /** A probability for people: 99.96 % is not certainty. The same rule as `mmdemo.ui.safe.percent`. */
  function percent(score) {
    if (score === null || score === undefined) return "";
    if (score > 0.9995) return ">99.9%";
    return score < 0.0005 ? "<0.1%" : `${(100 * score).toFixed(1)}%`;
  }

  /** A modal dialog that is gone from the page once closed; the focus returns to where it was. */
  function dialog(title, fill) {
    const before = document.activeElement;
    const close = () => box.close();
    const heading = el("h3", { text: title, id: "rv-dialog-title" });
    const cross = el("button", {
      type: "button",
      class: "rv-close",
      "aria-label": "Close",
      text: "×",
      on: { click: close },
    });
    const box = el(
      "dialog",
      { class: "rv-dialog", "aria-labelledby": "rv-dialog-title" },
      el("header", {}, heading, cross),
    );
    box.append(...[fill(close)].flat());
    box.addEventListener("close", () => {
      box.remove();
      before?.focus?.();
    });
    box.addEventListener("click", (event) => event.target === box && close());
    // Inside Gradio's container, which carries its colours and the dark mode.
    (document.querySelector(".gradio-container") || document.body).append(box);
    box.showModal();
    return box;
  }

  return { direction, el, pieces, spoken, key, button, percent, dialog };
})();
