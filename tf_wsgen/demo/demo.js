// What is asked for on the page, and the answer: files are read, lifted and shown by the viewer.
"use strict";
(() => {
  const byId = (id) => document.getElementById(id);
  const PASTED = "pasted pose";
  const LARGEST_FILES = 200e6; // Bytes.
  let files = [];
  let asked = 0;
  let taken = 0; // Of what was asked, the last that brought files.

  const say = (text, wrong = false) => {
    byId("message").textContent = text;
    byId("message").classList.toggle("wrong", wrong);
  };

  // The number in a field, or null where it is empty.
  function field(id, least, most) {
    const text = byId(id).value.trim();
    const value = Number(text);
    if (byId(id).validity.badInput || (text && !(value >= least && value <= most))) {
      throw new Files.Refused(`${byId(id).dataset.name} is ${text || "no number"}; expected ${least} to ${most}.`);
    }
    return text ? value : null;
  }

  function options() {
    const whole = (id, usual, least, most) => Math.round(field(id, least, most) ?? usual);
    const [width, height, focalLength] = ["width", "height", "focal"].map((id) => field(id, 1, DEMO.largestCoordinate));
    if ((width === null) !== (height === null)) throw new Files.Refused("the image needs both width and height, or neither.");
    return {
      count: whole("count", 10, 1, DEMO.mostHypotheses), seed: whole("seed", 0, 0, 2 ** 32 - 1),
      size: width && [width, height], focalLength,
    };
  }

  // What is asked for ends what was asked for before.
  function begin() {
    asked += 1;
    window.lastLift = null; // For who wants the numbers.
    say("Reading …");
    return asked;
  }

  // Lifts what was given last.
  async function show() {
    const mine = begin();
    try {
      const { count, seed, size, focalLength } = options();
      const { rows, format, table, imageSize, notes } = Files.read(files, size, byId("convention").value);
      if (focalLength && !imageSize) throw new Files.Refused("a focal length needs the image's width and height.");
      const most = Math.floor(DEMO.mostPoses / (count + 1));
      if (rows.length > most) {
        throw new Files.Refused(`${rows.length} people with ${count} hypotheses are too many for a page; expected at most ${most}.`);
      }
      say("Loading the model …");
      await Lift.loaded();
      const codes = Lift.codes(count, seed);
      const began = performance.now();
      const lifted = await Lift.lift(rows, codes, imageSize, focalLength, (done) => {
        if (mine === asked) say(`${done} of ${rows.length} people lifted …`);
        return mine === asked;
      });
      if (mine !== asked) return;
      if (!lifted.length) throw new Files.Refused(`none of ${rows.length} people can be lifted; ${DEMO.needed}.`);
      const left = rows.length - lifted.length;
      const about = {
        model: DEMO.model, source: files.length > 1 ? `${files.length} files` : files[0].name, format, joints: table,
        hypotheses: count, seed,
        "image size": imageSize && imageSize.join(" × "), "focal length": imageSize && focalLength,
      };
      byId("shown").hidden = false;
      const known = Object.entries(about).filter(([, value]) => value !== null);
      startViewer(Lift.describe(lifted, known.map(([name, value]) => [name, String(value)])));
      window.lastLift = { lifted, codes };
      say([
        `${lifted.length} ${lifted.length === 1 ? "person" : "people"} lifted in ${((performance.now() - began) / 1000).toFixed(1)} s`,
        ...notes, ...(left ? [`${left} people are left out: ${DEMO.needed}`] : []),
        ...(imageSize ? [] : ["poses are in the frame of the ray to each person; the image's size turns them back"]),
      ].join("; ").replace(/\.?$/, "."));
    } catch (error) {
      if (mine === asked) say(error.message, true);
    }
  }

  // Excel and PowerShell write UTF-16.
  async function textOf(file) {
    const bytes = new Uint8Array(await file.arrayBuffer());
    const encoding = { "255 254": "utf-16le", "254 255": "utf-16be" }[bytes.slice(0, 2).join(" ")];
    return new TextDecoder(encoding).decode(bytes);
  }

  async function take(list) {
    const given = [...list];
    if (!given.length) return;
    if (given.reduce((bytes, file) => bytes + file.size, 0) > LARGEST_FILES) {
      say(`the files have more than ${LARGEST_FILES / 1e6} MB; expected keypoints.`, true);
      return;
    }
    const mine = taken = begin();
    try {
      const read = await Promise.all(given.map(async (file) => ({ name: file.name, text: await textOf(file) })));
      if (mine !== taken) return;
      files = read;
      show();
    } catch (error) {
      if (mine === taken) say(`${given[0].name}: cannot be read (${error.message})`, true);
    }
  }

  function pasted() {
    taken = 0;
    files = [{ name: PASTED, text: byId("pasted").value }];
    show();
  }
  byId("files").addEventListener("change", (event) => take(event.target.files));
  byId("lift").addEventListener("click", pasted);
  byId("convention").append(...Object.keys(DEMO.conventions).map((name) => new Option(name, name)));
  for (const id of ["count", "seed", "width", "height", "focal", "convention"]) byId(id).addEventListener("change", show);
  // The whole page takes what is dropped.
  for (const type of ["dragenter", "dragover", "dragleave", "drop"]) {
    document.addEventListener(type, (event) => {
      if (!event.dataTransfer.types.includes("Files")) return;
      event.preventDefault();
      byId("drop").classList.toggle("over", type === "dragover" || type === "dragenter");
      if (type === "drop") take(event.dataTransfer.files);
    });
  }
  pasted();
})();
