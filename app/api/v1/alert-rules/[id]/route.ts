import { changeAlertRule, deleteAlertRule } from "@/lib/alerts/change-rule";
import { route } from "@/lib/http/route";

export const dynamic = "force-dynamic";

export const PATCH = route(changeAlertRule);
export const DELETE = route(deleteAlertRule);
