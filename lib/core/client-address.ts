import { isIP } from "node:net";
import ipaddr from "ipaddr.js";
import { type AddressRange, isWithin } from "@/lib/core/address-ranges";

/** An address as it is shown, IPv4 in its own form; null for what is none. */
function readAddress(text: string): string | null {
  const plain = text.trim().replace(/^::ffff:(?=\d+\.)/i, "");
  return isIP(plain) === 0 ? null : plain;
}

/** A hop of X-Forwarded-For, in one form. Some proxies, Azure's gateways among them, write the port behind the address. */
function readHop(text: string): string | null {
  const [, v6, v4] = /^\[([^\]]+)\](?::\d+)?$|^([\d.]+):\d+$/.exec(text.trim()) ?? [];
  // Brackets are for IPv6 alone.
  if (v6 !== undefined && isIP(v6) !== 6) return null;
  const address = readAddress(v6 ?? v4 ?? text);
  return address !== null && ipaddr.isValid(address) ? ipaddr.process(address).toString() : address;
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
    const before = readHop(hops.pop() ?? "");
    if (before === null) break;
    known = before;
  }
  return known;
}
