import type { z } from "zod";
import { changePermissionMap } from "@/lib/access/change-permission-map";
import { changeRoleGrants } from "@/lib/access/change-role-grants";
import { explainAccess } from "@/lib/access/explain";
import { getAccessMatrix, getPermissionMap, listPermissionMapVersions } from "@/lib/access/read";
import { revertPermissionMap } from "@/lib/access/revert-permission-map";
import { changeAgent } from "@/lib/agents/change-agent";
import { createAgent } from "@/lib/agents/create-agent";
import { listAgentKeys, mintAgentKey, revokeAgentKey } from "@/lib/agents/keys";
import { getAgent, getFirstCall, listAgents } from "@/lib/agents/read";
import { acknowledgeAlert } from "@/lib/alerts/acknowledge-alert";
import { changeAlertRule, createAlertRule, deleteAlertRule } from "@/lib/alerts/change-rule";
import { getAlert, listAlertRules, listAlerts } from "@/lib/alerts/read";
import { exportEntries } from "@/lib/audit/export-entries";
import { getEntry } from "@/lib/audit/get-entry";
import { searchEntries } from "@/lib/audit/search-entries";
import { verifyTrail } from "@/lib/audit/verify-trail";
import { closeSession } from "@/lib/auth/close-session";
import { endPersonSessions } from "@/lib/auth/end-person-sessions";
import { endOtherSessions, endOwnSession, listOwnSessions } from "@/lib/auth/own-sessions";
import { switchTenant } from "@/lib/auth/switch-tenant";
import { changeChannel, deleteChannel, rotateChannelSecret } from "@/lib/channels/change-channel";
import { createChannel } from "@/lib/channels/create-channel";
import { listChannels, listNotices } from "@/lib/channels/read";
import { testChannel } from "@/lib/channels/test-channel";
import { tryServerTool } from "@/lib/gateway/try-server-tool";
import { listKillSwitches } from "@/lib/kill-switches/read";
import { liftKillSwitch, throwKillSwitch } from "@/lib/kill-switches/throw-kill-switch";
import { changeRetryPolicy, changeToolCache } from "@/lib/limits/change-handling";
import { changeAgentLimit, changeTenantLimits } from "@/lib/limits/change-limits";
import { getServerHandling, getTenantLimits } from "@/lib/limits/read";
import { changeMember } from "@/lib/members/change-member";
import { changeRole, createRole, deleteRole } from "@/lib/members/change-role";
import { inviteMember, revokeInvitation } from "@/lib/members/invite-member";
import { endMemberSessions, listMemberSessions } from "@/lib/members/member-sessions";
import { mintApiToken, revokeApiToken } from "@/lib/members/mint-api-token";
import { listApiTokens, listInvitations, listMembers, listRoles } from "@/lib/members/read";
import { readCircuits } from "@/lib/metrics/read-circuits";
import { readHealth } from "@/lib/metrics/read-health";
import { readMarks } from "@/lib/metrics/read-marks";
import { readOverview } from "@/lib/metrics/read-overview";
import { readPools } from "@/lib/metrics/read-pools";
import { readSeries } from "@/lib/metrics/read-series";
import { readStatistics } from "@/lib/metrics/read-statistics";
import { readTenantLights } from "@/lib/metrics/read-tenant-lights";
import { changeProfile, createProfile, deleteProfile } from "@/lib/profiles/change-profile";
import { listProfiles } from "@/lib/profiles/read";
import { actOnCircuit } from "@/lib/servers/act-on-circuit";
import { changeServer } from "@/lib/servers/change-server";
import { probeServer } from "@/lib/servers/probe-server";
import { getServer, listServers, readPastedServers } from "@/lib/servers/read";
import { refreshServer } from "@/lib/servers/refresh-server";
import { registerServer } from "@/lib/servers/register-server";
import { retireServer } from "@/lib/servers/retire-server";
import { acceptDefinition, rejectDefinition } from "@/lib/servers/review-definition";
import { disableServer, enableServer } from "@/lib/servers/switch-server";
import { changeTenant } from "@/lib/tenants/change-tenant";
import { createTenant } from "@/lib/tenants/create-tenant";
import { getMe, listTenants } from "@/lib/tenants/read";

