import { isIP } from "node:net";
import ipaddr from "ipaddr.js";

export type AddressRange = readonly [ipaddr.IPv4 | ipaddr.IPv6, number];

/** Reads comma separated addresses and CIDR ranges; throws for what is neither, because a typo must not pass for a rule. */
export const parseRanges = (text: string): readonly AddressRange[] =>
  text
    .split(",")
    .map((part) => part.trim())
    .filter((part) => part !== "")
    .map((part) => {
      if (part.includes("/")) return ipaddr.parseCIDR(part);
      const address = ipaddr.process(part);
      return [address, address.kind() === "ipv4" ? 32 : 128];
    });

const within = (text: string, ranges: readonly AddressRange[]): boolean => {
  const address = ipaddr.process(text);
  return ranges.some(([range, bits]) => address.kind() === range.kind() && address.match(range as never, bits));
};

/** An address as it is shown, IPv4 in its own form; null for what is none. */
function readAddress(text: string): string | null {
  const plain = text.trim().replace(/^::ffff:(?=\d+\.)/i, "");
  return isIP(plain) === 0 ? null : plain;
}

/**
 * Who connected to us, or to the proxies of ours that connected to us. Each hop of X-Forwarded-For is what the one after it
 * saw, so it is read from its end, and only as far as those who said it are `trusted`.
 */
export function clientAddress(
  peer: string | null,
  forwarded: string | null,
  trusted: readonly AddressRange[],
): string | null {
  let known = readAddress(peer ?? "");
  if (trusted.length === 0 || forwarded === null) return known;
  const hops = forwarded.split(",");
  while (known !== null && within(known, trusted)) {
    const before = readAddress(hops.pop() ?? "");
    if (before === null) break;
    known = before;
  }
  return known;
}
