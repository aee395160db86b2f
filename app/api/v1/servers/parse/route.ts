import { route } from "@/lib/http/route";
import { readPastedServers } from "@/lib/servers/read";

export const dynamic = "force-dynamic";

export const POST = route(readPastedServers);
