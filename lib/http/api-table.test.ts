import { readdirSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { API_TABLE } from "@/lib/http/api-table";
import { openApiDocument } from "@/lib/http/openapi";
import { type RouteHandler, route, verbOf } from "@/lib/http/route";

const ROOT = join(process.cwd(), "app/api/v1");
/** Describes the interface and serves no verb. */
const EXEMPT = new Set(["/openapi.json"]);
const NOT_METHODS = new Set(["dynamic", "runtime", "maxDuration"]);

const files = readdirSync(ROOT, { recursive: true, encoding: "utf8" }).filter((file) => file.endsWith("route.ts"));
const addressOf = (file: string) => `/${file.replace(/\/route\.ts$/, "").replace(/\[(\w+)\]/g, "{$1}")}`;

async function exported(file: string): Promise<[string, RouteHandler][]> {
  const module = (await import(/* @vite-ignore */ join(ROOT, file))) as Record<string, RouteHandler>;
  return Object.entries(module).filter(([name]) => !NOT_METHODS.has(name));
}

describe("every address of /api/v1", () => {
  const served = files.filter((file) => !EXEMPT.has(addressOf(file)));

  it.each(served)("%s serves verbs only, and they are the ones in the table", async (file) => {
    const handlers = await exported(file);
    expect(handlers.length).toBeGreaterThan(0);
    for (const [method, handler] of handlers) {
      const verb = verbOf(handler);
      expect(verb, `${method} is not a route(...)`).toBeDefined();
      const row = API_TABLE.find(([path, listed]) => path === addressOf(file) && listed === method);
      expect(row, `${method} ${addressOf(file)} is missing in lib/http/api-table.ts`).toBeDefined();
      expect(row?.[3]).toBe(verb);
    }
  });

  it("is a file: the table promises nothing that is not served", async () => {
    const real = await Promise.all(
      files.map(async (file) => (await exported(file)).map(([method]) => `${method} ${addressOf(file)}`)),
    );
    const known = new Set(real.flat());
    expect(API_TABLE.map(([path, method]) => `${method} ${path}`).filter((row) => !known.has(row))).toEqual([]);
  });

  it("recognises a handler that is no route", () => {
    const [row] = API_TABLE;
    expect(verbOf(async () => new Response())).toBeUndefined();
    expect(row).toBeDefined();
    if (row !== undefined) expect(verbOf(route(row[3] as never))).toBe(row[3]);
  });

  it("asks for a permission by name, or only for somebody signed in", () => {
    for (const [path, method, , verb] of API_TABLE) {
      expect(verb.permission, `${method} ${path}`).toMatch(/^(self|[a-z]+:[a-z]+)$/);
    }
  });
});

describe("the OpenAPI document", () => {
  const document = openApiDocument() as { paths: Record<string, Record<string, { operationId: string }>> };

  it("names every operation once and survives JSON", () => {
    const ids = Object.values(document.paths).flatMap((item) =>
      Object.values(item).map((operation) => operation.operationId),
    );
    expect(ids).toHaveLength(API_TABLE.length);
    expect(new Set(ids).size).toBe(ids.length);
    expect(JSON.parse(JSON.stringify(document))).toEqual(document);
  });

  it("describes inputs as the schemas have them", () => {
    expect(document.paths["/invitations"]?.["post"]).toMatchObject({
      "x-countersign-permission": "members:write",
      requestBody: { content: { "application/json": { schema: { required: ["email", "roles"] } } } },
      responses: { "201": {}, default: { $ref: "#/components/responses/Problem" } },
    });
    expect(document.paths["/members/{id}"]?.["patch"]).toMatchObject({
      parameters: [{ in: "path", name: "id", required: true, schema: { format: "uuid" } }],
    });
  });
});
