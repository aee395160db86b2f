import ipaddr from "ipaddr.js";
import { env } from "@/lib/env";

type Range = readonly [ipaddr.IPv4 | ipaddr.IPv6, number];

/** Where this process may connect to and what it may start, on behalf of a registered server. */
export type UpstreamPolicy = {
  /** Address ranges that are reachable although they are not public. */
  readonly allow: readonly Range[];
  /** Programs a stdio server may start. */
  readonly programs: readonly string[];
};

export type UpstreamPolicyInput = {
  /** Comma separated CIDR ranges. */
  readonly egressAllow?: string | undefined;
  readonly stdioAllow?: string | undefined;
  /** The demo's own HTTP server listens on loopback. */
  readonly allowLoopback?: boolean;
};

const LOOPBACK = ["127.0.0.0/8", "::1/128"];
const DEFAULT_PROGRAMS = ["node", "npx"];

const listed = (text: string | undefined): string[] =>
  (text ?? "")
    .split(",")
    .map((part) => part.trim())
    .filter((part) => part !== "");

/** Builds a policy; a range that cannot be read throws, because a typo must not pass for a rule. */
export function makeUpstreamPolicy(input: UpstreamPolicyInput = {}): UpstreamPolicy {
  const ranges = [...listed(input.egressAllow), ...(input.allowLoopback === true ? LOOPBACK : [])];
  const programs = listed(input.stdioAllow);
  return {
    allow: ranges.map((range) => ipaddr.parseCIDR(range)),
    programs: programs.length > 0 ? programs : DEFAULT_PROGRAMS,
  };
}

/** The policy of this process, from its settings. */
export function upstreamPolicy(): UpstreamPolicy {
  const { EGRESS_ALLOW, STDIO_ALLOW, demo } = env();
  return makeUpstreamPolicy({ egressAllow: EGRESS_ALLOW, stdioAllow: STDIO_ALLOW, allowLoopback: demo });
}
