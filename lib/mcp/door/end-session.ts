import { AppError } from "@/lib/core/errors";
import type { GatewayDeps } from "@/lib/gateway/gateway-deps";
import type { Identity } from "@/lib/gateway/identity";
import { recordArrival } from "@/lib/gateway/record-request";
import type { Entrance } from "@/lib/gateway/tool-call";
import type { DoorAnswer, DoorRequest } from "@/lib/mcp/door/door-request";
import { closeSession } from "@/lib/mcp/door/session-ids";

/**
 * DELETE: a client of the sessions era is done. What it still has running is cancelled, its stream ends, and its session
 * is not there any more, in whichever process it asks next.
 */
export async function answerDelete(
  gateway: GatewayDeps,
  identity: Identity,
  entrance: Entrance,
  { header }: Pick<DoorRequest, "header">,
): Promise<DoorAnswer> {
  const session = header("mcp-session-id");
  if (session === null) {
    const rule = "must name the session to end";
    throw new AppError("invalid_input", `The header Mcp-Session-Id ${rule}.`, {
      issues: [{ path: "header.Mcp-Session-Id", rule }],
    });
  }
  await closeSession(identity, session);
  await recordArrival(gateway, identity, { ...entrance, era: "legacy" }, "DELETE");
  return { status: 204, headers: { "x-request-id": entrance.requestId }, body: null };
}
