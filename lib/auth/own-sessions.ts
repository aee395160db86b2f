import "server-only";
import { z } from "zod";
import { endOpenSessions, readOpenSessions, toSessionView, warmChainsOf } from "@/lib/auth/open-sessions";
import { requireSession } from "@/lib/auth/require-session";
import { endOwnSessionInput, type OwnSessionView } from "@/lib/auth/schemas";
import type { RequestContext } from "@/lib/core/context";
import { definePlatformRead, definePlatformWrite } from "@/lib/db/verbs";

// A token belongs to one tenant, and whoever holds it learns of no other: sessions tell of all of them.
const NOT_A_SESSION = "Only a signed-in session is told of one's sessions and ends them; an API token is not.";

const me = (ctx: RequestContext) => requireSession(ctx, NOT_A_SESSION);

/** One's own sessions that are open, wherever they are, with the one that asks before the others. */
export const listOwnSessions = definePlatformRead({
  permission: "self",
  input: z.object({}),
  run: async (tx, ctx): Promise<readonly OwnSessionView[]> => {
    const { userId, sessionId } = me(ctx);
    const rows = await readOpenSessions(tx, { userId });
    const ids = rows.flatMap(({ activeTenantId }) => activeTenantId ?? []);
    const tenants = await tx.tenant.findMany({
      where: { id: { in: ids } },
      select: { id: true, slug: true, name: true },
    });
    const places = new Map(tenants.map(({ id, slug, name }) => [id, { slug, name }]));
    const views = rows.map((row) => ({
      ...toSessionView(row),
      current: row.id === sessionId,
      tenant: places.get(row.activeTenantId ?? "") ?? null,
    }));
    return views.sort((one, other) => Number(other.current) - Number(one.current));
  },
});

const warmOwn = (ctx: RequestContext) => warmChainsOf(me(ctx).userId);

/** Ends one of one's own; the one that asks is signed out. */
export const endOwnSession = definePlatformWrite({
  permission: "self",
  input: endOwnSessionInput,
  status: 204,
  prepare: warmOwn,
  run: async (tx, ctx, { id }) => {
    const { userId, email, sessionId } = me(ctx);
    const as = id === sessionId ? "signed_out" : "revoked";
    const done = await endOpenSessions(tx, ctx, { userId, only: id }, { email, as, by: sessionId });
    return { ...done, result: null };
  },
});

/** Ends all of one's own but the one that asks. */
export const endOtherSessions = definePlatformWrite({
  permission: "self",
  input: z.object({}),
  prepare: warmOwn,
  run: async (tx, ctx) => {
    const { userId, email, sessionId } = me(ctx);
    return endOpenSessions(tx, ctx, { userId, except: sessionId }, { email, as: "revoked", by: sessionId });
  },
});
