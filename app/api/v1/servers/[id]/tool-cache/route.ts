import { route } from "@/lib/http/route";
import { changeToolCache } from "@/lib/limits/change-handling";

export const dynamic = "force-dynamic";

export const PUT = route(changeToolCache);
