import { closeSession } from "@/lib/auth/close-session";
import { forgottenSessionCookie } from "@/lib/auth/session-cookie";
import { route } from "@/lib/http/route";

export const dynamic = "force-dynamic";

export const DELETE = route(closeSession, { headers: () => ({ "set-cookie": forgottenSessionCookie() }) });
