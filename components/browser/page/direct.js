// Ties the voice button of the Direct tab to the page: tells Gradio the name of each call, and
// gives the button the page's theme and its way to the microphone (microphone.js).
(function () {
  "use strict";

  document.addEventListener("voicestate", ({ detail }) => {
    const field = document.querySelector("#direct-name textarea, #direct-name input");
    if (!field || !detail.call || field.value === detail.call) return;
    field.value = detail.call;
    field.dispatchEvent(new Event("input", { bubbles: true }));
  });

  function dress() {
    const theme = document.body.classList.contains("dark") ? "dark" : "light";
    document.querySelectorAll("voice-call").forEach((widget) => {
      if (widget.getAttribute("theme") !== theme) widget.setAttribute("theme", theme);
      widget.microphone = window.realtimeVoice.microphone.open;
    });
  }

  new MutationObserver(dress).observe(document.documentElement, {
    attributeFilter: ["class"],
    childList: true,
    subtree: true,
  });
})();
