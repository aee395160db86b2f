import type { IncomingMessage } from "node:http";
import { clientAddress } from "@/lib/core/client-address";
import { trustedProxies } from "@/lib/env";

/** Who asks at the door, through our proxies where they are named. */
export function peerAddressOf({ socket, headers }: Pick<IncomingMessage, "socket" | "headers">): string | null {
  const forwarded = headers["x-forwarded-for"];
  return clientAddress(
    socket.remoteAddress ?? null,
    forwarded === undefined ? null : String(forwarded),
    trustedProxies(),
  );
}
