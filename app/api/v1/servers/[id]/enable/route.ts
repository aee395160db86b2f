import { route } from "@/lib/http/route";
import { enableServer } from "@/lib/servers/switch-server";

export const dynamic = "force-dynamic";

export const POST = route(enableServer);
