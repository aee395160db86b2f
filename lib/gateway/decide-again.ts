import { authenticate } from "@/lib/gateway/authenticate";
import { authorize } from "@/lib/gateway/authorize";
import type { Passage } from "@/lib/gateway/circuits";
import type { Notes } from "@/lib/gateway/durable-intent";
import type { GatewayDeps } from "@/lib/gateway/gateway-deps";
import { requireAlive } from "@/lib/gateway/require-alive";
import { requireReachable } from "@/lib/gateway/require-reachable";
import { serversFor } from "@/lib/gateway/servers-for";
import type { Credential, ToolCall } from "@/lib/gateway/tool-call";
import { validateArguments } from "@/lib/gateway/validate-arguments";

type Deps = Pick<GatewayDeps, "checkKey" | "permissionMap" | "servers" | "killSwitches">;
type Asked = Pick<ToolCall, "credential" | "ref" | "args" | "ask" | "server">;

/**
 * The passage of a call that had to wait for its place, with what holds by now. Meanwhile a key may have been revoked, a
 * permission taken away, a definition held or a switch thrown: whoever did that was told that it holds within seconds.
 */
export async function decideAgain(
  gateway: Deps,
  call: Asked,
  passage: Passage,
  note: (notes: Notes) => void,
): Promise<Passage> {
  const identity = await authenticate(gateway, asPresented(call.credential));
  await requireReachable(gateway, passage.grant, call);
  const map = await gateway.permissionMap(identity.tenantId);
  const grant = authorize(identity, map, await serversFor(gateway, call, identity), call.ref, call.ask);
  await requireAlive(gateway, grant);
  validateArguments(grant, call, note);
  return { ...passage, grant };
}

const asPresented = (credential: Credential): Credential =>
  credential.kind === "checked" && typeof credential.secret === "string"
    ? { kind: "key", secret: credential.secret }
    : credential;
