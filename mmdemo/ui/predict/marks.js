// What the page does without the server: mark words as [E1] or [E2], Ctrl+Enter, bring the answer into sight.
// Plain functions of text and selection first, then those that touch the page.
window.mmdemo = (() => {
  const WORD = /[\p{L}\p{N}\p{M}_]/u;
  const BOX = "#predict-text textarea";

  /** The text without one name's marks, and where `positions` have moved to. */
  function strip(text, names, positions) {
    const mark = new RegExp(`\\[/(?:${names})\\]|\\[(?:${names})\\]`, "g");
    let out = "";
    let last = 0;
    const moved = [...positions];
    for (const found of text.matchAll(mark)) {
      // A mark is written with blanks inside the pair; they leave with it.
      const closing = found[0][1] === "/";
      let from = found.index;
      let to = from + found[0].length;
      if (closing && text[from - 1] === " ") from -= 1;
      if (!closing && text[to] === " ") to += 1;
      from = Math.max(from, last);
      out += text.slice(last, from);
      positions.forEach((p, i) => {
        if (p > from) moved[i] -= Math.min(p, to) - from;
      });
      last = to;
    }
    return { text: out + text.slice(last), positions: moved };
  }

  /** The selection grown to whole words and freed of blanks at its ends. */
  function snap(text, start, end) {
    const inWord = (i) => i > 0 && i < text.length && WORD.test(text[i - 1]) && WORD.test(text[i]);
    if (start === end) {
      if (start > 0 && WORD.test(text[start - 1])) start -= 1; // a caret right behind a word means it
      if (start >= text.length || !WORD.test(text[start])) return null;
      end = start + 1;
    }
    while (start < end && /\s/.test(text[start])) start += 1;
    while (end > start && /\s/.test(text[end - 1])) end -= 1;
    if (start === end) return null;
    while (inWord(start)) start -= 1;
    while (inWord(end)) end += 1;
    return [start, end];
  }

  /** The text with the selected words wrapped in `name`'s marks: {text, start, end} or {problem}. */
  function wrap(text, start, end, name) {
    const clean = strip(text, name, [start, end]);
    const span = snap(clean.text, ...clean.positions);
    if (!span) return { problem: `Select the words in the text first, then press “Mark as [${name}]”.` };
    const other = name === "E1" ? "E2" : "E1";
    const words = clean.text.slice(...span);
    const before = clean.text.slice(0, span[0]);
    const opened = before.lastIndexOf(`[${other}]`) > before.lastIndexOf(`[/${other}]`);
    const cutsMark = /\[\/?E?[12]?$/.test(before) && /^\/?E?[12]?\]/.test(clean.text.slice(span[0]));
    if (opened || cutsMark || /\[\/?E[12]\]/.test(words)) {
      return {
        problem: `The selection touches the [${other}] marks. Choose other words or clear the marks.`,
      };
    }
    const open = `[${name}] `;
    const marked = `${before}${open}${words} [/${name}]${clean.text.slice(span[1])}`;
    return { text: marked, start: span[0] + open.length, end: span[1] + open.length };
  }

  /** Replace the box's text as typing would, so that Ctrl+Z takes it back. */
  function replace(box, text, start, end) {
    box.focus();
    if (text !== box.value) {
      box.select();
      const typed = text ? ["insertText", false, text] : ["delete"];
      if (!document.execCommand(...typed)) {
        box.value = text;
        box.dispatchEvent(new Event("input", { bubbles: true }));
      }
    }
    box.setSelectionRange(start, end);
  }

  function say(sentence) {
    const hint = document.getElementById("mark-hint");
    if (hint) hint.textContent = sentence;
  }

  function mark(name) {
    const box = document.querySelector(BOX);
    const result = wrap(box.value, box.selectionStart, box.selectionEnd, name);
    say(result.problem || "");
    if (result.problem) box.focus();
    else replace(box, result.text, result.start, result.end);
  }

  function clear() {
    const box = document.querySelector(BOX);
    const { text, positions } = strip(box.value, "E1|E2", [box.selectionStart, box.selectionEnd]);
    say("");
    replace(box, text, ...positions);
  }

  /** On a narrow screen the answer stands below the fold: bring it into sight. */
  function reveal() {
    const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
    const answer = document.getElementById("predict-result");
    answer?.scrollIntoView({ block: "nearest", behavior: still ? "auto" : "smooth" });
  }

  document.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey) && event.target.matches?.(BOX)) {
      event.preventDefault();
      document.getElementById("predict-go")?.click();
    }
  });

  /** Give the visitor a text as a file. */
  function save(name, kind, text) {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([text], { type: `${kind};charset=utf-8` }));
    link.download = name;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
  }

  /** Copy an address that opens the page with this question; the photo is not in it, and nothing is run. */
  async function permalink(preset, dataset, model, fusion, across, text) {
    const query = new URLSearchParams({ preset, dataset, model, fusion, across, text: text ?? "" });
    const address = `${location.origin}${location.pathname}?${query}`;
    const hint = document.getElementById("link-hint");
    try {
      await navigator.clipboard.writeText(address);
      hint.textContent = "The link is copied. It holds the text and the choices, not the photo.";
    } catch {
      hint.textContent = address;
    }
  }

  // A figure's PNG is the picture already in the page: the link takes it from there.
  document.addEventListener("click", (event) => {
    const link = event.target.closest?.("a.mm-png");
    if (link) link.href = link.closest("figure").querySelector("img").src;
  });

  return { strip, snap, wrap, mark, clear, reveal, save, permalink };
})();
