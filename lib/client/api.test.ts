import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { UNATTENDED_HEADER } from "@/lib/core/wire";

const page = new EventTarget();
const sent: Request[] = [];

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["Date"] });
  vi.stubGlobal("window", page);
  vi.stubGlobal("fetch", (path: string, init: RequestInit) => {
    sent.push(new Request(new URL(path, "http://console.test"), { ...init, body: null }));
    return Promise.resolve(Response.json({}));
  });
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

describe("what the console asks", () => {
  it("says when nobody is there, unless it writes: that is a person's act", async () => {
    const { getJson, sendJson } = await import("@/lib/client/api");
    await getJson("/api/v1/me", null);
    vi.setSystemTime(Date.now() + 120_000);
    await getJson("/api/v1/me", null);
    await sendJson("POST", "/api/v1/agents", null, {});
    page.dispatchEvent(new Event("keydown"));
    await getJson("/api/v1/me", null);
    expect(sent.map(({ headers }) => headers.get(UNATTENDED_HEADER))).toEqual([null, "1", null, null]);
  });
});
