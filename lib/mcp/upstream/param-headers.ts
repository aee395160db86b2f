import { isRecord, type Json } from "@/lib/mcp/upstream/protocol";

type Declared = { readonly header: string; readonly path: readonly string[] };

const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
const PLAIN = /^[\x21-\x7e]([\x20-\x7e\t]*[\x21-\x7e])?$/;
const MAX_DEPTH = 8;
const known = new WeakMap<Json, readonly Declared[]>();

/** A header value as revision 2026-07-28 wants it: plain ASCII as it is, anything else in the Base64 sentinel. */
export function headerValue(text: string): string {
  const plain = PLAIN.test(text) && !(text.startsWith("=?base64?") && text.endsWith("?="));
  return plain ? text : `=?base64?${Buffer.from(text, "utf8").toString("base64")}?=`;
}

/** The text behind a header value; null when it claims to be Base64 and is not. */
export function headerText(value: string): string | null {
  if (!(value.startsWith("=?base64?") && value.endsWith("?="))) return value;
  const encoded = value.slice(9, -2);
  return /^[A-Za-z0-9+/]*={0,2}$/.test(encoded) ? Buffer.from(encoded, "base64").toString("utf8") : null;
}

function scan(schema: Json, path: readonly string[], found: Declared[]): void {
  const properties = schema["properties"];
  if (!isRecord(properties) || path.length >= MAX_DEPTH) return;
  for (const [name, child] of Object.entries(properties)) {
    if (!isRecord(child)) continue;
    const header = child["x-mcp-header"];
    if (typeof header === "string" && TOKEN.test(header)) found.push({ header, path: [...path, name] });
    scan(child, [...path, name], found);
  }
}

function declaredIn(schema: Json): readonly Declared[] {
  const before = known.get(schema);
  if (before !== undefined) return before;
  const found: Declared[] = [];
  scan(schema, [], found);
  known.set(schema, found);
  return found;
}

function textOf(value: unknown): string | null {
  if (typeof value === "string") return value;
  if (typeof value === "boolean") return String(value);
  return typeof value === "number" && Number.isFinite(value) ? String(value) : null;
}

/** `Mcp-Param-*` headers for the arguments that the tool's schema marks with `x-mcp-header`. */
export function paramHeaders(inputSchema: Json | undefined, args: unknown): Record<string, string> {
  const headers: Record<string, string> = {};
  if (inputSchema === undefined) return headers;
  for (const { header, path } of declaredIn(inputSchema)) {
    let value: unknown = args;
    for (const key of path) value = isRecord(value) ? value[key] : undefined;
    const text = textOf(value);
    if (text !== null) headers[`mcp-param-${header.toLowerCase()}`] = headerValue(text);
  }
  return headers;
}