/** What the table needs of a verb; the rest stays with `perform`. */
export type ListedVerb = {
  readonly kind: "read" | "write";
  readonly permission: string;
  readonly input: z.ZodType;
  readonly status?: 200 | 201 | 204;
};
export type Method = "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
export type ApiRow = readonly [path: string, method: Method, summary: string, verb: ListedVerb, mediaType?: string];

/** Every address of /api/v1 and the verb behind it. A test holds it against the route files, both ways. */
export const API_TABLE: readonly ApiRow[] = [
  ["/me", "GET", "Who is signed in and what they may do", getMe],
  ["/session", "DELETE", "Sign out", closeSession],
  ["/session/tenant", "POST", "Switch the active tenant of the session", switchTenant],
  ["/sessions", "GET", "List one's own open sessions, at most the hundred last used", listOwnSessions],
  ["/sessions/{id}", "DELETE", "End one of one's own sessions", endOwnSession],
  ["/sessions/end-others", "POST", "End one's own sessions, all but the one that asks", endOtherSessions],
  ["/sessions/end-of-person", "POST", "End all sessions of a person, in every tenant", endPersonSessions],
  ["/tenants", "GET", "List tenants", listTenants],
  ["/tenants", "POST", "Create a tenant and invite its first admin", createTenant],
  ["/tenants/{id}", "PATCH", "Change, suspend or reinstate a tenant", changeTenant],
  ["/members", "GET", "List members", listMembers],
  ["/members/{id}", "PATCH", "Change a member's roles or status", changeMember],
  ["/members/{id}/sessions", "GET", "List a member's open sessions in this tenant", listMemberSessions],
  ["/members/{id}/sessions", "DELETE", "End a member's open sessions in this tenant", endMemberSessions],
  ["/invitations", "GET", "List open invitations", listInvitations],
  ["/invitations", "POST", "Invite a person by e-mail", inviteMember],
  ["/invitations/{id}", "DELETE", "Take an invitation back", revokeInvitation],
  ["/roles", "GET", "List roles", listRoles],
  ["/roles", "POST", "Create a role", createRole],
  ["/roles/{slug}", "PATCH", "Change a custom role", changeRole],
  ["/roles/{slug}", "DELETE", "Delete a custom role nobody holds", deleteRole],
  ["/api-tokens", "GET", "List one's own API tokens", listApiTokens],
  ["/api-tokens", "POST", "Mint an API token; the secret is shown once", mintApiToken],
  ["/api-tokens/{id}", "DELETE", "Revoke an API token", revokeApiToken],
  ["/servers", "GET", "List servers", listServers],
  ["/servers", "POST", "Register a server", registerServer],
  ["/servers/parse", "POST", "Read a pasted mcpServers JSON, URL or command", readPastedServers],
  ["/servers/probe", "POST", "Ask a server what it offers, without registering it", probeServer],
  ["/servers/{id}", "GET", "Get a server with its tools", getServer],
  ["/servers/{id}", "PATCH", "Change a server", changeServer],
  ["/servers/{id}", "DELETE", "Retire a server", retireServer],
  ["/servers/{id}/enable", "POST", "Enable a server", enableServer],
  ["/servers/{id}/disable", "POST", "Disable a server", disableServer],
  ["/servers/{id}/refresh", "POST", "Probe a server again", refreshServer],
  ["/servers/{id}/circuit", "POST", "Trip, close, disable or reset a server's circuit", actOnCircuit],
  ["/servers/{id}/definitions/accept", "POST", "Accept a tool's changed definition", acceptDefinition],
  ["/servers/{id}/definitions/reject", "POST", "Reject a tool's changed definition", rejectDefinition],
  ["/servers/{id}/try", "POST", "Call one tool as oneself; recorded like any call", tryServerTool],
  ["/agents", "GET", "List agents", listAgents],
  ["/agents", "POST", "Create an agent", createAgent],
  ["/agents/{id}", "GET", "Get an agent with its keys and tools", getAgent],
  ["/agents/{id}", "PATCH", "Change or suspend an agent", changeAgent],
  ["/agents/{id}/keys", "GET", "List an agent's keys", listAgentKeys],
  ["/agents/{id}/keys", "POST", "Mint an agent key; the secret is shown once", mintAgentKey],
  ["/agents/{id}/keys/{keyId}", "DELETE", "Revoke an agent key", revokeAgentKey],
  ["/agents/{id}/first-call", "GET", "Whether the agent's first call has arrived", getFirstCall],
  ["/agents/{id}/limit", "PUT", "Set how many calls per second an agent may make", changeAgentLimit],
  ["/servers/{id}/handling", "GET", "How a server's calls are repeated and its answers given again", getServerHandling],
  ["/servers/{id}/retry-policy", "PUT", "Set which tools may be called again after a fault", changeRetryPolicy],
  ["/servers/{id}/tool-cache", "PUT", "Set how long answers of a read-only tool are given again", changeToolCache],
  ["/limits", "GET", "Get the tenant's limits", getTenantLimits],
  ["/limits", "PUT", "Set the tenant's limits", changeTenantLimits],
  ["/kill-switches", "GET", "List what is stopped, and what was", listKillSwitches],
  ["/kill-switches", "POST", "Stop an agent, a tool, a server or the tenant", throwKillSwitch],
  ["/kill-switches/{id}", "DELETE", "Lift a kill switch", liftKillSwitch],
  ["/access/map", "GET", "Get the permission map", getPermissionMap],
  ["/access/map", "PUT", "Change the permission map", changePermissionMap],
  ["/access/map/revert", "POST", "Return to an earlier version of the permission map", revertPermissionMap],
  ["/access/map/versions", "GET", "List versions of the permission map", listPermissionMapVersions],
  ["/access/matrix", "GET", "Roles against tools", getAccessMatrix],
  ["/access/grants", "PUT", "Change what roles hold", changeRoleGrants],
  ["/profiles", "GET", "List profiles with what each costs", listProfiles],
  ["/profiles", "POST", "Create a profile: a named part of the catalog with its own door", createProfile],
  ["/profiles/{id}", "PATCH", "Change a profile", changeProfile],
  ["/profiles/{id}", "DELETE", "Delete a profile", deleteProfile],
  ["/policy/explain", "POST", "Why a call would be allowed or refused", explainAccess],
  ["/audit/entries", "GET", "Search the trail, newest first", searchEntries],
  ["/audit/entries/{id}", "GET", "Get one entry", getEntry],
  ["/audit/export", "GET", "Export the trail as JSONL", exportEntries, "application/x-ndjson"],
  ["/audit/verify", "POST", "Verify the tenant's whole chain", verifyTrail],
  ["/metrics/overview", "GET", "Calls, errors and latency per server", readOverview],
  ["/metrics/statistics", "GET", "Figures of any window by server, tool or caller", readStatistics],
  ["/metrics/series", "GET", "The same over time, of the tenant, a server or a tool", readSeries],
  ["/metrics/circuits", "GET", "How circuits stood over time, and why", readCircuits],
  ["/metrics/marks", "GET", "What was changed, for the time axis of charts", readMarks],
  ["/metrics/pools", "GET", "Places, connections and kept answers of each server", readPools],
  ["/metrics/tenants", "GET", "The light of every tenant, for platform admins", readTenantLights],
  ["/metrics/health", "GET", "The light of the tenant and its servers, with the reason", readHealth],
  ["/alerts", "GET", "List alerts, the most pressing first", listAlerts],
  ["/alerts/{id}", "GET", "Get an alert with its history", getAlert],
  ["/alerts/{id}/acknowledge", "POST", "Acknowledge an alert, or add a note to it", acknowledgeAlert],
  ["/alert-rules", "GET", "List what is watched", listAlertRules],
  ["/alert-rules", "POST", "Create an alert rule", createAlertRule],
  ["/alert-rules/{id}", "PATCH", "Change an alert rule, or switch it off", changeAlertRule],
  ["/alert-rules/{id}", "DELETE", "Delete an alert rule of one's own", deleteAlertRule],
  ["/alert-channels", "GET", "List where alerts are told", listChannels],
  ["/alert-channels", "POST", "Create a channel; a webhook's signing secret is shown once", createChannel],
  ["/alert-channels/{id}", "PATCH", "Change a channel, or switch it on and off", changeChannel],
  ["/alert-channels/{id}", "DELETE", "Delete a channel", deleteChannel],
  ["/alert-channels/{id}/test", "POST", "Send a marked notice at once and say how it went", testChannel],
  ["/alert-channels/{id}/secret", "POST", "Make a new signing secret, shown once", rotateChannelSecret],
  ["/alert-channels/{id}/notices", "GET", "What a channel was told, with every attempt", listNotices],
];
