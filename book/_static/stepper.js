// A patch stepped through by hand on the page *Method*. Everything shown is in the element's own attribute.
(function () {
  "use strict";
  function make(tag, attributes, ...children) {
    const element = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes || {})) element.setAttribute(name, value);
    element.append(...children);
    return element;
  }
  const percent = (value) => `${Math.round(100 * value)} %`;

  // The stages: nothing happens, the source prompts are read, each layer in turn, the answer.
  function stages(walk) {
    const word = `\u201c${walk.tokens[walk.query]}\u201d`;
    const list = [
      { layer: -1, text: `The target prompt's last line, without a patch. The model reads it from left to right; each token passes through the layers from below. It would answer \u201c${walk.before}\u201d.` },
      { layer: -1, source: true, text: `Read: ${walk.sources} prompts in other languages ask for the concept ${walk.source}. The output of every layer at their query word is kept, and averaged: the concept vector, on the left.` },
    ];
    walk.changes.forEach((row, layer) => {
      const later = row.slice(walk.query + 1);
      if (layer < walk.first) {
        list.push({ layer, source: true, text: `Layer ${layer} runs as it does without a patch, which begins above it.` });
        return;
      }
      list.push({ layer, source: true, writes: true, text: `Overwritten: in layer ${layer} the output at ${word} is replaced by the concept vector of that layer (it moves by ${percent(row[walk.query])} of its length).` });
      const most = Math.max(...later);
      list.push({ layer, source: true, later: true, text: most > 0
        ? `What later tokens see: they attend to ${word} in this layer, so what was written below reaches them. Their outputs move by up to ${percent(most)}. Tokens before ${word} never change.`
        : `What later tokens see: nothing new yet. They attended to the outputs of the layer below, which were not overwritten.` });
    });
    list.push({ layer: walk.changes.length - 1, source: true, later: true, answer: true,
      text: `The answer is read at the last token. It is now \u201c${walk.after}\u201d; without the patch it was \u201c${walk.before}\u201d.` });
    return list;
  }

  function start(root) {
    const walk = JSON.parse(root.dataset.steps);
    const list = stages(walk);
    let now = 0, timer = null;
    const text = make("p", { class: "stepper-text", "aria-live": "polite" });
    const count = make("span", { class: "stepper-count" });
    const back = make("button", { type: "button" }, "Back");
    const next = make("button", { type: "button" }, "Next");
    const play = make("button", { type: "button" }, "Play");
    const table = make("table", { class: "stepper-table" });
    root.append(make("div", { class: "stepper-buttons" }, back, next, play, count), text,
      make("div", { class: "table-box", tabindex: "0", role: "region", "aria-label": "Outputs by layer and token" }, table));
    const head = make("tr", {}, make("th", { scope: "col" }, "layer"), make("th", { scope: "col", class: "source" }, "vector"),
      ...walk.tokens.map((token, i) => make("th", { scope: "col", class: i === walk.query ? "query" : "" }, token)));
    const rows = [...walk.changes].map((row, layer) => ({ layer, cells: row.map(() => make("td")), vector: make("td", { class: "source" }) })).reverse();
    table.append(make("tbody", {}, ...rows.map((row) => make("tr", {}, make("th", { scope: "row" }, String(row.layer)), row.vector, ...row.cells))),
      make("tfoot", {}, head));

    function draw() {
      const stage = list[now];
      text.textContent = stage.text;
      count.textContent = `${now + 1} of ${list.length}`;
      back.disabled = now === 0;
      next.disabled = now === list.length - 1;
      for (const row of rows) {
        row.vector.className = "source" + (stage.source ? " full" : "") + (stage.writes && row.layer === stage.layer ? " here" : "");
        row.vector.textContent = stage.source ? "v" : "";
        row.cells.forEach((cell, place) => {
          const done = row.layer < stage.layer || (row.layer === stage.layer && (place === walk.query || stage.later));
          const written = place === walk.query && row.layer >= walk.first;
          const change = done && row.layer <= stage.layer ? walk.changes[row.layer][place] : 0;
          const here = row.layer === stage.layer && !stage.answer && (stage.writes ? place === walk.query : stage.later ? place > walk.query : true);
          cell.className = (written && done ? "written" : "") + (here ? " here" : "") +
            (stage.answer && place === walk.tokens.length - 1 && row.layer === stage.layer ? " answer" : "");
          cell.style.setProperty("--change", Math.min(1, change).toFixed(3));
          cell.textContent = written && done ? "v" : change >= 0.005 ? Math.round(100 * change) : "";
        });
      }
    }
    function stop() { clearInterval(timer); timer = null; play.textContent = "Play"; }
    function go(step) { now = Math.max(0, Math.min(list.length - 1, now + step)); draw(); if (now === list.length - 1) stop(); }
    back.addEventListener("click", () => { stop(); go(-1); });
    next.addEventListener("click", () => { stop(); go(1); });
    play.addEventListener("click", () => {
      if (timer) { stop(); return; }
      if (now === list.length - 1) now = 0;
      play.textContent = "Pause";
      draw();
      timer = setInterval(() => go(1), 1800);
    });
    root.addEventListener("keydown", (event) => {
      if (event.key === "ArrowRight") { stop(); go(1); } else if (event.key === "ArrowLeft") { stop(); go(-1); }
    });
    draw();
  }
  document.addEventListener("DOMContentLoaded", () => document.querySelectorAll(".stepper").forEach(start));
})();
