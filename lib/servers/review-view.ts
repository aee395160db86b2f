import type { ServerTool } from "@/lib/generated/prisma/client";
import { diffDefinitions } from "@/lib/servers/definition-diff";
import { definitionWarnings, type Neighbours } from "@/lib/servers/definition-warnings";
import { approvedOf, pendingOf, reviewSha256 } from "@/lib/servers/pinned-definition";
import type { DefinitionReview } from "@/lib/servers/schemas";

/** What of a tool's row says whether somebody has to look at it. */
export type ReviewMarks = Pick<ServerTool, "approvedAt" | "heldSha256" | "rejectedAt">;

/** Null where nothing waits. A new tool that somebody mapped was looked at. */
export function reviewStateOf(tool: ReviewMarks, mapped: boolean): DefinitionReview["state"] | null {
  if (tool.heldSha256 !== null) return tool.rejectedAt === null ? "held" : "rejected";
  return tool.approvedAt === null && !mapped ? "new" : null;
}

/** What waits of a tool, with what a reviewer should see. */
export function toReview(
  tool: ServerTool,
  mapped: boolean,
  server: string,
  neighbours: Neighbours,
): DefinitionReview | null {
  const state = reviewStateOf(tool, mapped);
  if (state === null) return null;
  const before = tool.approvedAt === null ? null : approvedOf(tool);
  const after = pendingOf(tool);
  return {
    state,
    since: (tool.heldAt ?? tool.firstSeenAt).toISOString(),
    sha256: reviewSha256(tool),
    hasApproved: before !== null,
    diff: diffDefinitions(before, after),
    warnings: definitionWarnings(before, after, neighbours, server),
  };
}
