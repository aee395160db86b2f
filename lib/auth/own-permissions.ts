import "server-only";
import { requirePermission } from "@/lib/audit/perform";
import { beyond } from "@/lib/auth/effective-permissions";
import type { RequestContext } from "@/lib/core/context";

/**
 * Nobody hands on, or takes from others, what they do not hold themselves: otherwise whoever may manage members could
 * make themselves an admin. The refusal is recorded.
 */
export async function requireWithinOwn(ctx: RequestContext, wanted: Iterable<string>, act: string): Promise<void> {
  const [first] = beyond(ctx.permissions, wanted);
  if (first !== undefined) await requirePermission(ctx, first, act);
}
