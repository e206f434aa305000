// What Plotly is given: the numbers that html.py packed, or the demo lifted, as traces and layouts of the 2D and the 3D
// drawing.
"use strict";
const makeDrawing = (DATA) => {
  const FRAMES = DATA.frames;
  const J = DATA.joints.length;
  const N = DATA.numHypotheses;
  const MADE = performance.now();

  // Okabe and Ito's colours; sides also differ in line, width and symbol, for who doesn't see colours.
  const SIDES = {
    left: { colour: "#D55E00", dashed: false, width: 8, symbol: "circle", size: 8 },
    right: { colour: "#0072B2", dashed: true, width: 8, symbol: "diamond", size: 7 },
    middle: { colour: "#444444", dashed: false, width: 4, symbol: "circle", size: 5 },
  };
  const REPROJECTION_COLOUR = "#009E73";
  const OTHER_PEOPLE_COLOUR = "#666666";
  const FARTHEST = 20000; // mm; of whom is farther from the shown person nothing would be seen but a dot.
  const DASH_CORE = 3; // A dashed line in 3D has gaps as long as a forearm: a thin one goes through.
  const FLAT_WIDTH = 0.45; // Of a line's width in 3D.
  const FLAT_SIZE = 1.3; // Of a marker's size in 3D.
  const SMALLEST_ELLIPSOID = 1; // mm; the root has none.
  const ELLIPSOID_SKIN = 10; // mm more on all sides: most spread is in depth alone, and a needle isn't seen.
  const SPREAD = `one standard deviation about the mean, and ${ELLIPSOID_SKIN} mm all round`;
  const RADIUS = "the hypotheses' shape, as large as the 50 % radius (root mean square of the semi-axes)";
  const HOME_SIZE = 1.75; // Of the longest axis; Plotly shows two units from top to bottom.
  const EYE_DISTANCE = 1.75; // Without perspective it changes nothing but what is behind the eye.
  // Where the eye stands, radians: to the right of the camera and above it; not straight above, where up is lost.
  const VIEWS = {
    front: { azimuth: 0, elevation: 0 },
    side: { azimuth: Math.PI / 2, elevation: 0 },
    above: { azimuth: 0, elevation: 0.49 * Math.PI },
  };

  // What is shown; viewer.js changes it.
  const state = {
    frame: 0, person: null, hypothesis: 0, ellipsoids: false, reprojections: true, others: true, near: false,
    everybody: Boolean(DATA.places) && FRAMES.some(({ rows }) => rows.length > 1),
    view: { ...VIEWS.front, size: HOME_SIZE, centre: [0, 0, 0] },
  };

  // ---- Numbers ----

  const unpacked = (packed) => {
    if (packed instanceof Float32Array) return packed;
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
  const RADII = DATA.radius && unpacked(DATA.radius);

  // J points of 2 or 3 numbers.
  const points = (values, size, index) => {
    const start = index * J * size;
    return DATA.joints.map((_, joint) => Array.from(values.subarray(start + joint * size, start + (joint + 1) * size)));
  };
  const keypoints = (row) => points(KEYPOINTS, 2, row);
  const isVisible = (row) => (joint) => VISIBLE[row * J + joint] > 0;
  const visibleKeypoints = (row) => keypoints(row).filter((_, joint) => isVisible(row)(joint));
  const chosenPose = (row) => points(POSE, 3, row);
  const hypothesis = (row, index) => points(HYPOTHESES, 3, row * N + index);
  const shownPose = (row) => (state.hypothesis ? hypothesis(row, state.hypothesis - 1) : chosenPose(row));
  const shownReprojection = (row) =>
    state.hypothesis
      ? points(HYPOTHESES_REPROJECTION, 2, row * N + state.hypothesis - 1)
      : points(REPROJECTION, 2, row);

  // The (3, 3) root of a joint's covariance, and the joint's spread: the root of the covariance's trace.
  const covarianceRoot = (row, joint) => ELLIPSOIDS.subarray((row * J + joint) * 9, (row * J + joint + 1) * 9);
  const spread = (row, joint) => Math.hypot(...covarianceRoot(row, joint));
  // The 50 % and the 90 % radius of the shown pose's joints; null where nothing is calibrated: hypotheses are not.
  const radii = (row) => (RADII && !state.hypothesis ? points(RADII, 2, row) : null);

  const toPlot = ([x, y, z]) => [x, z, -y];
  const distance = (a, b) => Math.hypot(...a.map((value, axis) => value - b[axis]));
  const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const mm = (value) => `${value.toFixed(0)} mm`;
  const spoken = (joint) => joint.replace(/_/g, " ");
  // Plotly reads some HTML in labels; names are only names.
  const escaped = (text) => text.replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;");

  // ---- Traces ----

  function coordinates(list) {
    const named = { x: list.map((point) => point[0]), y: list.map((point) => point[1]) };
    return list.length && list[0].length === 3 ? { ...named, z: list.map((point) => point[2]) } : named;
  }

  // Lines of some poses' bones on one side (null: on all), separated by gaps.
  function lines(poses, side, seen = () => true) {
    const ends = [];
    for (const pose of poses) {
      DATA.bones.forEach(([first, second], bone) => {
        if ((!side || DATA.boneSides[bone] === side) && seen(first) && seen(second)) {
          ends.push(pose[first], pose[second], pose[first].map(() => null));
        }
      });
    }
    return coordinates(ends);
  }

  function markers(type, pose, scale, texts, seen = () => true) {
    const joints = DATA.joints.map((_, joint) => joint).filter(seen);
    const look = (name) => joints.map((joint) => SIDES[DATA.jointSides[joint]][name]);
    return {
      type, mode: "markers", ...coordinates(joints.map((joint) => pose[joint])),
      marker: {
        color: look("colour"), symbol: look("symbol"), size: look("size").map((size) => scale * size),
        opacity: 1, line: { width: 0 },
      },
      text: joints.map((joint) => texts[joint]), hovertemplate: "%{text}<extra></extra>",
    };
  }

  function solidTraces(row) {
    const pose = shownPose(row);
    const plotted = pose.map(toPlot);
    const others = [];
    for (let index = 0; index < N; index += 1) {
      if (index !== state.hypothesis - 1) others.push(hypothesis(row, index).map(toPlot));
    }
    const within = radii(row);
    const texts = pose.map(
      ([x, y, z], joint) =>
        `<b>${escaped(spoken(DATA.joints[joint]))}</b><br>right ${mm(x)}<br>up ${mm(-y)}<br>away ${mm(z)}<br>` +
        (within ? `within ${mm(within[joint][0])} (50 %), ${mm(within[joint][1])} (90 %)` : `spread ${mm(spread(row, joint))}`)
    );
    const line = (side, poses, width, dash = "solid") => ({
      type: "scatter3d", mode: "lines", hoverinfo: "skip", ...lines(poses, side),
      line: { color: SIDES[side].colour, width, dash },
    });
    const sides = Object.entries(SIDES);
    const people = peopleBeside(row).map((other) => placedPose(other, row).map(toPlot));
    return [
      {
        type: "scatter3d", mode: "lines", hoverinfo: "skip", ...lines(people, null), visible: people.length > 0,
        line: { color: OTHER_PEOPLE_COLOUR, width: 4 },
      },
      ...sides.map(([side]) => ({ ...line(side, others, 2), opacity: 0.3, visible: state.others })),
      ellipsoidTrace(row),
      ...sides.map(([side, style]) => line(side, [plotted], style.width, style.dashed ? "longdash" : "solid")),
      ...sides.filter(([, style]) => style.dashed).map(([side]) => line(side, [plotted], DASH_CORE)),
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

  // As html.py says: of the size of the 50 % radii where they are calibrated.
  function ellipsoidTrace(row) {
    const vertices = [];
    const triangles = [];
    const colours = [];
    const within = radii(row);
    const size = (joint) => (within ? within[joint][0] : spread(row, joint));
    const joints = DATA.joints.map((_, joint) => joint).filter((joint) => size(joint) >= SMALLEST_ELLIPSOID);
    const poses = within ? [chosenPose(row)] : Array.from({ length: N }, (_, index) => hypothesis(row, index));
    for (const joint of state.ellipsoids ? joints : []) {
      const shape = covarianceRoot(row, joint).map((value, place) => value + (place % 4 ? 0 : ELLIPSOID_SKIN));
      const scale = within ? (Math.sqrt(3) * within[joint][0]) / Math.hypot(...shape) : 1;
      const centre = [0, 1, 2].map((axis) => mean(poses.map((pose) => pose[joint][axis])));
      const offset = vertices.length;
      for (const [u, v, w] of SPHERE.vertices) {
        const at = (axis) =>
          centre[axis] + scale * (shape[3 * axis] * u + shape[3 * axis + 1] * v + shape[3 * axis + 2] * w);
        vertices.push(toPlot([at(0), at(1), at(2)]));
        colours.push(SIDES[DATA.jointSides[joint]].colour);
      }
      for (const triangle of SPHERE.triangles) triangles.push(triangle.map((vertex) => vertex + offset));
    }
    const corner = (index) => triangles.map((triangle) => triangle[index]);
    return {
      type: "mesh3d", hoverinfo: "skip", opacity: 0.4, visible: vertices.length > 0, vertexcolor: colours,
      ...coordinates(vertices), i: corner(0), j: corner(1), k: corner(2),
      lighting: { ambient: 1, diffuse: 0.2, specular: 0 },
    };
  }

  function flatTraces(row) {
    const pose = keypoints(row);
    const seen = isVisible(row);
    const reprojection = shownReprojection(row);
    const drawn = otherRows(row).map((other) => lines([keypoints(other)], null, isVisible(other)));
    const people = { x: drawn.flatMap((one) => one.x), y: drawn.flatMap((one) => one.y) };
    const label = (joint, [x, y]) =>
      `<b>${escaped(spoken(DATA.joints[joint]))}</b><br>x ${x.toFixed(1)} px, y ${y.toFixed(1)} px`;
    const texts = pose.map((point, joint) => label(joint, point));
    const line = (shown, color, width, dash = "solid") => ({
      type: "scatter", mode: "lines", hoverinfo: "skip", ...shown, line: { color, width, dash },
    });
    return [
      // White edges, to be seen on any picture.
      line(people, "#FFFFFF", 5),
      line(people, OTHER_PEOPLE_COLOUR, 2),
      line(lines([pose], null, seen), "#FFFFFF", 7),
      ...Object.entries(SIDES).map(([side, { colour, width, dashed }]) =>
        line(lines([pose], side, seen), colour, FLAT_WIDTH * width, dashed ? "7px,3px" : "solid")
      ),
      markers("scatter", pose, FLAT_SIZE, texts, seen),
      { ...line(lines([reprojection], null), REPROJECTION_COLOUR, 2, "2px,3px"), visible: state.reprojections },
      {
        type: "scatter", mode: "markers", ...coordinates(reprojection), visible: state.reprojections,
        marker: { color: REPROJECTION_COLOUR, symbol: "x-thin", size: 7, line: { width: 1.5, color: REPROJECTION_COLOUR } },
        text: reprojection.map(
          (point, joint) =>
            `reprojection of ${label(joint, point)}` +
            (seen(joint) ? `<br>${distance(point, pose[joint]).toFixed(1)} px from the input` : "")
        ),
        hovertemplate: "%{text}<extra></extra>",
      },
    ];
  }

  // ---- Layouts ----

  const FONT = { family: "system-ui, sans-serif", size: 12, color: "#222222" };
  const extents = (row) => bounds(row).map(([low, high]) => high - low);
  const grid = (row) =>
    [10, 20, 50, 100, 200, 500, 1000, 2000, 5000].find((step) => Math.max(...extents(row)) / step < 8) || 10000;

  const named = ([x, y, z]) => ({ x, y, z });

  // The view's axes in Plotly's: x right, y away, z up.
  function viewAxes() {
    const { azimuth, elevation } = state.view;
    const [sinA, cosA, sinE, cosE] = [Math.sin(azimuth), Math.cos(azimuth), Math.sin(elevation), Math.cos(elevation)];
    return { right: [cosA, sinA, 0], up: [-sinA * sinE, cosA * sinE, cosE], back: [sinA * cosE, -cosA * cosE, sinE] };
  }

  // Without perspective, as the method's own cameras see.
  function camera() {
    const { centre } = state.view;
    const eye = viewAxes().back.map((value, axis) => centre[axis] + EYE_DISTANCE * value);
    return { eye: named(eye), center: named(centre), up: named([0, 0, 1]), projection: { type: "orthographic" } };
  }

  // All axes to one scale.
  const aspectRatio = (row) =>
    named(extents(row).map((extent) => (state.view.size * extent) / Math.max(...extents(row))));

  function solidLayout(row) {
    // Numbers at the axes lie on each other wherever an axis is seen from its end; the grid's step is told in words.
    const axis = (text, range) => ({
      title: { text }, range, showspikes: false, showticklabels: false, ticks: "", dtick: grid(row), tick0: 0,
      gridcolor: "#D5D5D5", zerolinecolor: "#AAAAAA", backgroundcolor: "#FAFAFA", showbackground: true,
    });
    const [right, away, up] = bounds(row);
    const people = peopleBeside(row);
    return {
      margin: { l: 0, r: 0, t: 0, b: 0 }, font: FONT, showlegend: false, paper_bgcolor: "#FFFFFF",
      scene: {
        xaxis: axis("right", right), yaxis: axis("away", away), zaxis: axis("up", up),
        // Plotly stops listening to a turn for half a second after each frame: viewer.js turns.
        dragmode: false, camera: camera(), aspectmode: "manual", aspectratio: aspectRatio(row),
        annotations: people.length ? [...people, row].map((other) => placedLabel(other, row)) : [],
      },
    };
  }

  const otherRows = (row) => FRAMES[state.frame].rows.filter((other) => other !== row);

  // ---- People where they stand ----

  // From one row's root to another's, mm.
  const away = (other, row) => DATA.places[other].map((value, axis) => value - DATA.places[row][axis]);
  const isNear = (other, row) => Math.hypot(...away(other, row)) <= FARTHEST;
  const placedPose = (other, row) => {
    const offset = away(other, row);
    return chosenPose(other).map((point) => point.map((value, axis) => value + offset[axis]));
  };
  // Who is drawn beside the shown person, and who is too far away.
  const peopleBeside = (row) => (state.everybody ? otherRows(row).filter((other) => isNear(other, row)) : []);
  const peopleFar = (row) => (state.everybody ? otherRows(row).filter((other) => !isNear(other, row)) : []);

  // Ranges of right, away and up around a row's person: the same in all frames, so that nothing changes its size.
  const boundsAround = new Map();
  function bounds(row) {
    if (!state.everybody) return DATA.bounds3d;
    const person = DATA.people[row];
    if (!boundsAround.has(person)) {
      const ranges = DATA.bounds3d.map((range) => [...range]);
      for (const { rows } of FRAMES) {
        const own = rows.find((one) => DATA.people[one] === person);
        for (const other of own === undefined ? [] : rows.filter((one) => isNear(one, own))) {
          toPlot(away(other, own)).forEach((offset, axis) => {
            const [low, high] = DATA.bounds3d[axis];
            ranges[axis] = [Math.min(ranges[axis][0], low + offset), Math.max(ranges[axis][1], high + offset)];
          });
        }
      }
      boundsAround.set(person, ranges);
    }
    return boundsAround.get(person);
  }

  function placedLabel(other, row) {
    const [x, y, z] = placedPose(other, row).reduce((top, point) => (point[1] < top[1] ? point : top));
    const { text, ...look } = labelOf(other, other === row);
    const doubt = DATA.reliable[other] ? "" : ", probably wrong";
    // From above it lies on the person, who is to be seen.
    return { ...named(toPlot([x, y, z])), ...look, text: text + doubt, bgcolor: "rgba(0,0,0,0)" };
  }

  // ---- The 2D drawing ----

  // Half the side of a square that holds any row's keypoints, so that people keep their size from frame to frame.
  const NEAR_RADIUS = 0.6 * Math.max(1, ...DATA.people.map((_, row) => {
    const seen = visibleKeypoints(row);
    return seen.length ? Math.max(...[0, 1].map((axis) => span(seen, axis)[1] - span(seen, axis)[0])) : 0;
  }));

  function span(list, axis) {
    const values = list.map((point) => point[axis]);
    return [Math.min(...values), Math.max(...values)];
  }

  function flatRanges(row, size) {
    const seen = visibleKeypoints(row);
    if (state.near && seen.length) {
      const middles = [0, 1].map((axis) => mean(span(seen, axis)));
      return middles.map((middle) => [middle - NEAR_RADIUS, middle + NEAR_RADIUS]);
    }
    return size ? [[0, size[0]], [0, size[1]]] : DATA.bounds2d;
  }

  // Layout of the 2D drawing; `size` is [width, height] of the frame's image, if one is to be drawn.
  function flatLayout(row, size) {
    const [x, y] = flatRanges(row, size);
    const axis = { showgrid: !size, zeroline: false, gridcolor: "#EEEEEE", constrain: "domain", nticks: 6 };
    const picture = size && {
      source: FRAMES[state.frame].image, xref: "x", yref: "y", x: 0, y: 0, sizex: size[0], sizey: size[1],
      sizing: "stretch", layer: "below", xanchor: "left", yanchor: "top",
    };
    // The last lies on top.
    const others = otherRows(row);
    const labels = others.length ? [...others, row].map((other) => personLabel(other, other === row)) : [];
    return {
      margin: { l: 48, r: 8, t: 8, b: 40 }, font: FONT, showlegend: false, hovermode: "closest",
      // A finger scrolls the page.
      dragmode: matchMedia("(pointer: coarse)").matches ? false : "pan",
      // Another picture size or another way to look at it ends what was moved by hand.
      uirevision: `${state.near} ${size} ${MADE}`, plot_bgcolor: "#FAFAFA", paper_bgcolor: "#FFFFFF",
      xaxis: { ...axis, title: { text: "x (pixels)", standoff: 4 }, range: x },
      yaxis: { ...axis, title: { text: "y (pixels, down)", standoff: 4 }, range: [y[1], y[0]], scaleanchor: "x" },
      images: picture ? [picture] : [],
      annotations: labels.filter(Boolean),
    };
  }

  function personLabel(row, strong) {
    const seen = visibleKeypoints(row);
    if (!seen.length) return null;
    const top = seen.reduce((highest, point) => (point[1] < highest[1] ? point : highest));
    return { x: top[0], y: top[1], ...labelOf(row, strong) };
  }

  function labelOf(row, strong) {
    const text = `person ${escaped(DATA.people[row])}`;
    return {
      yshift: 8, yanchor: "bottom", showarrow: false, text: strong ? `<b>${text}</b>` : text,
      bgcolor: "rgba(255,255,255,0.8)", font: { size: 12, color: strong ? "#000000" : "#555555" },
    };
  }

  return {
    FARTHEST, FRAMES, HOME_SIZE, N, RADIUS, SPREAD, VIEWS, state, solidTraces, solidLayout, flatTraces, flatLayout,
    viewAxes, camera, grid, peopleFar, radii, shownPose, chosenPose, spread, distance, mean, mm, spoken,
  };
};
