import type { z } from "zod";
import type { PermissionMapView, revertPermissionMapInput } from "@/lib/access/schemas";
import { sendJson } from "@/lib/client/api";

/** What an older version said becomes version n+1. */
export const revertPermissionMap = (tenant: string, input: z.input<typeof revertPermissionMapInput>) =>
  sendJson<PermissionMapView>("POST", "/api/v1/access/map/revert", tenant, input);
