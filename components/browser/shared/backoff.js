// How long to wait before a lost connection is tried again.

const STEADY_MS = 10_000;

// The pause before the try of this number, from one on. Each is twice the one before, up to
// `mostMs`, and up to a quarter shorter or longer by chance (0 to 1), so that all who lost the same
// server do not come back at once.
export function pauseMs(tries, firstMs, mostMs = Infinity, chance = Math.random()) {
  return Math.min(mostMs, firstMs * 2 ** (tries - 1)) * (0.75 + chance / 2);
}

// Whether a connection that held for so long was a good one, after which tries count from one.
export function wasSteady(heldMs) {
  return heldMs > STEADY_MS;
}
