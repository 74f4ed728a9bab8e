// The keyboard: one table that the help shows and the listener obeys.
window.mmreview.keys = (() => {
  const { el, dialog } = window.mmreview.page;
  //: [what the help prints, what it does]
  const HELP = [
    ["A", "accept the selected part; with nothing selected or left to decide, accept the post and go on"],
    ["R", "reject the selected part; with nothing selected, reject the whole post"],
    ["1 – 9", "give the selected words that label, or the relation that name; 0 is “no relation”"],
    ["other letters", "give the selected words the label that shows the letter"],
    ["+", "before a label: the entity that has some of these words stays, and the two share them"],
    ["U / Shift+U", "undo / redo, also decisions already sent"],
    ["N / P", "next / previous post"],
    ["← →", "move over the words; with Shift, select words or move the end of the selected part"],
    ["Alt+Shift+← →", "move the start of the selected part"],
    ["↑ ↓", "select the previous / next part"],
    [
      "L",
      "relate: from the selected entity or words, else from the one you pick first, to the one you pick next: press its number, click it, or go there and press L",
    ],
    ["S", "swap the two sides of the relation"],
    ["Delete", "reject the selected part"],
    ["G", "guidelines for every label"],
    ["Esc", "select nothing"],
    ["?", "this help"],
    ["", "On a keyboard of another script a letter is the one at its place: A is Ф in Russian, ش in Arabic."],
  ];
  const NAMED = {
    Delete: "remove",
    Backspace: "remove",
    Escape: "clear",
    ArrowUp: "partBefore",
    ArrowDown: "partAfter",
  };
  const LETTERS = {
    a: "accept",
    r: "reject",
    n: "next",
    p: "previous",
    l: "relate",
    s: "swap",
    g: "guidelines",
    "?": "help",
    "؟": "help",
  };

  const typing = (target) =>
    target.closest?.(
      "input:not([type=range]):not([type=checkbox]), textarea, select, [contenteditable=true]",
    ) !== null;

  /** The letter that a key press means: what it sends, or of another script the Latin one at its place. A label may
   * show a letter of that script: then it is meant (`shown`). */
  function letterOf(event, shown) {
    const sent = event.key.toLowerCase();
    const placed = /^Key([A-Z])$/.exec(event.code ?? "")?.[1].toLowerCase();
    return placed && /^\p{L}$/u.test(sent) && !/^[a-z]$/.test(sent) && !shown(sent) ? placed : sent;
  }

  /** The digit of a key press, or null. Where digits need Shift, as in France, the key without it sends another sign. */
  function digitOf(event) {
    if (/^[0-9]$/.test(event.key)) return Number(event.key);
    const placed = /^Digit([0-9])$/.exec(event.code ?? "")?.[1];
    return placed && !event.shiftKey ? Number(placed) : null;
  }

  /** The action that a key press asks for as [name, ...arguments], or null. */
  function action(event, shown = () => false) {
    if (event.ctrlKey || event.metaKey) {
      const name = letterOf(event, () => false);
      if (name === "z") return [event.shiftKey ? "redo" : "undo"];
      return name === "y" ? ["redo"] : null;
    }
    if (event.key === "ArrowLeft" || event.key === "ArrowRight") {
      const step = event.key === "ArrowLeft" ? -1 : 1;
      if (event.shiftKey) return ["stretch", event.altKey ? "start" : "end", step];
      return event.altKey ? null : ["move", step];
    }
    if (event.altKey) return null;
    if (NAMED[event.key]) return [NAMED[event.key]];
    const digit = digitOf(event);
    if (digit !== null) return ["number", digit];
    if (event.key === "+") return ["nest"];
    const letter = letterOf(event, shown);
    if (letter === "u") return [event.shiftKey ? "redo" : "undo"];
    if (LETTERS[letter]) return [LETTERS[letter]];
    return /^\p{L}$/u.test(letter) ? ["letter", letter] : null;
  }

  const WITHOUT_POST = ["undo", "redo", "next", "help", "guidelines"];

  /** Run `actions[name]` for each key while `box` is on screen, nobody types and no dialog is open. `hasPost` tells
   * whether there is a post to work on, `shown` whether a label shows a letter. */
  function listen(box, actions, hasPost, shown) {
    function press(event) {
      if (!box.isConnected) return document.removeEventListener("keydown", press);
      if (event.defaultPrevented || event.isComposing || !box.offsetParent || typing(event.target)) return;
      if (document.querySelector("dialog[open]")) return;
      if (event.repeat && !event.key.startsWith("Arrow")) return; // a held key would decide post after post, unseen
      // A focused control outside the editor, such as a tab, keeps arrows and the like.
      const outside = event.target !== document.body && !box.contains(event.target);
      if (outside && [...event.key].length !== 1) return;
      const wanted = action(event, shown);
      if (!wanted || !(hasPost() || WITHOUT_POST.includes(wanted[0]))) return;
      event.preventDefault();
      actions[wanted[0]](...wanted.slice(1));
    }
    document.addEventListener("keydown", press);
  }

  function help() {
    dialog("Keys", () =>
      el(
        "dl",
        { class: "rv-help" },
        ...HELP.flatMap(([name, text]) => [el("dt", {}, el("kbd", { text: name })), el("dd", { text })]),
      ),
    );
  }

  return { HELP, action, listen, help };
})();
