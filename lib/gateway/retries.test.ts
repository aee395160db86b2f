import { describe, expect, it } from "vitest";
import { AppError, ERROR_CODES } from "@/lib/core/errors";
import type { Grant } from "@/lib/gateway/authorize";
import { makeRetries } from "@/lib/gateway/retries";
import type { RetryPolicy } from "@/lib/limits/schemas";

const grant = (annotations: object) =>
  ({
    server: { id: "server", tenantId: "tenant", deadlineMs: 30_000 },
    tool: { definition: { name: "read", inputSchema: {}, annotations } },
  }) as unknown as Grant;

const READS = grant({ readOnlyHint: true });
const PLENTY_MS = 30_000;

function begin(retryPolicy: RetryPolicy, of: Grant) {
  const handling = async () =>
    new Map([["server", { retryPolicy, cacheTtlMs: new Map<string, number>(), revision: "1" }]]);
  return makeRetries({ clock: { now: () => 0 }, handling, random: () => 0 }).begin(of);
}

describe("a call that failed", () => {
  it("is repeated after faults that came before any answer, and never after a time-out or an answer", async () => {
    const repeated: string[] = [];
    for (const code of ERROR_CODES) {
      const next = await begin("idempotent", READS);
      if (next(new AppError(code, "for the test"), 0, PLENTY_MS) !== null) repeated.push(code);
    }
    expect(repeated).toEqual(["upstream_unreachable"]);
  });

  it.each([
    [{ httpStatus: 500 }, true],
    [{ httpStatus: 503 }, true],
    [{ httpStatus: 429 }, true],
    [{ httpStatus: 400 }, false],
    [{ httpStatus: 401 }, false],
    [{ rpcCode: -32602, httpStatus: 500 }, false],
    [{}, false],
  ])("with the server's own word %o is repeated: %s", async (detail, expected) => {
    const next = await begin("read_only", READS);
    expect(next(new AppError("upstream_error", "for the test", detail), 0, PLENTY_MS) !== null).toBe(expected);
  });

  it("is repeated once, while there is time, and only where tool and policy allow it", async () => {
    const fault = new AppError("upstream_unreachable", "for the test");
    const next = await begin("read_only", READS);
    expect(next(fault, 0, PLENTY_MS)).toBe(50);
    expect(next(fault, 1, PLENTY_MS)).toBeNull();
    expect(next(fault, 0, 80)).toBeNull();
    expect((await begin("off", READS))(fault, 0, PLENTY_MS)).toBeNull();
    expect((await begin("read_only", grant({ idempotentHint: true })))(fault, 0, PLENTY_MS)).toBeNull();
    expect((await begin("idempotent", grant({ idempotentHint: true })))(fault, 0, PLENTY_MS)).not.toBeNull();
    expect((await begin("idempotent", grant({})))(fault, 0, PLENTY_MS)).toBeNull();
  });
});
