import { isAppError } from "@/lib/core/errors";
import { traceMembers } from "@/lib/core/trace-context";
import { hear } from "@/lib/mcp/upstream/dialogue";
import { makeHearing } from "@/lib/mcp/upstream/hear-stream";
import { agreeOverHttp, type Link, legacyHeaders } from "@/lib/mcp/upstream/http-greeting";
import { answerOver, listenOverHttp } from "@/lib/mcp/upstream/http-listen";
import { type HttpWire, type HttpWireOptions, openHttpWire } from "@/lib/mcp/upstream/http-wire";
import { answerIn } from "@/lib/mcp/upstream/large-answers";
import { NO_CAPABILITIES, requestMeta, tracedMeta } from "@/lib/mcp/upstream/messages";
import { headerValue, paramHeaders } from "@/lib/mcp/upstream/param-headers";
import {
  type Json,
  MODERN_VERSION,
  type Upstream,
  type UpstreamAnswer,
  type UpstreamRequest,
} from "@/lib/mcp/upstream/protocol";
import { takeUp } from "@/lib/mcp/upstream/take-up";
import { untilStopped } from "@/lib/mcp/upstream/until-stopped";
import { type Deadline, startDeadline } from "@/lib/resilience/deadline";

export type HttpUpstreamOptions = HttpWireOptions & {
  /** What the clients behind this connection can do when the server asks. */
  readonly capabilities?: Json;
};

/** A server over streamable HTTP, of either era. */
export function openHttpUpstream(options: HttpUpstreamOptions): Upstream {
  const wire = openHttpWire(options);
  const { capabilities: told = NO_CAPABILITIES } = options;
  const capabilities = Object.keys(told).length === 0 ? NO_CAPABILITIES : told;
  let link: Link | null = null;
  let linking: Promise<Link> | null = null;

  async function agree(): Promise<Link> {
    const deadline = startDeadline(options.deadlineMs);
    try {
      link = await agreeOverHttp(wire, deadline, capabilities);
      return link;
    } finally {
      deadline.release();
      linking = null;
    }
  }

  function linked(deadline: Deadline): Link | Promise<Link> {
    if (link !== null) return link;
    linking ??= agree();
    return untilStopped(linking, deadline);
  }

  return {
    greet: async (deadline) => (await linked(deadline)).greeting,
    async request(request) {
      const current = await linked(request.deadline);
      try {
        return await send(wire, current, request, capabilities);
      } catch (cause) {
        if (!isLinkLost(cause, current)) throw cause;
        // Nothing was executed: the server knows no such session (or speaks another era by now).
        if (link === current) link = null;
        return send(wire, await linked(request.deadline), request, capabilities);
      }
    },
    listen: async (request) => listenOverHttp(wire, await linked(request.deadline), request),
    close: () => wire.close(link === null || link.session === null ? undefined : legacyHeaders(link)),
    connections: () => wire.connections(),
    keepWarm: (count) => wire.keepWarm(count),
  };
}

async function send(wire: HttpWire, link: Link, request: UpstreamRequest, capabilities: Json): Promise<UpstreamAnswer> {
  const { method, deadline, onProgress, dialogue, trace } = request;
  const modern = link.greeting.era === "modern";
  const id = wire.nextId();
  const own = requestMeta(modern, onProgress === undefined ? null : id, capabilities, dialogue?.logLevel);
  const meta = tracedMeta(own, trace);
  const params = meta === undefined ? request.params : { ...request.params, _meta: meta };
  const plain = modern ? modernHeaders(request) : legacyHeaders(link);
  const headers = trace === undefined ? plain : { ...plain, ...traceMembers(trace) };
  try {
    // Servers of the sessions era may ask at any time, if only whether we are there.
    const hears = dialogue !== undefined || !modern;
    const onMessage = hears ? hear(dialogue, answerOver(wire, link, deadline)) : undefined;
    const hearing = makeHearing({ id, onProgress, onMessage });
    const posted = { id, method, params, headers, deadline, takesUp: !modern, hearing };
    const first = await wire.post(posted);
    const answer = first.place === undefined || modern ? first : await takeUp(wire, posted, first.place);
    const read = wire.read(answer, deadline);
    return answerIn(read instanceof Promise ? await read : read, id, request, answer.bytes);
  } catch (cause) {
    // On the modern wire leaving the stream is the cancellation; in the sessions era it has to be said.
    if (!modern && deadline.stopped() !== null) tellCancelled(wire, link, id);
    throw cause;
  }
}

function tellCancelled(wire: HttpWire, link: Link, requestId: number): void {
  const deadline = startDeadline(2_000);
  const params = { requestId, reason: "the caller no longer waits" };
  wire
    .post({ id: null, method: "notifications/cancelled", params, headers: legacyHeaders(link), deadline })
    .catch(() => undefined)
    .finally(() => deadline.release());
}

function isLinkLost(cause: unknown, link: Link): boolean {
  if (!isAppError(cause) || cause.code !== "upstream_error") return false;
  const { httpStatus, rpcCode } = cause.detail;
  // It speaks the other era by now.
  if (rpcCode === -32022) return true;
  // The protocol says 404. Many servers were written after an example that says 400 and -32000, which is also what any
  // other error may be called: only its words tell that nothing was executed.
  if (httpStatus === 400 && rpcCode === -32000) return /session|not initialized/i.test(cause.message);
  return link.session !== null && httpStatus === 404 && rpcCode === undefined;
}

function modernHeaders({ method, params, inputSchema }: UpstreamRequest): Record<string, string> {
  const name = params["name"] ?? (method === "resources/read" ? params["uri"] : undefined);
  const headers = paramHeaders(inputSchema, params["arguments"]);
  headers["mcp-protocol-version"] = MODERN_VERSION;
  headers["mcp-method"] = method;
  if (typeof name === "string") headers["mcp-name"] = headerValue(name);
  return headers;
}
