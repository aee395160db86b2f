import { getEntry } from "@/lib/audit/get-entry";
import { route } from "@/lib/http/route";

export const dynamic = "force-dynamic";

export const GET = route(getEntry);
