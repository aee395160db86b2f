import { watchPresence } from "@/lib/client/presence";
import type { FieldIssue } from "@/lib/core/errors";
import { type Page, type Problem, UNATTENDED_HEADER } from "@/lib/core/wire";

/** A refusal of our own API, as problem+json told it. */
export class ApiProblem extends Error {
  readonly code: string;
  readonly status: number;
  readonly requestId: string;
  readonly issues: readonly FieldIssue[];
  /** The permission the person would need. */
  readonly missing: string | null;

  constructor(problem: Pick<Problem, "code" | "status" | "requestId" | "detail" | "issues" | "missing">) {
    super(problem.detail);
    this.name = "ApiProblem";
    this.code = problem.code;
    this.status = problem.status;
    this.requestId = problem.requestId;
    this.issues = problem.issues ?? [];
    this.missing = problem.missing ?? null;
  }
}

export const isApiProblem = (cause: unknown): cause is ApiProblem => cause instanceof ApiProblem;

type Call = {
  readonly method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  readonly tenant: string | null;
  readonly body?: unknown;
  readonly signal?: AbortSignal | undefined;
};

async function problemOf(response: Response): Promise<ApiProblem> {
  const fallback = {
    code: "internal",
    status: response.status,
    requestId: response.headers.get("x-request-id") ?? "",
    detail: `The server answered ${response.status} without an explanation.`,
  };
  const body: unknown = await response.json().catch(() => null);
  return new ApiProblem(typeof body === "object" && body !== null ? { ...fallback, ...body } : fallback);
}

/** On the server nobody asks over HTTP. */
const isAttended = typeof window === "undefined" ? () => true : watchPresence(window);

async function call<T>(path: string, { method, tenant, body, signal }: Call): Promise<T> {
  const headers = new Headers({ accept: "application/json" });
  if (tenant !== null) headers.set("x-tenant", tenant);
  if (body !== undefined) headers.set("content-type", "application/json");
  if (method === "GET" && !isAttended()) headers.set(UNATTENDED_HEADER, "1");
  const response = await fetch(path, {
    method,
    headers,
    credentials: "same-origin",
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    ...(signal === undefined ? {} : { signal }),
  });
  if (!response.ok) throw await problemOf(response);
  if (response.status === 204) return undefined as T;
  return (await response.json()) as T;
}

/** GET of one of our own endpoints. `tenant` is the slug, null for what belongs to no tenant. */
export const getJson = <T>(path: string, tenant: string | null, signal?: AbortSignal): Promise<T> =>
  call<T>(path, { method: "GET", tenant, signal });

/** A write to one of our own endpoints. */
export const sendJson = <T>(
  method: "POST" | "PUT" | "PATCH" | "DELETE",
  path: string,
  tenant: string | null,
  body?: unknown,
): Promise<T> => call<T>(path, { method, tenant, body });

/** `?a=1&b=2` of the values that are there; empty text when none is. */
export function queryString(values: Readonly<Record<string, string | number | null | undefined>>): string {
  const params = new URLSearchParams();
  for (const [name, value] of Object.entries(values)) {
    if (value !== undefined && value !== null && value !== "") params.set(name, String(value));
  }
  const text = params.toString();
  return text === "" ? "" : `?${text}`;
}

/** Lists come as a page or, where they are always short, as plain rows. */
export const itemsOf = <T>(answer: Page<T> | readonly T[]): readonly T[] => ("items" in answer ? answer.items : answer);

const MAX_PAGES = 50;

/** All rows of a list that people look at as a whole: follows the cursor to the end. */
export async function getList<T>(path: string, tenant: string | null, signal?: AbortSignal): Promise<readonly T[]> {
  const rows: T[] = [];
  let next: string | null = null;
  for (let page = 0; page < MAX_PAGES; page += 1) {
    const separator = path.includes("?") ? "&" : "?";
    const address: string = next === null ? path : `${path}${separator}cursor=${encodeURIComponent(next)}`;
    const answer: Page<T> | readonly T[] = await getJson(address, tenant, signal);
    rows.push(...itemsOf(answer));
    next = "items" in answer ? answer.nextCursor : null;
    if (next === null) break;
  }
  return rows;
}
