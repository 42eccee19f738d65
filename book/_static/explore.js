// The page *Explore*: draws the tables that the page carries, and nothing else. No request is made.
(function () {
  "use strict";
  const SVG = "http://www.w3.org/2000/svg";
  const [MEAN, LOW, HIGH, NULL] = [0, 1, 2, 3]; // places in a cell of the tables
  const NAMES = {
    seen: "other-language mean (seen)", tgt: "same pair (tgt)", tgt_tgt: "output language's mean (tgt_tgt)",
    en_en: "English copying (en_en)", self: "copying in the output language (self)",
    null_concept: "wrong concept (null_concept)", null_mean: "mean of all concepts (null_mean)",
    src_unpatched: "asked directly (src_unpatched)", tgt_unpatched: "target prompt, no patch (tgt_unpatched)",
  };

  function make(tag, attributes, ...children) {
    const svg = ["svg", "g", "path", "line", "rect", "circle", "text", "title"].includes(tag);
    const element = svg ? document.createElementNS(SVG, tag) : document.createElement(tag);
    for (const [name, value] of Object.entries(attributes || {})) {
      if (name === "onclick") element.addEventListener("click", value);
      else element.setAttribute(name, value);
    }
    element.append(...children);
    return element;
  }

  const amount = (n) =>
    n >= 1e12 ? `${+(n / 1e12).toPrecision(2)}T` : n >= 1e6 ? `${+(n / 1e6).toPrecision(2)}M`
      : n >= 1e3 ? `${Math.round(n / 1e3)}k` : String(n);
  const two = (value) => {
    const text = Math.abs(value).toFixed(2).replace(/^0/, "");
    return (value < 0 && text !== ".00" ? "\u2212" : "") + text;
  };
  const last = (list) => list[list.length - 1];

  function start(root, data) {
    const languages = data.languages;
    const pairName = (pair) => pair.split("-").map((code) => languages[code] || code).join(" to ");
    const bothNames = (pair) => pair.split("-").map((code) => languages[code] || code).join(" and ");
    const scaled = (numbers) => numbers.map((each) => (each === null ? null : each / data.scale));
    const inputs = {};
    const state = { kind: "patching", instrument: 0 };

    // What one view needs to know: the curve at a layer, the heatmap, and what stands beside them.
    const patching = () => {
      const model = data.models[state.model];
      const cells = model.cells;
      const width = 3;
      const at = (condition, step, layer) => {
        const row = (cells[`${state.pair} ${condition}`] || {})[step];
        if (!row) return null;
        const place = (row.length === width ? 0 : layer) * width;
        return scaled(row.slice(place, place + width));
      };
      return {
        tokens: model.tokens,
        layers: [...Array(model.layers).keys()],
        value: (step, layer) => at(state.condition, step, layer),
        null: (step, layer) => (at("null_concept", step, layer) || [null])[MEAN],
        other: (step) => (at("src_unpatched", step, 0) || [null])[MEAN],
        otherName: "asked directly",
        score: "P(source concept)",
        layerName: "first layer",
        says: `${NAMES[state.condition]}, ${pairName(state.pair)}`,
        based: `${model.concepts} concepts, ${model.runs} training run${model.runs > 1 ? "s" : ""}; interval over both`,
        patched: !state.condition.includes("unpatched"),
      };
    };
    const companion = () => {
      const own = data.instruments[state.instrument];
      const at = (step, layer) => {
        const row = (own.cells[state.pair] || {})[step];
        if (!row) return null;
        const place = own.layers.indexOf(layer) * 4;
        return scaled(row.slice(place, place + 4));
      };
      return {
        tokens: own.tokens,
        layers: own.layers,
        value: at,
        null: (step, layer) => { const cell = at(step, layer); return cell ? cell[NULL] : null; },
        other: () => null,
        score: own.label,
        layerName: "layer",
        says: `${own.label}, ${bothNames(state.pair)}`,
        based: "miniature, mean over three training runs; interval: the outermost ends of theirs",
        patched: own.layers.length > 1,
      };
    };
    const view = () => (state.kind === "patching" ? patching() : companion());

    function choice(name, label, entries, selected) {
      const box = inputs[name] || (inputs[name] = make("select", { id: `explore-${name}`, name }));
      box.replaceChildren(...entries.map(([value, text]) => make("option", { value }, text)));
      const values = entries.map(([value]) => String(value));
      box.value = values.includes(String(selected)) ? String(selected) : values[0];
      if (!box.parentElement) {
        box.addEventListener("change", () => { read(); draw(); });
        form.append(make("label", { for: box.id }, make("span", {}, label), box));
      }
      box.parentElement.hidden = entries.length < 2 && name !== "pair";
      return box.value;
    }

    const form = make("form", { class: "explore-form", "aria-label": "What to show" });
    form.addEventListener("submit", (event) => event.preventDefault());
    const said = make("p", { class: "explore-said", "aria-live": "polite" });
    const curve = make("div", { class: "explore-curve" });
    const heat = make("div", { class: "explore-heat" });
    const answers = make("div", { class: "explore-answers" });
    root.replaceChildren(form, said, curve, heat, answers);

    const room = () => Math.max(320, Math.min(640, root.clientWidth)); // of a drawing, so that its words stay readable

    function read() {
      state.show = choice("show", "Show", [["patching", "patching"], ...data.instruments.map((each, i) => [String(i), each.label])],
        inputs.show ? inputs.show.value : "patching");
      state.kind = state.show === "patching" ? "patching" : "companion";
      state.instrument = Number(state.show) || 0;
      const models = state.kind === "patching" ? Object.keys(data.models) : ["miniature"];
      state.model = choice("model", "Model", models.map((name) => [name, name]), inputs.model && inputs.model.value);
      const cells = state.kind === "patching" ? data.models[state.model].cells : data.instruments[state.instrument].cells;
      const name = state.kind === "patching" ? pairName : bothNames;
      const seen = {};
      for (const [key, steps] of Object.entries(cells)) {
        const pair = key.split(" ")[0];
        seen[pair] = Math.max(seen[pair] || 0, Object.keys(steps).length);
      }
      const most = Math.max(...Object.values(seen));
      const pairs = Object.keys(seen).sort((a, b) => seen[b] - seen[a] || name(a).localeCompare(name(b)));
      const note = (pair) => (seen[pair] < most ? ` (${seen[pair]} checkpoint${seen[pair] > 1 ? "s" : ""})` : "");
      state.pair = choice("pair", state.kind === "patching" ? "Language pair, from and to" : "Languages",
        pairs.map((pair) => [pair, name(pair) + note(pair)]), inputs.pair ? inputs.pair.value : "en-fr");
      const conditions = state.kind === "patching"
        ? Object.keys(NAMES).filter((condition) => `${state.pair} ${condition}` in cells) : ["seen"];
      state.condition = choice("condition", "Concept vector from", conditions.map((each) => [each, NAMES[each]]),
        inputs.condition ? inputs.condition.value : "seen");
      const now = view();
      const first = inputs.layer ? inputs.layer.value : Math.min(1, last(now.layers));
      state.layer = Number(choice("layer", now.layerName[0].toUpperCase() + now.layerName.slice(1),
        now.patched ? now.layers.map((each) => [each, String(each)]) : [[now.layers[0], "none"]], first));
      const measured = now.tokens.map((_, step) => step).filter((step) => now.value(step, state.layer));
      state.step = Number(choice("step", "Checkpoint, training tokens", measured.map((step) => [step, amount(now.tokens[step])]),
        inputs.step && measured.includes(Number(inputs.step.value)) ? inputs.step.value : last(measured)));
      state.measured = measured;
    }

    function pick(step, layer) {
      if (inputs.step.querySelector(`option[value="${step}"]`)) inputs.step.value = String(step);
      if (inputs.layer.querySelector(`option[value="${layer}"]`)) inputs.layer.value = String(layer);
      read();
      draw();
    }

    function draw() {
      const now = view();
      const cell = now.value(state.step, state.layer);
      const [mean, low, high] = cell;
      const wrong = now.null(state.step, state.layer);
      const interval = low === null ? "" : ` [${two(low)}, ${two(high)}]`;
      said.replaceChildren(make("strong", {}, `${now.score} = ${two(mean)}${interval}`),
        ` \u2014 ${now.says}, ${now.patched ? `${now.layerName} ${state.layer}, ` : ""}after ${amount(now.tokens[state.step])} tokens. ` +
        (wrong === null ? "" : `${state.kind === "patching" ? "Wrong concept" : "Its null"}: ${two(wrong)}. `) + `${now.based}.`);
      drawCurve(now);
      drawHeat(now);
      drawAnswers();
    }

    function drawCurve(now) {
      const [height, left, bottom, top] = [260, 44, 40, 14];
      const width = room();
      const steps = state.measured;
      const place = Object.fromEntries(steps.map((step, i) => [step, i]));
      const x = (step) => left + 12 + ((width - left - 32) * place[step]) / Math.max(1, steps.length - 1);
      const values = steps.map((step) => now.value(step, state.layer));
      const floor = Math.min(0, ...values.map((each) => each[MEAN]));
      const y = (value) => height - bottom - ((height - bottom - top) * (value - floor)) / (1 - floor);
      const line = (points, attributes) =>
        make("path", { d: points.map(([a, b], i) => `${i ? "L" : "M"}${a.toFixed(1)} ${b.toFixed(1)}`).join(""), fill: "none", ...attributes });
      const svg = make("svg", { viewBox: `0 0 ${width} ${height}`, role: "img",
        "aria-label": `${now.says}: ${now.score} over training: ` +
          steps.map((step, i) => `${amount(now.tokens[step])} ${two(values[i][MEAN])}`).join(", ") });
      for (const tick of [0, 0.25, 0.5, 0.75, 1])
        svg.append(make("line", { x1: left, x2: width - 20, y1: y(tick), y2: y(tick), class: "grid" }),
          make("text", { x: left - 6, y: y(tick) + 4, "text-anchor": "end" }, two(tick).replace("1.00", "1").replace(".00", "0")));
      const every = Math.ceil(steps.length / (width < 480 ? 5 : 8));
      steps.forEach((step, i) => {
        if ((i % every === 0 && i + every <= steps.length) || i === steps.length - 1)
          svg.append(make("text", { x: x(step), y: height - bottom + 16, "text-anchor": "middle" }, amount(now.tokens[step])));
      });
      svg.append(make("text", { x: (left + width) / 2, y: height - 4, "text-anchor": "middle" }, "training tokens, by checkpoint"));
      if (values.every((each) => each[LOW] !== null))
        svg.append(make("path", { class: "band", d:
          steps.map((step, i) => `${i ? "L" : "M"}${x(step)} ${y(values[i][HIGH])}`).join("") +
          [...steps].reverse().map((step) => `L${x(step)} ${y(now.value(step, state.layer)[LOW])}`).join("") + "Z" }));
      const known = (of) => steps.map((step) => [x(step), of(step)]).filter((each) => each[1] !== null).map(([a, b]) => [a, y(b)]);
      svg.append(line(known((step) => now.other(step)), { class: "direct" }));
      svg.append(line(known((step) => now.null(step, state.layer)), { class: "null" }));
      svg.append(line(steps.map((step, i) => [x(step), y(values[i][MEAN])]), { class: "chosen" }));
      steps.forEach((step, i) => {
        const mark = make("circle", { cx: x(step), cy: y(values[i][MEAN]), r: step === state.step ? 6 : 3, class: "chosen-mark",
          onclick: () => pick(step, state.layer) });
        mark.append(make("title", {}, `${amount(now.tokens[step])} tokens: ${two(values[i][MEAN])}`));
        svg.append(mark);
      });
      const keys = [["chosen", now.score], ["null", state.kind === "patching" ? "wrong concept" : "its null"]];
      if (now.otherName) keys.push(["direct", now.otherName]);
      curve.replaceChildren(make("div", { class: "explore-keys" }, ...keys.map(([kind, text]) => make("span", { class: `key-${kind}` }, text))), svg);
    }

    function drawHeat(now) {
      heat.replaceChildren();
      if (!now.patched || state.measured.length * now.layers.length < 2) return;
      const steps = state.measured;
      const [left, bottom] = [44, 40];
      const size = Math.max(14, Math.min(28, Math.floor((room() - left - 16) / steps.length)));
      const width = left + steps.length * size + 16;
      const height = now.layers.length * size + bottom + 4;
      const svg = make("svg", { viewBox: `0 0 ${width} ${height}`, role: "img", style: `max-width:${width}px`,
        "aria-label": `${now.score} by ${now.layerName} and checkpoint; the strongest colour is the highest. Choose a cell with the two lists above.` });
      [...now.layers].reverse().forEach((layer, row) => {
        svg.append(make("text", { x: left - 6, y: row * size + size / 2 + 5, "text-anchor": "end" }, String(layer)));
        steps.forEach((step, column) => {
          const cell = now.value(step, layer);
          if (!cell) return;
          const chosen = step === state.step && layer === state.layer;
          const box = make("rect", { x: left + column * size + 1, y: row * size + 1, width: size - 2, height: size - 2,
            class: chosen ? "cell chosen-cell" : "cell", "fill-opacity": Math.max(0.04, Math.min(1, cell[MEAN])).toFixed(2),
            onclick: () => pick(step, layer) });
          box.append(make("title", {}, `${now.layerName} ${layer}, ${amount(now.tokens[step])} tokens: ${two(cell[MEAN])}`));
          svg.append(box);
        });
      });
      const every = Math.ceil(steps.length / (size < 20 ? 4 : 6));
      steps.forEach((step, i) => {
        if (i % every === 0)
          svg.append(make("text", { x: left + i * size + size / 2, y: now.layers.length * size + 17, "text-anchor": "middle" }, amount(now.tokens[step])));
      });
      svg.append(make("text", { x: left, y: height - 6 }, "training tokens, by checkpoint"));
      heat.append(make("p", {}, `${now.score} by ${now.layerName} (rows) and checkpoint (columns); the stronger the colour, the higher. A click chooses a cell.`), svg);
    }

    function drawAnswers() {
      answers.replaceChildren();
      if (state.kind !== "patching") return;
      const own = (data.answers[state.model] || { pairs: {} }).pairs[state.pair];
      if (!own) {
        const kept = Object.keys((data.answers[state.model] || { pairs: {} }).pairs).map(pairName);
        answers.append(make("p", {}, `Answers in words were kept for these pairs: ${kept.join("; ")}.`));
        return;
      }
      const layer = state.condition.includes("unpatched") ? -1 : state.layer;
      const after = own.said[`${state.condition} ${state.step} ${layer}`];
      if (!after) {
        const steps = new Set(), conditions = new Set();
        for (const key of Object.keys(own.said)) { const [condition, step] = key.split(" "); conditions.add(condition); steps.add(Number(step)); }
        const tokens = data.models[state.model].tokens;
        answers.append(make("p", {}, "Answers in words were kept for " + [...conditions].map((each) => NAMES[each] || each).join(", ") +
          " after " + [...steps].sort((a, b) => a - b).map((step) => amount(tokens[step])).join(", ") + " tokens."));
        return;
      }
      const before = own.said[`tgt_unpatched ${state.step} -1`];
      const words = data.answers[state.model].words, labels = data.answers[state.model].labels;
      const direct = state.condition === "src_unpatched";
      const head = make("tr", {}, ...["source", "target", "without patch", direct ? "asked directly" : "with patch", "P(source)", "label", "prompt"]
        .map((each) => make("th", { scope: "col" }, each)));
      const rows = own.source.map((source, i) => {
        const [word, label, score] = after.slice(3 * i, 3 * i + 3);
        const shown = make("details", {}, make("summary", {}, "show"), make("pre", {}, own.prompts[direct ? "source" : "target"][i]));
        return make("tr", {}, make("th", { scope: "row" }, source), make("td", {}, own.target[i]),
          make("td", {}, before ? words[before[3 * i]] : ""), make("td", {}, make("b", {}, words[word])),
          make("td", {}, two(score / data.scale)), make("td", {}, labels[label]), make("td", {}, shown));
      });
      const right = own.source.filter((_, i) => after[3 * i + 1] < 3).length;
      const box = make("div", { class: "table-box", tabindex: "0", role: "region", "aria-label": "What the model said" },
        make("table", {}, make("thead", {}, head), make("tbody", {}, ...rows)));
      answers.append(make("p", {}, make("strong", {}, "What the model said. "),
        `${pairName(state.pair)}, one training run: ${right} of ${own.source.length} answers are right: an accepted word, a form of it or a synonym.`), box);
    }

    read();
    draw();
    let wide = room();
    window.addEventListener("resize", () => { if (room() !== wide) { wide = room(); draw(); } });
  }

  document.addEventListener("DOMContentLoaded", function () {
    const root = document.getElementById("explorer");
    const text = document.getElementById("explore-data");
    if (root && text) start(root, JSON.parse(text.textContent));
  });
})();
