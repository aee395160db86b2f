import { route } from "@/lib/http/route";
import { liftKillSwitch } from "@/lib/kill-switches/throw-kill-switch";

export const dynamic = "force-dynamic";

export const DELETE = route(liftKillSwitch);
