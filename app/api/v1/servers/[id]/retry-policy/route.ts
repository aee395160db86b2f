import { route } from "@/lib/http/route";
import { changeRetryPolicy } from "@/lib/limits/change-handling";

export const dynamic = "force-dynamic";

export const PUT = route(changeRetryPolicy);
