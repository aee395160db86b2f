import "server-only";
import { cache } from "react";
import { perform } from "@/lib/audit/perform";
import { contextFromHeaders } from "@/lib/auth/context-from-headers";
import type { RequestContext } from "@/lib/core/context";
import { isAppError } from "@/lib/core/errors";
import { covers } from "@/lib/core/permission";
import { getMe } from "@/lib/tenants/read";
import type { MeView } from "@/lib/tenants/schemas";

/**
 * Who sends this request and in which tenant: API token or session cookie. Throws unauthenticated.
 * A link that downloads cannot send `x-tenant`, so a read may name its tenant in the address instead.
 */
export const contextFromRequest = (request: Request): Promise<RequestContext> =>
  contextFromHeaders(request.headers, tenantInAddress(request));

function tenantInAddress(request: Request): string | undefined {
  if (request.method !== "GET") return undefined;
  return new URL(request.url).searchParams.get("tenant") ?? undefined;
}

export type PageContext = { readonly ctx: RequestContext; readonly me: MeView };

/** The header in which proxy.ts hands server components the address that was asked for. Only used to come back after signing in. */
export const PATH_HEADER = "x-countersign-path";

/**
 * Who looks at a page of a tenant. Without a session it redirects to sign-in and back; somebody who is no member sees
 * "not found", whether the tenant exists or not. Asked once per request however many components need it.
 */
export const pageContext = cache((tenantSlug: string): Promise<PageContext> => load(tenantSlug));

/** The same for the pages of the platform: for platform admins only, in no tenant. */
export const platformPageContext = cache(async (): Promise<PageContext> => {
  const found = await load(undefined);
  if (!covers(found.ctx.permissions, "platform:read")) (await navigation()).notFound();
  return found;
});

/** Who is signed in, or null: for pages that anybody may see. */
export const visitor = cache(async (): Promise<PageContext | null> => {
  try {
    return await read(undefined);
  } catch (cause) {
    if (isAppError(cause) && cause.code === "unauthenticated") return null;
    throw cause;
  }
});

// Loaded when asked: these modules exist only inside Next, and the rest of this room runs outside of it too.
const navigation = () => import("next/navigation");
const requestHeaders = async () => new Headers(await (await import("next/headers")).headers());

async function read(tenantSlug: string | undefined): Promise<PageContext> {
  const ctx = await contextFromHeaders(await requestHeaders(), tenantSlug);
  return { ctx, me: await perform(getMe, ctx, {}) };
}

async function load(tenantSlug: string | undefined): Promise<PageContext> {
  try {
    return await read(tenantSlug);
  } catch (cause) {
    if (!isAppError(cause)) throw cause;
    const { redirect, notFound } = await navigation();
    if (cause.code === "not_found") notFound();
    if (cause.code !== "unauthenticated") throw cause;
    const from = (await requestHeaders()).get(PATH_HEADER) ?? "/";
    return redirect(`/sign-in?callbackUrl=${encodeURIComponent(from)}`);
  }
}
