import { BROKEN_IMAGE, fileProblem, imageHead, imageSteps } from "./imagefile.js";

// An image that goes along with the line that is typed next, or alone: chosen by a button, pasted,
// or dropped. It is drawn anew, so that it is small, and says no more than it shows: not where it
// was taken.
//
// Rule: what cannot be shown is told beside the button. The page keeps the few that it has sent, to
// show them where the transcript names them; the server does not send them back.
((rv) => {
  if (rv.image) return;

  const ADDRESS = "api/image";
  const MOST_BYTES = 160_000; // the server takes no more
  const MOST_KEPT = 20;
  const SHOWN_SIDE = 220; // px
  const NOT_SENT = "The image was not sent. Check the network, then send it again.";

  const byId = (id) => document.getElementById(id);

  let waiting = null; // { name, blob, url, width, height }
  let preparing = null; // until it is known whether the file can be shown
  let newest = 0;
  const kept = []; // of what was sent: { name, url }, oldest first

  // Files that somebody has chosen, pasted or dropped; the first one is taken.
  function choose(files) {
    if (!files.length || !byId("attach")) return;
    newest += 1;
    const mine = newest;
    drop();
    tell("");
    preparing = prepare(files[0])
      .then(
        (image) => mine === newest && offer(image),
        (error) => mine === newest && tell(error.sentence || BROKEN_IMAGE),
      )
      .finally(() => {
        if (mine === newest) preparing = null;
      });
    byId("say").focus();
  }

  async function prepare(file) {
    refuse(fileProblem(file.size));
    const bytes = new Uint8Array(await file.arrayBuffer());
    const { problem, type } = imageHead(bytes);
    refuse(problem);
    return draw(new Blob([bytes], { type }), MOST_BYTES);
  }

  function refuse(sentence) {
    if (sentence) throw Object.assign(new Error(sentence), { sentence });
  }

  // The best form of an image that has at most so many bytes.
  async function draw(blob, most) {
    const bitmap = await createImageBitmap(blob);
    try {
      for (const step of imageSteps(blob.type, bitmap.width, bitmap.height)) {
        const drawn = await drawOnce(bitmap, step);
        if (drawn && drawn.size <= most) return named(drawn, step);
      }
    } finally {
      bitmap.close();
    }
    return refuse("This image does not become small enough to send. Choose another one.");
  }

  function drawOnce(bitmap, { width, height, type, quality }) {
    const canvas = Object.assign(document.createElement("canvas"), { width, height });
    const context = canvas.getContext("2d");
    context.imageSmoothingQuality = "high";
    if (type === "image/jpeg") {
      context.fillStyle = "white"; // what was transparent would be black
      context.fillRect(0, 0, width, height);
    }
    context.drawImage(bitmap, 0, 0, width, height);
    return new Promise((resolve) => canvas.toBlob(resolve, type, quality));
  }

  function named(blob, { width, height }) {
    const bytes = crypto.getRandomValues(new Uint8Array(8));
    const name = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
    return { name, blob, url: URL.createObjectURL(blob), width, height };
  }

  // An image waits beside the line; also one that could not be sent.
  function offer(image) {
    drop();
    waiting = image;
    tend();
  }

  function drop() {
    if (waiting) URL.revokeObjectURL(waiting.url);
    waiting = null;
    tend();
  }

  function tend() {
    const place = byId("attached");
    if (!place || place.dataset.name === (waiting ? waiting.name : "")) return;
    place.dataset.name = waiting ? waiting.name : "";
    place.hidden = !waiting;
    byId("attached-size").textContent = waiting ? labelOf(waiting) : "";
    const picture = place.querySelector("img");
    if (waiting) picture.src = waiting.url;
    else picture.removeAttribute("src");
    picture.alt = "";
  }

  const labelOf = ({ width, height }) =>
    `Image, ${width.toLocaleString("en")} × ${height.toLocaleString("en")}`;

  function tell(sentence) {
    const told = byId("image-problem");
    if (told && told.textContent !== sentence) told.textContent = sentence;
  }

  // The image that goes along now; null if none waits.
  function take() {
    const image = waiting;
    waiting = null;
    tend();
    tell("");
    return image;
  }

  // The transcript names it, and here is how it looks: Gradio may write the message anew.
  function keep({ name, url, width, height }) {
    if (kept.some((one) => one.name === name)) return;
    const scale = Math.min(1, SHOWN_SIDE / Math.max(width, height));
    kept.push({ name, url, rule: ruleOf(name, url, width * scale, height * scale) });
    while (kept.length > MOST_KEPT) URL.revokeObjectURL(kept.shift().url);
    write();
  }

  function ruleOf(name, url, width, height) {
    const size = `width: ${Math.round(width)}px; aspect-ratio: ${width} / ${height};`;
    return `#transcript .picture-${name}::before { ${size} background-image: url("${url}"); }`;
  }

  function write() {
    const style = byId("pictures") || document.createElement("style");
    style.id = "pictures";
    style.textContent = kept.map(({ rule }) => rule).join("\n");
    if (!style.isConnected) document.head.append(style);
  }

  function forget() {
    kept.splice(0).forEach(({ url }) => URL.revokeObjectURL(url));
    write();
  }

  // The image as a data URL, of at most so many bytes before it became one; null if that cannot be.
  async function fit(image, most) {
    try {
      const small = image.blob.size <= most ? image : await draw(image.blob, most);
      if (small !== image) URL.revokeObjectURL(small.url);
      return await dataUrl(small.blob);
    } catch {
      return null;
    }
  }

  function dataUrl(blob) {
    return new Promise((resolve, reject) => {
      const reader = new FileReader();
      reader.onload = () => resolve(String(reader.result));
      reader.onerror = reject;
      reader.readAsDataURL(blob);
    });
  }

  // To the app, with the line beside it: why that failed; empty if it has not.
  async function send(text, image) {
    try {
      const [, coded] = (await dataUrl(image.blob)).split(",");
      const body = JSON.stringify({ key: rv.key(), name: image.name, text, image: coded });
      keep(image); // the transcript may be faster than the answer
      const response = await fetch(ADDRESS, { method: "POST", body });
      if (response.ok) return "";
      return Object((await response.json()).error).message || NOT_SENT;
    } catch {
      return NOT_SENT;
    }
  }

  const carriesFiles = ({ dataTransfer }) =>
    Boolean(dataTransfer) && Array.from(dataTransfer.types).includes("Files");
  const takesFiles = (target) => Boolean(target.closest && target.closest('input[type="file"]'));

  // A file that is dropped beside would open in the place of the page, and end the call.
  function onDrag(event) {
    if (!carriesFiles(event) || takesFiles(event.target)) return;
    event.preventDefault();
    document.documentElement.toggleAttribute("data-dropping", event.type === "dragover");
    if (event.type === "drop") choose(event.dataTransfer.files);
  }

  // Office programs put a picture of their words beside them: then the words are meant.
  function onPaste(event) {
    const { clipboardData, target } = event;
    const here = target === document.body || (target.closest && target.closest("#composer"));
    if (!here || !clipboardData || !clipboardData.files.length) return;
    if (clipboardData.getData("text/plain")) return;
    event.preventDefault();
    choose(clipboardData.files);
  }

  function onClick({ target }) {
    const button = target.closest && target.closest("button");
    if (!button) return;
    if (button.id === "attach") byId("image-file").click();
    if (button.id !== "detach") return;
    drop();
    byId("say").focus();
  }

  function onChosen({ target }) {
    if (target.id !== "image-file") return;
    choose(Array.from(target.files));
    target.value = ""; // the same one may be chosen again
  }

  document.addEventListener("click", onClick);
  document.addEventListener("change", onChosen);
  document.addEventListener("paste", onPaste);
  ["dragover", "dragleave", "drop"].forEach((name) => document.addEventListener(name, onDrag));

  rv.image = {
    // A promise while a file is looked at; null otherwise.
    preparing: () => preparing,
    waits: () => Boolean(waiting),
    take,
    offer,
    tell,
    send,
    fit,
    keep,
    forget,
    tend,
    MOST_BYTES,
  };
})((window.realtimeVoice = window.realtimeVoice || {}));
