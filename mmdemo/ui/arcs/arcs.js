// Relations as arcs over a text that wraps. A line of text gets as much room above it as its arcs need; an arc
// between two lines leaves one at its edge and enters the other at its own. Names of relations are set as text.
window.mmarcs = (() => {
  const LANE = 22; // pixels from one lane to the next
  const LOW = 13; // of the lowest lane above the words
  const BEND = 7;
  const NS = "http://www.w3.org/2000/svg";
  const pen = document.createElement("canvas").getContext("2d");

  /** The lowest lane for each {from, to}, so that no two in a lane come closer than `gap`; short ones lie low. */
  function lanes(spans, gap = 4) {
    const order = spans.map((_, i) => i).sort((a, b) => length(spans[a]) - length(spans[b]) || a - b);
    const taken = [];
    const found = spans.map(() => 0);
    for (const i of order) {
      const free = (lane) =>
        lane.every((one) => one.to + gap <= spans[i].from || spans[i].to + gap <= one.from);
      let lane = taken.findIndex(free);
      if (lane < 0) lane = taken.push([]) - 1;
      taken[lane].push(spans[i]);
      found[i] = lane;
    }
    return found;
  }

  const length = (span) => span.to - span.from;

  function svg(tag, given = {}, ...children) {
    const made = document.createElementNS(NS, tag);
    for (const [name, value] of Object.entries(given)) made.setAttribute(name, value);
    made.append(...children);
    return made;
  }

  /** The words of a text: elements that state their place as `data-word`. */
  const wordsOf = (box) => [...box.querySelectorAll("[data-word]")];

  /** The lines of the text, from above: where each stands, and its first word. */
  function linesOf(box, words) {
    const ground = box.getBoundingClientRect();
    const found = [];
    for (const word of words) {
      const place = word.getClientRects()[0];
      if (!place) continue;
      const top = place.top - ground.top + box.scrollTop;
      const last = found.at(-1);
      if (last && Math.abs(last.top - top) < place.height * 0.6) last.top = Math.min(last.top, top);
      else found.push({ top, word });
    }
    return found;
  }

  /** Where each entity begins: its line, and from where to where it reaches there. */
  function placesOf(box, words, lines, ends) {
    const ground = box.getBoundingClientRect();
    const shift = box.scrollLeft - ground.left;
    const found = {};
    for (const [id, [start, end]] of Object.entries(ends)) {
      const rects = words.slice(start, end).flatMap((word) => [...word.getClientRects()].slice(0, 1));
      if (!rects.length) continue;
      const top = rects[0].top - ground.top + box.scrollTop;
      const line = lines.findLastIndex((one) => one.top <= top + 4);
      const here = rects.filter((rect) => Math.abs(rect.top - rects[0].top) < rects[0].height * 0.6);
      found[id] = {
        line: Math.max(line, 0),
        from: Math.min(...here.map((rect) => rect.left)) + shift,
        to: Math.max(...here.map((rect) => rect.right)) + shift,
      };
    }
    return found;
  }

  const before = (a, b) => a.line - b.line || a.from - b.from;

  /** Where each arc leaves its two entities, side by side, so that arcs to the same side do not cross there. */
  function feet(arcs, places) {
    const at = new Map(arcs.map((arc) => [arc.id, {}]));
    for (const [id, place] of Object.entries(places)) {
      const ends = arcs.flatMap((arc) =>
        ["head", "tail"].filter((side) => arc[side] === id).map((side) => ({ arc, side })),
      );
      const other = ({ arc, side }) => places[arc[side === "head" ? "tail" : "head"]];
      const far = (end) =>
        Math.abs(before(other(end), place)) + 10_000 * Math.abs(other(end).line - place.line);
      const left = ends.filter((end) => before(other(end), place) < 0).sort((a, b) => far(a) - far(b));
      const right = ends.filter((end) => before(other(end), place) >= 0).sort((a, b) => far(b) - far(a));
      [...left, ...right].forEach(({ arc, side }, i, all) => {
        at.get(arc.id)[side] = place.from + ((i + 1) * (place.to - place.from)) / (all.length + 1);
      });
    }
    return at;
  }

  /** The pieces of an arc, one on each line that it passes: from where to where, and which of its feet. */
  function piecesOf(arc, places, at, lines, width, rtl) {
    const turned = before(places[arc.head], places[arc.tail]) > 0;
    const [first, second] = turned ? ["tail", "head"] : ["head", "tail"];
    const [top, bottom] = [places[arc[first]].line, places[arc[second]].line];
    const [one, two] = [at[first], at[second]];
    if (top === bottom) {
      const [from, to] = one < two ? [one, two] : [two, one];
      return [
        {
          arc,
          line: top,
          from,
          to,
          feet: [
            { x: one, side: first },
            { x: two, side: second },
          ],
        },
      ];
    }
    const [out, into] = rtl ? [2, width - 2] : [width - 2, 2];
    const piece = (line, x, edge, side) => ({
      arc,
      line,
      from: Math.min(x, edge),
      to: Math.max(x, edge),
      feet: [{ x, side }],
      edge,
    });
    const middle = lines.slice(top + 1, bottom).map((_, i) => ({
      arc,
      line: top + 1 + i,
      from: 2,
      to: width - 2,
      feet: [],
    }));
    return [piece(top, one, out, first), ...middle, piece(bottom, two, into, second)];
  }

  /** Where the name of an arc stands on one of its pieces, and the room that both take. */
  function named(pieces, width) {
    const piece = pieces.reduce((a, b) => (length(b) > length(a) ? b : a));
    pen.font = "600 12px system-ui, sans-serif";
    const wide = pen.measureText(`${piece.arc.name} ${piece.arc.score}`).width + 14;
    const middle = Math.min(
      Math.max((piece.from + piece.to) / 2, wide / 2),
      Math.max(width - wide / 2, wide / 2),
    );
    piece.label = { x: middle, wide };
    return pieces;
  }

  const room = ({ from, to, label }) => ({
    from: label ? Math.min(from, label.x - label.wide / 2) : from,
    to: label ? Math.max(to, label.x + label.wide / 2) : to,
  });

  /** Make room above the lines: a strut in the first word of each lifts that line alone. It is inline and empty: a
   * block there would let the line break behind it. */
  function lift(lines, counts) {
    lines.forEach(({ word }, i) => {
      if (!counts[i]) return;
      const strut = document.createElement("i");
      strut.className = "ar-strut";
      const height = 20 + LOW + LANE * counts[i];
      Object.assign(strut.style, { lineHeight: `${height}px`, verticalAlign: `${height / 2 - 6}px` });
      word.append(strut);
    });
  }

  /** A line along `y` with a foot down to the words at each end that has one. */
  function path(piece, y, ground) {
    const [a, b] = [piece.feet[0]?.x ?? piece.from, piece.feet[1]?.x ?? piece.edge ?? piece.to];
    const bend = Math.min(BEND, Math.abs(b - a) / 2) * Math.sign(b - a || 1);
    const lead = piece.feet[0] ? `M${a} ${ground}V${y + BEND}Q${a} ${y} ${a + bend} ${y}` : `M${a} ${y}`;
    return lead + (piece.feet[1] ? `H${b - bend}Q${b} ${y} ${b} ${y + BEND}V${ground}` : `H${b}`);
  }

  function drawn(piece, y, ground) {
    const { arc, label } = piece;
    const made = svg(
      "g",
      {
        class: ["ar-arc", arc.against && "ar-against", arc.kind].filter(Boolean).join(" "),
        "data-relation": arc.id,
      },
      svg("path", { class: "ar-hit", d: path(piece, y, ground) }),
      svg("path", { class: "ar-path", d: path(piece, y, ground) }),
    );
    const tip = arc.symmetric ? null : piece.feet.find((foot) => foot.side === "tail");
    if (tip) made.append(svg("path", { class: "ar-tip", d: `M${tip.x - 4.5} ${ground - 7}h9l-4.5 8z` }));
    if (!label) return made;
    const name = svg("text", { class: "ar-name", x: label.x, y: y + 4 });
    const score = svg("tspan", {}, arc.score ? ` ${arc.score}` : "");
    name.append(arc.against ? `⚠ ${arc.name}` : arc.name, score);
    const behind = {
      class: "ar-ground",
      x: label.x - label.wide / 2 + 1,
      y: y - 9,
      width: label.wide - 2,
      height: 18,
      rx: 5,
    };
    made.append(svg("rect", behind), name);
    return made;
  }

  /** Draw `arcs` ({id, head, tail, name, score, symmetric, against, kind}) over the words in `box`, on its svg. `ends` tells
   * each entity's words: id -> [first, behind the last]. An arc of an entity that is not there is left out. */
  function draw(box, listed, ends) {
    if (!box?.clientWidth) return; // on a tab that is not in sight
    const ground = box.querySelector(".ar-arcs");
    const words = wordsOf(box);
    ground.replaceChildren();
    ground.setAttribute("height", 0); // a higher one would bring a scroll bar, and the words would wrap otherwise
    for (const strut of box.querySelectorAll(".ar-strut")) strut.remove();
    const width = box.clientWidth;
    let lines = linesOf(box, words);
    const places = placesOf(box, words, lines, ends);
    const arcs = listed.filter((arc) => places[arc.head] && places[arc.tail]);
    const at = feet(arcs, places);
    const rtl = words.length > 0 && getComputedStyle(words[0].parentElement).direction === "rtl";
    const pieces = arcs.flatMap((arc) =>
      named(piecesOf(arc, places, at.get(arc.id), lines, width, rtl), width),
    );
    const counts = lines.map((_, line) => {
      const here = pieces.filter((piece) => piece.line === line);
      const found = lanes(here.map(room));
      here.forEach((piece, i) => {
        piece.lane = found[i];
      });
      return found.length ? Math.max(...found) + 1 : 0;
    });
    lift(lines, counts);
    lines = linesOf(box, words);
    ground.setAttribute("height", box.scrollHeight);
    for (const piece of pieces) {
      const top = lines[piece.line]?.top ?? 0;
      ground.append(drawn(piece, top - LOW - 5 - LANE * piece.lane, top - 5));
    }
  }

  /** What arcs are drawn on: a child of the box that holds the words. */
  const ground = () => svg("svg", { class: "ar-arcs", height: 0, "aria-hidden": "true" });

  return { lanes, ground, draw };
})();
