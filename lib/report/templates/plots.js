// Plots: pointing at one tells what is nearest; a click, or Enter, opens it large, where wheel, drag and keys zoom and move.
(() => {
  const root = document.querySelector(".sky");
  const SVG = "http://www.w3.org/2000/svg";
  const short = (value) => String(Number(value.toPrecision(4)));

  // every "M x y" of a path of class "points" is a spot
  const spotsOf = (plot) => [...plot.querySelectorAll("path.points")].flatMap((path) => {
    const [values, numbers] = ["values", "numbers"].map((key) => (path.dataset[key] || "").split(" "));
    const names = JSON.parse(path.dataset.names || "[]");
    return [...path.getAttribute("d").matchAll(/M(-?[\d.]+) (-?[\d.]+)/g)].map((found, k) =>
      ({ x: +found[1], y: +found[2], name: names[k], value: values[k], number: numbers[k] }));
  });

  const add = (plot, name, attributes) => {
    const made = document.createElementNS(SVG, name);
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
    return plot.appendChild(made);
  };

  const erase = (plot) => plot.querySelectorAll(".readout, .spot").forEach((part) => part.remove());

  const tell = (plot, spot) => {
    erase(plot);
    const [x0, x1, y0, y1, left, right, bottom, top] = plot.dataset.axes.split(" ").map(Number);
    const x = x0 + (spot.x - left) / (right - left) * (x1 - x0);
    const y = y0 + (bottom - spot.y) / (bottom - top) * (y1 - y0);
    const words = [spot.name, spot.value ? spot.value : `${short(x)}, ${short(y)}`, spot.number && `${spot.number} measurements`];
    add(plot, "circle", { class: "spot", cx: spot.x, cy: spot.y, r: 6 });
    const end = spot.x > (left + right) / 2;
    const text = add(plot, "text", { class: "readout", x: spot.x + (end ? -10 : 10), y: Math.max(spot.y - 8, top + 10),
      "text-anchor": end ? "end" : "start" });
    text.textContent = words.filter(Boolean).join(": ");
  };

  const placeOf = (plot, event) => new DOMPoint(event.clientX, event.clientY).matrixTransform(plot.getScreenCTM().inverse());

  const listen = (plot) => {
    let spots = null;
    plot.addEventListener("pointermove", (event) => {
      spots = spots || spotsOf(plot);
      const at = placeOf(plot, event);
      const far = (spot) => Math.hypot(spot.x - at.x, spot.y - at.y);
      const nearest = spots.reduce((best, spot) => (best && far(best) <= far(spot) ? best : spot), null);
      if (nearest && far(nearest) < 14) tell(plot, nearest); else erase(plot);
    });
    plot.addEventListener("pointerleave", () => erase(plot));
  };

  const dialog = document.createElement("dialog");
  const open = (plot) => {
    const large = plot.cloneNode(true);
    erase(large);
    large.removeAttribute("tabindex");
    const whole = plot.getAttribute("viewBox").split(" ").map(Number);
    let box = [...whole];
    const show = () => large.setAttribute("viewBox", box.join(" "));
    const zoom = (factor, at) => {
      const size = Math.min(1, Math.max(1 / 40, box[2] / whole[2] * factor)) * whole[2] / box[2];
      box = [at.x - (at.x - box[0]) * size, at.y - (at.y - box[1]) * size, box[2] * size, box[3] * size];
      if (box[2] >= whole[2]) box = [...whole];
      show();
    };
    const middle = () => ({ x: box[0] + box[2] / 2, y: box[1] + box[3] / 2 });
    large.addEventListener("wheel", (event) => {
      event.preventDefault();
      zoom(event.deltaY > 0 ? 1.25 : 0.8, placeOf(large, event));
    }, { passive: false });
    let from = null;
    large.addEventListener("pointerdown", (event) => { from = placeOf(large, event); large.setPointerCapture(event.pointerId); });
    large.addEventListener("pointerup", () => { from = null; });
    large.addEventListener("pointermove", (event) => {
      if (!from) return;
      const at = placeOf(large, event);
      box = [box[0] + from.x - at.x, box[1] + from.y - at.y, box[2], box[3]];
      show();
    });
    dialog.onkeydown = (event) => {
      const moves = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
      if (event.key === "+") zoom(0.8, middle());
      else if (event.key === "-") zoom(1.25, middle());
      else if (event.key === "0") { box = [...whole]; show(); }
      else if (moves[event.key]) {
        box = [box[0] + moves[event.key][0] * box[2] / 10, box[1] + moves[event.key][1] * box[3] / 10, box[2], box[3]];
        show();
      } else return;
      event.preventDefault();
    };
    listen(large);
    const close = document.createElement("button");
    close.textContent = "close";
    close.onclick = () => dialog.close();
    const help = document.createElement("small");
    help.textContent = " zoom with the wheel or + and -, move by dragging or with the arrow keys, 0 shows all";
    dialog.replaceChildren(close, help, large);
    dialog.showModal();
  };

  if (typeof dialog.showModal !== "function") return;
  root.append(dialog);
  for (const plot of root.querySelectorAll(".plots svg.plot")) {
    plot.setAttribute("tabindex", "0");
    listen(plot);
    plot.addEventListener("click", () => open(plot));
    plot.addEventListener("keydown", (event) => {
      if (event.key !== "Enter") return;
      event.preventDefault(); // the button that has the focus then would take it as well
      open(plot);
    });
  }
})();
