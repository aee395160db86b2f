/** Splits a server-sent event stream into the data of its events (HTML Living Standard §9.2.6). */
export function makeSseReader(onData: (data: string) => void): (chunk: Uint8Array) => void {
  const decoder = new TextDecoder();
  let pending = "";
  let data: string[] = [];
  const line = (text: string) => {
    if (text === "") {
      if (data.length > 0) onData(data.join("\n"));
      data = [];
      return;
    }
    if (text === "data") data.push("");
    else if (text.startsWith("data:")) data.push(text.slice(text[5] === " " ? 6 : 5));
  };
  return (chunk) => {
    pending += decoder.decode(chunk, { stream: true });
    let from = 0;
    for (let end = pending.indexOf("\n", from); end !== -1; end = pending.indexOf("\n", from)) {
      line(pending.slice(from, pending[end - 1] === "\r" ? end - 1 : end));
      from = end + 1;
    }
    pending = pending.slice(from);
  };
}
