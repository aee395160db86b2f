import { afterEach, describe, expect, it, vi } from "vitest";
import { seenFrom } from "@/lib/auth/seen-from";
import { resetSingleton } from "@/lib/core/singleton";

function ipOf(forwarded: string, trusted?: string): string | null {
  vi.stubEnv("TRUSTED_PROXIES", trusted);
  for (const name of ["env", "trusted-proxies"]) resetSingleton(name);
  return seenFrom(new Headers({ "x-forwarded-for": forwarded })).ip;
}

afterEach(() => {
  vi.unstubAllEnvs();
  for (const name of ["env", "trusted-proxies"]) resetSingleton(name);
});

// The last address is the one our own server saw.
describe("where a request came from", () => {
  it("is who connected to us, whatever the header says before", () => {
    expect(ipOf("198.51.100.7, 10.0.0.5")).toBe("10.0.0.5");
    expect(ipOf("198.51.100.7, ::ffff:203.0.113.4")).toBe("203.0.113.4");
    expect(ipOf("198.51.100.7, nonsense")).toBeNull();
    // Not one of ours: its word counts for nothing.
    expect(ipOf("198.51.100.7, 203.0.113.4", "10.0.0.0/8")).toBe("203.0.113.4");
  });

  it("is who connected to our proxies, where they are named", () => {
    expect(ipOf("198.51.100.7, 10.0.0.5", "10.0.0.0/8")).toBe("198.51.100.7");
    expect(ipOf("192.0.2.66, 198.51.100.7, 10.9.9.9, ::ffff:10.0.0.5", "10.0.0.0/8, ::1")).toBe("198.51.100.7");
    expect(ipOf("2001:db8::7, ::1", "10.0.0.0/8, ::1")).toBe("2001:db8::7");
  });

  it("is read with its port, as Azure's and other gateways write it, and in one form however it is written", () => {
    expect(ipOf("198.51.100.7:50123, 10.0.0.5", "10.0.0.0/8")).toBe("198.51.100.7");
    expect(ipOf("203.0.113.9, 198.51.100.7:50123, 10.0.0.6:443, 10.0.0.5", "10.0.0.0/8")).toBe("198.51.100.7");
    expect(ipOf("[2001:db8::7]:50123, 10.0.0.5", "10.0.0.0/8")).toBe("2001:db8::7");
    expect(ipOf("[2001:db8::7], 10.0.0.5", "10.0.0.0/8")).toBe("2001:db8::7");
    expect(ipOf("::ffff:c633:6407, 10.0.0.5", "10.0.0.0/8")).toBe("198.51.100.7");
    expect(ipOf("2001:DB8:0:0::7, 10.0.0.5", "10.0.0.0/8")).toBe("2001:db8::7");
    expect(ipOf("fe80::1%eth0.1, 10.0.0.5", "10.0.0.0/8")).toBe("fe80::1%eth0.1");
    expect(ipOf("192.0.2.1, ::ffff:a00:6, 10.0.0.5", "10.0.0.0/8")).toBe("192.0.2.1");
    for (const none of ["198.51.100.7:", "198.51.100.7:x", "[198.51.100.7]:1", "[2001:db8::7", "[x]:1", "::ffff:"])
      expect([none, ipOf(`${none}, 10.0.0.5`, "10.0.0.0/8")]).toEqual([none, "10.0.0.5"]);
  });

  it("is the last proxy that can be believed, where the rest is unreadable or missing", () => {
    expect(ipOf("unknown, 10.0.0.5", "10.0.0.0/8")).toBe("10.0.0.5");
    expect(ipOf("10.0.0.6, 10.0.0.5", "10.0.0.0/8")).toBe("10.0.0.6");
    expect(ipOf("10.0.0.5", "10.0.0.0/8")).toBe("10.0.0.5");
  });
});
