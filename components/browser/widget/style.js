// How the voice button looks; the page around it may set its --voice- properties.

export const STYLE = `
  :host {
    --accent: var(--voice-accent, #1f57bd);
    --on-accent: var(--voice-on-accent, #fff);
    --surface: var(--voice-surface, #fff);
    --text: var(--voice-text, #23262b);
    --faint: var(--voice-faint, #5d636d);
    --line: var(--voice-line, #dcd8d0);
    --user: var(--voice-user, #2a66d0);
    --assistant: var(--voice-assistant, #b9560f);
    --tint: var(--voice-tint, #f3f1ec);
    --danger: var(--voice-danger, #a5302a);
    --radius: var(--voice-radius, 16px);
    --offset: var(--voice-offset, 20px);
    all: initial;
    color-scheme: light;
    font: 15px/1.45 var(--voice-font, system-ui, sans-serif);
    color: var(--text);
  }
  @media (prefers-color-scheme: dark) { :host(:not([theme="light"])) { DARK } }
  :host([theme="dark"]) { DARK }
  * { box-sizing: border-box; }
  button { font: inherit; cursor: pointer; }
  button:focus-visible, ol:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }
  button:disabled { opacity: 0.45; cursor: default; }
  [hidden] { display: none !important; }
  .fab {
    position: fixed; z-index: var(--voice-z, 2147483000);
    width: 60px; height: 60px; border: 0; border-radius: 50%;
    display: grid; place-items: center;
    background: var(--accent); color: var(--on-accent);
    box-shadow: 0 6px 20px rgb(0 0 0 / 0.28);
  }
  .fab:hover { filter: brightness(1.08); }
  .fab[data-live]:not([data-live=""])::after {
    content: ""; position: absolute; top: 2px; right: 2px; width: 14px; height: 14px;
    border: 2px solid var(--surface); border-radius: 50%; background: var(--danger);
    animation: live 1.6s ease-in-out infinite;
  }
  @keyframes live { 50% { transform: scale(1.25); } }
  @media (prefers-reduced-motion: reduce) { .fab::after { animation: none !important; } }
  .fab svg { width: 26px; height: 26px; }
  .fab, .panel { right: var(--offset); bottom: calc(var(--offset) + env(safe-area-inset-bottom)); }
  :host([position$="left"]) :is(.fab, .panel) { right: auto; left: var(--offset); }
  :host([position^="top"]) :is(.fab, .panel) { bottom: auto; top: var(--offset); }
  .panel {
    position: fixed; z-index: var(--voice-z, 2147483000);
    width: min(380px, calc(100vw - 2 * var(--offset)));
    max-height: min(640px, calc(100dvh - 2 * var(--offset)));
    display: flex; flex-direction: column; gap: 12px; padding: 16px;
    background: var(--surface); border: 1px solid var(--line); border-radius: var(--radius);
    box-shadow: 0 16px 48px rgb(0 0 0 / 0.3);
  }
  :host([position="inline"]) { display: block; }
  :host([position="inline"]) .fab, :host([position="inline"]) .close { display: none; }
  :host([position="inline"]) .panel {
    position: static; width: 100%; max-height: none; box-shadow: none; z-index: auto;
  }
  header { display: flex; align-items: center; gap: 10px; }
  h2 { margin: 0; font-size: 16px; font-weight: 650; flex: 1; }
  .connection { display: flex; align-items: center; gap: 6px; color: var(--faint); font-size: 14px; }
  .dot { width: 9px; height: 9px; border-radius: 50%; background: var(--line); flex: none; }
  [data-state="connected"] .dot { background: #2c9c5a; }
  :is([data-state="connecting"], [data-state="reconnecting"]) .dot { background: #d99a1c; }
  [data-state="failed"] .dot { background: var(--danger); }
  .close {
    width: 44px; height: 44px; margin: -8px -8px -8px 0; border: 0; border-radius: 8px; padding: 0;
    background: none; color: var(--faint); font-size: 20px; line-height: 1;
  }
  .close:hover { background: var(--tint); }
  canvas { width: 100%; height: 56px; display: block; }
  .sides { display: grid; grid-template-columns: 1fr 1fr; gap: 8px; margin: 0; }
  .side { padding: 8px 10px; border: 1px solid var(--line); border-radius: 10px; }
  .side dt { font-size: 13px; color: var(--faint); }
  .side dd { margin: 0; font-weight: 600; }
  .side[data-state="speaking"].user { border-color: var(--user); color: var(--user); }
  .side[data-state="speaking"].assistant { border-color: var(--assistant); color: var(--assistant); }
  ol {
    margin: 0; padding: 0; list-style: none; flex: 1 1 240px; min-height: 120px; overflow-y: auto;
    display: flex; flex-direction: column; gap: 8px; overscroll-behavior: contain;
  }
  :host([position="inline"]) ol { max-height: 420px; }
  li { max-width: 88%; padding: 7px 11px; border-radius: 12px; overflow-wrap: anywhere; }
  li.user { align-self: flex-end; background: color-mix(in srgb, var(--user) 14%, var(--surface)); }
  li.assistant { align-self: flex-start; background: var(--tint); }
  li del { color: var(--faint); }
  li .mark { display: block; font-size: 12.5px; color: var(--faint); }
  .who { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
  .empty { color: var(--faint); text-align: center; margin: auto; padding: 12px; }
  .notice {
    margin: 0; padding: 9px 11px; border-radius: 10px; font-size: 14px;
    border: 1px solid color-mix(in srgb, var(--danger) 45%, var(--surface));
    background: color-mix(in srgb, var(--danger) 9%, var(--surface));
  }
  .notice:empty { display: none; }
  footer { display: flex; gap: 8px; }
  footer button {
    min-height: 44px; padding: 0 10px; border-radius: 10px; flex: 1 1 auto; min-width: 0;
    border: 1px solid var(--line); background: none; color: inherit;
  }
  footer .start { background: var(--accent); border-color: var(--accent); color: var(--on-accent);
    font-weight: 600; flex-basis: 34%; }
  footer .start[data-phase="running"] { background: var(--danger); border-color: var(--danger);
    color: #fff; }
  footer .mute[aria-pressed="true"] { background: var(--tint); border-color: var(--text); }
  @media (max-width: 480px) {
    :host(:not([position="inline"])) .panel {
      left: 0; right: 0; bottom: 0; top: auto; width: 100%; max-height: 88dvh;
      border-radius: var(--radius) var(--radius) 0 0; border-width: 1px 0 0;
      padding-bottom: calc(16px + env(safe-area-inset-bottom));
    }
  }
`.replaceAll(
  "DARK",
  `--accent: var(--voice-accent, #3868c4); --surface: var(--voice-surface, #1c1f23);
   --text: var(--voice-text, #e8e9eb); --faint: var(--voice-faint, #a2a9b3);
   --line: var(--voice-line, #363b42); --user: var(--voice-user, #7aa9f7);
   --assistant: var(--voice-assistant, #eb9a57); --tint: var(--voice-tint, #2a2e34);
   --danger: var(--voice-danger, #bb4a42); color-scheme: dark;`,
);
