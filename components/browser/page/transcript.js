// Knows Gradio's Chatbot: what its reader must not lose while words stream in, and what it lacks.
//
// Rule: who is at the end follows it, who has scrolled up stays there, and selected words stay
// selected though Gradio writes their message anew.
((rv) => {
  if (rv.transcript) return;

  const NEAR = 24; // px from the end that count as the end
  const MESSAGES = '#transcript [data-testid="user"], #transcript [data-testid="bot"]';

  let log = null; // the element that scrolls
  let atEnd = true;
  let chosen = null; // what the visitor has selected: { root, start, end }

  const distance = () => log.scrollHeight - log.scrollTop - log.clientHeight;

  function follow() {
    if (atEnd && distance() > 1) log.scrollTop = log.scrollHeight;
  }

  // The scrolling itself is told later, and a word that came meanwhile would undo it.
  function onWheel({ deltaY }) {
    if (deltaY < 0 && log.scrollHeight > log.clientHeight) atEnd = false;
  }

  function adopt(element) {
    log = element;
    log.tabIndex = 0;
    log.setAttribute("aria-label", "Transcript");
    // A live region would read aloud, over the voice, what the voice just said.
    log.ariaLive = "off";
    log.addEventListener("scroll", () => (atEnd = distance() <= NEAR), { passive: true });
    log.addEventListener("wheel", onWheel, { passive: true });
    new ResizeObserver(follow).observe(log);
  }

  // Where a point of the document lies in a text, in characters; null outside of it.
  function offsetIn(root, node, offset) {
    if (!root.contains(node)) return null;
    const before = document.createRange();
    before.setStart(root, 0);
    before.setEnd(node, offset);
    return before.toString().length;
  }

  function pointIn(root, offset) {
    const texts = document.createTreeWalker(root, NodeFilter.SHOW_TEXT);
    let left = offset;
    let last = null;
    for (let text = texts.nextNode(); text; text = texts.nextNode()) {
      if (left <= text.length) return [text, left];
      left -= text.length;
      last = text;
    }
    return last ? [last, last.length] : [root, 0];
  }

  function remember() {
    const { anchorNode, anchorOffset, focusNode, focusOffset, isCollapsed } = getSelection();
    const element = anchorNode && (anchorNode.closest ? anchorNode : anchorNode.parentElement);
    const root = !isCollapsed && element && element.closest("#transcript .message-content");
    if (!root) {
      chosen = null;
      return;
    }
    const start = offsetIn(root, anchorNode, anchorOffset);
    const end = offsetIn(root, focusNode, focusOffset);
    chosen = end === null ? null : { root, start, end };
  }

  // Gradio has put other nodes in the place of those that were selected.
  function select() {
    if (!chosen || !chosen.root.isConnected) return;
    const { root, start, end } = chosen;
    const { anchorNode, anchorOffset, focusNode, focusOffset } = getSelection();
    const same =
      offsetIn(root, anchorNode, anchorOffset) === start &&
      offsetIn(root, focusNode, focusOffset) === end;
    if (!same) getSelection().setBaseAndExtent(...pointIn(root, start), ...pointIn(root, end));
  }

  // Gradio says a message's HTML source to screen readers.
  function name() {
    document.querySelectorAll(MESSAGES).forEach((message) => {
      const who = message.dataset.testid === "user" ? "You" : "Assistant";
      if (message.getAttribute("aria-label") === who) return;
      message.setAttribute("role", "group");
      message.setAttribute("aria-label", who);
    });
  }

  function offerCopies() {
    document.querySelectorAll("#transcript .message-row:not(:has(> .rv-copy))").forEach((row) => {
      const button = document.createElement("button");
      button.type = "button";
      button.className = "rv-copy";
      button.textContent = "Copy";
      button.setAttribute("aria-label", "Copy this message");
      row.append(button);
    });
  }

  // The words of a message that were heard.
  function wordsIn(row) {
    const copy = row.querySelector(".message").cloneNode(true);
    copy
      .querySelectorAll("del, .mark, .unheard, .picture:has(+ .words)")
      .forEach((part) => part.remove());
    return copy.textContent.trim();
  }

  async function copy(button, words) {
    const label = button.textContent;
    try {
      await navigator.clipboard.writeText(words);
      button.textContent = "Copied";
    } catch {
      button.textContent = "Not allowed"; // by the browser, or on an insecure page
    }
    setTimeout(() => (button.textContent = label), 1500);
  }

  function onClick({ target }) {
    const button = target.closest && target.closest(".rv-copy");
    if (button) copy(button, wordsIn(button.closest(".message-row")));
  }

  function tend() {
    const element = document.querySelector('#transcript [role="log"]');
    if (element && element !== log) adopt(element);
    if (!log) return;
    name();
    offerCopies();
    select();
    follow();
  }

  document.addEventListener("selectionchange", remember);
  document.addEventListener("click", onClick);
  rv.transcript = {
    tend,
    copy,
    spoken: () => Boolean(document.querySelector("#transcript .message")),
  };
})((window.realtimeVoice = window.realtimeVoice || {}));
