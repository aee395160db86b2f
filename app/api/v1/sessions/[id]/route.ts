import { endOwnSession } from "@/lib/auth/own-sessions";
import { route } from "@/lib/http/route";

export const dynamic = "force-dynamic";

export const DELETE = route(endOwnSession);
