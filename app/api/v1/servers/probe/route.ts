import { route } from "@/lib/http/route";
import { probeServer } from "@/lib/servers/probe-server";

export const dynamic = "force-dynamic";

export const POST = route(probeServer);
