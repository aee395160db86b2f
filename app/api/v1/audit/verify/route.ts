import { verifyTrail } from "@/lib/audit/verify-trail";
import { route } from "@/lib/http/route";

export const dynamic = "force-dynamic";

export const POST = route(verifyTrail);
