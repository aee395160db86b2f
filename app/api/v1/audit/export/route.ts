import { exportEntries } from "@/lib/audit/export-entries";
import { exportResponse } from "@/lib/audit/export-response";
import { route } from "@/lib/http/route";

export const dynamic = "force-dynamic";

export const GET = route(exportEntries, { respond: exportResponse });
