import { lookup as dnsLookup, type LookupAddress } from "node:dns";
import { isIP, type LookupFunction } from "node:net";
import ipaddr from "ipaddr.js";
import { buildConnector } from "undici";
import { isWithin, parseRanges } from "@/lib/core/address-ranges";
import { AppError } from "@/lib/core/errors";
import type { UpstreamPolicy } from "@/lib/mcp/upstream/policy";

type UrlSchemes = readonly string[];
const HTTP_URL: UrlSchemes = ["http", "https"];
export const WEBSOCKET_URL: UrlSchemes = ["ws", "wss"];

const CONNECT_TIMEOUT_MS = 3_000;
/** What counts as public and is not: IPv4-compatible addresses (::a.b.c.d) may reach 127.0.0.1, and Azure's host agent hands out what a machine runs with. */
const NOT_PUBLIC = parseRanges("::/96,168.63.129.16");

/** True when the operator listed this address. */
export const addressListed = (text: string, policy: UpstreamPolicy): boolean => isWithin(text, policy.allow);

/** True when this address may be connected to: public, or listed by the operator. */
export function addressAllowed(text: string, policy: UpstreamPolicy): boolean {
  if (!ipaddr.isValid(text)) return false;
  if (addressListed(text, policy)) return true;
  return !isWithin(text, NOT_PUBLIC) && ipaddr.process(text).range() === "unicast";
}

const refused = (host: string): AppError =>
  new AppError("egress_refused", `${host} is not a public address. The operator may list its range in EGRESS_ALLOW.`, {
    issues: [{ path: "endpoint.url", rule: "must be a public address or in a range of EGRESS_ALLOW" }],
  });

/** The host of a URL as an address without brackets, or a name. */
const bareHost = (hostname: string): string => hostname.replace(/^\[|\]$/g, "").replace(/\.$/, "");

/** First lock: the URL itself. Node asks no resolver for an address literal, so the lookup below would not see it. */
export function checkUrl(text: string, policy: UpstreamPolicy, schemes: UrlSchemes = HTTP_URL): URL {
  if (!URL.canParse(text)) throw new AppError("invalid_input", "The server's address is not a URL.");
  const url = new URL(text);
  if (!schemes.includes(url.protocol.slice(0, -1))) {
    throw new AppError("egress_refused", `Only ${schemes.join(" and ")} addresses can be called.`);
  }
  if (url.username !== "" || url.password !== "") {
    throw new AppError("egress_refused", "Put secrets into the credential, not into the address.");
  }
  checkHost(url.hostname, policy);
  return url;
}

function checkHost(hostname: string, policy: UpstreamPolicy): void {
  const host = bareHost(hostname);
  if (isIP(host) !== 0 && !addressAllowed(host, policy)) throw refused(host);
}

/** Second lock: what a name resolves to; refused when any of its addresses is. */
function guardedLookup(policy: UpstreamPolicy): LookupFunction {
  return (hostname, options, callback) => {
    dnsLookup(hostname, { ...options, all: true }, (error, addresses: LookupAddress[]) => {
      if (error !== null) return callback(error, "", 0);
      const first = addresses[0];
      if (first === undefined || addresses.some((each) => !addressAllowed(each.address, policy))) {
        return callback(refused(hostname), "", 0);
      }
      if (options.all === true) callback(null, addresses);
      else callback(null, first.address, first.family);
    });
  };
}

/** Third lock: the peer the socket really reached. Redirects are never followed by the callers of this connector. */
export function guardedConnector(policy: UpstreamPolicy): buildConnector.connector {
  const connect = buildConnector({
    timeout: CONNECT_TIMEOUT_MS,
    lookup: guardedLookup(policy),
    autoSelectFamily: true,
  } as buildConnector.BuildOptions);
  return (options, callback) => {
    try {
      checkHost(options.hostname, policy);
    } catch (cause) {
      callback(cause as Error, null);
      return;
    }
    connect(options, (...[error, socket]) => {
      if (error !== null || socket === null) return callback(error ?? new Error("no socket"), null);
      const peer = socket.remoteAddress ?? "";
      if (addressAllowed(peer, policy)) return callback(null, socket);
      socket.destroy();
      callback(refused(peer), null);
    });
  };
}
