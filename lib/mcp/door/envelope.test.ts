import { expect, it } from "vitest";
import { readEnvelope } from "@/lib/mcp/door/envelope";
import { META, MODERN_VERSION } from "@/lib/mcp/upstream/protocol";

const _meta = { [META.protocolVersion]: MODERN_VERSION, [META.clientCapabilities]: {} };

function read(method: string, params: object, name?: string) {
  const headers: Record<string, string> = { "mcp-protocol-version": MODERN_VERSION, "mcp-method": method };
  if (name !== undefined) headers["mcp-name"] = name;
  const body = { jsonrpc: "2.0", id: 1, method, params: { ...params, _meta } };
  return readEnvelope(body, (header) => headers[header] ?? null);
}

it.each([
  ["tools/call", {}],
  ["tools/call", { name: 7 }],
  ["prompts/get", {}],
  ["resources/read", { name: "a" }],
])("does not blame headers where neither they nor the body of %s name anything: %o", (method, params) => {
  expect(read(method, params)).toMatchObject({ era: "modern", id: 1, method });
});

it.each([
  ["only the body names a tool", { name: "a__b" }, undefined],
  ["only the header does", {}, "a__b"],
  ["the body names it by a number", { name: 7 }, "7"],
  ["they name two", { name: "a__b" }, "a__c"],
])("refuses a call where %s", (_, params, name) => {
  expect(read("tools/call", params, name)).toMatchObject({ fault: true, id: 1, rpcCode: -32020, status: 400 });
});
