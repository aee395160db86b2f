import { isIP } from "node:net";
import { type AddressRange, isWithin } from "@/lib/core/address-ranges";

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
  while (known !== null && isWithin(known, trusted)) {
    const before = readAddress(hops.pop() ?? "");
    if (before === null) break;
    known = before;
  }
  return known;
}
