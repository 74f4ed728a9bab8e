// The labels that the selected words can be given.
window.mmreview.labels = (() => {
  const { el, key } = window.mmreview.page;
  const { inTheWay } = window.mmreview.answer;

  /** Where the selected words lie within an entity or around one: whether that one stays. */
  function nesting(state, on) {
    const { kind, start, end } = state.selection ?? {};
    if (kind !== "words" || !inTheWay(state.answer, start, end).length) return null;
    const text = "Keep the entity there too";
    return el(
      "button",
      {
        type: "button",
        class: "rv-label rv-keep",
        "aria-pressed": String(Boolean(state.nesting)),
        "aria-keyshortcuts": "+",
        title: "The next label leaves the entities that have some of these words",
        on: { click: () => on.nest() },
      },
      key("+"),
      el("span", { text }),
    );
  }

  /** The labels, each with its key; the guideline of the one pointed at stands below. */
  function draw(state, on) {
    const target = state.selection?.kind === "span" ? state.answer.spans[state.selection.i] : null;
    const can = ["span", "words"].includes(state.selection?.kind);
    const hint = el("p", { class: "rv-hint", text: state.hint });
    const labels = state.post.labels.map((name) => {
      const look = state.looks[name];
      const show = () => (hint.textContent = state.guidelines[name] ?? "");
      return el(
        "button",
        {
          type: "button",
          class: "rv-label",
          css: { "--look": look.colour, "--tint": look.tint },
          disabled: !can,
          "aria-pressed": String(target?.label === name),
          "aria-keyshortcuts": look.key || undefined,
          title: state.guidelines[name],
          on: {
            click: () => on.label(name),
            pointerenter: show,
            focus: show,
            pointerleave: () => (hint.textContent = state.hint),
          },
        },
        look.key ? key(look.key.toUpperCase()) : el("kbd", { class: "rv-nokey" }),
        el("b", { text: name }),
        el("span", { text: look.meaning }),
      );
    });
    const group = { class: "rv-labels", role: "group", "aria-label": "Labels" };
    return [el("div", group, ...labels, nesting(state, on)), hint];
  }

  return { draw };
})();
