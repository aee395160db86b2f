import { makeLineSplitter } from "@/lib/mcp/upstream/line-splitter";

export type EventReader = {
  readonly read: (chunk: Buffer) => void;
  /** What is kept of an event that is not complete yet. */
  readonly held: () => number;
};

const field = /^(data|event)(?:: ?|$)/;

/** Splits a server-sent event stream into its events (HTML Living Standard §9.2.6), each with its type. */
export function makeEventReader(onEvent: (type: string, data: string) => void): EventReader {
  let data: string[] = [];
  let [type, held] = ["message", 0];
  const lines = makeLineSplitter((line) => {
    const text = line.toString("utf8").replace(/\r$/, "");
    if (text === "") {
      const complete = data;
      const of = type;
      [data, type, held] = [[], "message", 0];
      if (complete.length > 0) onEvent(of, complete.join("\n"));
      return;
    }
    const found = field.exec(text);
    if (found === null) return;
    const value = text.slice(found[0].length);
    if (found[1] === "event") type = value;
    else {
      data.push(value);
      held += value.length + 1;
    }
  });
  return { read: lines.read, held: () => held + lines.pending() };
}
