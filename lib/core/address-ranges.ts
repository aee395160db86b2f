import { isIP } from "node:net";
import ipaddr from "ipaddr.js";

export type AddressRange = readonly [ipaddr.IPv4 | ipaddr.IPv6, number];

function parseRange(text: string): AddressRange {
  const [address = ""] = text.split("/");
  // The library takes 10.1 for 10.0.0.1: a typo must not pass for a rule.
  if (isIP(address) === 0) throw new Error(`${text} is neither an address nor a range`);
  const isRange = text.includes("/");
  const parsed = ipaddr.parse(address);
  const bits = isRange ? ipaddr.parseCIDR(text)[1] : parsed.kind() === "ipv4" ? 32 : 128;
  if (!(parsed instanceof ipaddr.IPv6) || !parsed.isIPv4MappedAddress()) return [parsed, bits];
  // Compared as what it means: as IPv6 it would hold no address at all.
  if (bits < 96) throw new Error(`${text} is wider than all of IPv4`);
  return [parsed.toIPv4Address(), bits - 96];
}

/** Reads comma separated addresses and CIDR ranges; throws for what is neither. */
export const parseRanges = (text: string): readonly AddressRange[] =>
  text
    .split(",")
    .map((part) => part.trim())
    .filter((part) => part !== "")
    .map(parseRange);

/** True when one of the ranges holds the address. IPv4 is IPv4 however it is written. */
export function isWithin(text: string, ranges: readonly AddressRange[]): boolean {
  if (!ipaddr.isValid(text)) return false;
  const address = ipaddr.process(text);
  return ranges.some(([range, bits]) => address.kind() === range.kind() && address.match(range as never, bits));
}
