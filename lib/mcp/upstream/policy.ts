import { type AddressRange, parseRanges } from "@/lib/core/address-ranges";
import { env } from "@/lib/env";

/** Where this process may connect to and what it may start, on behalf of a registered server. */
export type UpstreamPolicy = {
  /** Address ranges that are reachable although they are not public. */
  readonly allow: readonly AddressRange[];
  /** Programs a stdio server may start. */
  readonly programs: readonly string[];
};

export type UpstreamPolicyInput = {
  /** Comma separated addresses and CIDR ranges. */
  readonly egressAllow?: string | undefined;
  readonly stdioAllow?: string | undefined;
  /** The demo's own HTTP server listens on loopback. */
  readonly allowLoopback?: boolean;
};

const LOOPBACK = "127.0.0.0/8,::1/128";
const DEFAULT_PROGRAMS = ["node", "npx"];

/** Builds a policy; a range that cannot be read throws, because a typo must not pass for a rule. */
export function makeUpstreamPolicy(input: UpstreamPolicyInput = {}): UpstreamPolicy {
  const programs = (input.stdioAllow ?? "")
    .split(",")
    .map((part) => part.trim())
    .filter((part) => part !== "");
  return {
    allow: [...parseRanges(input.egressAllow ?? ""), ...(input.allowLoopback === true ? parseRanges(LOOPBACK) : [])],
    programs: programs.length > 0 ? programs : DEFAULT_PROGRAMS,
  };
}

/** The policy of this process, from its settings. */
export function upstreamPolicy(): UpstreamPolicy {
  const { EGRESS_ALLOW, STDIO_ALLOW, demo } = env();
  return makeUpstreamPolicy({ egressAllow: EGRESS_ALLOW, stdioAllow: STDIO_ALLOW, allowLoopback: demo });
}
