import { getAccessMatrix } from "@/lib/access/read";
import { route } from "@/lib/http/route";

export const dynamic = "force-dynamic";

export const GET = route(getAccessMatrix);
