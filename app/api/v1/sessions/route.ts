import { listOwnSessions } from "@/lib/auth/own-sessions";
import { route } from "@/lib/http/route";

export const dynamic = "force-dynamic";

export const GET = route(listOwnSessions);
