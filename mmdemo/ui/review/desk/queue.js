// The queue: filters, progress, rows, pages, and accepting in bulk with a look at what that would do.
window.mmreview.queue = (() => {
  const { direction, el, pieces, button, percent, dialog } = window.mmreview.page;
  const STATUS = {
    open: "to do",
    second: "second review due",
    disputed: "disputed",
    accepted: "accepted",
    corrected: "corrected",
    rejected: "rejected",
  };
  const DONE = ["accepted", "corrected", "rejected"];

  function field(label, control) {
    return el("label", { class: "rv-field" }, el("span", { text: label }), control);
  }

  function select(name, options, value, on) {
    const items = options.map(([key, text]) => el("option", { value: key, text, selected: key === value }));
    return el("select", { name, on: { change: (event) => on(name, event.target.value) } }, ...items);
  }

  /** Order and filters; `on(name, value)` for each change. Built once, so that typing keeps its focus. */
  function filters(box, facets, chosen, on) {
    const any = (list, text) => [
      ["", text],
      ...list.map((item) => (Array.isArray(item) ? item : [item, item])),
    ];
    const score = (name) =>
      el("input", {
        type: "number",
        min: "0",
        max: "100",
        step: "5",
        value: chosen[name],
        placeholder: name === "low" ? "0" : "100",
        on: { change: (event) => on(name, event.target.value) },
      });
    const several =
      facets.queues.length > 1 && field("Queue", select("queue", facets.queues, chosen.queue, on));
    const modes =
      facets.double &&
      field(
        "Task",
        select(
          "mode",
          [
            ["review", "review (blind)"],
            ["settle", "settle disputes"],
          ],
          chosen.mode,
          on,
        ),
      );
    const find = el("input", {
      type: "search",
      value: chosen.text,
      placeholder: "words or id",
      on: { change: (event) => on("text", event.target.value) },
    });
    box.replaceChildren(
      ...[several, modes].filter(Boolean),
      field("Order", select("order", facets.orders, chosen.order, on)),
      field("Status", select("status", any(Object.entries(STATUS), "all"), chosen.status, on)),
      el(
        "details",
        { class: "rv-more" },
        el("summary", { text: "More filters" }),
        el(
          "div",
          {},
          field("Find", find),
          field("Label", select("label", any(facets.labels, "any"), chosen.label, on)),
          field("Reviewer", select("reviewer", any(facets.reviewers, "anyone"), chosen.reviewer, on)),
          field("Score from, %", score("low")),
          field("Score to, %", score("high")),
        ),
      ),
    );
  }

  /** How far the team is: a number, a bar with a part for each outcome, and the parts in words. */
  function progress(box, counts) {
    const total = Object.values(counts).reduce((sum, n) => sum + n, 0);
    const done = DONE.reduce((sum, status) => sum + (counts[status] ?? 0), 0);
    const bar = el("div", {
      class: "rv-bar",
      role: "progressbar",
      "aria-label": "Reviewed posts",
      "aria-valuemin": "0",
      "aria-valuemax": String(total),
      "aria-valuenow": String(done),
    });
    for (const status of DONE) {
      if (counts[status])
        bar.append(
          el("span", { class: `rv-is-${status}`, css: { width: `${(100 * counts[status]) / total}%` } }),
        );
    }
    const named = Object.entries(STATUS).filter(
      ([key]) => counts[key] || !["second", "disputed"].includes(key),
    );
    const parts = named.map(([key, text]) =>
      el("span", { class: `rv-count rv-is-${key}` }, el("b", { text: String(counts[key] ?? 0) }), ` ${text}`),
    );
    box.replaceChildren(
      el("p", { class: "rv-done" }, el("b", { text: `${done} of ${total}` }), " reviewed"),
      bar,
      el("p", { class: "rv-counts" }, ...parts),
    );
  }

  function row(post, here, open) {
    const facts = [
      STATUS[post.status],
      post.score === null ? null : percent(post.score),
      post.reviewer && `by ${post.reviewer}`,
      post.holder && `${post.holder} is on it`,
    ];
    return el(
      "li",
      {},
      el(
        "button",
        {
          type: "button",
          class: `rv-row rv-is-${post.status}`,
          "aria-current": here ? "true" : undefined,
          data: { id: post.id },
          on: { click: () => open(post.id) },
        },
        el(
          "span",
          { class: "rv-excerpt", dir: direction([post.excerpt]) },
          el("bdi", {}, ...pieces(post.excerpt)),
        ),
        el("small", { text: facts.filter(Boolean).join(" · ") }),
      ),
    );
  }

  function rows(box, page, here, open) {
    const none = el("li", {
      class: "rv-none",
      text: page.total ? "No post fits these filters." : "The queue is empty.",
    });
    box.replaceChildren(
      ...(page.rows.length ? page.rows.map((post) => row(post, post.id === here, open)) : [none]),
    );
  }

  function pager(box, page, go) {
    const turn = (text, to, name) =>
      button(text, "", () => go(to), {
        class: "rv-small",
        disabled: to < 0 || to >= page.pages,
        "aria-label": name,
      });
    const text = `${page.pages ? page.page + 1 : 0} / ${page.pages}`;
    box.replaceChildren(
      turn("‹", page.page - 1, "Previous page"),
      el("span", { text, "aria-label": `Page ${text}` }),
      turn("›", page.page + 1, "Next page"),
    );
  }

  /** Choose a threshold, see what would be accepted, accept it. `look(threshold)` gives the posts. */
  function bulk(look, accept) {
    dialog("Accept in bulk", (close) => {
      const list = el("ul", { class: "rv-preview" });
      const told = el("p", { role: "status" });
      const shown = el("output", { text: "95%" });
      const slider = el("input", {
        type: "range",
        min: "50",
        max: "100",
        value: "95",
        "aria-label": "Threshold in per cent",
      });
      let [found, least] = [[], 0];
      function take() {
        close();
        return accept(found, least);
      }
      const go = button("Accept", "", take, { class: "rv-primary", disabled: true });
      function preview() {
        shown.textContent = `${slider.value}%`;
        least = Number(slider.value) / 100;
        found = look(least);
        go.disabled = !found.length;
        go.firstChild.textContent = found.length === 1 ? "Accept 1 post" : `Accept ${found.length} posts`;
        told.textContent = found.length
          ? "Every part of these posts scores at least that much:"
          : "No undecided post on this page is that sure.";
        list.replaceChildren(
          ...found.map((post) =>
            el(
              "li",
              {},
              el("bdi", {}, ...pieces(post.excerpt)),
              el("small", { text: ` ${percent(post.score)}` }),
            ),
          ),
        );
      }
      slider.addEventListener("change", preview);
      slider.addEventListener("input", () => (shown.textContent = `${slider.value}%`));
      preview();
      const text =
        "Accepts the model's answer to each undecided post visible in the queue whose lowest score reaches the threshold; posts that you have begun to correct are left out. One Undo takes all of it back.";
      return [
        el("p", { text }),
        el("label", { class: "rv-slider" }, "At least ", slider, shown),
        told,
        list,
        el("footer", {}, button("Cancel", "", close), go),
      ];
    });
  }

  return { STATUS, DONE, filters, progress, rows, pager, bulk };
})();
