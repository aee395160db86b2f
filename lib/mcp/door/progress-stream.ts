import type { DoorAnswer, Text, Write } from "@/lib/mcp/door/door-request";
import type { Json, Progress } from "@/lib/mcp/upstream/protocol";

/** Comments that keep proxies from closing a stream on which nothing happens yet. */
const KEEP_ALIVE_MS = 15_000;
/** A call without a word this long becomes a stream too, because some proxies give up on silent answers. */
export const STREAM_AFTER_MS = 10_000;

export const STREAM_HEADERS = {
  "content-type": "text/event-stream",
  "cache-control": "no-store, no-transform",
  "x-accel-buffering": "no",
} as const;

const [EVENT_START, EVENT_END] = ["event: message\ndata: ", "\n\n"];

const eventString = (text: string): string => `${EVENT_START}${text}${EVENT_END}`;

/** A message that is serialised already, as an event of a stream. */
export const eventText = (text: Text): Text =>
  typeof text === "string" ? eventString(text) : [Buffer.from(EVENT_START), ...text, Buffer.from(EVENT_END)];

/** One message as an event of a stream. */
export const eventOf = (message: Json): string => eventString(JSON.stringify({ jsonrpc: "2.0", ...message }));

/** Writes a text in its pieces. */
export function writeText(write: Write, text: Text): void {
  for (const piece of typeof text === "string" ? [text] : text) write(piece);
}

/** Writes comments until it is told to stop. */
export function keepAlive(write: Write): () => void {
  const timer = setInterval(() => write(": still here\n\n"), KEEP_ALIVE_MS);
  return () => clearInterval(timer);
}

type Work = { readonly status: number; readonly headers: Readonly<Record<string, string>>; readonly text: Text };

/** `isWelcome`: the client takes event streams. What is said to one that does not is lost. */
type Streaming = { readonly headers: Readonly<Record<string, string>>; readonly isWelcome: boolean };

/**
 * Answers with plain JSON when the work ends before it says anything, and with an event stream from its first word on.
 * `start` receives the function that says something.
 */
export async function answerWithStream(
  { headers, isWelcome }: Streaming,
  start: (send: (message: Json) => void) => Promise<Work>,
): Promise<DoorAnswer> {
  if (!isWelcome) {
    const { status, headers: own, text } = await start(() => undefined);
    return { status, headers: { ...headers, ...own }, body: text };
  }
  const early: string[] = [];
  let write: Write | null = null;
  let wake: () => void = () => undefined;
  const spoke = new Promise<null>((resolve) => {
    wake = () => resolve(null);
  });
  const work = start((message) => {
    const text = eventOf(message);
    if (write === null) early.push(text);
    else write(text);
    wake();
  });
  const timer = setTimeout(() => wake(), STREAM_AFTER_MS);
  const first = await Promise.race([work, spoke]);
  clearTimeout(timer);
  if (first !== null) return { status: first.status, headers: { ...headers, ...first.headers }, body: first.text };
  return {
    status: 200,
    headers: { ...headers, ...STREAM_HEADERS },
    async body(to) {
      for (const text of early.splice(0)) to(text);
      write = to;
      const rest = keepAlive(to);
      try {
        writeText(to, eventText((await work).text));
      } finally {
        rest();
      }
    },
  };
}

/** The message that tells a caller, by its own token, how far its call is. */
export const progressMessage = (token: string | number, progress: Progress): Json => ({
  method: "notifications/progress",
  params: { progressToken: token, ...progress },
});

/** As `answerWithStream`, for work that only tells its progress. */
export const answerWithProgress = (
  token: string | number,
  headers: Readonly<Record<string, string>>,
  start: (onProgress: (progress: Progress) => void) => Promise<Work>,
): Promise<DoorAnswer> =>
  answerWithStream({ headers, isWelcome: true }, (send) => start((progress) => send(progressMessage(token, progress))));
