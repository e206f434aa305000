// What the page says and how it is controlled; drawing.js makes what Plotly draws.
"use strict";
let stopViewer = () => {};
// Shows what html.py describes, in place of what was shown before.
function startViewer(DATA) {
  stopViewer();
  const listening = new AbortController();
  const on = (element, type, act, options) => {
    element.addEventListener(type, act, { ...options, signal: listening.signal });
  };
  stopViewer = () => { play(false); listening.abort(); };
  const Drawing = makeDrawing(DATA);
  const { FRAMES, N, state, shownPose, chosenPose, radii, spread, distance, mean, mm, spoken } = Drawing;
  const CONFIG = { responsive: true, displayModeBar: false };
  const TOGGLES = ["ellipsoids", "reprojections", "others", "everybody"];

  const byId = (id) => document.getElementById(id);
  const solid = byId("solid");
  const flat = byId("flat");
  let playing = false;
  let frameShownAt = 0;

  // The person last asked for where the frame has them, else its first.
  const currentRow = () => {
    const rows = FRAMES[state.frame].rows;
    const same = rows.find((row) => DATA.people[row] === state.person);
    return same === undefined ? rows[0] : same;
  };

  // ---- Drawing ----

  // [width, height] in pixels of the frames' images, which may be scaled down, null where the browser can't show one; it knows which way up they are.
  const imageSizes = new Map();
  function imageSize(frame) {
    const address = FRAMES[frame].image;
    if (address && !imageSizes.has(frame)) {
      imageSizes.set(frame, undefined);
      const image = new Image();
      const known = () => DATA.imageSize || [image.naturalWidth, image.naturalHeight];
      image.onload = () => { imageSizes.set(frame, known()); draw(); };
      image.onerror = () => { imageSizes.set(frame, null); draw(); };
      image.src = address;
    }
    return imageSizes.get(frame);
  }

  let drawing = null;
  // Draws once, before the browser next shows the page, however often it is asked to.
  function draw() {
    drawing = drawing || new Promise((resolve) => requestAnimationFrame(resolve)).then(() => {
      drawing = null;
      const row = currentRow();
      const size = imageSize(state.frame);
      offerPeople(row);
      describe(row);
      return Promise.all([
        Plotly.react(flat, Drawing.flatTraces(row), Drawing.flatLayout(row, size), CONFIG),
        Plotly.react(solid, Drawing.solidTraces(row), Drawing.solidLayout(row), CONFIG),
      ]);
    });
    return drawing;
  }

  // ---- Texts ----

  function describe(row) {
    const frame = FRAMES[state.frame];
    const person = DATA.people[row];
    const within = radii(row);
    // Of each joint one number to tell, or two.
    const sizes = within || DATA.joints.map((_, joint) => [spread(row, joint)]);
    const first = sizes.map(([size]) => size);
    const widest = first.indexOf(Math.max(...first));
    const means = sizes[0].map((_, level) => mean(sizes.map((size) => size[level])));
    const levels = (values) => (within ? `${mm(values[0])} (50 %) and ${mm(values[1])} (90 %)` : mm(values[0]));
    const pose = shownPose(row);
    const chosen = chosenPose(row);
    const [name, likelihood] = state.hypothesis
      ? [`hypothesis ${state.hypothesis} of ${N}`, DATA.hypothesesLogLikelihood[row * N + state.hypothesis - 1]]
      : ["the chosen pose", DATA.logLikelihood[row]];
    const absent = state.person !== null && person !== state.person ? ` (person ${state.person} is not in this frame)` : "";
    const parts = [
      `Frame ${frame.name}, person ${person}${absent}: ${name}`,
      `log-likelihood ${likelihood.toFixed(2)} nats`,
      `${within ? "a joint is within" : `spread of the ${N === 1 ? "one hypothesis" : `${N} hypotheses`}`} ${levels(means)}, ` +
        `mean over joints, most at the ${spoken(DATA.joints[widest])}: ${levels(sizes[widest])}`,
    ];
    const far = Drawing.peopleFar(row).map((other) => `person ${DATA.people[other]}`);
    if (far.length) parts.push(`farther than ${Drawing.FARTHEST / 1000} m away and not drawn: ${far.join(", ")}`);
    if (!DATA.reliable[row]) parts.unshift("PROBABLY WRONG: the chosen pose does not lie on the keypoints");
    byId("status").classList.toggle("doubtful", !DATA.reliable[row]);
    if (state.hypothesis) {
      parts.push(`${mm(mean(pose.map((point, joint) => distance(point, chosen[joint]))))} from the chosen pose, mean over joints`);
    }
    if (imageSizes.get(state.frame) === null) parts.push("the browser can't show this frame's image");
    byId("status").textContent = `${parts.join("; ")}.`;

    byId("frame").value = state.frame;
    byId("frame-name").textContent = `${frame.name} (${state.frame + 1} of ${FRAMES.length})`;
    byId("frame").setAttribute("aria-valuetext", `frame ${frame.name}`);
    byId("hypothesis").value = state.hypothesis;
    byId("hypothesis-name").textContent = state.hypothesis ? `${state.hypothesis} of ${N}` : "0: chosen pose";
    byId("hypothesis").setAttribute("aria-valuetext", name);
    const overlay = `${state.reprojections ? "with" : "without"} the reprojection of ${name}`;
    flat.setAttribute("aria-label", `2D input of frame ${frame.name}, person ${person}, ${overlay}`);
    const meaning = within ? Drawing.RADIUS : Drawing.SPREAD;
    byId("ellipsoids-label").title = `Of each joint: ${meaning} (e)`;
    byId("ellipsoids-legend").textContent = `ellipsoid: ${meaning}`;
    byId("solid-heading").textContent = `Hypotheses in 3D (grid ${Drawing.grid(row)} mm)`;
    const ellipsoids = state.ellipsoids ? `, with an ellipsoid of each joint's ${within ? "50 % radius" : "spread"}` : "";
    solid.setAttribute("aria-label", `${name} in 3D, frame ${frame.name}, person ${person}${ellipsoids}`);
    if (byId("numbers").open) tabulate(pose, sizes);
  }

  // `sizes` are both radii of each joint, or its spread.
  function tabulate(pose, sizes) {
    const head = document.createElement("tr");
    for (const text of ["Joint", "right", "down", "away", ...(sizes[0].length > 1 ? ["50 % radius", "90 % radius"] : ["spread"])]) {
      const cell = document.createElement("th");
      cell.scope = "col";
      cell.textContent = text === "Joint" ? text : `${text} (mm)`;
      head.append(cell);
    }
    byId("numbers").querySelector("thead").replaceChildren(head);
    const rows = pose.map((point, joint) => {
      const row = document.createElement("tr");
      const name = document.createElement("th");
      name.scope = "row";
      name.textContent = spoken(DATA.joints[joint]);
      row.append(name);
      for (const value of [...point, ...sizes[joint]]) row.insertCell().textContent = value.toFixed(0);
      return row;
    });
    byId("numbers").querySelector("tbody").replaceChildren(...rows);
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

  // ---- The view of the 3D drawing ----

  function look(name) {
    Object.assign(state.view, Drawing.VIEWS[name], { size: Drawing.HOME_SIZE, centre: [0, 0, 0] });
    draw();
  }

  function zoom(factor) {
    const size = Math.min(Math.max(factor * state.view.size, 0.1 * Drawing.HOME_SIZE), 20 * Drawing.HOME_SIZE);
    // What is in the middle stays there.
    state.view.centre = state.view.centre.map((value) => (value * size) / state.view.size);
    state.view.size = size;
    draw();
  }

  // By a drawing's height of pixels, half a turn; the poses stay upright.
  function turn(dx, dy) {
    const { view } = state;
    const most = Drawing.VIEWS.above.elevation;
    view.azimuth -= (Math.PI * dx) / solid.clientHeight;
    view.elevation = Math.min(Math.max(view.elevation + (Math.PI * dy) / solid.clientHeight, -most), most);
    moveCamera();
  }

  function move(dx, dy) {
    const { right, up } = Drawing.viewAxes();
    const scale = 2 / solid.clientHeight;
    state.view.centre = state.view.centre.map((value, axis) => value + scale * (dy * up[axis] - dx * right[axis]));
    moveCamera();
  }

  let moving = false;
  // Much cheaper than to draw.
  function moveCamera() {
    if (moving) return;
    moving = true;
    requestAnimationFrame(() => {
      moving = false;
      Plotly.relayout(solid, { "scene.camera": Drawing.camera() });
    });
  }

  // One finger or the mouse turns, two fingers or the right button move, two fingers apart zoom.
  const pointers = new Map();
  const middle = ([a, b = a]) => a.map((value, axis) => (value + b[axis]) / 2);
  on(solid, "pointerdown", (event) => {
    pointers.set(event.pointerId, [event.clientX, event.clientY]);
    solid.setPointerCapture(event.pointerId);
  });
  on(solid, "pointermove", (event) => {
    if (!pointers.has(event.pointerId)) return;
    const before = [...pointers.values()];
    pointers.set(event.pointerId, [event.clientX, event.clientY]);
    const after = [...pointers.values()];
    const [dx, dy] = middle(after).map((value, axis) => value - middle(before)[axis]);
    if (after.length > 1) {
      zoom(distance(after[0], after[1]) / Math.max(distance(before[0], before[1]), 1));
      move(dx, dy);
    } else if (event.buttons & 2 || event.shiftKey) {
      move(dx, dy);
    } else {
      turn(dx, dy);
    }
  });
  for (const end of ["pointerup", "pointercancel"]) {
    on(solid, end, (event) => pointers.delete(event.pointerId));
  }
  on(solid, "wheel", (event) => {
    event.preventDefault();
    zoom(Math.exp(-0.001 * event.deltaY));
  }, { passive: false });
  on(solid, "contextmenu", (event) => event.preventDefault());

  // ---- Control ----

  const clamp = (value, most) => Math.min(Math.max(value, 0), most);
  function goTo(frame) { state.frame = clamp(frame, FRAMES.length - 1); draw(); }
  function show(hypothesis) { state.hypothesis = clamp(hypothesis, N); draw(); }
  function toggle(name) { if (!byId(name).disabled) set(name, !state[name]); }
  function set(name, wanted) {
    state[name] = byId(name).checked = wanted;
    // The middle of the drawing is another one.
    if (name === "everybody") Object.assign(state.view, { size: Drawing.HOME_SIZE, centre: [0, 0, 0] });
    draw();
  }
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

  function play(wanted) {
    playing = wanted && FRAMES.length > 1;
    byId("play").textContent = playing ? "Pause" : "Play";
    // Screen readers would read every frame.
    byId("status").setAttribute("aria-live", playing ? "off" : "polite");
    frameShownAt = performance.now();
    if (playing) requestAnimationFrame(advance);
  }

  // Keeps to the clock: where drawing is slow, frames are left out.
  function advance(now) {
    if (!playing) return;
    const interval = 1000 / Number(byId("speed").value);
    const steps = Math.floor((now - frameShownAt) / interval);
    if (steps < 1) {
      requestAnimationFrame(advance);
      return;
    }
    frameShownAt += steps * interval;
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
    " ": () => play(!playing),
    e: () => toggle("ellipsoids"),
    r: () => toggle("reprojections"),
    o: () => toggle("others"),
    b: () => toggle("everybody"),
    p: nextPerson,
    z: toggleNear,
    f: () => look("front"),
    s: () => look("side"),
    a: () => look("above"),
    "+": () => zoom(1.25),
    "-": () => zoom(0.8),
    "?": () => byId("help").showModal(),
  };

  on(document, "keydown", (event) => {
    const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
    const focused = document.activeElement || document.body;
    // What a focused control does with a key itself stays its own.
    const taken =
      byId("help").open || focused.matches("select, textarea, input[type=number]") ||
      (focused.matches("input[type=range]") && /^(Arrow|Home|End)/.test(key)) ||
      (focused.matches("button, summary, input[type=checkbox]") && key === " ");
    if (taken || event.ctrlKey || event.metaKey || event.altKey || !Object.hasOwn(KEYS, key)) return;
    event.preventDefault();
    KEYS[key]();
  });

  const onClick = (element, act) => on(element, "click", act);
  on(byId("frame"), "input", (event) => goTo(Number(event.target.value)));
  on(byId("hypothesis"), "input", (event) => show(Number(event.target.value)));
  on(byId("person"), "change", (event) => { state.person = event.target.value; draw(); });
  on(byId("numbers"), "toggle", draw);
  onClick(byId("play"), () => play(!playing));
  onClick(byId("near"), toggleNear);
  onClick(byId("ask"), () => byId("help").showModal());
  for (const name of TOGGLES) {
    byId(name).checked = state[name]; // Browsers bring back what was set before a reload.
    on(byId(name), "change", () => set(name, byId(name).checked));
  }
  for (const button of document.querySelectorAll("[data-view]")) onClick(button, () => look(button.dataset.view));
  for (const button of document.querySelectorAll("[data-zoom]")) onClick(button, () => zoom(Number(button.dataset.zoom)));

  byId("frame").max = FRAMES.length - 1;
  byId("frame").disabled = byId("play").disabled = FRAMES.length < 2;
  byId("hypothesis").max = N;
  byId("person-label").hidden = byId("everybody-label").hidden = FRAMES.every((frame) => frame.rows.length < 2);
  byId("everybody").disabled = !DATA.places || byId("everybody-label").hidden;
  byId("everybody-label").title = DATA.places
    ? "The frame's other people where they stand, in grey (b)"
    : "Where people stand is not known: the image's size was not given";
  byId("near").setAttribute("aria-pressed", "false");
  byId("about").replaceChildren(...DATA.about.map(([name, value]) => {
    const item = document.createElement("div");
    const term = document.createElement("dt");
    const description = document.createElement("dd");
    term.textContent = name;
    description.textContent = value;
    item.append(term, description);
    return item;
  }));
  draw();
}
