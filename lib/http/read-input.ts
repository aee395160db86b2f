import { AppError, type FieldIssue } from "@/lib/core/errors";
import { parseJsonGuarded, readBounded } from "@/lib/core/json-guard";

const MAX_DEPTH = 64;
export const DEFAULT_MAX_BYTES = 1024 * 1024;

type Fields = Record<string, unknown>;

/** Everything a request says, as one record: address, then query (reads) or body (writes). Nothing is coerced. */
export async function readInput(
  request: Request,
  params: Readonly<Record<string, string | readonly string[] | undefined>>,
  maxBytes: number,
): Promise<Fields> {
  const isRead = request.method === "GET" || request.method === "HEAD";
  const said = isRead ? queryFields(new URL(request.url).searchParams) : await bodyFields(request, maxBytes);
  for (const [name, value] of Object.entries(params)) {
    if (value === undefined) continue;
    if (name in said && said[name] !== value) {
      throw rejected([{ path: name, rule: "must match the address or be left out" }]);
    }
  }
  const merged = { ...said, ...params };
  const path = pathOfNul(merged, "");
  // PostgreSQL text cannot hold NUL; caught here it names the field instead of failing the whole statement.
  if (path !== null) throw rejected([{ path, rule: "must not contain the NUL character" }]);
  return merged;
}

function queryFields(query: URLSearchParams): Fields {
  const fields: Fields = {};
  for (const [name, value] of query) {
    if (Object.hasOwn(fields, name)) throw rejected([{ path: name, rule: "must be given once" }]);
    fields[name] = value;
  }
  return fields;
}

async function bodyFields(request: Request, maxBytes: number): Promise<Fields> {
  const bytes = await readBounded(request, maxBytes);
  if (bytes.length === 0) return {};
  const type = (request.headers.get("content-type") ?? "").split(";")[0]?.trim().toLowerCase() ?? "";
  if (type !== "application/json") {
    throw new AppError("unsupported_media_type", "The body must be sent as application/json.");
  }
  const body = parseJsonGuarded(bytes, { maxBytes, maxDepth: MAX_DEPTH });
  if (typeof body !== "object" || body === null || Array.isArray(body)) {
    throw rejected([{ path: "", rule: "must be a JSON object" }]);
  }
  return body as Fields;
}

function pathOfNul(value: unknown, path: string): string | null {
  if (typeof value === "string") return value.includes("\u0000") ? path : null;
  if (typeof value !== "object" || value === null) return null;
  for (const [key, item] of Object.entries(value)) {
    const inner = path === "" ? key : `${path}.${key}`;
    const found = key.includes("\u0000") ? path : pathOfNul(item, inner);
    if (found !== null) return found;
  }
  return null;
}

const rejected = (issues: readonly FieldIssue[]) =>
  new AppError(
    "invalid_input",
    `Some fields are not valid: ${issues.map((issue) => `${issue.path || "body"} ${issue.rule}`).join("; ")}.`,
    {
      issues,
    },
  );
