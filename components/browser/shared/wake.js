// Keeps the screen on during a call: a phone that locks it takes the microphone away.

// Returns a function that lets the screen sleep again, also if it is not kept on yet.
export function stayAwake(wakeLock = navigator.wakeLock) {
  // Where the browser knows no such thing, or saves its battery, the call goes on without.
  const asked = Promise.resolve()
    .then(() => wakeLock.request("screen"))
    .catch(() => null);
  return () => asked.then((lock) => lock && lock.release());
}
