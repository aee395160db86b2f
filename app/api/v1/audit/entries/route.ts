import { searchEntries } from "@/lib/audit/search-entries";
import { route } from "@/lib/http/route";

export const dynamic = "force-dynamic";

export const GET = route(searchEntries);
