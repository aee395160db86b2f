import "server-only";
import { isIP } from "node:net";
import { type buildConnector, Client } from "undici";
import { failureWords, GONE, statusWords } from "@/lib/channels/failure-words";
import { retryAfterOf } from "@/lib/channels/retry-rules";
import type { Sent } from "@/lib/channels/sent";
import { AppError } from "@/lib/core/errors";
import { addressListed, checkUrl, guardedConnector } from "@/lib/mcp/upstream/egress-guard";
import { type UpstreamPolicy, upstreamPolicy } from "@/lib/mcp/upstream/policy";

/** Nobody reads what a receiver says; so much of it is taken off the wire that it need not see a broken connection. */
const MAX_ANSWER_BYTES = 4_096;

const needsTls = () =>
  new AppError("egress_refused", "An address outside of EGRESS_ALLOW is only called over https.", {
    issues: [
      { path: "target.url", rule: "must begin with https://, unless its address is in a range of EGRESS_ALLOW" },
    ],
  });

/** Refuses an address that no channel may have, as far as the address alone says it. */
export function requireSoundUrl(text: string, policy: UpstreamPolicy = upstreamPolicy()): URL {
  const url = checkUrl(text, policy);
  const host = url.hostname.replace(/^\[|\]$/g, "");
  if (url.protocol === "http:" && isIP(host) !== 0 && !addressListed(host, policy)) throw needsTls();
  return url;
}

/** Without TLS only what the operator listed: a name says where it leads no sooner than when the socket is there. */
function connectorFor(url: URL, policy: UpstreamPolicy): buildConnector.connector {
  const connect = guardedConnector(policy);
  if (url.protocol === "https:") return connect;
  return (options, callback) =>
    connect(options, (...[error, socket]) => {
      if (error !== null || socket === null) return callback(error ?? new Error("no socket"), null);
      if (addressListed(socket.remoteAddress ?? "", policy)) return callback(null, socket);
      socket.destroy();
      callback(needsTls(), null);
    });
}

export type PostJson = {
  readonly url: string;
  readonly body: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly deadlineMs: number;
};

/** Posts once, over a connection of its own, and says how it went. Redirects are answers like any other. */
export async function postJson({ url: text, body, headers, deadlineMs }: PostJson): Promise<Sent> {
  let client: Client | null = null;
  try {
    const policy = upstreamPolicy();
    const url = requireSoundUrl(text, policy);
    client = new Client(url.origin, { connect: connectorFor(url, policy), headersTimeout: 0, bodyTimeout: 0 });
    const signal = AbortSignal.timeout(deadlineMs);
    const answer = await client.request({
      method: "POST",
      path: `${url.pathname}${url.search}`,
      headers: { "content-type": "application/json", "user-agent": "Countersign", ...headers },
      body,
      signal,
    });
    await answer.body.dump({ limit: MAX_ANSWER_BYTES, signal }).catch(() => undefined);
    return toSent(answer.statusCode, answer.headers["retry-after"]);
  } catch (cause) {
    return { delivered: false, status: null, error: failureWords(cause, deadlineMs), final: false, retryAfterMs: null };
  } finally {
    await client?.destroy();
  }
}

function toSent(status: number, retryAfter: string | string[] | undefined): Sent {
  if (status >= 200 && status < 300) return { delivered: true, status, error: null };
  const retryAfterMs = retryAfterOf(retryAfter, Date.now());
  return { delivered: false, status, error: statusWords(status), final: status === GONE, retryAfterMs };
}
