import { route } from "@/lib/http/route";
import { listKillSwitches } from "@/lib/kill-switches/read";
import { throwKillSwitch } from "@/lib/kill-switches/throw-kill-switch";

export const dynamic = "force-dynamic";

export const GET = route(listKillSwitches);
export const POST = route(throwKillSwitch);
