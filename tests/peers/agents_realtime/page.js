// What a page does with `@openai/agents-realtime` over WebRTC: one conversation, part by part.
//
// `window.peer` is what the test calls. Its microphone is a track of its own, on which speech is
// played when the test says so. Whatever the SDK calls an error is kept in `problems`.

window.peer = (() => {
  const { RealtimeAgent, RealtimeSession, OpenAIRealtimeWebRTC, tool } =
    window.OpenAIAgentsRealtime;
  const LIMIT_MS = 25_000;
  const context = new AudioContext();
  const microphone = context.createMediaStreamDestination();
  // Where nothing is connected, nothing is sent: a microphone gives silence as well.
  const silence = new ConstantSourceNode(context, { offset: 0 });
  silence.connect(microphone);
  silence.start();
  const problems = [];
  const called = [];
  const events = [];
  let arrived = () => {};
  let session;

  const getWeather = tool({
    name: "get_weather",
    description: "The weather in a city.",
    strict: false,
    parameters: {
      type: "object",
      properties: { city: { type: "string" } },
      required: ["city"],
      additionalProperties: false,
    },
    execute: async (given) => {
      called.push(given);
      return `It is sunny in ${given.city}.`;
    },
  });

  /** A call with a token of the app's, as its own page gets one. */
  async function connect() {
    const token = await (await fetch("api/realtime/token", { method: "POST" })).json();
    const agent = new RealtimeAgent({
      name: "Tester",
      instructions: "Be brief.",
      tools: [getWeather],
    });
    const transport = new OpenAIRealtimeWebRTC({
      baseUrl: token.url,
      mediaStream: microphone.stream,
      audioElement: new Audio(),
    });
    session = new RealtimeSession(agent, { transport, model: token.model });
    session.on("error", ({ error }) => problems.push(JSON.stringify(error)));
    session.transport.on("*", (event) => {
      events.push(event);
      arrived();
    });
    await session.connect({ apiKey: token.token });
  }

  /** The first event from `start` on of which `wanted` holds. */
  async function until(wanted, start) {
    const deadline = Date.now() + LIMIT_MS;
    for (;;) {
      const found = events.slice(start).find(wanted);
      if (found) return found;
      if (Date.now() > deadline) {
        const came = events.slice(start).map(({ type }) => type);
        throw new Error(`never came: ${wanted}; came: ${came}`);
      }
      await new Promise((resolve) => {
        arrived = resolve;
        setTimeout(resolve, LIMIT_MS);
      });
    }
  }

  /** What the first response from `start` on says that is complete and says something; once that
   * has been heard. */
  async function answer(start) {
    const done = await until(
      ({ type, response }) =>
        type === "response.done" &&
        response.status === "completed" &&
        response.output.some((item) => item.type === "message"),
      start,
    );
    await until(
      ({ type, response_id: id }) =>
        type === "output_audio_buffer.stopped" && id === done.response.id,
      start,
    );
    const parts = done.response.output.flatMap((item) => item.content ?? []);
    return parts.map((part) => part.transcript ?? part.text).join(" ");
  }

  /** Play a WAV file into the microphone. */
  async function speak(wav) {
    const bytes = Uint8Array.from(atob(wav), (letter) => letter.charCodeAt(0));
    const source = new AudioBufferSourceNode(context, {
      buffer: await context.decodeAudioData(bytes.buffer),
    });
    source.connect(microphone);
    source.start();
  }

  async function ask(words) {
    const start = events.length;
    session.sendMessage(words);
    return { answer: await answer(start), called };
  }

  async function spoken(wav) {
    const start = events.length;
    await speak(wav);
    const said = await answer(start);
    const heard = await until(({ type }) => type.endsWith("transcription.completed"), start);
    return { heard: heard.transcript, answer: said };
  }

  /** A long answer begins, and is heard. */
  async function count() {
    const start = events.length;
    session.sendMessage("count to thirty");
    await until(({ type }) => type === "output_audio_buffer.started", start);
    return start;
  }

  async function interruption(wav) {
    const start = await count();
    await new Promise((resolve) => setTimeout(resolve, 1000)); // somebody listens first
    await speak(wav);
    const { response } = await until(({ type }) => type === "response.done", start);
    const truncated = await until(({ type }) => type === "conversation.item.truncated", start);
    await until(({ type }) => type === "output_audio_buffer.cleared", start);
    const { status, status_details: details } = response;
    const heard_ms = truncated.audio_end_ms;
    return { status, reason: details.reason, heard_ms, answer: await answer(start) };
  }

  async function stopped() {
    const start = await count();
    session.interrupt();
    await until(({ type }) => type === "output_audio_buffer.cleared", start);
    const { response } = await until(({ type }) => type === "response.done", start);
    return { status: response.status, reason: response.status_details.reason };
  }

  const close = () => session.close();
  return { connect, ask, spoken, interruption, stopped, close, problems };
})();
