// Gradio's page hears of its events through one stream, which the server ends when none is running. In Gradio 6.31 an
// event that is sent meanwhile can be lost without a word, and with it a file or a question:
// - The page takes a stream for open whose end is on its way. Here the stream goes on while an event has no end, and
//   no event gets its answer between the end and the page that reads it.
// - The page hangs up when it reads the end. If the server has not yet returned, it takes that for a visitor who has
//   left, and drops what the visitor has sent since. Here the page reads the end when the server has returned.
// - The page keeps the messages of an event until the answer that names it has come. If others come first, an earlier
//   event overwrites what a later one has shown. Here all messages wait for that answer.
(() => {
  const send = window.fetch;
  const sending = new Set(), running = new Set();
  let endRead = Promise.resolve();
  const message = (text) => /^data: \{"msg":"(\w+)"(?:,"event_id":"(\w+)")?/.exec(text) ?? [];
  // Wait for the answers to what was sent, until something is known.
  const answered = async (isKnown) => {
    while (sending.size && !isKnown()) await Promise.race([...sending]);
  };

  const join = async (...request) => {
    const response = await send(...request);
    const answer = await response.clone().json().catch(() => null);
    if (answer) response.json = async () => answer; // the page reads it before any task that comes later
    await endRead;
    return {response, id: answer?.event_id};
  };
  const joining = (...request) => {
    const joined = join(...request);
    const read = joined.then(({id}) => new Promise((resolve) => setTimeout(resolve, 0, id)), () => null).then((id) => {
      sending.delete(read);
      if (id) running.add(id);
    });
    sending.add(read);
    return joined.then(({response}) => response);
  };

  // Pass on the messages of a stream, and return its last one: the end, which comes only while nothing is running.
  const pass = async (reader, out) => {
    const decoder = new TextDecoder(), encoder = new TextEncoder();
    for (let text = "", last = ""; ;) {
      const {done, value} = await reader.read();
      text += decoder.decode(value, {stream: !done});
      if (done) return last + text;
      const messages = text.split("\n\n");
      text = messages.pop();
      for (const each of messages) {
        const [, kind, id] = message(each);
        if (id) await answered(() => running.has(id));
        if (kind === "process_completed") running.delete(id);
        if (kind === "close_stream") last = `${each}\n\n`;
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
          const last = await pass(reader, out);
          await answered(() => running.size);
          const ended = message(last)[1] === "close_stream";
          if (ended && !running.size) {
            out.enqueue(new TextEncoder().encode(last));
            endRead = new Promise((resolve) => setTimeout(resolve, 10)); // the page has read it long before
            return out.close();
          }
          const next = ended ? await send(request.clone()) : null;
          if (!next?.ok) throw new Error(next ? `${next.status} ${next.statusText}` : `The stream broke off: ${last}`);
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
    if (path.endsWith("/queue/join")) return joining(...request);
    return path.endsWith("/queue/data") && request[0] instanceof Request ? listen(request[0]) : send(...request);
  };
})();
