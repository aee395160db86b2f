import { tryServerTool } from "@/lib/gateway/try-server-tool";
import { route } from "@/lib/http/route";

export const dynamic = "force-dynamic";

export const POST = route(tryServerTool);
