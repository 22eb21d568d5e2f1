// Measures how loud both voices of a direct call are, as the app's server does for the other route.

const PERIOD_MS = 50;
const SILENCE_DBFS = -100;

// Tells `take({ user, assistant, t })` twenty times a second, levels in dBFS and `t` in ms, until
// the function that it returns is called.
export function measureLoudness(context, { user, assistant }, take) {
  const user_ = analyserOf(context, user);
  const assistant_ = analyserOf(context, assistant);
  const begun = performance.now();
  const timer = setInterval(
    () =>
      take({
        user: levelOf(user_),
        assistant: levelOf(assistant_),
        t: performance.now() - begun,
      }),
    PERIOD_MS,
  );
  return () => {
    clearInterval(timer);
    [user_, assistant_].forEach(({ source }) => source.disconnect());
  };
}

function analyserOf(context, stream) {
  const source = context.createMediaStreamSource(stream);
  const analyser = context.createAnalyser();
  analyser.fftSize = 1024; // 20 ms
  source.connect(analyser);
  return { source, analyser, samples: new Float32Array(analyser.fftSize) };
}

function levelOf({ analyser, samples }) {
  analyser.getFloatTimeDomainData(samples);
  return levelDbfs(samples);
}

// Of samples from -1 to 1: their root mean square.
export function levelDbfs(samples) {
  const square = samples.reduce((sum, sample) => sum + sample * sample, 0) / samples.length;
  return Math.max(SILENCE_DBFS, 10 * Math.log10(square));
}
