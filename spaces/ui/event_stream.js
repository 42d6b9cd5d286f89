// Gradio's page hears of its events through one stream, which the server ends when none is running. In Gradio 6.31 an
// event that is sent meanwhile can be lost without a word, and with it a file or a question:
// - The page takes a stream for open whose end is on its way. Here the stream goes on while an event has no end.
// - The page hangs up when it reads the end. If the server has not yet returned, it takes that for a visitor who has
//   left, and drops what the visitor has sent since. Here the page reads the end when the server has returned.
(() => {
  const send = window.fetch;
  const sending = new Set(), running = new Set(), ended = new Set();
  // Every message begins so. An event can end before the answer that names it has come.
  const message = (text) => /^data: \{"msg":"(\w+)"(?:,"event_id":"(\w+)")?/.exec(text) ?? [];
  const end = (id) => running.delete(id) || ended.add(id);
  const begin = (id) => id && !ended.delete(id) && running.add(id);

  const join = async (...request) => {
    const response = await send(...request);
    begin((await response.clone().json().catch(() => null))?.event_id);
    return response;
  };
  const joining = (...request) => {
    const answer = join(...request);
    sending.add(answer);
    const forget = () => sending.delete(answer);
    answer.then(forget, forget);
    return answer;
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
        if (kind === "process_completed") end(id);
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
          await Promise.allSettled([...sending]);
          const next = message(last)[1] === "close_stream" && running.size ? await send(request.clone()) : null;
          if (next && !next.ok) throw new Error(`${next.status} ${next.statusText}`);
          if (!next) {
            running.clear();
            out.enqueue(new TextEncoder().encode(last));
            return out.close();
          }
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
