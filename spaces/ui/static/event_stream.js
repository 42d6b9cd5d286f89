// Gradio's page hears of its events through one stream, which the server ends when none is running. In Gradio 6.31 an
// event that is sent meanwhile can be lost without a word, and with it a file or a question:
// - The page takes a stream for open whose end is on its way. Here the stream goes on while an event has no end, and
//   no event gets its answer between the end and the page that reads it.
// - The page hangs up when it reads the end. If the server has not yet returned, it takes that for a visitor who has
//   left, and drops what the visitor has sent since. Here the page reads the end when the server has returned.
// - The page keeps the messages of an event until the answer that names it has come. If others come first, an earlier
//   event overwrites what a later one has shown. Here all messages wait for that answer, for five seconds at most.
(() => {
  const send = window.fetch;
  const sending = new Set(), running = new Set(), ended = new Set(); // ended: before the answer that names it
  const PATIENCE = 5000; // milliseconds: some answers never come
  let endRead = Promise.resolve();
  const pause = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));
  // Settled after the work at hand, also in a tab in the background, whose timers are late.
  const nextTask = () => new Promise((resolve) => {
    const {port1, port2} = new MessageChannel();
    port1.onmessage = resolve;
    port2.postMessage(null);
  });
  const message = (text) => /^data: \{"msg":"(\w+)"(?:,"event_id":"(\w+)")?/.exec(text) ?? [];
  const isAwaited = (since) => performance.now() - since < PATIENCE;
  // Wait for the answers to what was sent, until something is known.
  const answered = async (isKnown) => {
    while (!isKnown() && [...sending].some(({since}) => isAwaited(since))) await pause(10);
  };

  const join = async (...request) => {
    const event = {since: performance.now()};
    sending.add(event);
    try {
      const response = await send(...request);
      const answer = await response.clone().json().catch(() => null);
      if (answer) response.json = async () => answer; // the page reads it before any task that comes later
      await endRead;
      event.id = answer?.event_id;
      return response;
    } finally {
      void nextTask().then(() => {
        sending.delete(event);
        if (event.id && !ended.delete(event.id)) running.add(event.id);
      });
    }
  };

  // Pass on the messages of a stream but its end, which comes only while nothing is running; return whether it had one.
  const pass = async (reader, out) => {
    const decoder = new TextDecoder(), encoder = new TextEncoder();
    for (let text = "", hasEnded = false; ;) {
      const {done, value} = await reader.read();
      text += decoder.decode(value, {stream: !done});
      if (done) return hasEnded;
      const messages = text.split("\n\n");
      text = messages.pop();
      for (const each of messages) {
        const [, kind, id] = message(each);
        if (id) await answered(() => running.has(id));
        if (kind === "process_completed" && !running.delete(id) && sending.size) ended.add(id);
        if (kind === "close_stream") hasEnded = true;
        else out.enqueue(encoder.encode(`${each}\n\n`));
      }
    }
  };
  const listen = async (request) => {
    const first = await send(request.clone());
    if (!first.ok || !first.body) return first;
    let reader = first.body.getReader();
    const start = async (out) => {
      try {
        for (;;) {
          const hasEnded = await pass(reader, out);
          await answered(() => running.size);
          if (!running.size) { // also if the stream broke off: the page would take it for open
            out.enqueue(new TextEncoder().encode('data: {"msg":"close_stream"}\n\n'));
            endRead = pause(10); // the page has read it long before
            return out.close();
          }
          if (!hasEnded) throw new Error("The stream of events broke off.");
          const next = await send(request.clone());
          if (!next.ok) throw new Error(`${next.status} ${next.statusText}`);
          reader = next.body.getReader();
        }
      } catch (error) {
        running.clear();
        out.error(error);
      }
    };
    const body = new ReadableStream({start: (out) => void start(out), cancel: () => reader.cancel()});
    return new Response(body, {status: first.status, headers: first.headers});
  };

  window.fetch = (...request) => {
    const path = new URL(request[0].url ?? request[0], location.href).pathname;
    if (path.endsWith("/queue/join")) return join(...request);
    return path.endsWith("/queue/data") && request[0] instanceof Request ? listen(request[0]) : send(...request);
  };
})();
