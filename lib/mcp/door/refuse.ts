import { type AppError, toAppError } from "@/lib/core/errors";
import { logger } from "@/lib/core/logger";
import type { GatewayDeps } from "@/lib/gateway/gateway-deps";
import type { Identity } from "@/lib/gateway/identity";
import { recordRefusedKey, recordRefusedRequest } from "@/lib/gateway/record-request";
import type { Entrance } from "@/lib/gateway/tool-call";
import { refusalAnswer } from "@/lib/mcp/door/answers";
import type { DoorAnswer } from "@/lib/mcp/door/door-request";
import type { EnvelopeFault } from "@/lib/mcp/door/envelope";

type Refused = {
  readonly entrance: Entrance;
  readonly identity: Identity;
  readonly id: string | number | null;
  readonly method: string | null;
};

/** Refuses a message of somebody we know. Never throws. */
export async function refuseKnown(gateway: GatewayDeps, refused: Refused, cause: unknown): Promise<DoorAnswer> {
  const special = isFault(cause) ? { status: cause.status, rpcCode: cause.rpcCode } : {};
  const error = isFault(cause) ? cause.error : toAppError(cause);
  const { entrance, identity, id, method } = refused;
  if (error.code === "internal") logger.error({ err: error.cause, requestId: entrance.requestId }, "the door failed");
  try {
    const entry = await recordRefusedRequest(gateway, identity, entrance, error, method);
    return refusalAnswer(id, error, { requestId: entrance.requestId, entry }, special);
  } catch (unrecorded) {
    return refusalAnswer(id, toAppError(unrecorded), { requestId: entrance.requestId, entry: null });
  }
}

/** Refuses whoever we do not know. Never throws. */
export async function refuseStranger(
  gateway: GatewayDeps,
  entrance: Entrance,
  id: Refused["id"],
  error: AppError,
): Promise<DoorAnswer> {
  try {
    const entry = await recordRefusedKey(gateway, entrance, error);
    return refusalAnswer(id, error, { requestId: entrance.requestId, entry });
  } catch (unrecorded) {
    return refusalAnswer(id, toAppError(unrecorded), { requestId: entrance.requestId, entry: null });
  }
}

const isFault = (cause: unknown): cause is EnvelopeFault =>
  typeof cause === "object" && cause !== null && "fault" in cause;
