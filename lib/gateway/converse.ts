import { AppError } from "@/lib/core/errors";
import { singleton } from "@/lib/core/singleton";
import type { Grant } from "@/lib/gateway/authorize";
import type { ClientSide } from "@/lib/gateway/client-side";
import type { GatewayDeps } from "@/lib/gateway/gateway-deps";
import { findHeldCall } from "@/lib/gateway/held-calls/find-held-call";
import { isHeldState } from "@/lib/gateway/held-calls/held-call";
import { holdCall, type Speak } from "@/lib/gateway/held-calls/hold-call";
import { recordUnresumed } from "@/lib/gateway/held-calls/record-unresumed";
import type { ToolCall } from "@/lib/gateway/tool-call";
import { makeUpstreams, type Upstreams } from "@/lib/gateway/upstreams";
import { broken } from "@/lib/mcp/upstream/faults";
import {
  type Dialogue,
  isRecord,
  type Json,
  type Upstream,
  type UpstreamAnswer,
  type UpstreamRequest,
} from "@/lib/mcp/upstream/protocol";
import { untilStopped } from "@/lib/mcp/upstream/until-stopped";
import type { Deadline } from "@/lib/resilience/deadline";
import { type PausableDeadline, startPausableDeadline } from "@/lib/resilience/pausable-deadline";
import { enabledServers } from "@/lib/servers/registry";

/** How often a server may come back with another question before it has to answer. */
const MAX_ROUNDS = 8;

/** The capability behind each thing that a server may ask a client. */
const CAPABILITY: Readonly<Record<string, string>> = {
  "sampling/createMessage": "sampling",
  "elicitation/create": "elicitation",
  "roots/list": "roots",
};

/** People answer slowly: beyond the server's own time a call may wait for its client this long. */
const PATIENCE_MS = 30 * 60_000;

/** What a call may take beside the time its server has. */
export const patienceOf = ({ client }: ToolCall): number =>
  client?.dialogue.onRequest === undefined ? 0 : PATIENCE_MS;

type Deps = Pick<GatewayDeps, "upstreams" | "inFlight" | "append">;

/** The server as this call speaks with it: plainly, or with a client that can be told and asked things meanwhile. */
export function counterpart(gateway: Deps, grant: Grant, call: ToolCall): Pick<Upstream, "request"> {
  const { server } = grant;
  const { ask, client } = call;
  const upstream = upstreamsFor(gateway, client).of(server);
  if (ask === undefined && client === undefined) {
    const send = (request: UpstreamRequest) => (params: Json) =>
      upstream.request(params === request.params ? request : { ...request, params });
    return { request: (request) => inRounds(send(request), request.params) };
  }
  return {
    request: (request) =>
      client !== undefined && comesBack(client)
        ? converseInTurns(gateway, grant, upstream, { ...call, client }, request)
        : converse(upstream, server.deadlineMs, call, request),
  };
}

/** A client of the stateless wire is asked by an answer, and brings what it was asked for with another call. */
const comesBack = ({ capabilities, takesInputRequests }: ClientSide): boolean =>
  takesInputRequests && Object.keys(capabilities).length > 0;

/**
 * Speaks with a server that may ask in the middle of a call, as those of the sessions era do, for a client that can only be
 * asked by an answer: the call at the server is held while the client is away. Other servers answer at once.
 */
async function converseInTurns(
  gateway: Deps,
  grant: Grant,
  upstream: Upstream,
  call: ToolCall & { readonly client: ClientSide },
  plain: UpstreamRequest,
): Promise<UpstreamAnswer> {
  const { client } = call;
  const ears = { ...client.dialogue, onProgress: plain.onProgress, callId: client.callId };
  const state = client.retry?.["requestState"];
  if (isHeldState(state)) {
    // First of all found: where nobody can be asked for it now, the state is still good.
    const going = await findHeldCall(state, grant);
    await client.spend?.();
    going.answer(client.retry?.["inputResponses"]);
    return going.next(plain.deadline, ears);
  }
  const speak: Speak = ({ deadline, dialogue, onProgress }) => {
    const talking = { ...client, dialogue: { ...dialogue, logLevel: client.dialogue.logLevel } };
    return converse(
      upstream,
      grant.server.deadlineMs,
      { ...call, client: talking },
      { ...plain, deadline, onProgress },
    );
  };
  const held = holdCall(gateway, grant, speak, (how) => recordUnresumed(gateway, grant, call.entrance, how));
  return held.next(plain.deadline, ears);
}

async function converse(
  upstream: Upstream,
  deadlineMs: number,
  { ask, client }: ToolCall,
  plain: UpstreamRequest,
): Promise<UpstreamAnswer> {
  const deadline = startPausableDeadline(deadlineMs, plain.deadline);
  const dialogue = patient(client, deadline);
  const asked =
    ask === undefined ? plain : { ...plain, method: ask.method, params: ask.params, inputSchema: undefined };
  try {
    await client?.spend?.();
    if (ask !== undefined && (await isOursAlone(upstream, ask.method, deadline))) return { result: {}, bytes: 0 };
    const send = (params: Json) => upstream.request({ ...asked, params, deadline, dialogue });
    return await inRounds(send, asked.params, client, dialogue);
  } finally {
    deadline.release();
  }
}

