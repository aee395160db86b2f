import { createAlertRule } from "@/lib/alerts/change-rule";
import { listAlertRules } from "@/lib/alerts/read";
import { route } from "@/lib/http/route";

export const dynamic = "force-dynamic";

export const GET = route(listAlertRules);
export const POST = route(createAlertRule);
