import { route } from "@/lib/http/route";
import { disableServer } from "@/lib/servers/switch-server";

export const dynamic = "force-dynamic";

export const POST = route(disableServer);
