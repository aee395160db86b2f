import { getAlert } from "@/lib/alerts/read";
import { route } from "@/lib/http/route";

export const dynamic = "force-dynamic";

export const GET = route(getAlert);
