// Opens and closes the drawer, and shows one of its panes; remembers which, and how wide it was.
((rv) => {
  if (rv.drawer) return;

  const NAME = "realtime-voice-drawer";
  const PUSHES = window.matchMedia("(min-width: 1100px)");
  const LEAST = 320;
  const STEP = 24;

  const memory = { open: false, pane: "", width: 440, ...recall() };
  let head = null;

  const byId = (id) => document.getElementById(id);
  const tabs = () => [...document.querySelectorAll('#drawer [role="tab"]')];
  const most = () => Math.max(LEAST, Math.round(window.innerWidth * 0.6));

  function recall() {
    try {
      return Object(JSON.parse(localStorage.getItem(NAME)));
    } catch {
      return {}; // blocked, or not ours
    }
  }

  function keep() {
    try {
      localStorage.setItem(NAME, JSON.stringify(memory));
    } catch {
      // It is forgotten with the page.
    }
  }

  function show() {
    const width = Math.min(most(), Math.max(LEAST, Number(memory.width) || LEAST));
    document.documentElement.style.setProperty("--rv-drawer", `${width}px`);
    document.documentElement.dataset.drawer = memory.open ? "open" : "closed";
    byId("inspect").setAttribute("aria-expanded", Boolean(memory.open));
    const edge = byId("drawer-edge");
    Object.entries({ valuemin: LEAST, valuemax: most(), valuenow: width }).forEach(
      ([name, value]) => edge.setAttribute(`aria-${name}`, value),
    );
    const known = tabs().some((tab) => paneOf(tab) === memory.pane);
    if (!known) memory.pane = paneOf(tabs()[0]);
    tabs().forEach(showPane);
  }

  const paneOf = (tab) => tab.getAttribute("aria-controls");

  function showPane(tab) {
    const chosen = paneOf(tab) === memory.pane;
    tab.setAttribute("aria-selected", chosen);
    if (chosen && memory.open) tab.scrollIntoView({ block: "nearest", inline: "nearest" });
    tab.tabIndex = chosen ? 0 : -1;
    const pane = byId(paneOf(tab));
    pane.setAttribute("role", "tabpanel");
    pane.setAttribute("aria-labelledby", tab.id);
    pane.toggleAttribute("data-shown", chosen);
  }

  function change(changes) {
    Object.assign(memory, changes);
    keep();
    show();
    rv.levels.draw();
  }

  // Where it lies over the page, who opens it goes there, and comes back when it closes.
  function toggle(open = !memory.open) {
    const within = byId("drawer").contains(document.activeElement);
    change({ open });
    if (open && !PUSHES.matches)
      tabs()
        .find((tab) => tab.tabIndex === 0)
        .focus();
    if (!open && within) byId("inspect").focus();
  }

  function onClick({ target }) {
    if (!target.closest) return;
    if (target.closest("#inspect")) toggle();
    if (target.closest("#drawer-close")) toggle(false);
    const tab = target.closest('#drawer [role="tab"]');
    if (tab) change({ pane: paneOf(tab) });
  }

  const typing = (target) => target.closest("input, textarea, select, [contenteditable]");

  function onKey(event) {
    const { key, target, ctrlKey, metaKey, altKey } = event;
    const plain = !(ctrlKey || metaKey || altKey || event.repeat);
    if (key === "i" && plain && target.closest && !typing(target)) return toggle();
    if (key === "Escape" && byId("drawer") && byId("drawer").contains(target)) {
      event.stopImmediatePropagation(); // it closes the drawer, and interrupts nobody
      return toggle(false);
    }
    if (target.id === "drawer-edge") return resizeBy({ ArrowLeft: STEP, ArrowRight: -STEP }[key]);
    if (target.role === "tab") return moveBy(target, { ArrowRight: 1, ArrowLeft: -1 }[key]);
    return undefined;
  }

  function resizeBy(px) {
    if (px) change({ width: memory.width + px });
  }

  function moveBy(tab, step) {
    if (!step) return;
    const all = tabs();
    const next = all[(all.indexOf(tab) + step + all.length) % all.length];
    change({ pane: paneOf(next) });
    next.focus();
  }

  function onPress(event) {
    if (event.target.id !== "drawer-edge") return;
    event.preventDefault();
    const edge = event.target;
    const move = ({ clientX }) => change({ width: Math.round(window.innerWidth - clientX) });
    edge.setPointerCapture(event.pointerId);
    edge.addEventListener("pointermove", move);
    edge.addEventListener(
      "lostpointercapture",
      () => edge.removeEventListener("pointermove", move),
      {
        once: true,
      },
    );
  }

  function tend() {
    const now = document.querySelector("#drawer .rv-drawer-head");
    if (!now || now === head || !byId("inspect")) return;
    head = now;
    byId("drawer").setAttribute("role", "complementary");
    byId("drawer").setAttribute("aria-label", "Inspect");
    show();
  }

  document.addEventListener("click", onClick);
  document.addEventListener("keydown", onKey);
  document.addEventListener("pointerdown", onPress);
  rv.drawer = { tend };
})((window.realtimeVoice = window.realtimeVoice || {}));