/** Asks a server as often as it wants something first, unless the client wants to hear of that itself. */
async function inRounds(
  send: (params: Json) => Promise<UpstreamAnswer>,
  params: Json,
  client?: ClientSide,
  dialogue?: Dialogue,
): Promise<UpstreamAnswer> {
  let answer = await send(client?.retry ? { ...params, ...client.retry } : params);
  for (let round = 0; answer.result["resultType"] === "input_required"; round += 1) {
    const requests = inputRequestsOf(answer.result, client);
    if (client?.takesInputRequests === true) break;
    if (round === MAX_ROUNDS) throw tooOften(requests);
    const { requestState } = answer.result;
    const inputResponses = await askEach(requests, dialogue);
    answer = await send({ ...params, inputResponses, requestState });
  }
  return answer;
}

/** Putting a call off is the server's good right, and no fault of it. */
function tooOften(requests: Json): AppError {
  if (Object.keys(requests).length > 0) return broken(`it asked for input more than ${MAX_ROUNDS} times`);
  return new AppError("upstream_error", `The server put the call off more than ${MAX_ROUNDS} times. Try again later.`);
}

/**
 * Following a resource is asked of servers of the sessions era only; the others are told when somebody listens. Nobody
 * unfollows for the others who share the session.
 */
async function isOursAlone(upstream: Upstream, method: string, deadline: Deadline): Promise<boolean> {
  if (method === "resources/unsubscribe") return true;
  return method === "resources/subscribe" && (await upstream.greet(deadline)).era === "modern";
}

/** While the client is asked, for what it offered only, the server's clock stands. The end of the call ends the wait too. */
function patient(client: ClientSide | undefined, deadline: PausableDeadline): Dialogue | undefined {
  const onRequest = client?.dialogue.onRequest;
  if (onRequest === undefined) return client?.dialogue;
  return {
    ...client?.dialogue,
    onRequest: async (method, params) => {
      requireOffered(method, client);
      return await deadline.pausedFor(() => untilStopped(onRequest(method, params), deadline));
    },
  };
}

/** A server may only ask for what the client has said it can do. */
function inputRequestsOf({ inputRequests = {} }: Json, client: ClientSide | undefined): Record<string, Json> {
  if (!isRecord(inputRequests)) throw broken("the input it requires is no object");
  for (const request of Object.values(inputRequests)) {
    requireOffered(isRecord(request) ? String(request["method"]) : "nothing", client);
  }
  return inputRequests as Record<string, Json>;
}

function requireOffered(method: string, client: ClientSide | undefined): void {
  const capability = CAPABILITY[method];
  if (capability === undefined || client?.capabilities[capability] === undefined) {
    throw broken(`it asks for ${method.slice(0, 80)}, which the client did not offer`);
  }
}

/** What the client answers; undefined where nothing is asked. Members that are undefined are not sent. */
async function askEach(requests: Record<string, Json>, dialogue: Dialogue | undefined): Promise<Json | undefined> {
  if (Object.keys(requests).length === 0) return undefined;
  const ask = dialogue?.onRequest;
  if (ask === undefined)
    throw new AppError("upstream_protocol", "The server asks for input that nobody can give here.");
  const answers = Object.entries(requests).map(async ([name, { method, params }]) => [
    name,
    await ask(String(method), isRecord(params) ? params : {}),
  ]);
  return Object.fromEntries(await Promise.all(answers)) as Json;
}

type Variants = Map<string, Upstreams>;
const variants = (): Variants => singleton("gateway.interactive-upstreams", () => new Map());

/** Longer than any call, with the time in which its client is asked. What was opened for some abilities nobody may need again. */
const IDLE_MS = 60 * 60_000;

/** Connections say what the clients behind them can do, so clients of different abilities do not share any. */
function upstreamsFor(gateway: Deps, client: ClientSide | undefined): Upstreams {
  const capabilities = client?.capabilities ?? {};
  if (Object.keys(capabilities).length === 0) return gateway.upstreams;
  const key = JSON.stringify(capabilities);
  const found = variants().get(key);
  if (found !== undefined) return found;
  const current = async (tenantId: string) => (await enabledServers(tenantId)).values();
  const made = makeUpstreams({ capabilities, current, idleMs: IDLE_MS });
  variants().set(key, made);
  return made;
}

/** Ends the connections of clients that can be asked. */
export async function closeInteractiveUpstreams(): Promise<void> {
  const all = [...variants().values()];
  variants().clear();
  await Promise.all(all.map((each) => each.close()));
}
