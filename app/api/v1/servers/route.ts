import { route } from "@/lib/http/route";
import { listServers } from "@/lib/servers/read";
import { registerServer } from "@/lib/servers/register-server";

export const dynamic = "force-dynamic";

export const GET = route(listServers);
export const POST = route(registerServer);
