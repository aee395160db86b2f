import { z } from "zod";
import { ERROR_CODES } from "@/lib/core/errors";
import { baseUrl } from "@/lib/env";
import { API_TABLE, type ApiRow, type ListedVerb } from "@/lib/http/api-table";

type Json = Readonly<Record<string, unknown>>;

const PROBLEM = { $ref: "#/components/responses/Problem" };

/** The interface under /api/v1 as OpenAPI 3.1, made from the very schemas that check the requests. */
export function openApiDocument(): Json {
  const paths: Record<string, Record<string, unknown>> = {};
  for (const row of API_TABLE) {
    const [path, method] = row;
    const item = paths[path] ?? {};
    item[method.toLowerCase()] = operation(row);
    paths[path] = item;
  }
  return {
    openapi: "3.1.0",
    info: {
      title: "Countersign",
      version: "1",
      description: "What the console does, for scripts. Errors are problem+json.",
    },
    servers: [{ url: `${baseUrl()}/api/v1` }],
    security: [{ apiToken: [] }, { session: [] }],
    paths,
    components: {
      securitySchemes: SECURITY,
      responses: { Problem: PROBLEM_RESPONSE },
      schemas: { Problem: PROBLEM_SCHEMA },
    },
  };
}

const SECURITY: Json = {
  apiToken: { type: "http", scheme: "bearer", description: "A cst_… token; it belongs to one tenant." },
  session: {
    type: "apiKey",
    in: "cookie",
    name: "countersign.session",
    description: "The console's own session. Writes must come from the console's origin; X-Tenant names the tenant.",
  },
};

const PROBLEM_SCHEMA: Json = {
  type: "object",
  required: ["type", "title", "status", "detail", "code", "requestId"],
  properties: {
    type: { type: "string" },
    title: { type: "string" },
    status: { type: "integer" },
    detail: { type: "string" },
    code: { type: "string", enum: [...ERROR_CODES] },
    requestId: { type: "string" },
    missing: { type: "string", description: "The permission the caller would need." },
    entry: { type: "string", description: "The audit entry that recorded the refusal." },
    issues: {
      type: "array",
      items: {
        type: "object",
        properties: { path: { type: "string" }, rule: { type: "string" } },
        required: ["path", "rule"],
      },
    },
  },
};

const PROBLEM_RESPONSE: Json = {
  description: "What went wrong, with a stable code and the request id.",
  content: { "application/problem+json": { schema: { $ref: "#/components/schemas/Problem" } } },
};

function operation([path, method, summary, verb, mediaType = "application/json"]: ApiRow): Json {
  const status = String(verb.status ?? 200);
  const inPath = [...path.matchAll(/\{(\w+)\}/g)].map((match) => match[1] ?? "");
  const input = inputOf(verb);
  const rest = Object.entries(input.properties).filter(([name]) => !inPath.includes(name));
  const fromPath = inPath.map((name) => parameter("path", name, input.properties[name] ?? { type: "string" }, true));
  const required = input.required.filter((name) => !inPath.includes(name));
  const success = status === "204" ? { description: "Done." } : { description: "Done.", content: { [mediaType]: {} } };
  return {
    operationId: `${method.toLowerCase()}${path.replace(/\W(\w)/g, (_all, letter: string) => letter.toUpperCase()).replace(/\W/g, "")}`,
    summary,
    tags: [path.split("/")[1] ?? ""],
    "x-countersign-permission": verb.permission,
    responses: { [status]: success, default: PROBLEM },
    ...(method === "GET"
      ? {
          parameters: [
            ...fromPath,
            ...rest.map(([name, schema]) => parameter("query", name, schema, required.includes(name))),
          ],
        }
      : { parameters: fromPath, ...bodyOf(rest, required) }),
  };
}

const parameter = (where: "path" | "query", name: string, schema: unknown, required: boolean): Json => ({
  in: where,
  name,
  required,
  schema,
});

function bodyOf(fields: readonly [string, unknown][], required: readonly string[]): Json {
  if (fields.length === 0) return {};
  const schema = {
    type: "object",
    properties: Object.fromEntries(fields),
    ...(required.length > 0 ? { required } : {}),
  };
  return { requestBody: { required: required.length > 0, content: { "application/json": { schema } } } };
}

type ObjectSchema = { readonly properties: Json; readonly required: readonly string[] };

function inputOf(verb: ListedVerb): ObjectSchema {
  const schema = z.toJSONSchema(verb.input, { io: "input", unrepresentable: "any" }) as Partial<ObjectSchema>;
  return { properties: schema.properties ?? {}, required: schema.required ?? [] };
}
