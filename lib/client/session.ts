import { sendJson } from "@/lib/client/api";

/** Ends the session on the server, then leaves for the sign-in page with nothing kept in the tab. */
export async function endSession(): Promise<void> {
  await sendJson<unknown>("DELETE", "/api/v1/session", null);
  window.location.assign("/sign-in");
}

/** Makes another of one's tenants the active one; both tenants' trails say so. */
export const switchTenant = (tenant: string) => sendJson<unknown>("POST", "/api/v1/session/tenant", null, { tenant });
