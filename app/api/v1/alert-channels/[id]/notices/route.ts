import { listNotices } from "@/lib/channels/read";
import { route } from "@/lib/http/route";

export const dynamic = "force-dynamic";

export const GET = route(listNotices);
