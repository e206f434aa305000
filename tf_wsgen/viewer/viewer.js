// Draws what html.py put into the page: 2D input beside hypotheses in 3D, with Plotly.
"use strict";
(() => {
  const DATA = JSON.parse(document.getElementById("data").textContent);
  const J = DATA.joints.length;
  const N = DATA.numHypotheses;
  const FRAMES = DATA.frames;

  // Okabe and Ito's colours; sides also differ in line, width and symbol, for who doesn't see colours.
  const SIDES = {
    left: { colour: "#D55E00", dash: "solid", width: 8, symbol: "circle", size: 8 },
    right: { colour: "#0072B2", dash: "longdash", width: 8, symbol: "diamond", size: 7 },
    middle: { colour: "#444444", dash: "solid", width: 4, symbol: "circle", size: 5 },
  };
  const REPROJECTION_COLOUR = "#009E73";
  const OTHERS_COLOUR = "#666666";
  const FLAT_WIDTH = 0.45; // Of a line's width in 3D.
  const HOME_SIZE = 1.9; // Plotly's units; the larger, the larger the poses.
  const SMALLEST_ELLIPSOID = 1; // mm; the root has none.
  // Plotly's axes are x right, y away, z up.
  const VIEWS = {
    front: { x: 0, y: -1.75, z: 0 },
    side: { x: 1.75, y: 0, z: 0 },
    above: { x: 0, y: -0.02, z: 1.75 },
  };

  const byId = (id) => document.getElementById(id);
  const unpacked = (packed) => {
    const bytes = Uint8Array.from(atob(packed.int16), (character) => character.charCodeAt(0));
    return Float32Array.from(new Int16Array(bytes.buffer), (steps) => steps * packed.step);
  };
  const POSE = unpacked(DATA.pose);
  const REPROJECTION = unpacked(DATA.reprojection);
  const HYPOTHESES = unpacked(DATA.hypotheses);
  const HYPOTHESES_REPROJECTION = unpacked(DATA.hypothesesReprojection);
  const KEYPOINTS = unpacked(DATA.keypoints);
  const VISIBLE = unpacked(DATA.visible);
  const ELLIPSOIDS = unpacked(DATA.ellipsoids);

  const state = { frame: 0, person: null, hypothesis: 0, playing: false, near: false, frameShownAt: 0 };
  const shown = (id) => byId(id).checked;

  // ---- Numbers ----

  // Plotly reads some HTML in labels; names are only names.
  const escaped = (text) => text.replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;");
  const spoken = (joint) => joint.replace(/_/g, " ");
  const mm = (value) => `${value.toFixed(0)} mm`;

  const points = (values, size, index) => {
    const start = index * J * size;
    return DATA.joints.map((_, joint) => Array.from(values.subarray(start + joint * size, start + (joint + 1) * size)));
  };
  const toPlot = ([x, y, z]) => [x, z, -y];
  const hypothesis = (row, index) => points(HYPOTHESES, 3, row * N + index);
  const shownPose = (row) => (state.hypothesis ? hypothesis(row, state.hypothesis - 1) : points(POSE, 3, row));
  const shownReprojection = (row) =>
    state.hypothesis
      ? points(HYPOTHESES_REPROJECTION, 2, row * N + state.hypothesis - 1)
      : points(REPROJECTION, 2, row);
  const isVisible = (row) => (joint) => VISIBLE[row * J + joint] > 0;
  const distance = (a, b) => Math.hypot(...a.map((value, axis) => value - b[axis]));
  const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;

  // The (3, 3) root of a joint's covariance, and the joint's spread: the root of the covariance's trace.
  const covarianceRoot = (row, joint) => ELLIPSOIDS.subarray((row * J + joint) * 9, (row * J + joint + 1) * 9);
  const spread = (row, joint) => Math.hypot(...covarianceRoot(row, joint));

  const currentRow = () => {
    const rows = FRAMES[state.frame].rows;
    const same = rows.find((row) => DATA.people[row] === state.person);
    return same === undefined ? rows[0] : same;
  };

  // ---- Traces ----

  // Lines of some poses' bones on one side (or on all), separated by gaps, as Plotly's x, y and z.
  function lines(poses, side, seen = () => true) {
    const ends = [];
    for (const pose of poses) {
      DATA.bones.forEach(([first, second], bone) => {
        if ((!side || DATA.boneSides[bone] === side) && seen(first) && seen(second)) {
          ends.push(pose[first], pose[second], [null, null, null]);
        }
      });
    }
    return coordinates(ends);
  }

  function coordinates(list) {
    const named = { x: list.map((point) => point[0]), y: list.map((point) => point[1]) };
    return list.length && list[0].length === 3 ? { ...named, z: list.map((point) => point[2]) } : named;
  }

  function markers(type, pose, scale, texts, seen = () => true) {
    const joints = DATA.joints.map((_, joint) => joint).filter(seen);
    const look = (name) => joints.map((joint) => SIDES[DATA.jointSides[joint]][name]);
    return {
      type,
      mode: "markers",
      ...coordinates(joints.map((joint) => pose[joint])),
      marker: { color: look("colour"), symbol: look("symbol"), size: look("size").map((size) => scale * size), opacity: 1, line: { width: 0 } },
      text: joints.map((joint) => texts[joint]),
      hovertemplate: "%{text}<extra></extra>",
    };
  }

  function solidTraces(row) {
    const pose = shownPose(row);
    const plotted = pose.map(toPlot);
    const others = [];
    for (let index = 0; index < N; index += 1) {
      if (index !== state.hypothesis - 1) others.push(hypothesis(row, index).map(toPlot));
    }
    const texts = pose.map(
      ([x, y, z], joint) =>
        `<b>${escaped(spoken(DATA.joints[joint]))}</b><br>right ${mm(x)}<br>up ${mm(-y)}<br>away ${mm(z)}` +
        `<br>spread ${mm(spread(row, joint))}`
    );
    const line = (style, width, dash) => ({ color: style.colour, width, dash });
    return [
      ...Object.entries(SIDES).map(([side, style]) => ({
        type: "scatter3d", mode: "lines", hoverinfo: "skip", opacity: 0.3, visible: shown("others"),
        ...lines(others, side), line: line(style, 2, "solid"),
      })),
      ellipsoidTrace(row),
      ...Object.entries(SIDES).map(([side, style]) => ({
        type: "scatter3d", mode: "lines", hoverinfo: "skip",
        ...lines([plotted], side), line: line(style, style.width, style.dash),
      })),
      markers("scatter3d", plotted, 1, texts),
    ];
  }

  // Points of the unit sphere on circles of latitude, and the triangles between them.
  const SPHERE = (() => {
    const across = 9;
    const around = 14;
    const vertices = [];
    const triangles = [];
    for (let i = 0; i < across; i += 1) {
      for (let k = 0; k < around; k += 1) {
        const [polar, azimuth] = [(Math.PI * i) / (across - 1), (2 * Math.PI * k) / around];
        vertices.push([Math.sin(polar) * Math.cos(azimuth), Math.sin(polar) * Math.sin(azimuth), Math.cos(polar)]);
        const [here, beside] = [i * around + k, i * around + ((k + 1) % around)];
        if (i + 1 < across) {
          triangles.push([here, beside, here + around], [beside, beside + around, here + around]);
        }
      }
    }
    return { vertices, triangles };
  })();

  function ellipsoidTrace(row) {
    const vertices = [];
    const triangles = [];
    const colours = [];
    if (shown("ellipsoids")) {
      const poses = Array.from({ length: N }, (_, index) => hypothesis(row, index));
      DATA.joints.forEach((_, joint) => {
        if (spread(row, joint) < SMALLEST_ELLIPSOID) return;
        const root = covarianceRoot(row, joint);
        const centre = [0, 1, 2].map((axis) => mean(poses.map((pose) => pose[joint][axis])));
        const offset = vertices.length;
        for (const u of SPHERE.vertices) {
          const at = (axis) => centre[axis] + root[3 * axis] * u[0] + root[3 * axis + 1] * u[1] + root[3 * axis + 2] * u[2];
          vertices.push(toPlot([at(0), at(1), at(2)]));
          colours.push(SIDES[DATA.jointSides[joint]].colour);
        }
        for (const triangle of SPHERE.triangles) triangles.push(triangle.map((vertex) => vertex + offset));
      });
    }
    const corner = (index) => triangles.map((triangle) => triangle[index]);
    return {
      type: "mesh3d", hoverinfo: "skip", opacity: 0.3, visible: vertices.length > 0, vertexcolor: colours,
      ...coordinates(vertices), i: corner(0), j: corner(1), k: corner(2),
      lighting: { ambient: 0.7, diffuse: 0.5, specular: 0.1 },
    };
  }

  function flatTraces(row) {
    const frame = FRAMES[state.frame];
    const keypoints = points(KEYPOINTS, 2, row);
    const seen = isVisible(row);
    const reprojection = shownReprojection(row);
    const others = frame.rows.filter((other) => other !== row);
    const drawn = others.map((other) => lines([points(KEYPOINTS, 2, other)], null, isVisible(other)));
    const people = { x: drawn.flatMap((one) => one.x), y: drawn.flatMap((one) => one.y) };
    const texts = keypoints.map(
      ([x, y], joint) => `<b>${escaped(spoken(DATA.joints[joint]))}</b><br>x ${x.toFixed(1)} px, y ${y.toFixed(1)} px`
    );
    const line = { type: "scatter", mode: "lines", hoverinfo: "skip" };
    return [
      // A white edge, to be seen on any picture.
      { ...line, ...people, line: { color: "#FFFFFF", width: 5 } },
      { ...line, ...people, line: { color: OTHERS_COLOUR, width: 2 } },
      { ...line, ...lines([keypoints], null, seen), line: { color: "#FFFFFF", width: 7 } },
      ...Object.entries(SIDES).map(([side, style]) => ({
        ...line, ...lines([keypoints], side, seen),
        line: { color: style.colour, width: FLAT_WIDTH * style.width, dash: style.dash !== "solid" ? "7px,3px" : "solid" },
      })),
      markers("scatter", keypoints, 1.3, texts, seen),
      { ...line, ...lines([reprojection]), visible: shown("reprojections"),
        line: { color: REPROJECTION_COLOUR, width: 2, dash: "2px,3px" } },
      { type: "scatter", mode: "markers", ...coordinates(reprojection), visible: shown("reprojections"),
        marker: { color: REPROJECTION_COLOUR, symbol: "x-thin", size: 7, line: { width: 1.5, color: REPROJECTION_COLOUR } },
        text: reprojection.map(
          ([x, y], joint) =>
            `reprojection: <b>${escaped(spoken(DATA.joints[joint]))}</b><br>x ${x.toFixed(1)} px, y ${y.toFixed(1)} px` +
            (seen(joint) ? `<br>${distance([x, y], keypoints[joint]).toFixed(1)} px from the input` : "")
        ),
        hovertemplate: "%{text}<extra></extra>" },
    ];
  }

  // ---- Layouts ----

  const FONT = { family: "system-ui, sans-serif", size: 12, color: "#222222" };
  const CONFIG = { responsive: true, displaylogo: false, displayModeBar: false, scrollZoom: true };
  const solid = byId("solid");
  const flat = byId("flat");

  const scene = () => solid._fullLayout && solid._fullLayout.scene && solid._fullLayout.scene._scene;
  const viewFrom = (name) => ({ eye: VIEWS[name], up: { x: 0, y: 0, z: 1 }, center: { x: 0, y: 0, z: 0 }, projection: { type: "orthographic" } });

  const EXTENTS = DATA.bounds3d.map(([low, high]) => high - low);
  const GRID = [10, 20, 50, 100, 200, 500, 1000, 2000, 5000].find((step) => Math.max(...EXTENTS) / step < 8) || 10000;
  // Without perspective, as the method's own cameras see, and as large as the drawing's smaller side lets it be.
  const home = () => {
    const size = HOME_SIZE / Math.max(...EXTENTS);
    return { x: size * EXTENTS[0], y: size * EXTENTS[1], z: size * EXTENTS[2] };
  };

  function solidLayout() {
    // Numbers at the axes lie on each other wherever an axis is seen from its end; the grid's step is told in words.
    const axis = (text, range) => ({
      title: { text }, range, showspikes: false, showticklabels: false, ticks: "", dtick: GRID, tick0: 0,
      gridcolor: "#D5D5D5", zerolinecolor: "#AAAAAA", backgroundcolor: "#FAFAFA", showbackground: true,
    });
    const [right, away, up] = DATA.bounds3d;
    return {
      margin: { l: 0, r: 0, t: 0, b: 0 }, font: FONT, showlegend: false, uirevision: "keep", paper_bgcolor: "#FFFFFF",
      scene: {
        xaxis: axis("right", right), yaxis: axis("away", away), zaxis: axis("up", up),
        // Plotly hears of a finger's or an unfinished turn too late: the scene itself knows where it stands.
        camera: scene() ? scene().getCamera() : viewFrom("front"),
        aspectmode: "manual", aspectratio: scene() ? scene().glplot.getAspectratio() : home(),
        dragmode: "turntable", uirevision: "keep",
      },
    };
  }

  // [width, height] of the frames' images, null of what the browser can't show; it knows which way up they are.
  const imageSizes = new Map();
  function imageSize(frame) {
    const address = FRAMES[frame].image;
    if (address && !imageSizes.has(frame)) {
      imageSizes.set(frame, undefined);
      const image = new Image();
      image.onload = () => { imageSizes.set(frame, [image.naturalWidth, image.naturalHeight]); draw(); };
      image.onerror = () => { imageSizes.set(frame, null); draw(); };
      image.src = address;
    }
    return imageSizes.get(frame);
  }

  // Half the side of a square that holds any row's keypoints, so that people keep their size from frame to frame.
  const NEAR_RADIUS = (() => {
    let largest = 1;
    DATA.people.forEach((_, row) => {
      const seen = points(KEYPOINTS, 2, row).filter((_, joint) => isVisible(row)(joint));
      for (const axis of [0, 1]) {
        const values = seen.map((point) => point[axis]);
        if (seen.length) largest = Math.max(largest, Math.max(...values) - Math.min(...values));
      }
    });
    return 0.6 * largest;
  })();

  function flatRanges(row, size) {
    if (state.near) {
      const seen = points(KEYPOINTS, 2, row).filter((_, joint) => isVisible(row)(joint));
      return [0, 1].map((axis) => {
        const values = seen.map((point) => point[axis]);
        const middle = seen.length ? (Math.min(...values) + Math.max(...values)) / 2 : 0;
        return [middle - NEAR_RADIUS, middle + NEAR_RADIUS];
      });
    }
    return size ? [[0, size[0]], [0, size[1]]] : DATA.bounds2d;
  }

  function flatLayout(row) {
    const size = imageSize(state.frame);
    const [x, y] = flatRanges(row, size);
    const axis = { showgrid: !size, zeroline: false, gridcolor: "#EEEEEE", constrain: "domain", nticks: 6 };
    const picture = size && {
      source: FRAMES[state.frame].image, xref: "x", yref: "y", x: 0, y: 0, sizex: size[0], sizey: size[1],
      sizing: "stretch", layer: "below", xanchor: "left", yanchor: "top",
    };
    const others = FRAMES[state.frame].rows.filter((other) => other !== row);
    // The last lies on top.
    const labels = others.length ? [...others, row].map((other) => personLabel(other, other === row)) : [];
    return {
      margin: { l: 48, r: 8, t: 8, b: 40 }, font: FONT, showlegend: false, hovermode: "closest", dragmode: "pan",
      // Another picture size or another way to look at it ends what was zoomed by hand.
      uirevision: `${state.near}${size}`, plot_bgcolor: "#FAFAFA", paper_bgcolor: "#FFFFFF",
      xaxis: { ...axis, title: { text: "x (pixels)", standoff: 4 }, range: x },
      yaxis: { ...axis, title: { text: "y (pixels, down)", standoff: 4 }, range: [y[1], y[0]], scaleanchor: "x" },
      images: picture ? [picture] : [],
      annotations: labels.filter(Boolean),
    };
  }

  function personLabel(row, strong) {
    const seen = points(KEYPOINTS, 2, row).filter((_, joint) => isVisible(row)(joint));
    if (!seen.length) return null;
    const top = seen.reduce((highest, point) => (point[1] < highest[1] ? point : highest));
    const text = `person ${escaped(DATA.people[row])}`;
    return {
      x: top[0], y: top[1], yshift: 8, yanchor: "bottom", showarrow: false, text: strong ? `<b>${text}</b>` : text,
      bgcolor: "rgba(255,255,255,0.8)", font: { size: 12, color: strong ? "#000000" : "#555555" },
    };
  }

  // ---- Texts ----

  function describe(row) {
    const frame = FRAMES[state.frame];
    const spreads = DATA.joints.map((_, joint) => spread(row, joint));
    const widest = spreads.indexOf(Math.max(...spreads));
    const pose = shownPose(row);
    const chosen = points(POSE, 3, row);
    const likelihood = state.hypothesis
      ? DATA.hypothesesLogLikelihood[row * N + state.hypothesis - 1]
      : DATA.logLikelihood[row];
    const name = state.hypothesis ? `hypothesis ${state.hypothesis} of ${N}` : "the chosen pose";
    byId("frame").value = state.frame;
    byId("frame-name").textContent = `${frame.name} (${state.frame + 1} of ${FRAMES.length})`;
    byId("frame").setAttribute("aria-valuetext", `frame ${frame.name}`);
    byId("hypothesis").value = state.hypothesis;
    byId("hypothesis-name").textContent = state.hypothesis ? `${state.hypothesis} of ${N}` : "0: chosen pose";
    byId("hypothesis").setAttribute("aria-valuetext", name);
    const person = DATA.people[row];
    const absent = state.person !== null && person !== state.person ? ` (person ${state.person} is not in this frame)` : "";
    const parts = [
      `Frame ${frame.name}, person ${person}${absent}: ${name}`,
      `log-likelihood ${likelihood.toFixed(2)} nats`,
      ...(state.hypothesis
        ? [`${mm(mean(pose.map((point, joint) => distance(point, chosen[joint]))))} from the chosen pose, mean over joints`]
        : []),
      `spread of the ${N} hypotheses ${mm(mean(spreads))}, mean over joints, most at the ` +
        `${spoken(DATA.joints[widest])}: ${mm(spreads[widest])}`,
      ...(imageSizes.get(state.frame) === null ? ["the browser can't show this frame's image"] : []),
    ];
    byId("status").textContent = `${parts.join("; ")}.`;
    flat.setAttribute("aria-label", `2D input of frame ${frame.name}, person ${person}, ` +
      `${shown("reprojections") ? "with" : "without"} the reprojection of ${name}`);
    solid.setAttribute("aria-label", `${name} of person ${person} in frame ${frame.name} in 3D, ` +
      `among ${N} hypotheses${shown("ellipsoids") ? ", with ellipsoids of each joint's spread" : ""}`);
    if (byId("numbers").open) tabulate(pose, spreads);
  }

  function tabulate(pose, spreads) {
    const body = byId("numbers").querySelector("tbody");
    body.replaceChildren(
      ...pose.map((point, joint) => {
        const row = document.createElement("tr");
        const name = document.createElement("th");
        name.scope = "row";
        name.textContent = spoken(DATA.joints[joint]);
        row.append(name);
        for (const value of [...point, spreads[joint]]) row.insertCell().textContent = value.toFixed(0);
        return row;
      })
    );
  }

  function offerPeople(row) {
    const select = byId("person");
    const people = FRAMES[state.frame].rows.map((other) => DATA.people[other]);
    if (people.join("\n") !== Array.from(select.options, (option) => option.value).join("\n")) {
      select.replaceChildren(...people.map((person) => new Option(person, person)));
    }
    select.value = DATA.people[row];
    select.disabled = people.length < 2;
  }

  // ---- Drawing and control ----

  let drawing = null;
  // Draws once, before the browser next shows the page, however often it is asked to.
  function draw() {
    drawing = drawing || new Promise((resolve) => requestAnimationFrame(resolve)).then(() => {
      drawing = null;
      const row = currentRow();
      offerPeople(row);
      describe(row);
      return Promise.all([
        Plotly.react(flat, flatTraces(row), flatLayout(row), { ...CONFIG, scrollZoom: false }),
        Plotly.react(solid, solidTraces(row), solidLayout(), CONFIG),
      ]);
    });
    return drawing;
  }

  const clamp = (value, most) => Math.min(Math.max(value, 0), most);
  function goTo(frame) { state.frame = clamp(frame, FRAMES.length - 1); draw(); }
  function show(index) { state.hypothesis = clamp(index, N); draw(); }
  function look(name) { Plotly.relayout(solid, { "scene.camera": viewFrom(name), "scene.aspectratio": home() }); }
  function zoom(factor) {
    const { x, y, z } = scene().glplot.getAspectratio();
    const camera = scene().getCamera();
    Plotly.relayout(solid, { "scene.camera": camera, "scene.aspectratio": { x: factor * x, y: factor * y, z: factor * z } });
  }
  function toggle(id) { byId(id).checked = !byId(id).checked; draw(); }
  function toggleNear() {
    state.near = !state.near;
    byId("near").setAttribute("aria-pressed", String(state.near));
    draw();
  }
  function nextPerson() {
    const rows = FRAMES[state.frame].rows;
    state.person = DATA.people[rows[(rows.indexOf(currentRow()) + 1) % rows.length]];
    draw();
  }

  function play(playing) {
    state.playing = playing && FRAMES.length > 1;
    byId("play").textContent = state.playing ? "Pause" : "Play";
    // Screen readers would read every frame.
    byId("status").setAttribute("aria-live", state.playing ? "off" : "polite");
    state.frameShownAt = performance.now();
    if (state.playing) requestAnimationFrame(advance);
  }
  // Keeps to the clock: where drawing is slow, frames are left out.
  function advance(now) {
    if (!state.playing) return;
    const interval = 1000 / Number(byId("speed").value);
    const steps = Math.floor((now - state.frameShownAt) / interval);
    if (steps < 1) {
      requestAnimationFrame(advance);
      return;
    }
    state.frameShownAt += steps * interval;
    state.frame = (state.frame + steps) % FRAMES.length;
    draw().then(() => requestAnimationFrame(advance));
  }

  const KEYS = {
    ArrowLeft: () => goTo(state.frame - 1),
    ArrowRight: () => goTo(state.frame + 1),
    Home: () => goTo(0),
    End: () => goTo(FRAMES.length - 1),
    ArrowDown: () => show(state.hypothesis - 1),
    ArrowUp: () => show(state.hypothesis + 1),
    " ": () => play(!state.playing),
    e: () => toggle("ellipsoids"),
    r: () => toggle("reprojections"),
    o: () => toggle("others"),
    p: nextPerson,
    z: toggleNear,
    f: () => look("front"),
    s: () => look("side"),
    a: () => look("above"),
    "+": () => zoom(1.25),
    "-": () => zoom(0.8),
    "?": () => byId("help").showModal(),
  };
  document.addEventListener("keydown", (event) => {
    const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
    const on = document.activeElement || document.body;
    // What a focused control does with a key itself stays its own.
    const taken =
      on.matches("select") || byId("help").open ||
      (on.matches("input[type=range]") && /^(Arrow|Home|End)/.test(key)) ||
      (on.matches("button, summary, input[type=checkbox]") && key === " ");
    if (taken || event.ctrlKey || event.metaKey || event.altKey || !Object.hasOwn(KEYS, key)) return;
    event.preventDefault();
    KEYS[key]();
  });

  byId("solid-heading").textContent += ` (grid ${GRID} mm)`;
  byId("frame").max = FRAMES.length - 1;
  byId("frame").disabled = byId("play").disabled = FRAMES.length < 2;
  byId("hypothesis").max = N;
  byId("person-label").hidden = FRAMES.every((frame) => frame.rows.length < 2);
  byId("frame").addEventListener("input", (event) => goTo(Number(event.target.value)));
  byId("hypothesis").addEventListener("input", (event) => show(Number(event.target.value)));
  byId("person").addEventListener("change", (event) => { state.person = event.target.value; draw(); });
  for (const id of ["ellipsoids", "reprojections", "others"]) byId(id).addEventListener("change", draw);
  byId("play").addEventListener("click", () => play(!state.playing));
  byId("near").addEventListener("click", toggleNear);
  byId("ask").addEventListener("click", () => byId("help").showModal());
  byId("numbers").addEventListener("toggle", draw);
  for (const button of document.querySelectorAll("[data-view]")) button.addEventListener("click", () => look(button.dataset.view));
  for (const button of document.querySelectorAll("[data-zoom]")) button.addEventListener("click", () => zoom(Number(button.dataset.zoom)));
  for (const [name, value] of DATA.about) {
    const term = document.createElement("dt");
    const description = document.createElement("dd");
    term.textContent = name;
    description.textContent = value;
    byId("about").append(term, description);
  }
  draw();
})();
