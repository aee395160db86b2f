import { type MirroredArguments, mirrorArguments } from "@/lib/cli/mirrored-arguments";
import { headerValue } from "@/lib/mcp/upstream/param-headers";
import { isRecord, type Json, META } from "@/lib/mcp/upstream/protocol";

/** The door, for one client: knows its session, and fills in headers, which there are none of over standard streams. */
export type DoorClient = {
  /** Posts a message, and once more where its headers had to say more than was known. */
  readonly post: (message: Json, signal: AbortSignal) => Promise<Response>;
  /** Learns from the answer to `initialize` which version holds from now on. */
  readonly agree: (answer: Json) => void;
  readonly hasSession: () => boolean;
  /** Opens the stream of the session as it is now. */
  readonly opener: (signal: AbortSignal) => () => Promise<Response>;
  /** Ends the session; a door that cannot be told forgets it by itself. */
  readonly leave: () => Promise<void>;
};

export type DoorClientOptions = { readonly url: string; readonly key: string };

/** Whoever started us waits for our end. */
const LEAVE_MS = 1_000;
const NOTHING: Json = {};

export function makeDoorClient({ url, key }: DoorClientOptions): DoorClient {
  let session: string | null = null;
  let version: string | null = null;

  const headersOf = (message: Json): Record<string, string> => ({
    authorization: `Bearer ${key}`,
    "content-type": "application/json",
    accept: "application/json, text/event-stream",
    ...(session === null ? {} : { "mcp-session-id": session }),
    ...protocolHeaders(message, version),
    ...mirrored.headersOf(message),
  });
  // A call is for the door that was named: whoever is there may not send its arguments somewhere else.
  const ask = (request: RequestInit) => fetch(url, { ...request, redirect: "manual" });
  const once = (message: Json, signal: AbortSignal) =>
    ask({ method: "POST", headers: headersOf(message), body: JSON.stringify(message), signal });
  const mirrored: MirroredArguments = mirrorArguments(async (message, signal) => (await once(message, signal)).text());

  return {
    async post(message, signal) {
      const answer = await once(message, signal);
      if (message["method"] === "initialize" && answer.ok) session = answer.headers.get("mcp-session-id");
      if (answer.status !== 400) return answer;
      const text = await answer.text();
      return (await mirrored.learn(message, text, signal)) ? once(message, signal) : new Response(text, answer);
    },
    agree({ result }) {
      if (isRecord(result) && typeof result["protocolVersion"] === "string") version = result["protocolVersion"];
    },
    hasSession: () => session !== null,
    opener(signal) {
      const headers = { ...headersOf(NOTHING), accept: "text/event-stream" };
      return () => ask({ headers, signal });
    },
    async leave() {
      if (session === null) return;
      const signal = AbortSignal.timeout(LEAVE_MS);
      await ask({ method: "DELETE", headers: headersOf(NOTHING), signal }).catch(() => undefined);
    },
  };
}

/** True for a message of the stateless wire, which says of itself what sessions agree on. */
export const isStateless = (message: Json): boolean => META.protocolVersion in metaOf(message);

function metaOf({ params }: Json): Json {
  const meta = isRecord(params) ? params["_meta"] : NOTHING;
  return isRecord(meta) ? meta : NOTHING;
}

/** Headers repeat what the body of a stateless message says. */
function protocolHeaders(message: Json, version: string | null): Record<string, string> {
  const { method, params } = message;
  const given = isRecord(params) ? params : NOTHING;
  const claimed = metaOf(message)[META.protocolVersion];
  if (typeof claimed !== "string") return version === null ? {} : { "mcp-protocol-version": version };
  const name = method === "resources/read" ? given["uri"] : given["name"];
  return {
    "mcp-protocol-version": claimed,
    "mcp-method": String(method),
    ...(typeof name === "string" ? { "mcp-name": headerValue(name) } : {}),
  };
}
