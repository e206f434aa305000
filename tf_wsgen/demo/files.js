// Text of a detector's file → people in the joints of the model, as tf_wsgen.datasets.readers has it; every table of
// joints, names and limits is Python's own (DEMO).
"use strict";
const Files = (() => {
  // What is wrong with a file, as a sentence to show.
  class Refused extends Error {}

  const isNumber = (value) => typeof value === "number" && Number.isFinite(value);
  const isObject = (value) => typeof value === "object" && value !== null && !Array.isArray(value);
  const shown = (value) => JSON.stringify(value === undefined ? "nothing" : value).slice(0, 60);

  function list(value, where) {
    if (!Array.isArray(value)) throw new Refused(`${where} is ${shown(value)}; expected a list.`);
    return value;
  }

  function number(value, where) {
    if (!isNumber(value)) throw new Refused(`${where} is ${shown(value)}; expected a finite number.`);
    return value;
  }

  // [[x, y, confidence], …] of x, y, confidence, x, y, …
  function triples(values, where) {
    list(values, where).forEach((value, index) => number(value, `${where}[${index}]`));
    if (!values.length || values.length % 3) {
      throw new Refused(`${where} has ${values.length} numbers; expected three a joint: x, y, confidence.`);
    }
    return Array.from({ length: values.length / 3 }, (_, joint) => values.slice(3 * joint, 3 * joint + 3));
  }

  const identity = (value) => {
    const inner = Array.isArray(value) && value.length === 1 ? identity(value[0]) : value;
    return Number.isSafeInteger(inner) && inner >= 0 ? inner : null;
  };

  function frameOf(value, where) {
    if (typeof value !== "string" && !Number.isSafeInteger(value)) {
      throw new Refused(`${where} is ${shown(value)}; expected a frame's number or an image's name.`);
    }
    return value;
  }

  // ---- Formats: each gives functions that read a person, one wrong entry not sinking the file ----

  // In 2017 the key had no "_2d".
  const openpose = (content, frame) =>
    list(content.people, "people").map((person, index) => () => {
      const key = "pose_keypoints" in person ? "pose_keypoints" : "pose_keypoints_2d";
      return { frame, person: identity(person.person_id), joints: triples(person[key], `people[${index}].${key}`) };
    });

  const cocoResults = (content) =>
    content.map((entry, index) => () => ({
      frame: frameOf(entry.image_id, `[${index}].image_id`), person: identity(entry.idx),
      joints: triples(entry.keypoints, `[${index}].keypoints`),
    }));

  const cocoAnnotations = (content) =>
    list(content.annotations, "annotations").map((entry, index) => () => {
      const where = `annotations[${index}]`;
      const joints = triples(entry.keypoints, `${where}.keypoints`).map(([x, y, flag]) => {
        if (![0, 1, 2].includes(flag)) throw new Refused(`${where}.keypoints has visibilities other than 0, 1 and 2.`);
        return flag ? [x, y, 1] : [0, 0, 0];
      });
      return { frame: frameOf(entry.image_id, `${where}.image_id`), person: identity(entry.track_id), joints };
    });

  // Landmarks of a pose, of several, or a list of frames of those.
  const isLandmark = (value) => Array.isArray(value) && isObject(value[0]) && "x" in value[0];
  function mediapipe(content) {
    const frames = Array.isArray(content) && !isLandmark(content) ? content : [content];
    return frames.flatMap((given, index) => {
      const key = isObject(given) && DEMO.frameKeys.find((name) => name in given);
      const frame = key ? frameOf(given[key], `[${index}].${key}`) : index;
      let poses = given;
      for (const name of ["pose_landmarks", "landmarks", "landmark"]) {
        if (isObject(poses) && name in poses) poses = poses[name];
      }
      if (!poses) return [];
      return (isLandmark(poses) ? [poses] : list(poses, `frame ${frame}`)).map((pose, place) => () => {
        const where = `frame ${frame}, pose ${place}`;
        const landmarks = isObject(pose) && "landmark" in pose ? pose.landmark : pose;
        const joints = list(landmarks, where).map((one, joint) => {
          if (!isObject(one)) throw new Refused(`${where}[${joint}] is ${shown(one)}; expected an object with x and y.`);
          const { x, y, visibility = 1 } = one;
          return [x, y, visibility].map((value) => number(value, `${where}[${joint}]`));
        });
        return { frame, person: null, joints };
      });
    });
  }

  // A pasted pose: a list of [x, y] or [x, y, confidence].
  const isPose = (content) => Array.isArray(content) && Array.isArray(content[0]) && isNumber(content[0][0]);
  const points = (content) => [() => ({
    frame: 0, person: null,
    joints: content.map((joint, index) => {
      const values = list(joint, `[${index}]`).map((value) => number(value, `[${index}]`));
      if (values.length < 2 || values.length > 3) {
        throw new Refused(`[${index}] has ${values.length} numbers; expected x, y and perhaps a confidence.`);
      }
      return [values[0], values[1], values.length > 2 ? values[2] : 1];
    }),
  })];

  function parsed(text) {
    try {
      return JSON.parse(text);
    } catch (error) {
      const lines = text.split("\n").filter((line) => line.trim());
      try {
        if (lines.length > 1) return lines.map((line) => JSON.parse(line));
      } catch { /* The first message is the better one. */ }
      throw new Refused(`is not JSON (${error.message}).`);
    }
  }

  function readJson(content, frame) {
    const first = (value) => (Array.isArray(value) ? value.map(first).find((inner) => inner !== undefined) : value);
    const entry = first(content);
    if (isPose(content)) return { format: "array", people: points(content) };
    if (isObject(content) && "people" in content) return { format: "openpose", people: openpose(content, frame) };
    if (isObject(content) && "annotations" in content) {
      return { format: "coco_annotations", people: cocoAnnotations(content), ...cocoAbout(content) };
    }
    if (isObject(entry) && ["landmarks", "pose_landmarks", "landmark", "x"].some((key) => key in entry)) {
      return { format: "mediapipe", people: mediapipe(content) };
    }
    if (Array.isArray(content) && isObject(entry) && Array.isArray(entry.keypoints) && "image_id" in entry) {
      return { format: "coco_results", people: cocoResults(content) };
    }
    throw new Refused(
      "is none of the formats that this page reads: COCO's data and results, OpenPose, MediaPipe, CSV, or a list of " +
      "points. scripts/predict.py reads many more."
    );
  }

  // Names of joints and the images' size, where the file tells them.
  function cocoAbout(content) {
    const named = (Array.isArray(content.categories) ? content.categories : []).find((one) => isObject(one) && Array.isArray(one.keypoints));
    const sizes = new Set((Array.isArray(content.images) ? content.images : []).map((image) => `${image?.width} ${image?.height}`));
    const size = sizes.size === 1 ? [...sizes][0].split(" ").map(Number) : [];
    return { names: named && named.keypoints.map(String), imageSize: size.length && size.every((value) => value > 0) ? size : null };
  }

  // ---- CSV: a row a joint, or a row a person ----

  function cells(text) {
    const first = text.slice(0, text.search(/[\r\n]|$/));
    const separator = [",", ";", "\t"].reduce((a, b) => (first.split(b).length > first.split(a).length ? b : a));
    const rows = [];
    let [row, cell, quoted] = [[], "", false];
    const end = () => { row.push(cell.trim()); cell = ""; };
    for (let at = 0; at < text.length; at += 1) {
      const character = text[at];
      if (quoted) {
        if (character !== '"') cell += character;
        else if (text[at + 1] === '"') { cell += '"'; at += 1; } else quoted = false;
      } else if (character === '"' && !cell.trim()) quoted = true;
      else if (character === separator) end();
      else if (character === "\n") { end(); rows.push(row); row = []; } else if (character !== "\r") cell += character;
    }
    if (cell || row.length) { end(); rows.push(row); }
    return { rows: rows.filter((one) => one.some((value) => value)), comma: separator === ";" };
  }

  // Each text's number, and the names, which have those of their order.
  function numbersOfPersons(texts) {
    const there = [...new Set(texts)].filter((text) => !DEMO.csv.missing.includes(text.toLowerCase()));
    const numbers = new Map(there.map((text) => [text, /^(?:track_)?([0-9]{1,15})$/.exec(text)]));
    const names = there.filter((text) => !numbers.get(text));
    if (names.length && names.length < there.length) {
      throw new Refused(
        `line ${texts.indexOf(names[0]) + 2}: person is ${shown(names[0])}, and others are numbers; expected a whole ` +
        "number from 0, or names of all."
      );
    }
    there.forEach((text, place) => numbers.set(text, names.length ? place : Number(numbers.get(text)[1])));
    return { numbers, names };
  }

  function readCsv(text, convention) {
    const { rows: [header, ...rows], comma } = cells(text);
    const { meant, missing } = DEMO.csv;
    const others = new RegExp(`^(${DEMO.csv.others})$`);
    const unread = header.filter((name) => others.test(name.toLowerCase()));
    const columns = {};
    const joints = new Map();
    header.forEach((name, place) => {
      if (unread.includes(name)) return;
      const column = meant[name.toLowerCase()];
      const [, joint, quantity] = column ? [null, "", column] : /^(.+)[_. ]([A-Za-z]+)$/.exec(name) || [];
      const what = column || (quantity && meant[quantity.toLowerCase()]);
      if (["frame", "person", "joint"].includes(column)) columns[column] ??= place;
      else if (["x", "y", "z", "confidence"].includes(what)) joints.set(joint, { [what]: place, ...joints.get(joint) });
      else if (place || !DEMO.csv.index.includes(name.toLowerCase())) {
        throw new Refused(`line 1 has an unknown column ${shown(name)}; ${DEMO.csv.expected}`);
      }
    });
    if (!("joint" in columns) && Object.keys(joints.get("") || {}).join() === "confidence") {
      unread.push(header[joints.get("").confidence]); // The whole person's.
      joints.delete("");
    }
    for (const [joint, places] of joints) {
      if (!("x" in places && "y" in places)) throw new Refused(`line 1 has no x and y of ${shown(joint)}; ${DEMO.csv.expected}`);
    }
    if (!joints.size || ("joint" in columns) !== joints.has("")) throw new Refused(`line 1: ${DEMO.csv.expected}`);
    const people = new Map();
    const whole = (value) => value.replace(/^([0-9]{1,15})\.0*$/, "$1");
    const persons = numbersOfPersons("person" in columns ? rows.map((row) => whole(row[columns.person] ?? "")) : []);
    rows.forEach((row, index) => {
      const line = `line ${index + 2}`;
      if (row.length !== header.length) throw new Refused(`${line} has ${row.length} cells; expected ${header.length}.`);
      const frame = "frame" in columns ? whole(row[columns.frame]) : String("joint" in columns ? 0 : index);
      const who = "person" in columns ? whole(row[columns.person]) : "";
      const key = `${frame}\n${who}`;
      const given = people.get(key) || { frame, person: persons.numbers.get(who) ?? null, named: new Map() };
      people.set(key, given);
      for (const [joint, places] of joints) {
        const name = joint || row[columns.joint];
        const [x, y, confidence] = ["x", "y", "confidence"].map((quantity) => {
          if (!(quantity in places)) return 1;
          const cell = comma ? row[places[quantity]].replace(",", ".") : row[places[quantity]];
          const value = missing.includes(cell.toLowerCase()) ? NaN : Number(cell);
          if (Number.isNaN(value) && !missing.includes(cell.toLowerCase())) {
            throw new Refused(`${line}: ${quantity} of ${shown(name)} is ${shown(cell)}; expected a number.`);
          }
          return value;
        });
        if (Number.isNaN(x) && Number.isNaN(y)) continue;
        if (given.named.has(name)) throw new Refused(`${line}: ${shown(name)} in frame ${shown(frame)} is there already.`);
        given.named.set(name, Number.isNaN(x + y) ? [0, 0, 0] : [x, y, confidence]);
      }
    });
    const names = [...new Set([...people.values()].flatMap((one) => [...one.named.keys()]))];
    const table = tableOfNames(names, convention);
    return {
      format: "csv", table,
      notes: [
        ...(unread.length ? [`columns that are no joints are not read: ${unread.join(", ")}`] : []),
        ...(persons.names.length ? [`people: ${persons.names.slice(0, 10).map((name, place) => `${place} is ${name}`).join(", ")}`] : []),
      ],
      people: [...people.values()].map(({ frame, person, named }) => () => ({
        frame, person, joints: DEMO.conventions[table].joints.map((joint) => named.get(joint) || [0, 0, 0]),
      })),
    };
  }

  // ---- Joints ----

  // The convention with just these joints, or the only one that has them all.
  function tableOfNames(names, convention) {
    const tables = Object.entries(DEMO.conventions).filter(([name]) => !convention || name === convention);
    const having = tables.filter(([, { joints }]) => names.every((name) => joints.includes(name)));
    const exact = having.filter(([, { joints }]) => joints.length === names.length);
    const fitting = exact.length ? exact : having;
    if (names.length && fitting.length === 1) return fitting[0][0];
    if (fitting.length) throw new Refused(`the joints fit any of ${fitting.map(([name]) => name).join(", ")}.`);
    const shared = ([, { joints }]) => names.filter((name) => joints.includes(name)).length;
    const [nearest, { joints }] = tables.reduce((a, b) => (shared(b) > shared(a) ? b : a));
    const unknown = names.find((name) => !joints.includes(name));
    throw new Refused(`joint ${shown(unknown)} is unknown in convention ${nearest}; expected ${joints.slice(0, 40).join(", ")}.`);
  }

  function tableOfCount(count, format) {
    const among = DEMO.formats[format];
    const name = among.find((one) => DEMO.conventions[one].joints.length === count);
    if (!name) {
      const known = among.map((one) => `${one} (${DEMO.conventions[one].joints.length})`).join(", ");
      throw new Refused(`a person has ${count} joints; expected those of one of ${known}.`);
    }
    return name;
  }

  // The file's joints as the model's: sums of Python's weights, the best way of each joint first.
  function converted(joints, table) {
    const there = ([x, y, confidence]) =>
      confidence >= DEMO.lowestConfidence && !(x === 0 && y === 0) && !(x === -1 && y === -1);
    const keypoints = DEMO.joints.map(() => [0, 0]);
    const sureness = DEMO.joints.map(() => 0);
    for (const [target, parts, weights] of DEMO.conventions[table].ways) {
      if (sureness[target] || !parts.every((part) => there(joints[part]))) continue;
      keypoints[target] = [0, 1].map((axis) => parts.reduce((sum, part, k) => sum + weights[k] * joints[part][axis], 0));
      const confidence = Math.min(...parts.map((part) => joints[part][2]));
      sureness[target] = Math.min(Math.max(confidence, DEMO.lowestScore), 1);
    }
    return { keypoints, sureness };
  }

  // ---- Frames and people ----

  // Numbers of the frames of one video ("walk_12.jpg"), or else the images' names.
  function framesOfNames(names) {
    const parts = names.map((name) => /^(.*?)([0-9]{1,15})$/.exec(name.replace(/\.[A-Za-z]{3,4}$/, "")));
    const numbers = parts.map((part) => part && Number(part[2]));
    const oneVideo = parts.every((part) => part && part[1] === parts[0][1]);
    return oneVideo && new Set(numbers).size === new Set(names).size ? numbers : names;
  }

  // The file's numbers where they tell people apart, else the place in the frame.
  function numbered(people) {
    const keys = people.map(({ frame, person }) => `${frame}\n${person}`);
    const apart = people.every(({ person }) => person !== null) && new Set(keys).size === people.length;
    const places = new Map();
    return people.map((one) => {
      const place = places.get(one.frame) || 0;
      places.set(one.frame, place + 1);
      return { ...one, person: String(apart ? one.person : place) };
    });
  }

  const typical = (values) => values.map(Math.abs).sort((a, b) => a - b)[Math.floor(values.length / 2)];

  // Shares of the image as pixels; pixels as they are.
  function inPixels(people, format, size) {
    const seen = people.flatMap(({ joints }) => joints.filter(([x, y, c]) => c >= DEMO.lowestConfidence && (x || y)));
    const largest = seen.reduce((most, [x, y]) => Math.max(most, Math.abs(x), Math.abs(y)), 0);
    if (format !== "mediapipe" && largest > DEMO.smallestPerson) return people;
    if (typical(seen.flatMap(([x, y]) => [x, y])) > DEMO.largestShare) {
      throw new Refused("the landmarks are typically many images away; expected shares of the image, not pixels.");
    }
    if (seen.flatMap(([x, y]) => [x < 0, y < 0]).filter((below) => below).length > DEMO.mostOutside * 2 * seen.length) {
      throw new Refused("coordinates are from -1 to 1, as of 3D in metres; expected 2D: pixels, or shares of the image from 0 to 1.");
    }
    if (!size) throw new Refused("coordinates are shares of the image, not pixels; expected the image's width and height above.");
    return people.map((one) => ({ ...one, joints: one.joints.map(([x, y, c]) => [x * size[0], y * size[1], c]) }));
  }

  // {rows: [{frame, person, keypoints, sureness}], format, table, imageSize, notes} of [{name, text}, …], a frame each
  // where there are several; the image's size and the convention of the joints may be given.
  function read(files, givenSize, convention) {
    const frames = framesOfNames(files.map(({ name }) => name.replace(/(\.predictions|_keypoints)?\.json$/, "")));
    const wrong = [];
    const contents = files.map(({ name, text }, index) => {
      try {
        const plain = text.replace(/^\uFEFF/, "").trimStart();
        if (!plain) throw new Refused("is empty; expected keypoints.");
        const content = /^[[{]/.test(plain) ? readJson(parsed(plain), frames[index]) : readCsv(plain, convention);
        const people = content.people.flatMap((readPerson) => {
          try {
            return [readPerson()];
          } catch (error) {
            wrong.push(error.message);
            return [];
          }
        });
        if (files.length < 2) return { ...content, people };
        if (new Set(people.map(({ frame }) => frame)).size > 1) throw new Refused("holds several frames; expected a file a frame.");
        return { ...content, people: people.map((one) => ({ ...one, frame: frames[index] })) };
      } catch (error) {
        throw new Refused(`${name}: ${error.message}`);
      }
    });
    const { format } = contents[0];
    const names = convention ? null : contents[0].names;
    if (contents.some((content) => content.format !== format)) throw new Refused("the files are of different formats.");
    let people = contents.flatMap((content) => content.people);
    if (!people.length) throw new Refused(`${files[0].name}: ${wrong[0] || "no people found."}`);
    const told = contents[0].table || convention || (names && tableOfNames(names));
    const table = told || tableOfCount(people[0].joints.length, format);
    const { joints } = DEMO.conventions[table];
    people = people.filter((one) => {
      const expected = names ? names.length : joints.length;
      const bad = one.joints.length !== expected
        ? `a person has ${one.joints.length} joints; expected ${expected}, those of ${table}.`
        : one.joints.some((joint) => joint.some((value) => Math.abs(value) > DEMO.largestCoordinate)) && "a joint is no pixel in an image.";
      if (bad) wrong.push(bad);
      return !bad;
    });
    if (names) {
      const places = joints.map((joint) => names.indexOf(joint));
      people = people.map((one) => ({ ...one, joints: places.map((place) => (place < 0 ? [0, 0, 0] : one.joints[place])) }));
    }
    const imageSize = givenSize || contents[0].imageSize || null;
    people = inPixels(people, format, imageSize);
    if (!people.every(({ frame }) => typeof frame === "number")) {
      const found = framesOfNames(people.map(({ frame }) => String(frame)));
      people = people.map((one, index) => ({ ...one, frame: found[index] }));
    }
    if (typeof people[0].frame === "number") people.sort((a, b) => a.frame - b.frame);
    const rows = numbered(people)
      .map(({ frame, person, joints: given }) => ({ frame: String(frame), person, ...converted(given, table) }))
      .filter(({ sureness }) => sureness.some((value) => value > 0));
    const notes = told || DEMO.selfEvident.includes(format) ? [] : [`joints: ${table}, for their number alone`];
    notes.push(...(contents[0].notes || []));
    if (wrong.length) notes.push(`${wrong.length} of ${wrong.length + people.length} entries are left out; the first: ${wrong[0]}`);
    if (!rows.length) throw new Refused(`${files[0].name}: no people found.`);
    return { rows, format, table, imageSize, notes };
  }

  return { read, Refused };
})();
