// The words for the state of a call, as page and voice button show them.

// Of both sides, while no call is up.
export const AT_REST = { user: "idle", assistant: "idle" };

// Shows a state: as a capitalised word in `words`, and raw in the element's data-state.
//
// Rule: only what differs is written. Screen readers announce each writing, and observers see it.
export function showState(element, state, words = element) {
  const text = state.charAt(0).toUpperCase() + state.slice(1);
  if (words.textContent !== text) words.textContent = text;
  if (element.dataset.state !== state) element.dataset.state = state;
}
