import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { verifyExport } from "@/lib/audit/verify";

/** Written by the version before entries could carry a trace, and not to be written again. */
const FILE = readFileSync("lib/audit/fixtures/export-before-traces.jsonl");
const HEAD = "766a131674e0d262b2137d8095d2e4be06fd40c4a60b724a53dd4a64ff32a88e";

const verify = (bytes: Uint8Array) =>
  verifyExport(
    (async function* () {
      yield bytes;
    })(),
    HEAD,
  );

it("an export of the version before traces verifies as it did", async () => {
  expect(FILE.toString("utf8")).not.toContain("trace_id");
  expect(await verify(FILE)).toMatchObject({ valid: true, problem: null, entries: 5, omitted: 3, head: HEAD });
});

it("and a trace cannot be written into it afterwards", async () => {
  const text = FILE.toString("utf8").replace('"ts":', `"trace_id":"${"a".repeat(32)}","ts":`);
  expect((await verify(Buffer.from(text))).valid).toBe(false);
});
