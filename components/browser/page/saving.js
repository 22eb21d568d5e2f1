import { download } from "./download.js";

// Gives what was said to its owner as a file: asks the app for its text, and writes it.
((rv) => {
  if (rv.saving) return;

  const TYPES = { md: "text/markdown", json: "application/json", vtt: "text/vtt" };
  let form = "md";

  function write(text) {
    download(new Blob([text], { type: TYPES[form] }), `conversation.${form}`);
  }

  function close(menu) {
    if (menu) menu.open = false;
  }

  document.addEventListener("click", ({ target }) => {
    const menu = document.getElementById("save");
    const button = target.closest && target.closest("[data-save]");
    if (button) {
      form = button.dataset.save;
      document.getElementById("save-words").click();
    }
    if (button || (menu && !menu.contains(target))) close(menu);
  });
  document.addEventListener("keydown", (event) => {
    const menu = document.getElementById("save");
    if (event.key !== "Escape" || !menu || !menu.open) return;
    event.stopImmediatePropagation(); // it closes the menu, and interrupts nobody
    close(menu);
    menu.querySelector("summary").focus();
  });

  rv.saving = { form: () => form, write };
})((window.realtimeVoice = window.realtimeVoice || {}));
