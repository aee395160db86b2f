import { explainAccess } from "@/lib/access/explain";
import { route } from "@/lib/http/route";

export const dynamic = "force-dynamic";

export const POST = route(explainAccess);
