import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { EntryDraft } from "@/lib/audit/entry";
import { isoMicros, nowMicros } from "@/lib/audit/micro-time";
import { encodePayload, MAX_SIDE_BYTES } from "@/lib/audit/payload";
import { type Stamp, toRecordFields } from "@/lib/audit/record";
import { recordBytes, toRecordText } from "@/lib/audit/record-text";
import { toSearchColumns } from "@/lib/audit/search-columns";
import { canonicalJson } from "@/lib/core/canonical-json";
import { newId } from "@/lib/core/ids";

const TENANT = "0193e7a0-0000-7000-8000-000000000001";
const stamp = (): Stamp => ({
  eventId: newId(),
  ts: isoMicros(nowMicros()),
  gatewayId: newId(),
  gatewayVersion: "0.1.0",
});
const draft = (over: Partial<EntryDraft> = {}): EntryDraft => ({
  tenantId: TENANT,
  phase: "outcome",
  eventType: "tool_call.finished",
  outcome: "success",
  actor: { type: "agent", id: newId(), name: "triage-bot" },
  requestId: "req-12345678",
  ...over,
});

const anyText = fc.string({ unit: "binary", maxLength: 400 }).map((text) => `${text}\ud800\u0000`);

describe("the record", () => {
  it("is RFC 8785 whatever the texts hold", () => {
    fc.assert(
      fc.property(anyText, anyText, fc.double(), fc.nat(), (tool, reason, latencyMs, seq) => {
        const traced = { traceId: "4bf92f3577b34da6a3ce929d0e0e4736", spanId: "00f067aa0ba902b7" };
        const fields = toRecordFields(
          draft({ tool, reason, latencyMs, server: "files", count: 3, ...traced }),
          stamp(),
        );
        const bytes = recordBytes(toRecordText(fields), seq);
        const text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
        expect(canonicalJson(JSON.parse(text))).toBe(text);
        expect(JSON.parse(text)).toEqual({ ...JSON.parse(JSON.stringify(fields)), seq });
      }),
    );
  });

  it("is the same whether its texts are written in one go or one by one", () => {
    const text = fc.string({ unit: "grapheme-ascii", maxLength: 60 });
    fc.assert(
      fc.property(fc.record({ tool: text, reason: text, door: text, userAgent: text, target: text }), (over) => {
        const fields = toRecordFields(draft({ ...over, server: "files", latencyMs: 1.5, bytesIn: 0 }), stamp());
        const written = toRecordText(fields);
        const texts = Object.values(fields).filter((value) => typeof value === "string");
        expect(written.plain).toBe(
          texts.every((value) => JSON.stringify(value) === `"${value}"` && !value.includes("\x7f")),
        );
        const bytes = recordBytes(written, 9).toString();
        expect(bytes).toBe(canonicalJson(JSON.parse(JSON.stringify({ ...fields, seq: 9 }))));
        expect(toSearchColumns(fields, written.plain)).toEqual(toSearchColumns(fields));
      }),
    );
    // Not by accident: most entries are plain, and these are.
    expect(toRecordText(toRecordFields(draft({ tool: "read_file" }), stamp())).plain).toBe(true);
    expect(toRecordText(toRecordFields(draft({ tool: 'read "file"' }), stamp())).plain).toBe(false);
  });

  it("gives columns that can be computed again from the stored bytes", () => {
    fc.assert(
      fc.property(anyText, anyText, (tool, target) => {
        const fields = toRecordFields(draft({ tool, target, server: "files", callId: newId() }), stamp());
        const read = JSON.parse(recordBytes(toRecordText(fields), 7).toString("utf8"));
        expect(toSearchColumns(read)).toEqual(toSearchColumns(fields));
        expect(JSON.stringify(toSearchColumns(fields))).not.toContain("\\u0000");
      }),
    );
  });

  it("keeps texts bounded and drops figures that JSON cannot hold", () => {
    const fields = toRecordFields(
      draft({
        userAgent: "x".repeat(100_000),
        latencyMs: Number.NaN,
        actor: { type: "user", id: "i".repeat(9999), name: "n" },
      }),
      stamp(),
    );
    expect(String(fields.user_agent).length).toBe(1000);
    expect(String(fields.actor_id).length).toBe(256);
    expect(recordBytes(toRecordText(fields), 1).toString()).not.toContain("latency_ms");
  });

  it("never holds the payload in the clear", () => {
    const fields = toRecordFields(draft({ payload: { arguments: { ssn: "078-05-1120" } } }), stamp());
    expect(recordBytes(toRecordText(fields), 1).toString()).not.toContain("078-05-1120");
    expect(toSearchColumns(fields).searchText).not.toContain("078-05-1120");
  });
});

describe("the payload", () => {
  it("keeps small sides as sent", () => {
    expect(encodePayload({ arguments: { b: 1, a: 2 }, result: undefined })?.toString()).toBe(
      '{"arguments":{"b":1,"a":2}}',
    );
    expect(encodePayload("text")?.toString()).toBe('{"value":"text"}');
    expect(encodePayload(undefined)).toBeNull();
  });

  it("cuts a large side and says how large it was", () => {
    const encoded = encodePayload({ arguments: { a: 1 }, result: "é".repeat(MAX_SIDE_BYTES) });
    const read = JSON.parse(String(encoded));
    expect(read.arguments).toEqual({ a: 1 });
    expect(read.result.$cut.bytes).toBe(2 * MAX_SIDE_BYTES + 2);
    expect(encoded?.length).toBeLessThan(MAX_SIDE_BYTES);
  });

  it("survives values that are not JSON", () => {
    const circular: Record<string, unknown> = {};
    circular["self"] = circular;
    expect(String(encodePayload({ result: circular }))).toContain("$unreadable");
    let deep: unknown = 1;
    for (let depth = 0; depth < 20_000; depth += 1) deep = [deep];
    expect(String(encodePayload({ result: deep }))).toContain("$unreadable");
  });
});

describe("micro time", () => {
  it("is the wall clock with six decimals", () => {
    expect(Math.abs(nowMicros() / 1000 - Date.now())).toBeLessThan(1_000);
    expect(isoMicros(1_700_000_000_000_042)).toBe("2023-11-14T22:13:20.000042Z");
  });
});
