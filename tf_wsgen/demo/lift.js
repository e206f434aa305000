// People's keypoints → hypotheses, as tf_wsgen.lifting has it, by the model in ONNX Runtime; and what the viewer shows.
"use strict";
const Lift = (() => {
  const J = DEMO.joints.length;
  const POSES_A_CALL = 500; // Hypotheses of all people, so that the page says how far it is.
  const sum = (values) => values.reduce((total, value) => total + value, 0);
  const mean = (values) => sum(values) / values.length;

  // ---- The model ----

  const bytes = (base64) => Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
  const unzipped = async (base64) =>
    new Uint8Array(await new Response(new Blob([bytes(base64)]).stream().pipeThrough(new DecompressionStream("gzip"))).arrayBuffer());

  let session = null;
  const loaded = () => (session ??= (async () => {
    // One thread and no worker: a page that is a file may start none.
    Object.assign(ort.env.wasm, { numThreads: 1, proxy: false, wasmBinary: await unzipped(RUNTIME.wasm) });
    const glue = URL.createObjectURL(new Blob([await unzipped(RUNTIME.glue)], { type: "text/javascript" }));
    ort.env.wasm.wasmPaths = { mjs: glue };
    return ort.InferenceSession.create(await unzipped(MODEL), { executionProviders: ["wasm"] });
  })());

  // Normal numbers of a seed: mulberry32, and Box and Muller's transform. They are not those of Python's seed.
  function codes(count, seed) {
    let state = seed >>> 0;
    const uniform = () => {
      state = (state + 0x6d2b79f5) >>> 0;
      let bits = Math.imul(state ^ (state >>> 15), state | 1);
      bits ^= bits + Math.imul(bits ^ (bits >>> 7), bits | 61);
      return (((bits ^ (bits >>> 14)) >>> 0) + 0.5) / 2 ** 32;
    };
    return Float32Array.from({ length: count * DEMO.codeSize }, () =>
      Math.sqrt(-2 * Math.log(uniform())) * Math.cos(2 * Math.PI * uniform()));
  }

  // ---- The ray to a person (tf_wsgen.geometry.ray) ----

  const times = (vector, matrix) => [0, 1, 2].map((column) => sum(vector.map((value, row) => value * matrix[row][column])));
  const transposed = (matrix) => matrix.map((_, row) => matrix.map((values) => values[row]));

  function rayThrough({ keypoints, sureness }, [width, height], focalLength) {
    const centre = [width / 2, height / 2];
    const [right, left] = DEMO.hips.map((hip) => keypoints[hip]);
    const root = sureness[DEMO.root] ? keypoints[DEMO.root] : right.map((value, axis) => (value + left[axis]) / 2);
    const offset = [...root.map((value, axis) => (value - centre[axis]) / focalLength), 1];
    const [x, y, z] = offset.map((value) => value / Math.hypot(...offset));
    const turn = [
      [1 - (x * x) / (1 + z), (-x * y) / (1 + z), -x], [(-x * y) / (1 + z), 1 - (y * y) / (1 + z), -y], [x, y, z],
    ];
    const seen = (matrix) => (point) => {
      const turned = times([...point.map((value, axis) => (value - centre[axis]) / focalLength), 1], matrix);
      return [0, 1].map((axis) => (turned[axis] / Math.max(turned[2], 1 / DEMO.farthest)) * focalLength + centre[axis]);
    };
    const place = (pose) =>
      rootPosition(pose, keypoints.map((point) => point.map((value, axis) => (value - centre[axis]) / focalLength)), sureness);
    return { toVirtual: seen(transposed(turn)), toImage: seen(turn), toCameraFrame: (point) => times(point, turn), place };
  }

  // Where a pose's root is for the pose to be seen at points (tf_wsgen.geometry.root_position), mm.
  function rootPosition(pose, points, sureness) {
    const { halfWeight, rounds, nearest } = DEMO.place;
    const seen = points.map((point, joint) => (sureness[joint] > 0 ? point : [0, 0]));
    const offset = pose.map((point, joint) => seen[joint].map((value, axis) => point[axis] - value * point[2]));
    const least = nearest - Math.min(...pose.map((point) => point[2]));
    let weight = sureness;
    for (let round = 0; ; round += 1) {
      const average = (values) => [0, 1].map((axis) => sum(values.map((value, joint) => weight[joint] * value[axis])) / sum(weight));
      const [meanSeen, meanOffset] = [average(seen), average(offset)];
      const product = (values) =>
        sum(values.map((value, joint) => weight[joint] * sum(value.map((one, axis) => one * (seen[joint][axis] - meanSeen[axis])))));
      const below = product(seen.map((point) => point.map((value, axis) => value - meanSeen[axis])));
      const away = Math.max(below > 0 ? product(offset) / below : 0, least);
      const across = meanSeen.map((value, axis) => value * away - meanOffset[axis]);
      if (round === rounds) return [...across, away];
      weight = pose.map((point, joint) => {
        const missed = across.map((value, axis) => point[axis] + value - seen[joint][axis] * (point[2] + away));
        return sureness[joint] / (1 + (Math.hypot(...missed) / halfWeight) ** 2);
      });
    }
  }

  // ---- Lifting ----

  const cut = (values, size) => Array.from({ length: values.length / size }, (_, k) => Array.from(values.subarray(k * size, (k + 1) * size)));

  // A pose of each row for z = 0, then for each code: rows with `poses` of {pose (J, 3) mm, reprojection (J, 2) pixels,
  // logLikelihood}. Rows that the model can't read are left out. It goes on while `progress` says so.
  async function lift(rows, z, imageSize, focalLength, progress = () => true) {
    const model = await loaded();
    const count = z.length / DEMO.codeSize + 1;
    const allCodes = new ort.Tensor("float32", new Float32Array(count * DEMO.codeSize), [1, count, DEMO.codeSize]);
    allCodes.data.set(z, DEMO.codeSize);
    const size = Math.max(1, Math.floor(POSES_A_CALL / count));
    const lifted = [];
    for (let start = 0; start < rows.length; start += size) {
      const batch = rows.slice(start, start + size);
      const rays = batch.map((row) => imageSize && rayThrough(row, imageSize, focalLength || DEMO.usualFocalLength * imageSize[0]));
      const inputs = batch.map(({ keypoints }, index) => (rays[index] ? keypoints.map(rays[index].toVirtual) : keypoints));
      const outputs = await model.run({
        keypoints: new ort.Tensor("float32", inputs.flat(2), [batch.length, J, 2]),
        visible: new ort.Tensor("float32", batch.flatMap(({ sureness }) => sureness), [batch.length, J]),
        z: allCodes,
      }, ["pose_3d", "reprojection", "log_likelihood"]);
      batch.forEach((row, index) => {
        const poses = Array.from({ length: count }, (_, code) => {
          const place = index * count + code;
          const of = ({ data }, axes) => cut(data.subarray(place * J * axes, (place + 1) * J * axes), axes);
          const [pose, reprojection] = [of(outputs.pose_3d, 3), of(outputs.reprojection, 2)];
          const logLikelihood = outputs.log_likelihood.data[place];
          return rays[index]
            ? { pose: pose.map(rays[index].toCameraFrame), reprojection: reprojection.map(rays[index].toImage), logLikelihood }
            : { pose, reprojection, logLikelihood };
        });
        const place = rays[index] ? rays[index].place(poses[0].pose) : null;
        if (Number.isFinite(sum(poses[0].pose.flat()))) lifted.push({ ...row, poses, place });
      });
      if (!progress(Math.min(start + size, rows.length))) break;
      await new Promise((resolve) => setTimeout(resolve));
    }
    return lifted;
  }

  // ---- What html.py tells of predictions ----

  const covariance = (points) => {
    const centre = [0, 1, 2].map((axis) => mean(points.map((point) => point[axis])));
    return [0, 1, 2].map((a) => [0, 1, 2].map((b) => mean(points.map((point) => (point[a] - centre[a]) * (point[b] - centre[b])))));
  };

  // The symmetric root of a symmetric matrix, by Jacobi's rotations.
  function root(matrix) {
    const values = matrix.map((row) => [...row]);
    const axes = [[1, 0, 0], [0, 1, 0], [0, 0, 1]];
    for (let round = 0; round < 30; round += 1) {
      const [p, q] = [[0, 1], [0, 2], [1, 2]][round % 3];
      if (Math.abs(values[p][q]) < 1e-12) continue;
      const angle = Math.atan2(2 * values[p][q], values[q][q] - values[p][p]) / 2;
      const [c, s] = [Math.cos(angle), Math.sin(angle)];
      for (const rows of [values, axes]) {
        for (const row of rows) [row[p], row[q]] = [c * row[p] - s * row[q], s * row[p] + c * row[q]];
      }
      [values[p], values[q]] = [values[p].map((v, k) => c * v - s * values[q][k]), values[p].map((v, k) => s * v + c * values[q][k])];
    }
    const deviation = [0, 1, 2].map((k) => Math.sqrt(Math.max(values[k][k], 0)));
    return axes.map((a) => axes.map((b) => sum(deviation.map((value, k) => a[k] * value * b[k]))));
  }

  // The radii of each joint (tf_wsgen.lifting.radius), one for each level.
  function radii(spreads, count) {
    const { counts, factors, leastSpread } = DEMO.radius;
    const high = Math.max(1, counts.findIndex((known) => known >= count));
    const [below, above] = [counts[high - 1], counts[high]].map(Math.log);
    const share = (Math.log(count) - below) / (above - below);
    return spreads.map((spread, joint) => factors[high].map((level, k) =>
      (factors[high - 1][k][joint] * (1 - share) + level[joint] * share) * Math.max(spread, leastSpread)));
  }

  const distance = (a, b) => Math.hypot(...a.map((value, axis) => value - b[axis]));
  function reliable({ keypoints, sureness, poses }) {
    const seen = DEMO.joints.map((_, joint) => joint).filter((joint) => sureness[joint] > 0);
    const error = mean(seen.map((joint) => distance(poses[0].reprojection[joint], keypoints[joint])));
    const centre = [0, 1].map((axis) => mean(seen.map((joint) => keypoints[joint][axis])));
    const squares = seen.flatMap((joint) => keypoints[joint].map((value, axis) => (value - centre[axis]) ** 2));
    return error <= (DEMO.largestError * Math.sqrt(mean(squares))) / DEMO.deviationByHeight;
  }

  function range(values) {
    const [low, high] = [values.reduce((a, b) => Math.min(a, b)), values.reduce((a, b) => Math.max(a, b))];
    const room = DEMO.margin * Math.max(high - low, DEMO.smallestExtent);
    return [low - room, high + room];
  }

  // All that drawing.js reads.
  function describe(lifted, about) {
    const frames = new Map();
    lifted.forEach(({ frame }, row) => frames.set(frame, [...(frames.get(frame) || []), row]));
    const chosen = lifted.map(({ poses }) => poses[0]);
    const hypotheses = lifted.flatMap(({ poses }) => poses.slice(1));
    const roots = lifted.map(({ poses }) => DEMO.joints.map((_, joint) => root(covariance(poses.slice(1).map(({ pose }) => pose[joint])))));
    const seen = lifted.flatMap(({ keypoints, sureness }) => keypoints.filter((_, joint) => sureness[joint] > 0));
    const flat = [...seen, ...chosen.flatMap(({ reprojection }) => reprojection)];
    const solid = [...chosen, ...hypotheses].flatMap(({ pose }) => pose);
    const [, across] = range([0, ...solid.flatMap(([x, , z]) => [Math.abs(x), Math.abs(z)])]);
    const packed = (nested) => Float32Array.from(nested.flat(3));
    return {
      joints: DEMO.joints, bones: DEMO.bones, jointSides: DEMO.jointSides, boneSides: DEMO.boneSides,
      numHypotheses: lifted[0].poses.length - 1,
      frames: [...frames].map(([name, rows]) => ({ name, rows, image: null })),
      people: lifted.map(({ person }) => person),
      about, imageSize: null, // Of images, which there are none of.
      bounds2d: [0, 1].map((axis) => range(flat.map((point) => point[axis]))),
      bounds3d: [[-across, across], [-across, across], range(solid.map((point) => -point[1]))],
      keypoints: packed(lifted.map(({ keypoints }) => keypoints)),
      visible: packed(lifted.map(({ sureness }) => sureness.map((value) => (value > 0 ? 1 : 0)))),
      pose: packed(chosen.map(({ pose }) => pose)),
      reprojection: packed(chosen.map(({ reprojection }) => reprojection)),
      hypotheses: packed(hypotheses.map(({ pose }) => pose)),
      hypothesesReprojection: packed(hypotheses.map(({ reprojection }) => reprojection)),
      ellipsoids: packed(roots.flat()),
      reliable: lifted.map(reliable),
      radius: DEMO.radius && packed(roots.map((joints) =>
        radii(joints.map((one) => Math.hypot(...one.flat())), lifted[0].poses.length - 1))),
      places: lifted.every(({ place }) => place) ? lifted.map(({ place }) => place.map(Math.round)) : null,
      logLikelihood: chosen.map(({ logLikelihood }) => logLikelihood),
      hypothesesLogLikelihood: hypotheses.map(({ logLikelihood }) => logLikelihood),
    };
  }

  return { loaded, codes, lift, describe };
})();
