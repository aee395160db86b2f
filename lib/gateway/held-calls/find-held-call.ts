import { AppError } from "@/lib/core/errors";
import { sharedRedis } from "@/lib/db/redis-client";
import { env } from "@/lib/env";
import type { Grant } from "@/lib/gateway/authorize";
import { findElsewhere } from "@/lib/gateway/held-calls/elsewhere";
import { type HeldCall, idIn, isOver, ownerOf } from "@/lib/gateway/held-calls/held-call";
import { heldHere } from "@/lib/gateway/held-calls/hold-call";

const AWAY_MS = 2_000;

/**
 * The call that a state stands for, wherever it is held. Rejects with `not_found` where none is or it is somebody else's, and with
 * `unavailable` where the process that may hold it cannot be asked now; the state is still good then.
 */
export async function findHeldCall(state: string, grant: Grant): Promise<HeldCall> {
  const [id, owner] = [idIn(state), ownerOf(grant)];
  const here = heldHere(id);
  if (here?.owner === owner) return here.call;
  if (env().REDIS_URL === undefined) throw isOver("another process of the gateway held it");
  const gone = isOver("the process of the gateway that held it is gone");
  if (here !== undefined) throw gone;
  if (sharedRedis() === null) {
    const text =
      "This call may be held by another process of the gateway, which cannot be asked now. Try again shortly.";
    throw new AppError("unavailable", text, { retryAfterMs: AWAY_MS });
  }
  const elsewhere = await findElsewhere(id, owner);
  if (elsewhere === null) throw gone;
  return elsewhere;
}
