import { route } from "@/lib/http/route";
import { getServerHandling } from "@/lib/limits/read";

export const dynamic = "force-dynamic";

export const GET = route(getServerHandling);
