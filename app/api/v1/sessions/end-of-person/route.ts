import { endPersonSessions } from "@/lib/auth/end-person-sessions";
import { route } from "@/lib/http/route";

export const dynamic = "force-dynamic";

export const POST = route(endPersonSessions);
